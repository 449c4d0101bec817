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

    def __init__(self):
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


class Toys:
    """A source of toys that tells what is asked of it."""

    isolation = "toy"

    def __init__(self):
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
        if self.fail:
            raise KernelLost("broken")
        self.made.append(Toy())
        return self.made[-1]

    async def close(self):
        self.closed = True


async def until(holds):
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.002)


def with_pool(test, *, size=2):
    async def main():
        toys = Toys()
        pool = Pool(toys, size=size, wanted=Wanted())
        try:
            await test(SimpleNamespace(toys=toys, pool=pool))
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
