"""Ready kernels serve one run each, and none is handed out dead, twice or not at all."""

import asyncio
from types import SimpleNamespace

import pytest

from workbench.errors import KernelLost
from workbench.kernels import Usage, Wanted
from workbench.kernels.ordinary import OWN
from workbench.kernels.pool import Pool


class Toy:
    """A kernel without a process."""

    stale = False

    def __init__(self, kind):
        self.kind = kind
        self.dead = asyncio.get_running_loop().create_future()
        self.cleared = False

    def die(self):
        if not self.dead.done():
            self.dead.set_result(None)

    async def end(self):
        self.die()
        return Usage()

    def clear(self):
        self.cleared = True


class Clock:
    """A clock that stands still unless it is moved."""

    now = 0.0

    def __call__(self):
        return self.now


class Toys:
    """A source of toys that tells what is asked of it.

    Each takes *seconds* by the *clock*, whatever it takes in truth.
    """

    isolation = "toy"

    def __init__(self, clock):
        self.clock = clock
        self.seconds = 0.0
        self.made = []
        self.names = []
        self.starting = self.most_starting = 0
        self.fail = False
        self.slow = False
        self.closed = False

    def kind(self, wanted):
        return "" if wanted.kernel in OWN else wanted.kernel

    async def start(self, wanted, *, seconds):
        self.names.append(wanted.kernel)
        self.starting += 1
        self.most_starting = max(self.most_starting, self.starting)
        try:
            await asyncio.sleep(60 if self.slow else 0.005)
        finally:
            self.starting -= 1
        self.clock.now += self.seconds
        if self.fail:
            raise KernelLost("broken")
        self.made.append(Toy(self.kind(wanted)))
        return self.made[-1]

    async def close(self):
        self.closed = True


async def until(holds):
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.002)


def with_pool(test, *, size=2, most=0, clock=None):
    async def main():
        toys = Toys(clock or Clock())
        clocks = {"clock": clock} if clock else {}
        pool = Pool(toys, size=size, wanted=Wanted(), most=most, **clocks)
        try:
            await test(SimpleNamespace(toys=toys, pool=pool, clock=clock))
        finally:
            await pool.close()
        assert toys.closed
        return toys

    return asyncio.run(main())


def test_it_keeps_as_many_ready_as_it_should():
    async def test(it):
        it.pool.fill()
        it.pool.fill()
        await until(lambda: it.pool.ready == 2)
        await asyncio.sleep(0.02)
        assert len(it.toys.made) == 2

    with_pool(test)


def test_a_kernel_serves_once_and_is_followed_by_another():
    async def test(it):
        it.pool.fill()
        await until(lambda: it.pool.ready == 2)
        first = await it.pool.start(Wanted(), seconds=1)
        second = await it.pool.start(Wanted(kernel="python3"), seconds=1)
        assert first is not second
        assert first in it.toys.made
        await first.end()
        await until(lambda: it.pool.ready == 2)
        third = await it.pool.start(Wanted(), seconds=1)
        assert third not in (first, second)

    with_pool(test)


def test_a_run_that_goes_on_does_not_hold_the_next_kernel_back():
    async def test(it):
        it.pool.fill()
        await until(lambda: it.pool.ready == 1)
        await it.pool.start(Wanted(), seconds=1)
        await until(lambda: it.pool.ready == 1)

    with_pool(test, size=1)


def test_a_burst_is_served_by_no_more_than_two_starts_at_a_time():
    async def test(it):
        served = await asyncio.gather(*(it.pool.start(Wanted(), seconds=5) for _ in range(12)))
        assert len(set(map(id, served))) == 12

    toys = with_pool(test)
    assert toys.most_starting == 2


def test_in_a_burst_nobody_waits_behind_a_kernel_that_is_made_for_the_pool():
    async def test(it):
        it.pool.fill()
        await until(lambda: it.pool.ready == 2)
        served = []

        async def asks(number):
            await it.pool.start(Wanted(), seconds=60)
            served.append(number)
            it.pool.fill()

        asking = [asyncio.ensure_future(asks(number)) for number in range(12)]
        await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        while len(served) < 12:
            assert it.pool.ready == 0
            await asyncio.sleep(0)
        # In their order, and by no more starts than there were to serve and are under way.
        assert served == list(range(12))
        assert len(it.toys.made) <= 12 + 2

    with_pool(test)


async def ask(it, times, *, every, kernel=""):
    """Have *times* kernels started and ended, one after *every* seconds by the clock."""
    for _ in range(times):
        served = await it.pool.start(Wanted(kernel=kernel), seconds=60)
        await served.end()
        it.clock.now += every


def settled(it):
    return it.toys.starting == 0 and it.pool.ready


