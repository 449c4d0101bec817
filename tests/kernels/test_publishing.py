"""What a lean kernel publishes arrives whole, in order and with its cell."""

import pytest

from workbench.domain.runs import RunStatus

pytestmark = pytest.mark.kernel

ALARMED = """\
import signal
class Ring(Exception):
    pass
saying = False
def ring(*_):
    global saying
    if saying:
        saying = False
        raise Ring
signal.signal(signal.SIGALRM, ring)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0007)
shown = rung = 0
while shown < 300 or rung < 100:
    try:
        saying = True
        display({"text/plain": "shown"}, raw=True)
        print("said")
        saying = False
        shown += 1
    except Ring:
        rung += 1
signal.setitimer(signal.ITIMER_REAL, 0)
"""
BY_A_CHILD = """\
import os
if not os.fork():
    print("from a child")
    display({"text/plain": "x" * 200_000}, raw=True)
    os._exit(0)
os.wait()
"""
AT_ONCE = "import os\n" + "".join(
    f"os.write(1, b'raw {n}\\n'); print('cooked {n}'); display('shown {n}')\n" for n in range(3)
)


@pytest.fixture(autouse=True)
def lean(kernels):
    if kernels.sort != "forked":
        pytest.skip("that is ipykernel's own to show")


def test_a_signal_never_leaves_half_a_message(carried):
    run = carried(ALARMED, "print('after', shown >= 300)", limits={"seconds": 120.0})

    assert run.outcome.status is RunStatus.COMPLETED, run.outcome.error
    outputs = run.cells["cell-0"]["outputs"]
    assert sum(output["output_type"] == "display_data" for output in outputs) >= 300
    assert run.text(1) == "after True\n"


def test_children_of_the_kernel_are_heard_whatever_they_say(carried):
    run = carried(BY_A_CHILD, "import time; time.sleep(0.5)", limits={"seconds": 120.0})

    assert run.outcome.status is RunStatus.COMPLETED, run.outcome.error
    assert "from a child" in run.text(0)
    (shown,) = (o for o in run.cells["cell-0"]["outputs"] if o["output_type"] == "display_data")
    assert shown["data"]["text/plain"] == "x" * 200_000


def test_half_a_character_is_printed_as_none(carried):
    run = carried("print('\\ud800 and a whole one: é')", "import os; os.write(1, b'\\xff\\n')")

    assert run.outcome.status is RunStatus.COMPLETED, run.outcome.error
    assert run.text(0) == "\ufffd and a whole one: é\n"
    assert run.text(1) == "\ufffd\n"


def test_a_cell_may_close_what_other_programs_write_to(carried):
    run = carried("import os; os.close(1); os.close(2); print('said')", "print('and again')")

    assert run.outcome.status is RunStatus.COMPLETED, run.outcome.error
    assert (run.text(0), run.text(1)) == ("said\n", "and again\n")


def test_what_other_programs_write_belongs_to_the_cell_that_waited_for_them(carried):
    run = carried(*(f"!echo {word}" for word in ("one", "two", "three")), AT_ONCE)

    assert run.outcome.status is RunStatus.COMPLETED, run.outcome.error
    assert [run.text(n).strip() for n in range(3)] == ["one", "two", "three"]
    texts = [
        sorted((output.get("text") or output["data"]["text/plain"]).strip("'\n").split("\n"))
        for output in run.cells["cell-3"]["outputs"]
    ]
    assert texts == [
        said for n in range(3) for said in ([f"cooked {n}", f"raw {n}"], [f"shown {n}"])
    ]
