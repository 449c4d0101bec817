"""Whatever dies under a run, or is called off, is told with a reason and leaves nothing behind."""

import asyncio
import contextlib
import gc
import os
import resource
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.kernels.conftest import Lent
from workbench.domain.limits import Limits
from workbench.domain.runs import Reason, RunStatus
from workbench.errors import KernelLost
from workbench.kernels import Relay, Task, Wanted
from workbench.kernels.cgroups import Cgroups, NoCgroups
from workbench.kernels.executor import NotebookExecutor
from workbench.kernels.pool import Pool
from workbench.notebook.document import dump, load

pytestmark = pytest.mark.kernel

WANTED = Wanted()


async def until(holds):
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.01)


class Watched:
    """A source whose kernels are remembered."""

    def __init__(self, source):
        self.kernels = []
        self.isolation = source.isolation
        self.kind, self.close = source.kind, source.close
        self.source = source
        self.ready = 0

    async def start(self, wanted, *, seconds):
        self.kernels.append(await self.source.start(wanted, seconds=seconds))
        return self.kernels[-1]

    async def template(self):
        """Its template: the wall around it, the first process behind that, and itself."""
        (templates,) = self.source._templates.values()
        wall = (await templates.current()).zygote.pid
        return wall, child_of(wall), child_of(child_of(wall))


async def both(executor, notebook, *cells, harm):
    """How a run of *cells* ends that comes to *harm* when it says so, and what the next one is."""
    said = asyncio.Event()

    def report(type, data):
        if "here" in str(data.get("text")):
            said.set()

    def execute(*cells):
        task = Task(run_id="r", notebook=dump(load(notebook(*cells))))
        return executor.execute(task, report=report, cancel=asyncio.Event())

    running = asyncio.ensure_future(execute("print('here', flush=True)", *cells))
    await asyncio.wait_for(said.wait(), 60)
    await harm()
    return await running, await execute("print('again')")


def judge(lost, again):
    assert (lost.status, lost.reason) == (RunStatus.FAILED, Reason.KERNEL_DIED)
    assert lost.error["message"] == "The kernel died."
    assert again.status is RunStatus.COMPLETED


def judge_both(shared, source, notebook, *cells, harm):
    async def main():
        executor = NotebookExecutor(kernels=source)
        try:
            return await both(executor, notebook, *cells, harm=harm)
        finally:
            await executor.close()

    judge(*shared.runner.run(main()))
    shared.runner.run(until(lambda: held(shared)[2:] == (set(), set(), set())))


SLEEP = "import time; time.sleep(600)"


@pytest.mark.parametrize("whose", ["kernel", "first process"])
def test_a_run_whose_process_is_killed_from_outside_has_failed(shared, notebook, whose):
    source = Watched(Lent(shared.source))

    async def harm():
        (kernel,) = source.kernels
        os.kill(kernel.pid if whose == "kernel" else kernel.root, signal.SIGKILL)

    judge_both(shared, source, notebook, SLEEP, harm=harm)


@pytest.mark.parametrize("whose", ["wall", "first process", "template"])
def test_a_template_that_dies_fails_its_runs_and_is_replaced(forked, notebook, whose):
    async def main():
        source = Watched(forked())
        executor = NotebookExecutor(kernels=Pool(source, size=1, wanted=WANTED))
        killed = []

        async def harm():
            killed.extend(await source.template())
            os.kill(dict(zip(WHOSE, killed, strict=True))[whose], signal.SIGKILL)

        try:
            judge(*await both(executor, notebook, SLEEP, harm=harm))
            replaced = await source.template()
        finally:
            await executor.close()
        assert not set(killed) & set(replaced)
        await until(lambda: not any(map(lives, (*killed, *replaced))))

    asyncio.run(main())


WHOSE = ("wall", "first process", "template")


