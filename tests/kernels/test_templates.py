"""Templates come and go with the packages they were made from, and none outlives its work."""

import asyncio
import contextlib
import os
import sys

import pytest

from workbench.errors import KernelLost
from workbench.kernels.environments import Interpreter
from workbench.kernels.inside.confinement import Confinement
from workbench.kernels.inside.orders import Order, Recipe
from workbench.kernels.templates import Making, Templates

# A template that forks nothing; what it is to import decides what becomes of it.
TOY = """
import json, socket, sys
control = socket.socket(fileno=int(sys.argv[1]))
preload = json.loads(control.recv(1 << 18))["preload"]
if "broken" in preload:
    sys.exit("there is no such thing")
control.send(json.dumps({"prepared": "toy"}).encode())
while control.recv(1):
    pass
"""


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site-packages"
    folder.mkdir()
    return folder


@pytest.fixture
def story(site):
    """Carries out `story(tell, preload=…)`: *tell* is given templates, which are closed behind it."""

    def carry(tell, *preload):
        making = Making(
            interpreter=Interpreter(executable=sys.executable, prefixes=(), sites=(str(site),)),
            launch=lambda fd: [sys.executable, "-I", "-S", "-c", TOY, str(fd)],
            environment={},
            recipe=Recipe(environment={}, preload=preload, scratch=""),
        )
        before = len(os.listdir("/proc/self/fd"))

        async def main():
            open_before = len(os.listdir("/proc/self/fd"))
            templates = Templates(making, walled=True)
            try:
                await tell(templates)
            finally:
                await templates.close()
            assert len(os.listdir("/proc/self/fd")) == open_before

        asyncio.run(main())
        assert len(os.listdir("/proc/self/fd")) == before

    return carry


def child_of(template):
    """A kernel that *template* was asked for; done when it has ended."""
    dead = asyncio.get_running_loop().create_future()
    order = Order(confinement=Confinement(), folder="", key="", environment={})
    reading, writing = os.pipe()
    try:
        template.zygote.fork(order, [writing], dead=dead)
    finally:
        os.close(reading)
        os.close(writing)
    return dead


def test_all_who_ask_at_once_are_given_one(story):
    async def tell(templates):
        given = await asyncio.gather(*(templates.current() for _ in range(5)))
        assert len({id(template) for template in given}) == 1
        assert templates.is_current(given[0])

    story(tell)


def test_one_of_other_packages_is_replaced_and_let_go_when_its_last_kernel_has_ended(story, site):
    async def tell(templates):
        old = await templates.current()
        kernel = child_of(old)
        (site / "new_package").mkdir()
        assert not templates.is_current(old)

        new = await templates.current()

        assert new is not old
        assert not old.zygote.dead.done()
        kernel.set_result(None)
        await asyncio.wait_for(asyncio.shield(old.zygote.dead), 30)
        assert templates.is_current(new)

    story(tell)


def test_one_that_has_imported_everything_takes_the_place_of_the_first(story):
    async def tell(templates):
        first = await templates.current()
        await asyncio.wait_for(asyncio.shield(first.zygote.dead), 30)
        assert await templates.current() is not first

    story(tell, "colorsys")


def test_one_that_cannot_import_everything_leaves_the_first_in_its_place(story, caplog):
    async def tell(templates):
        first = await templates.current()
        async with asyncio.timeout(30):
            while "there is no such thing" not in caplog.text:
                await asyncio.sleep(0.005)
        assert await templates.current() is first

    story(tell, "broken")


def test_one_that_died_is_replaced(story):
    async def tell(templates):
        first = await templates.current()
        await first.zygote.close()
        assert await templates.current() is not first

    story(tell)


@pytest.mark.parametrize("turns", [0, 1, 2, 5, 20, 100, 500])
def test_closing_in_the_midst_of_anything_leaves_no_process_and_no_descriptor(story, site, turns):
    begun = []

    async def tell(templates):
        begun.append((await templates.current()).zygote)
        (site / "new_package").mkdir()  # so that one is being let go, and two are being made
        asking = asyncio.ensure_future(templates.current())
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            begun.append((await asking).zygote)

    story(tell, "colorsys")

    assert all(zygote.dead.done() for zygote in begun)


def test_whoever_is_called_off_while_closing_one_does_not_keep_it_from_ending(story):
    async def tell(templates):
        zygote = (await templates.current()).zygote
        closing = asyncio.ensure_future(zygote.close())
        await asyncio.sleep(0)
        closing.cancel()
        await zygote.close()
        assert zygote.dead.result()

    story(tell)


def test_there_is_a_reason_when_none_can_be_started(site):
    making = Making(
        interpreter=Interpreter(executable=sys.executable, prefixes=(), sites=(str(site),)),
        launch=lambda fd: ["/no/such/program"],
        environment={},
        recipe=Recipe(environment={}, preload=(), scratch=""),
    )

    async def main():
        templates = Templates(making, walled=True)
        with pytest.raises(KernelLost, match="No such file"):
            await templates.current()
        await templates.close()

    asyncio.run(main())
