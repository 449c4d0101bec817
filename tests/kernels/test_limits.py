"""A run has so much and no more, of everything, however many processes it spreads it over."""

import json
import os
from pathlib import Path

import pytest

from workbench.domain.events import EventType
from workbench.domain.limits import Limits
from workbench.domain.runs import Reason, RunStatus
from workbench.kernels.faults import Fault
from workbench.kernels.folder import weight
from workbench.kernels.verdicts import limit_behind

pytestmark = pytest.mark.kernel

MIB = 2**20

HOLDING = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        held = bytearray(os.urandom(1024) * 100 * 1024)
        time.sleep(60)
time.sleep(60)
"""
SHARING = """
import os, time
held = bytearray(os.urandom(1024) * 150 * 1024)
children = []
for _ in range(6):
    child = os.fork()
    if child == 0:
        time.sleep(1)
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
"""
MAPPED = """
import mmap, time
held = mmap.mmap(-1, 600 * 2**20)
for at in range(0, len(held), 4096):
    held[at] = 1
time.sleep(60)
"""
BURNING = """
import os, time
for _ in range(3):
    if os.fork() == 0:
        while True: pass
time.sleep(60)
"""
REAPING = """
import os
while True:
    child = os.fork()
    if child == 0:
        sum(range(3_000_000))
        os._exit(0)
    os.waitpid(child, 0)
"""
BREEDING = """
import os, time
for _ in range(60):
    if os.fork() == 0:
        time.sleep(60)
time.sleep(60)
"""
THREADING = """
import threading, time
for _ in range(60):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
time.sleep(60)
"""
FILLING = """
import itertools, time
for n in itertools.count():
    open(f'{n % 50}', 'ab').write(b'x' * 1_000_000)
    time.sleep(0.001)
"""
HIDING = FILLING.replace("f'{n % 50}'", "f'.{n % 50}'")
SCRATCHING = FILLING.replace("f'{n % 50}'", "f'{__import__(\"tempfile\").gettempdir()}/{n % 50}'")
LINKING = """
import itertools, os
for n in itertools.count():
    os.symlink('x', str(n))
"""
NESTING = """
import os, time
for n in range(1000):
    os.mkdir('d'); os.chdir('d')
