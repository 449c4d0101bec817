"""`workbench run` makes of a notebook what papermill makes of it, but calls no exit a success.

That the engine does so for every one of papermill's own notebooks is shown where the engine is;
here it is one of each kind, through the command.
"""

import json
import shutil
from pathlib import Path

import pytest
from papermill import PapermillExecutionError, execute_notebook

from workbench.notebook.tags import INJECTED

pytestmark = pytest.mark.kernel

NOTEBOOKS = Path(__file__).parents[1] / "resources" / "papermill"
# papermill takes this for a good one: `sys.exit` is a failure here.
LEFT_EARLY = {"sysexit0"}
GIVEN = {"complex_parameters": [("msg", "hello")]}
KINDS = ["broken2", "complex_parameters", "line_magic_error", "sysexit0"]


def outputs(path):
    """What every cell has put out, without what differs from run to run."""
    cells = json.loads(path.read_bytes())["cells"]
    return [
        [told(output) for output in cell["outputs"]]
        for cell in cells
        # We always inject `test`, papermill nothing where nothing is given.
        if cell["cell_type"] == "code" and INJECTED not in cell["metadata"].get("tags", ())
    ]


def told(output):
    kept = {k: v for k, v in output.items() if k not in ("execution_count", "traceback")}
    return {k: "".join(v) if k == "text" else v for k, v in kept.items()}


@pytest.mark.parametrize("name", KINDS)
def test_the_outputs_are_papermills(ask, elsewhere, name):
    source = elsewhere / f"{name}.ipynb"
    shutil.copy(NOTEBOOKS / source.name, source)
    theirs, ours = elsewhere / "theirs.ipynb", elsewhere / "ours.ipynb"
    given = GIVEN.get(name, [])
    options = [word for pair in given for word in ("-p", *pair)]
    try:
        execute_notebook(
            source, theirs, dict(given), kernel_name="python3", progress_bar=False, log_output=False
        )
        failed = False
    except PapermillExecutionError:
        failed = True

    answer = ask("run", source, "-o", ours, *options, "--json")

    assert outputs(ours) == outputs(theirs)
    assert answer.code == (1 if failed or name in LEFT_EARLY else 0)
