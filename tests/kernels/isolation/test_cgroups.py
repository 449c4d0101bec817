"""Groups bound a run as a whole, however many processes it is spread over."""

import os
import subprocess
import sys

import pytest

from workbench.domain.isolation import Isolation
from workbench.domain.runs import Reason
from workbench.kernels.cgroups import Cgroups, NoCgroups
from workbench.kernels.ground import choose
from workbench.kernels.sources import kernels_behind

MEGABYTE = 1 << 20


@pytest.fixture
def cgroups():
    try:
        made = Cgroups.open()
    except NoCgroups as error:
        pytest.skip(str(error))
    yield made
    made.close()


@pytest.fixture
def group(cgroups):
    made = cgroups.make(memory_bytes=64 * MEGABYTE, processes=8)
    yield made
    made.remove()
    assert not any(folder.exists() for folder in made.folders.values())


def carried_out(group, code):
    """How a process in *group* ended that waits until it has been admitted."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", f"import os, sys; sys.stdin.read(1)\n{code}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    group.admit([process.pid])
    said, _ = process.communicate("!", timeout=60)
    return process.returncode, said


def test_memory_spread_over_processes_is_bounded(group):
    spread = (
        "children = []\n"
        "for _ in range(4):\n"
        "    if not (child := os.fork()):\n"
        f"        held = bytearray(b'x') * (30 * {MEGABYTE}); os._exit(len(held) == 0)\n"
        "    children.append(child)\n"
        "print(sum(os.waitstatus_to_exitcode(os.waitpid(c, 0)[1]) != 0 for c in children))\n"
        "import time; time.sleep(0)"
    )
    assert not group.overran

    carried_out(group, spread.replace("os._exit(", "import time; time.sleep(1); os._exit("))

    assert group.overran
    assert group.usage().peak_memory_bytes <= 64 * MEGABYTE


def test_processes_are_counted_exactly(group):
    bomb = (
        "n = 0\n"
        "try:\n"
        "    while n < 100:\n"
        "        if not os.fork(): sys.stdin.close(); import time; time.sleep(2); os._exit(0)\n"
        "        n += 1\n"
        "except OSError:\n"
        "    print(n)\n"
    )

    _, said = carried_out(group, bomb)

    assert said.split()[-1] == "7"


def test_processor_time_of_all_is_counted(group):
    burn = (
        "import time\n"
        "if not os.fork():\n"
        "    while time.process_time() < 0.3: pass\n"
        "    os._exit(0)\n"
        "os.wait()"
    )

    carried_out(group, burn)

    assert group.usage().cpu_ms >= 300


@pytest.mark.kernel
def test_a_run_that_outgrows_its_group_ends_with_memory_limit(carried, tmp_path):
    ground = choose(Isolation.NAMESPACES_CGROUP)
    if ground.wall is None:
        pytest.skip(ground.said)
    source = kernels_behind(
        ground.wall,
        work=tmp_path / "work",
        cache=tmp_path / "cache",
        cgroups=ground.cgroups,
    )
    # Shared memory, which no limit of a single process counts.
    hoard = "import mmap\nheld = mmap.mmap(-1, 900 << 20)\nheld.write(b'x' * (900 << 20))"

    done = carried(hoard, limits={"memory_bytes": 512 * MEGABYTE}, source=source)

    assert done.outcome.reason is Reason.MEMORY_LIMIT
    assert done.outcome.isolation == "namespaces+cgroup"
    assert done.outcome.resource_usage["peak_memory_bytes"] > 64 * MEGABYTE


def unified(tmp_path, *, controllers):
    """A machine whose groups are of version 2, as files."""
    own = tmp_path / "cgroup" / "user.slice" / "workbench.scope"
    own.mkdir(parents=True)
    (own / "cgroup.controllers").write_text(controllers)
    proc = tmp_path / "proc"
    proc.write_text("0::/user.slice/workbench.scope\n")
    return own, proc


def test_a_group_of_version_2_that_was_handed_over_is_used(tmp_path):
    own, proc = unified(tmp_path, controllers="cpuset cpu memory pids\n")

    made = Cgroups.open(tmp_path / "cgroup", proc)

    assert made.version == 2
    assert (own / "cgroup.subtree_control").read_text() == "+memory +pids"
    assert (own / "workbench-itself" / "cgroup.procs").read_text() == str(os.getpid())


def test_a_group_without_the_controllers_is_refused_with_a_cure(tmp_path):
    _, proc = unified(tmp_path, controllers="cpu\n")

    with pytest.raises(NoCgroups, match="memory, pids") as refused:
        Cgroups.open(tmp_path / "cgroup", proc)

    assert "Delegate=yes" in refused.value.cure
