"""What was started is ended, even when we are not there any more to end it."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest

from workbench.kernels.processes import Process

pytestmark = pytest.mark.kernel


def running(pid):
    """Whether there is such a process, and not only its exit status."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def gone(pids, seconds=10.0):
    until = time.monotonic() + seconds
    while any(map(running, pids)) and time.monotonic() < until:
        time.sleep(0.02)
    return not any(map(running, pids))


def started(*argv, folder="/"):
    return Process(argv, folder=Path(folder), environment={"PATH": os.environ["PATH"]})


def test_a_process_that_ends_by_itself_is_noticed_and_reaped():
    async def main():
        process = started("true")
        await asyncio.wait_for(process.dead, 10)
        await process.end()
        process.kill()
        process.interrupt()
        return process.pid

    assert not Path(f"/proc/{asyncio.run(main())}").exists()


def test_a_process_that_does_not_want_to_end_is_ended():
    async def main():
        process = started("sh", "-c", "trap '' TERM INT HUP; while :; do sleep 1; done")
        await process.end()
        return process.pid

    assert gone([asyncio.run(main())])


def test_its_children_go_with_it_when_it_dies_by_itself():
    async def main():
        process = started("sh", "-c", "sleep 600 & sleep 600 & exit 0")
        await asyncio.wait_for(process.dead, 10)
        return process.pid

    group = asyncio.run(main())

    def members():
        listed = subprocess.run(["ps", "-eo", "pgid="], capture_output=True, text=True, check=True)
        return listed.stdout.split().count(str(group))

    until = time.monotonic() + 5
    while members() and time.monotonic() < until:
        time.sleep(0.02)
    assert members() == 0


def test_what_it_took_is_counted_from_the_moment_it_was_taken():
    burn = "import time\nend = time.process_time() + {}\nwhile time.process_time() < end: pass\n"
    program = burn.format(0.3) + "print(flush=True)\ntime.sleep(600)"

    async def main():
        process = started(sys.executable, "-c", program)
        while process.usage().cpu_ms < 300:
            await asyncio.sleep(0.02)
        process.take()
        used = process.usage()
        await process.end()
        return used, process.usage()

    used, after = asyncio.run(main())

    assert used.cpu_ms < 100
    assert used.peak_memory_bytes > 1_000_000
    assert after.peak_memory_bytes > 1_000_000


def test_a_program_that_is_not_there_is_an_error():
    async def main():
        started("/no/such/program")

    with pytest.raises(FileNotFoundError):
        asyncio.run(main())


HOST = """
    import asyncio, os, sys
    from pathlib import Path
    from workbench.domain.limits import Limits
    from workbench.kernels import Task, Wanted
    from workbench.kernels.environment import apart
    from workbench.kernels.executor import NotebookExecutor
    from workbench.kernels.ordinary import OrdinaryKernels
    from workbench.kernels.pool import Pool
    from workbench.notebook.document import code_cell, dump, node

    async def main():
        folder = Path(sys.argv[1])
        housing = apart(work=folder / "w", cache=folder / "c", inherited=os.environ)
        pool = Pool(OrdinaryKernels(housing=housing), size=1, wanted=Wanted())
        executor = NotebookExecutor(kernels=pool)
        sources = sys.stdin.read().split("# %%")
        cells = [code_cell(source, id=f"c{n}") for n, source in enumerate(sources)]
        nb = dump(node(cells=cells, metadata={}, nbformat=4, nbformat_minor=5))
        def report(type, data):
            if "text" in data:
                print(data["text"], end="", flush=True)
        task = Task(run_id="r", notebook=nb, limits=Limits(seconds=600))
        running = asyncio.ensure_future(
            executor.execute(task, report=report, cancel=asyncio.Event())
        )
        while not pool.ready:
            await asyncio.sleep(0.01)
        print("pooled", flush=True)
        await running

    asyncio.run(main())
"""

# A C call that keeps the interpreter's lock: no thread of the kernel can look for its parent.
HOLDING = """
import ctypes, os, subprocess, sys
child = subprocess.Popen(["sleep", "600"])
print(os.getpid(), child.pid)
# %%
open("holding", "w").close()
ctypes.PyDLL(None).sleep(600)
"""


NEXT_WORKBENCH = """
    import asyncio, os, sys
    from pathlib import Path
    from workbench.kernels.environment import apart
    from workbench.kernels.ordinary import OrdinaryKernels

    async def main():
        folder = Path(sys.argv[1])
        housing = apart(work=folder / "w", cache=folder / "c", inherited=os.environ)
        await OrdinaryKernels(housing=housing).close()

    asyncio.run(main())
"""


@pytest.fixture
def temporary():
    """A folder for temporary files in which nobody else clears up."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def left_by(pid, temporary):
    """The folders for sockets that a process has made."""
    return list(temporary.glob(f"wb-{pid}-*"))


def test_no_kernel_outlives_a_workbench_that_is_killed(tmp_path, temporary):
    environment = {**os.environ, "TMPDIR": str(temporary)}
    host = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOST), str(tmp_path)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    host.stdin.write(HOLDING)
    host.stdin.close()
    lines = [host.stdout.readline().split(), host.stdout.readline().split()]
    pids = next([int(pid) for pid in line] for line in lines if line != ["pooled"])
    children = [
        int(pid)
        for task in os.listdir(f"/proc/{host.pid}/task")
        for pid in Path(f"/proc/{host.pid}/task/{task}/children").read_text().split()
    ]
    assert len(children) == 2
    assert pids[0] in children
    holding = Path(f"/proc/{pids[0]}/cwd/holding")
    while not holding.exists():
        time.sleep(0.02)

    host.send_signal(signal.SIGKILL)
    host.wait()
    host.stdout.close()

    assert gone(children)
    assert left_by(host.pid, temporary)
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(NEXT_WORKBENCH), str(tmp_path)],
        env=environment,
        check=True,
    )
    assert not left_by(host.pid, temporary)
    os.kill(pids[1], signal.SIGKILL)  # a child of a cell is beyond what a plain kernel can promise
    for folder in sorted(tmp_path.joinpath("w").iterdir()):
        subprocess.run(["rm", "-rf", str(folder)], check=True)
