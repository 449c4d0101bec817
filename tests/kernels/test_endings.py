"""A status is what happened: a run is completed only if every cell ran to its end."""

import os
import time
from pathlib import Path

import pytest

from workbench.domain.events import EventType
from workbench.domain.runs import Reason, RunStatus

pytestmark = pytest.mark.kernel

QUICK = {"seconds": 1.0, "grace_seconds": 0.5}


def resident():
    """The memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def ended(run):
    return run.outcome.status, run.outcome.reason


def test_a_cell_that_raises_fails_the_run_and_is_named(carried):
    run = carried("x = 1", "print('before')\n1/0", "print('never')")

    assert ended(run) == (RunStatus.FAILED, Reason.AGENT_ERROR)
    assert run.outcome.error == {
        "message": "ZeroDivisionError: division by zero",
        "ename": "ZeroDivisionError",
        "evalue": "division by zero",
        "cell": {"id": "cell-1", "index": 1, "source": "print('before')\n1/0"},
    }
    assert [cell.status for cell in run.outcome.cells] == [
        "completed",  # the injected parameters
        "completed",
        "failed",
        "pending",
    ]
    assert run.text(1) == "before\n"


@pytest.mark.parametrize(
    "cell",
    [
        "exit()",
        "quit()",
        "import sys; sys.exit()",
        "import sys; sys.exit(0)",
        "import sys; sys.exit('bye')",
        "raise SystemExit",
        "raise KeyboardInterrupt",
        "raise GeneratorExit",
        "input()",
        "import getpass; getpass.getpass()",
        "this is no python",
        "%no_such_magic",
        "await no_such_name",
        "import no_such_module",
        "class Loud(BaseException): pass\nraise Loud()",
        "raise Exception('\\ud800')",
        "import sys\nsys.setrecursionlimit(200)\ndef f(): f()\nf()",
    ],
)
def test_however_a_cell_leaves_its_run_has_failed(carried, cell):
    run = carried(cell, "print('never')", limits={"seconds": 20.0})

    assert ended(run) == (RunStatus.FAILED, Reason.AGENT_ERROR)
    assert run.outcome.error["cell"]["id"] == "cell-0"
    assert run.cells["cell-1"]["outputs"] == []


def test_who_asks_for_input_is_told_what_to_do_instead(carried):
    run = carried("name = input('Name? ')")

    assert "declare a parameter instead" in run.outcome.error["message"]


@pytest.mark.parametrize(
    "cell",
    [
        "import os; os._exit(0)",
        "import os; os._exit(7)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import os, signal; os.killpg(0, signal.SIGKILL)",
        "import os; os.abort()",
        "import ctypes; ctypes.string_at(0)",
    ],
)
def test_a_kernel_that_dies_fails_the_run_at_once(carried, cell):
    source = f"print('last words', flush=True)\nimport time; time.sleep(0.3)\n{cell}"

    # Nothing else would end it before this test were given up.
    run = carried(source, limits={"seconds": 600.0}, patience_seconds=600.0)

    assert ended(run) == (RunStatus.FAILED, Reason.KERNEL_DIED)
    assert run.text(0) == "last words\n"
    assert run.cells["cell-0"]["outputs"][-1]["ename"] == "kernel_died"


@pytest.mark.parametrize(
    "cell",
    [
        "while True: pass",
        "import time; time.sleep(600)",
        "import asyncio; await asyncio.sleep(600)",
        "import subprocess; subprocess.run(['sleep', '600'])",
        "import threading; threading.Event().wait()",
        "import hashlib; hashlib.pbkdf2_hmac('sha256', b'x', b'x', 10**9)",
        "import re; re.match('(a+)+$', 'a' * 60 + 'b')",
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
        "from jupyter_client.session import Session; Session.serialize = None",
        "import os; os.closerange(3, 200)\nwhile True: pass",
        "import sys; sys.stdout.close()\nwhile True: pass",
        "class Slow:\n    def __repr__(self):\n        while True: pass\nSlow()",
    ],
)
def test_a_run_ends_when_its_time_is_up(carried, cell, caplog):
    run = carried("print('ready')", cell, "print('never')", limits=QUICK)

    # Without its descriptors a kernel may notice, and die before its time.
    ends = [Reason.TIMEOUT]
    if "closerange" in cell:
        ends += [Reason.KERNEL_DIED, Reason.OUTPUT_LIMIT, Reason.KERNEL_PROTOCOL]
    assert run.outcome.status is RunStatus.FAILED
    assert run.outcome.reason in ends
    assert "does not end" not in caplog.text
    assert run.cells["cell-2"]["outputs"] == []
    assert run.cells["cell-2"]["metadata"]["papermill"]["status"] == "pending"


def test_a_cell_that_heeds_the_interrupt_has_its_say(carried):
    run = carried(
        "import time\ntry:\n    time.sleep(60)\nfinally:\n    print('tidied up', flush=True)",
        limits={"seconds": 1.0, "grace_seconds": 600.0},  # of which it needs next to nothing
    )

    assert ended(run) == (RunStatus.FAILED, Reason.TIMEOUT)
    assert run.text(0) == "tidied up\n"
    assert [o.get("ename") for o in run.cells["cell-0"]["outputs"]][1:] == [
        "KeyboardInterrupt",
        "timeout",
    ]


def test_a_cell_that_swallows_the_interrupt_has_timed_out_all_the_same(carried):
    run = carried(
        "import time\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    pass",
        "print('never')",
        limits={"seconds": 1.0, "grace_seconds": 10.0},
    )

    assert ended(run) == (RunStatus.FAILED, Reason.TIMEOUT)
    assert run.cells["cell-1"]["outputs"] == []


def test_the_time_is_for_all_cells_together(carried):
    cells = ["import time; time.sleep(0.4)"] * 5

    run = carried(*cells, limits=QUICK)

    assert ended(run) == (RunStatus.FAILED, Reason.TIMEOUT)
    assert run.outcome.cells[-1].status == "pending"


@pytest.mark.parametrize(
    "cell",
    [
        "while True: pass",
        "import asyncio; await asyncio.sleep(60)",
        "import hashlib; hashlib.pbkdf2_hmac('sha256', b'x', b'x', 10**9)",
        "import subprocess; subprocess.run(['sleep', '60'])",
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
    ],
)
def test_a_run_is_called_off_whatever_it_is_doing(carried, cell):
    run = carried(
        "print('now', flush=True)\n" + cell,
        "print('never')",
        cancel_at="now",
        limits={"grace_seconds": 0.5},
    )

    assert ended(run) == (RunStatus.CANCELLED, Reason.CANCELLED_BY_USER)
    assert run.outcome.error is None
    assert run.cells["cell-1"]["outputs"] == []


def test_a_flood_ends_the_run_and_does_not_fill_this_process(carried):
    before = resident()

    run = carried(
        "while True: print('x' * 100_000)",
        limits={"seconds": 60.0, "output_bytes": 4_000_000, "kept_output_bytes": 100_000},
    )

    # What a kernel has not got rid of yet is memory of its own, which may be up first.
    assert ended(run)[0] is RunStatus.FAILED
    assert ended(run)[1] in (Reason.OUTPUT_LIMIT, Reason.MEMORY_LIMIT)
    assert resident() - before < 100_000_000
    assert len(run.outcome.notebook) < 400_000
    assert run.cells["cell-0"]["outputs"][-1]["ename"] == str(run.outcome.reason)


@pytest.mark.parametrize(
    "cell",
    [
        "while True: display('x' * 100_000)",
        "import os\nwhile True: os.write(1, b'x' * 100_000)",
        "h = display('x', display_id=True)\nwhile True: h.update('x' * 100_000)",
        (
            "from IPython.display import clear_output\nwhile True:\n    print('x' * 100_000)\n"
            "    clear_output()"
        ),
        "from workbench import agent\nwhile True: agent.log('info', 'x' * 10_000)",
        (
            "import ipywidgets as w\nout = w.Output()\nwith out:\n"
            "    while True: print('x' * 10_000, flush=True)"
        ),
        "print('x' * 100_000_000)",
        "display('x' * 100_000_000)",
        "raise ValueError('x' * 100_000_000)",
        "from workbench import agent\nagent.result('x' * 100_000_000)",
        (
            "while True:\n    get_ipython().kernel.send_response("
            "get_ipython().kernel.iopub_socket, 'status', {'x': 'y' * 100_000})"
        ),
    ],
)
def test_every_way_of_putting_out_too_much_is_the_same_ending(carried, cell):
    before = resident()

    run = carried(cell, limits={"output_bytes": 4_000_000, "seconds": 40.0})

    assert ended(run) == (RunStatus.FAILED, Reason.OUTPUT_LIMIT)
    assert resident() - before < 200_000_000
    assert len(run.outcome.notebook) < 5_000_000


def test_output_beyond_what_is_kept_is_cut_and_the_run_goes_on(carried):
    run = carried(
        "for n in range(50): print('x' * 1000, flush=True)",
        "print('later')\nfrom workbench import agent\nagent.result('fine')",
        "1/0",
        limits={"kept_output_bytes": 20_000},
    )

    assert run.outcome.result == "fine"
    assert ended(run) == (RunStatus.FAILED, Reason.AGENT_ERROR)
    assert 18_000 < len(run.text(0)) < 21_000
    assert [said["kind"] for said in run.said(EventType.OUTPUT)].count("cut") == 2
    assert run.text(0).count("[cut:") == run.text(1).count("[cut:") == 1
    assert run.cells["cell-2"]["outputs"][-1]["ename"] == "ZeroDivisionError"


def test_a_picture_that_is_drawn_over_and_over_is_kept(carried):
    run = carried(
        "h = display('', display_id=True)\nfor n in range(100): h.update(f'{n}' + 'x' * 1000)",
        limits={"kept_output_bytes": 20_000},
    )

    (output,) = run.cells["cell-0"]["outputs"]
    assert output["data"]["text/plain"].startswith("'99x")


def test_a_result_over_its_budget_is_no_result(carried):
    run = carried(
        "from workbench import agent\nagent.result('x' * 2000)", limits={"result_bytes": 1000}
    )

    assert ended(run) == (RunStatus.FAILED, Reason.OUTPUT_LIMIT)
    assert run.outcome.result is None


@pytest.mark.parametrize(
    "call",
    [
        "agent.result(float('nan'))",
        "agent.result({1: 2})",
        "agent.result(object())",
        "agent.result(1); agent.result(2)",
        (
            "from IPython.display import display\nfor n in (1, 2):\n"
            "    display({'application/vnd.workbench.result+json': n}, raw=True)"
        ),
    ],
)
def test_a_result_that_may_not_be_is_an_invalid_output(carried, call):
    run = carried(f"from workbench import agent\n{call}")

    assert ended(run) == (RunStatus.FAILED, Reason.INVALID_OUTPUT)
    assert run.outcome.error["cell"]["index"] == 0


@pytest.mark.parametrize(
    "cell",
    [
        (
            "import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
            "        os.execvp('sleep', ['sleep', '600'])\n    os._exit(0)"
        ),
        "import subprocess\nsubprocess.Popen(['sleep', '600'], start_new_session=True)",
        "import subprocess\nsubprocess.Popen(['setsid', 'sh', '-c', 'sleep 600 & sleep 600'])",
        "import os\nfor _ in range(20):\n    if os.fork() == 0:\n        while True: pass",
        "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()",
    ],
)
def test_no_child_of_a_cell_outlives_the_run(carried, cell):
    marker = f"WB_MARK_{time.monotonic_ns()}"

    run = carried(f"import os; os.environ['{marker}'] = '1'", cell)

    assert ended(run) == (RunStatus.COMPLETED, None)
    assert _marked(marker) == []


def _marked(marker):
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker.encode() in (entry / "environ").read_bytes():
                found.append(entry.name)
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    "cell",
    [
        "import os, shutil; shutil.rmtree(os.getcwd(), ignore_errors=True)",
        "import os; os.makedirs('a/b'); os.chmod('a', 0)",
        "import os\nfor n in range(200): os.mkfifo(f'{n}')",
        "import os\nopen('x', 'wb').truncate(2**40)",
        "import os\nfor n in range(300):\n    os.mkdir('d'); os.chdir('d')",
        "fds = [open('/dev/null') for _ in range(200)]",
        "print('\\ud800'.encode('utf-8', 'surrogatepass').decode('utf-8', 'surrogateescape'))",
        "print(float('nan'), '\\x00\\x1b[31m')",
        "display({'application/json': {'a': float('nan')}}, raw=True)",
        "from IPython.display import clear_output\nclear_output(wait=True)",
        "import warnings; warnings.warn('x')",
        "%matplotlib inline",
    ],
)
def test_odd_cells_end_somehow_and_leave_a_notebook(carried, cell):
    run = carried(cell, "print('after')", limits={"seconds": 30.0})

    assert run.outcome.status in (RunStatus.COMPLETED, RunStatus.FAILED)
    assert run.outcome.reason in (None, Reason.DISK_LIMIT)