time.sleep(60)
"""

TOO_MUCH = {
    "memory of several": (HOLDING, {"memory_bytes": 256 * MIB}, Reason.MEMORY_LIMIT),
    "memory that is shared": (MAPPED, {"memory_bytes": 300 * MIB}, Reason.MEMORY_LIMIT),
    "processor time of several": (BURNING, {"cpu_seconds": 1.0}, Reason.CPU_LIMIT),
    "processor time of the gone": (REAPING, {"cpu_seconds": 1.0}, Reason.CPU_LIMIT),
    "processes": (BREEDING, {"processes": 40}, Reason.PROCESS_LIMIT),
    "threads": (THREADING, {"processes": 40}, Reason.PROCESS_LIMIT),
    "files in the folder": (FILLING, {"folder_bytes": 20 * MIB}, Reason.DISK_LIMIT),
    "hidden files": (HIDING, {"folder_bytes": 20 * MIB}, Reason.DISK_LIMIT),
    "files in the other folder": (SCRATCHING, {"folder_bytes": 20 * MIB}, Reason.DISK_LIMIT),
    "links": (LINKING, {"files": 10}, Reason.DISK_LIMIT),
    "nested folders": (NESTING, {}, Reason.DISK_LIMIT),
}


@pytest.mark.parametrize("what", TOO_MUCH)
def test_too_much_ends_the_run_with_its_reason(carried, what):
    cell, limits, reason = TOO_MUCH[what]

    run = carried("print('before')", cell, "print('never')", limits={"seconds": 50.0, **limits})

    assert (run.outcome.status, run.outcome.reason) == (RunStatus.FAILED, reason)
    assert run.outcome.error["cell"]["index"] == 1
    assert run.text(0) == "before\n"
    # Where a system keeps the limit itself, the cell has met it as an error of its own.
    assert run.cells["cell-1"]["outputs"][-1]["ename"] in (str(reason), "OSError", "RuntimeError")
    assert run.cells["cell-2"]["outputs"] == []


def test_what_several_processes_share_is_counted_once(carried):
    run = carried(SHARING, limits={"memory_bytes": 400 * MIB})

    assert (run.outcome.status, run.outcome.reason) == (RunStatus.COMPLETED, None)


def test_files_that_came_with_the_agent_do_not_count(carried, tmp_path):
    data = tmp_path / "data"
    data.write_bytes(b"x" * 5 * MIB)

    run = carried(
        "import time; time.sleep(1.2)",
        files={"data": data},
        limits={"folder_bytes": MIB},
    )

    assert run.outcome.status is RunStatus.COMPLETED


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("raise MemoryError", Reason.MEMORY_LIMIT),
        ("import os; raise OSError(12, os.strerror(12))", Reason.MEMORY_LIMIT),
        ("import os; raise OSError(24, os.strerror(24))", Reason.OPEN_FILES_LIMIT),
        ("import os; raise OSError(27, os.strerror(27))", Reason.DISK_LIMIT),
        ("import os; raise OSError(28, os.strerror(28), 'x')", Reason.DISK_LIMIT),
        ("import os; raise OSError(11, os.strerror(11))", Reason.AGENT_ERROR),
        ('raise RuntimeError("can\'t start new thread")', Reason.AGENT_ERROR),
        ("raise RuntimeError('MemoryError')", Reason.AGENT_ERROR),
    ],
)
def test_an_error_that_a_limit_shows_itself_by_is_that_limit(carried, cell, reason):
    run = carried(cell)

    assert (run.outcome.status, run.outcome.reason) == (RunStatus.FAILED, reason)
    assert run.outcome.error["ename"]
    assert ("metadata.workbench.limits" in run.outcome.error["message"]) == (
        reason is not Reason.AGENT_ERROR
    )


def test_where_nothing_is_limited_no_limit_is_to_blame():
    from workbench.domain.limits import BOUNDLESS

    assert limit_behind("MemoryError", "", Limits()).reason is Reason.MEMORY_LIMIT
    assert limit_behind("MemoryError", "", BOUNDLESS) is None
    assert limit_behind("_ArrayMemoryError", "Unable to allocate", Limits())
    assert limit_behind("Memory", "", Limits()) is None


def test_what_each_cell_took_is_measured(carried):
    run = carried(
        "x = bytearray(80_000_000)\nx[::4096] = b'1' * len(x[::4096])\ndel x",
        "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass",
        "print('x' * 5_000)",
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-Sc', 'for n in range(5_000_000): pass'])",
        ("1", "skip-execution"),
    )

    _, memory, cpu, output, child, skipped = run.outcome.cells
    used = [cell.resource_usage for cell in (memory, cpu, output, child)]
    assert used[0]["peak_memory_bytes"] > used[2]["peak_memory_bytes"] + 50_000_000
    assert 200 <= used[1]["cpu_ms"] < 2_000 < 200 * (used[2]["cpu_ms"] + 20)
    assert 5_000 < used[2]["output_bytes"] < 10_000
    assert used[1]["output_bytes"] < 2_000
    assert used[3]["cpu_ms"] >= 50
    assert skipped.resource_usage == {}
    assert run.outcome.resource_usage["cpu_ms"] >= 250
    assert run.outcome.resource_usage["peak_memory_bytes"] >= used[0]["peak_memory_bytes"]

    finished = {e["cell"]: e["resource_usage"] for e in run.said(EventType.CELL_FINISHED)}
    assert finished["cell-1"] == used[1]
    written = json.loads(run.outcome.notebook)["cells"][2]["metadata"]["workbench"]
    assert written == {"resource_usage": used[1]}


def test_a_folder_weighs_what_it_takes_of_the_disk(tmp_path):
    folder = tmp_path / "folder"
    (folder / "a" / ".b").mkdir(parents=True)
    bare = weight(folder, Limits())
    (folder / "a" / ".b" / "c").write_bytes(b"x" * 10_000)
    os.link(folder / "a" / ".b" / "c", folder / "again")
    os.symlink("/etc", folder / "link")
    with (folder / "sparse").open("wb") as file:
        file.truncate(2**40)

    assert 10_000 <= weight(folder, Limits()) - bare < 20_000
    assert weight(tmp_path / "none", Limits()) == 0
    with pytest.raises(Fault, match="too many"):
        for n in range(1_200):
            Path(folder / str(n)).touch()
        weight(folder, Limits(files=10))