def test_it_keeps_more_of_what_is_asked_for_often_and_fewer_when_it_no_longer_is():
    async def test(it):
        it.toys.seconds = 0.5
        await ask(it, 40, every=0.0)
        it.pool.fill()
        await until(lambda: settled(it) > 2)
        busy = settled(it)

        it.clock.now += 3600
        it.pool.look()

        assert 2 < busy < 12
        assert it.pool.ready == 2

    with_pool(test, size=2, most=12, clock=Clock())


def test_however_many_are_asked_for_it_keeps_no_more_than_the_most():
    async def test(it):
        it.toys.seconds = 0.5
        await ask(it, 20, every=0.0)
        await ask(it, 20, every=0.0, kernel="ir")
        await until(lambda: it.toys.starting == 0)
        it.pool.fill()
        await until(lambda: it.toys.starting == 0)

        assert it.pool.ready == 2
        await until(lambda: sum(not toy.dead.done() for toy in it.toys.made) == 2)

    with_pool(test, size=1, most=2, clock=Clock())


def test_what_was_asked_for_once_is_forgotten():
    async def test(it):
        it.toys.seconds = 1.0
        await ask(it, 20, every=0.0, kernel="ir")
        it.pool.fill()
        await until(lambda: settled(it) > 2)

        it.clock.now += 3600
        it.pool.look()

        await until(lambda: {toy.kind for toy in it.toys.made if not toy.dead.done()} == {""})

    with_pool(test, size=2, most=12, clock=Clock())


def test_a_stale_one_is_never_handed_out_and_let_go():
    async def test(it):
        it.pool.fill()
        await until(lambda: it.pool.ready == 2)
        for toy in it.toys.made:
            toy.stale = True
        old = list(it.toys.made)

        assert await it.pool.start(Wanted(), seconds=5) not in old
        it.pool.look()

        await until(lambda: all(toy.cleared for toy in old))
        await until(lambda: it.pool.ready == 2)

    with_pool(test)


def test_another_kernel_is_started_when_it_is_asked_for():
    async def test(it):
        await it.pool.start(Wanted(kernel="ir"), seconds=1)
        assert it.toys.names == ["ir"]

    with_pool(test)


def test_one_that_died_while_it_waited_is_never_handed_out():
    async def test(it):
        it.pool.fill()
        await until(lambda: it.pool.ready == 2)
        victim = it.toys.made[0]
        victim.die()
        assert await it.pool.start(Wanted(), seconds=5) is not victim
        await until(lambda: victim.cleared)

    with_pool(test)


def test_whoever_waits_is_told_that_none_can_be_had():
    async def test(it):
        it.toys.fail = True
        with pytest.raises(KernelLost, match="broken"):
            await it.pool.start(Wanted(), seconds=5)

    with_pool(test)


def test_failing_starts_are_not_tried_in_a_hot_loop():
    async def test(it):
        it.toys.fail = True
        it.pool.fill()
        await asyncio.sleep(0.3)
        assert len(it.toys.names) == 2
        it.toys.fail = False
        await until(lambda: it.pool.ready == 2)

    with_pool(test)


def test_waiting_has_an_end():
    async def test(it):
        it.toys.slow = True
        with pytest.raises(KernelLost, match=r"after 0\.05 seconds"):
            await it.pool.start(Wanted(), seconds=0.05)

    with_pool(test)


def test_a_kernel_that_comes_too_late_serves_the_next():
    async def test(it):
        waiting = asyncio.ensure_future(it.pool.start(Wanted(), seconds=5))
        await until(lambda: it.toys.starting > 0)
        waiting.cancel()
        await until(lambda: it.pool.ready == 2)
        assert len(it.toys.made) <= 3

    with_pool(test)


def test_closing_ends_all_that_wait_and_all_that_start():
    async def test(it):
        it.pool.fill()
        await until(lambda: it.pool.ready == 2)
        it.toys.slow = True
        waiting = [asyncio.ensure_future(it.pool.start(Wanted(), seconds=50)) for _ in range(5)]
        await until(lambda: it.toys.starting == 2)
        await it.pool.close()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert sum(isinstance(result, KernelLost) for result in results) == 3
        assert it.toys.starting == 0
        it.pool.fill()
        assert it.toys.starting == 0

    with_pool(test)


@pytest.mark.kernel
def test_real_kernels_wait_and_go(kernels):
    async def main():
        pool = Pool(kernels(), size=2, wanted=Wanted())
        pool.fill()
        await until(lambda: pool.ready == 2)
        kernel = await pool.start(Wanted(), seconds=10)
        assert not kernel.dead.done()
        await kernel.end()
        kernel.clear()
        await pool.close()

    asyncio.run(main())