def lives(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def bounded():
    """Puts processes in a group of so much memory and so many processes, as the system counts."""
    with contextlib.ExitStack() as undo:

        def bound(*pids, memory_bytes=1 << 34, processes=10_000):
            try:
                cgroups = Cgroups.open()
            except NoCgroups as error:
                pytest.skip(str(error))
            undo.callback(cgroups.close)
            group = cgroups.make(memory_bytes=memory_bytes, processes=processes)
            undo.callback(group.remove)
            group.admit(pids)
            return group

        yield bound


def test_a_run_that_the_system_ends_for_want_of_memory_has_failed(shared, notebook, bounded):
    source = Watched(Lent(shared.source))
    groups = []

    async def harm():
        (kernel,) = source.kernels
        groups.append(bounded(kernel.pid, memory_bytes=64 << 20))
        (kernel.folder / "go").touch()

    hoard = (
        "import os, time\nwhile not os.path.exists('go'): time.sleep(0.01)\n"
        "held = b'x' * (200 << 20); time.sleep(600)"
    )

    judge_both(shared, source, notebook, hoard, harm=harm)
    assert groups[0].overran


def test_a_template_that_cannot_fork_says_so_and_goes_on(forked):
    async def main():
        source = forked()
        try:
            kernel = await source.start(WANTED, seconds=60)
            await kernel.end()
            kernel.clear()
            (templates,) = source._templates.values()
            zygote = (await templates.current()).zygote
            held = resource.RLIMIT_NOFILE
            template = child_of(child_of(zygote.pid))
            before = resource.prlimit(template, held)
            resource.prlimit(template, held, (len(fds_of(template)), before[1]))
            with pytest.raises(KernelLost):
                await source.start(WANTED, seconds=60)
            resource.prlimit(template, held, before)
            kernel = await source.start(WANTED, seconds=60)
            await kernel.end()
            kernel.clear()
            return (await templates.current()).zygote is zygote
        finally:
            await source.close()

    assert asyncio.run(main())


@pytest.mark.parametrize("more", range(5))
def test_without_room_for_a_process_there_is_a_reason_and_nothing_left(forked, bounded, more):
    async def main():
        source = forked()
        pool = Pool(source, size=1, wanted=WANTED)
        try:
            kernel = await source.start(WANTED, seconds=60)
            await kernel.end()
            kernel.clear()
            (templates,) = source._templates.values()
            zygote = (await templates.current()).zygote
            template = child_of(child_of(zygote.pid))
            before = descriptors(), len(fds_of(template))
            group = bounded(template, processes=1 + more)
            # zmq ends a process that it cannot have its threads in.
            with pytest.raises(KernelLost, match=r"temporarily unavailable|new thread|died"):
                await source.start(WANTED, seconds=60)
            assert not zygote.children
            # zmq closes what it has in a thread of its own.
            await until(lambda: descriptors() <= before[0])
            await until(lambda: len(fds_of(template)) <= before[1])

            pool.fill()
            (group.folders["pids"] / "pids.max").write_text("max")
            await until(lambda: pool.ready)
            return (await templates.current()).zygote is zygote
        finally:
            await pool.close()

    assert asyncio.run(main())


def child_of(pid):
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def fds_of(pid):
    return os.listdir(f"/proc/{pid}/fd")


def descriptors() -> Counter[str]:
    found = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{fd}"))
        except FileNotFoundError:
            continue
    return Counter(link.partition("[")[0] for link in found)


def held(shared):
    """What this process, the template and the disk hold for kernels."""
    gc.collect()
    (templates,) = shared.source._templates.values()
    template = child_of(child_of(templates._template.zygote.pid))
    forks = Path(f"/proc/{template}/task/{template}/children").read_text().split()
    sockets = list(Path(shared.source._sockets._folder).iterdir())
    work = list((shared.folder / "work").iterdir())
    return descriptors(), len(fds_of(template)), set(forks), set(sockets), set(work)


def no_more(shared, before):
    """Whether as little is held as before, when something may have been on its way out."""
    return all(now <= then for now, then in zip(held(shared), before, strict=True))


def test_a_start_that_is_called_off_at_any_moment_leaves_nothing(shared):
    async def call_off(moment):
        (templates,) = shared.source._templates.values()
        zygote = (await templates.current()).zygote
        starting = asyncio.ensure_future(shared.source.start(WANTED, seconds=60))
        while not zygote.children:
            await asyncio.sleep(0)
        await asyncio.sleep(moment)
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            kernel = await starting
            await kernel.end()
            kernel.clear()
        while zygote.children:  # the fork that nobody waits for
            await asyncio.sleep(0.001)

    before = held(shared)
    for moment in range(24):
        shared.runner.run(call_off(moment / 1000))

    shared.runner.run(until(lambda: no_more(shared, before)))


def test_two_hundred_kernels_leave_nothing(shared, tmp_path):
    poor = Wanted(limits=Limits(memory_bytes=1))
    lost = Wanted(relays=(Relay(port=3128, socket=str(tmp_path / "none")),))

    async def one(number):
        wanted = {3: poor, 7: lost}.get(number % 10, WANTED)
        try:
            kernel = await shared.source.start(wanted, seconds=60)
        except KernelLost:
            return 0
        kernel.kill()
        await kernel.end()
        kernel.clear()
        return 1

    async def several(numbers):
        numbers = iter(numbers)

        async def some():
            return sum([await one(number) for number in numbers])

        return sum(await asyncio.gather(*(some() for _ in range(4))))

    shared.runner.run(several(range(10)))
    before = held(shared)
    served = shared.runner.run(several(range(200)))

    assert served == 160
    assert before[2:] == (set(), set(), set())
    shared.runner.run(until(lambda: no_more(shared, before)))
