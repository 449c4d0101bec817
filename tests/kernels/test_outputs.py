"""What outputs mean is what nbclient says they mean."""

import json
import re

import pytest
from nbclient import NotebookClient

from workbench.domain.runs import RunStatus
from workbench.notebook.document import load

pytestmark = pytest.mark.kernel

CELLS = {
    "streams": [
        (
            "import sys\nfor n in range(5): print(n, flush=True)\n"
            "sys.stderr.write('warning')\nsys.stderr.flush()\nprint('after', end='')"
        ),
        "print('over\\rwritten')",
    ],
    "values": ["1 + 1", "{'a': [1, 2]}", "None", "'text';", "_ = 3\n_"],
    "rich displays": [
        (
            "from IPython.display import HTML, JSON, Markdown, Latex, SVG, display\n"
            "display(HTML('<b>x</b>'), JSON({'a': 1}), Markdown('# x'))\nLatex('$x$')"
        ),
        (
            "display({'text/plain': 'x', 'application/x-own+json': {'deep': [1]}}, raw=True,"
            " metadata={'own': True})"
        ),
    ],
    "clearing": [
        "from IPython.display import clear_output\nprint('gone')\nclear_output()\nprint('stays')",
        "for n in range(3):\n    clear_output(wait=True)\n    print('frame', n)",
        "print('still there')\nclear_output(wait=True)",
        "print('waits for me')",
        "display('gone', display_id='x')\nclear_output()\ndisplay('new', display_id='x')",
    ],
    "updates": [
        "h = display('first', display_id='a')\ndisplay('second', display_id='a')\nprint('between')",
        "h.update('third')",
        "display('fourth', display_id='a')\ndisplay('x', display_id='b')\nprint('last')",
        "from IPython.display import update_display\nupdate_display('no such', display_id='zz')",
        "update_display(['y'], display_id='b', metadata={'m': 1})",
    ],
    "widgets": [
        "import ipywidgets as w\nslider = w.IntSlider(3)\nslider",
        "slider.value = 7\nbox = w.VBox([slider, w.Image(value=b'\\x89PNG', format='png')])\nbox",
        "out = w.Output()\nout",
        "with out:\n    print('inside')\n    display('shown inside')\nprint('outside')",
        "out.append_stdout('appended')",
        "with out:\n    out.clear_output(wait=True)\n    print('replaced')",
    ],
    "pictures": [
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2, 3])",
        "fig, ax = plt.subplots(figsize=(1, 1))\nax.bar(['a'], [1])\nplt.show()",
    ],
    "tables": ["import pandas as pd\npd.DataFrame({'a': [1, 2]})"],
    "errors": ["print('before')\nraise ValueError('wrong')", "print('never')"],
    "shell": ["!echo one; echo two >&2", "%%bash\necho three", "%alias_magic t time"],
    "async": [
        (
            "import asyncio\nasync def tick():\n    for n in range(3):\n        print(n)\n"
            "        await asyncio.sleep(0.01)\nawait tick()\n'done'"
        )
    ],
}


def plain(document):
    """The outputs of *document* without what differs from run to run."""
    cells = [cell for cell in document["cells"] if "injected" not in str(cell["metadata"])]
    cells = [cell for cell in cells if cell["cell_type"] == "code"]
    return [[_plain(output) for output in _merged(cell["outputs"])] for cell in cells]


def _merged(outputs):
    """*outputs* with the pieces of one stream as one, however they were cut in time."""
    merged = []
    for output in outputs:
        last = merged[-1] if merged else {}
        names = (last.get("name"), last.get("output_type"))
        if names == (output.get("name"), "stream") == (output.get("name"), output["output_type"]):
            last["text"] += output["text"]
        else:
            merged.append(dict(output))
    return merged


def _plain(output):
    kept = {k: v for k, v in output.items() if k != "execution_count"}
    text = json.dumps(kept, sort_keys=True)
    text = re.sub(r"0x[0-9a-f]+|[0-9a-f]{32}|\d+(\.\d+)? ?(ns|us|µs|ms|s)\b", "#", text)
    return re.sub(r"In\[\d+\]|ipykernel_\d+/\d+|In \[\d+\]", "#", text)


def widgets(document):
    """The models and the states of the widgets in *document*, told from their numbers."""
    kept = document["metadata"].get("widgets", {})
    states = kept.get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    return sorted(_plain({"output_type": "", **state}) for state in states.values())


# The comparison costs a stock kernel each; what runs get is what it is made with.
@pytest.mark.parametrize("kernels", ["forked"], indirect=True)
@pytest.mark.parametrize("what", CELLS)
def test_our_outputs_are_nbclients(carried, notebook, tmp_path, what):
    theirs = load(notebook(*CELLS[what]))
    client = NotebookClient(
        theirs,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
        allow_errors=what == "errors",
    )
    if what == "errors":
        theirs.cells.pop()
    client.execute()

    ours = carried(*CELLS[what][: len(theirs.cells)], limits={"kept_output_bytes": 10_000_000})

    document = load(ours.outcome.notebook)
    if what == "errors":
        assert ours.outcome.status is RunStatus.FAILED
    else:
        assert ours.outcome.error is None
    assert plain(document) == plain(theirs)
    assert widgets(document) == widgets(theirs)


def test_the_text_of_a_thread_goes_to_the_cell_that_started_it(carried):
    run = carried(
        "import threading, time\n"
        "t = threading.Thread(target=lambda: (time.sleep(0.2), print('late', flush=True)))\n"
        "t.start()",
        "t.join()\nprint('second')",
    )

    assert run.text(0) + run.text(1) in ("late\nsecond\n", "second\nlate\n")


def test_a_wide_widget_state_is_left_out_of_the_notebook(carried):
    run = carried(
        "import ipywidgets as w\nx = w.Textarea('x' * 50_000)\nx",
        limits={"kept_output_bytes": 20_000},
    )

    assert run.outcome.status is RunStatus.COMPLETED
    assert "widgets" not in load(run.outcome.notebook).metadata


def test_what_is_cleared_makes_room_again(carried):
    run = carried(
        "print('k' * 6_000)",
        "from IPython.display import clear_output\n"
        "for n in range(9):\n    print(n, 'x' * 3_000, flush=True)\n    clear_output()\n"
        "print('last')",
        limits={"kept_output_bytes": 10_000},
    )

    assert "k" * 6_000 in run.text(0)
    assert run.text(1) == "last\n"


def test_an_update_that_many_outputs_show_counts_for_each_of_them(carried):
    run = carried(
        "for _ in range(10):\n    display('short', display_id='d')",
        "from IPython.display import update_display\n"
        "update_display('z' * 300, display_id='d')\nupdate_display('y' * 3_000, display_id='d')",
        limits={"kept_output_bytes": 20_000},
    )

    shown = {output["data"]["text/plain"] for output in run.cells["cell-0"]["outputs"]}
    assert shown == {repr("z" * 300)}
    assert run.outcome.error is None


def test_cells_say_when_they_ran_as_jupyterlab_shows_it(carried):
    times = carried("1").cells["cell-0"]["metadata"]["execution"]

    assert sorted(times) == ["iopub.execute_input", "iopub.status.busy", "iopub.status.idle"]
    assert times["iopub.status.busy"] < times["iopub.status.idle"]
