"""Kernels behind walls do what kernels do: they heed, they end, they leave their files."""

import os

import pytest

from workbench.domain.isolation import Isolation
from workbench.domain.runs import Reason, RunStatus
from workbench.kernels.ground import choose
from workbench.kernels.shown import outermost

pytestmark = pytest.mark.kernel

LEVELS = [Isolation.LANDLOCK, Isolation.NAMESPACES]


@pytest.fixture
def walled(kernels):
    """Ordinary kernels at a level."""

    def source(level, **options):
        wall = choose(level).wall
        if wall is None:
            pytest.skip(f"{level} is not to be had here")
        return kernels(wall=wall, **options)

    return source


@pytest.mark.parametrize("level", LEVELS)
def test_a_run_leaves_its_files_and_its_result(level, carried, walled):
    done = carried(
        "open('left.txt', 'w').write('here')",
        "from workbench import agent\nagent.result(agent.run_id)",
        source=walled(level),
    )

    assert done.outcome.status is RunStatus.COMPLETED, done.outcome.error
    assert done.outcome.isolation == level
    assert done.outcome.result == "run-1"
    assert list(done.outcome.files) == ["left.txt"]
    assert (done.left / "left.txt").read_text() == "here"


@pytest.mark.parametrize("level", LEVELS)
def test_an_interrupted_cell_has_its_say(level, carried, walled):
    cell = "import time\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    print('heeded')"

    done = carried(cell, limits={"seconds": 2.0, "grace_seconds": 10.0}, source=walled(level))

    assert done.outcome.reason is Reason.TIMEOUT
    assert "heeded" in done.text(0)


def test_what_a_run_detached_ends_with_it(carried, walled):
    marker = f"detached-{os.getpid()}"
    detach = (
        "import subprocess, sys\n"
        f"code = 'import time; time.sleep(600)'\n"
        f"subprocess.Popen([sys.executable, '-I', '-S', '-c', code, {marker!r}],"
        " start_new_session=True)"
    )

    carried(detach, source=walled(Isolation.NAMESPACES))

    assert not [pid for pid in os.listdir("/proc") if pid.isdigit() and marker in command(pid)]


def command(pid):
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return file.read()
    except OSError:
        return ""


def test_a_kernel_of_an_installed_kernelspec_stands_behind_the_wall_too(carried, walled):
    probe = "import os\nprint(os.getpid() < 10, os.path.exists('/etc/shadow'))"

    done = carried(probe, kernel="python3", source=walled(Isolation.NAMESPACES, own=frozenset()))

    assert done.outcome.status is RunStatus.COMPLETED, done.outcome.error
    assert done.text(0) == "True False\n"


def test_neither_the_root_nor_the_home_is_ever_shown_whole(tmp_path):
    shown = outermost(["/", os.path.expanduser("~"), str(tmp_path), str(tmp_path / "missing")])

    assert shown == [str(tmp_path)]
