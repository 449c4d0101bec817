"""`papermill --engine workbench` does what papermill does, and calls no time-out a success."""

import asyncio
import io
import json
import logging
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import nbformat
import papermill
import pytest
from papermill.engines import papermill_engines
from papermill.exceptions import PapermillExecutionError

from workbench.errors import KernelLost
from workbench.kernels.papermill_engine import WorkbenchEngine

pytestmark = [
    pytest.mark.kernel,
    # papermill's client is unhappy about its own notebooks' age, and its writer about none.
    pytest.mark.filterwarnings("ignore::UserWarning:papermill"),
    pytest.mark.filterwarnings("ignore::nbformat.warnings.MissingIDFieldWarning"),
]

THEIRS = Path(__file__).parents[1] / "resources" / "papermill"


@pytest.fixture(autouse=True)
def registered():
    papermill_engines.register("workbench", WorkbenchEngine)


def execute(path, output, engine="workbench", **options):
    """What papermill made of a notebook: the document, and the error it raised."""
    options = {"progress_bar": False, "engine_name": engine} | options
    try:
        papermill.execute_notebook(str(path), str(output), **options)
    except PapermillExecutionError as error:
        return nbformat.read(output, as_version=4), error
    return nbformat.read(output, as_version=4), None


def described(document):
    """Everything about *document* that does not differ from run to run."""
    return [
        (
            cell.cell_type,
            cell.source,
            [_plain(output) for output in cell.get("outputs", [])],
            cell.get("execution_count"),
            cell.metadata.get("tags"),
            {key: cell.metadata.get("papermill", {}).get(key) for key in ("status", "exception")},
        )
        for cell in document.cells
    ]


def _plain(output):
    return re.sub(r"0x[0-9a-f]+|ipykernel_\d+/\d+", "#", json.dumps(output, sort_keys=True))


GIVEN = {"msg": "hello 'you'", "foo": [1, {"a": None}]}


@pytest.mark.parametrize(
    ("name", "parameters"),
    [(path.stem, GIVEN) for path in sorted(THEIRS.glob("*.ipynb"))]
    + [("simple_execute", {}), ("no_parameters", {}), ("broken2", {})],
)
def test_papermills_own_notebooks_come_out_as_they_do_with_papermill(tmp_path, name, parameters):
    path = THEIRS / f"{name}.ipynb"

    options = {"parameters": parameters, "kernel_name": "python3", "language": "python"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, their_error = execute(path, tmp_path / "theirs.ipynb", None, **options)
        ours, our_error = execute(path, tmp_path / "ours.ipynb", **options)

    assert _without_late_end(described(ours)) == _without_late_end(described(theirs))
    assert type(our_error) is type(their_error)
    if their_error is not None:
        assert (our_error.cell_index, our_error.ename, our_error.evalue) == (
            their_error.cell_index,
            their_error.ename,
            their_error.evalue,
        )
    assert ours.metadata.papermill.parameters == theirs.metadata.papermill.parameters
    assert ours.metadata.papermill.exception == theirs.metadata.papermill.exception


def _without_late_end(cells):
    """Blank and text cells behind a failure: whether they count as pending is papermill's whim."""
    return [cell[:-1] if not cell[1].strip() or cell[0] != "code" else cell for cell in cells]


@pytest.fixture
def saved(tmp_path, notebook):
    def save(*cells):
        path = tmp_path / "in.ipynb"
        path.write_text(json.dumps(notebook(*cells)))
        return path

    return save


def test_a_time_out_is_no_success(saved, tmp_path):
    cell = "import time\ntry: time.sleep(60)\nexcept KeyboardInterrupt: pass"
    path = saved("print('before')", cell, "print('never')")

    document, error = execute(path, tmp_path / "out.ipynb", execution_timeout=1)

    assert (error.ename, error.cell_index) == ("timeout", 1)
    code = [cell for cell in document.cells if cell.cell_type == "code"]
    assert [cell.metadata.papermill.status for cell in code] == ["completed", "failed", "pending"]
    assert document.metadata.papermill.exception is True


def test_a_kernel_that_dies_is_no_success(saved, tmp_path):
    document, error = execute(saved("import os; os._exit(0)", "1"), tmp_path / "out.ipynb")

    assert error.ename == "kernel_died"
    assert document.cells[-1].metadata.papermill.status == "pending"


def test_parameters_and_the_mode_reach_the_notebook(saved, tmp_path):
    path = saved(
        ("n = 1", "parameters"),
        ("print('check')", "check"),
        ("print('live')", "live"),
        "from workbench import agent\nprint(n, agent.test, len(agent.run_id))\nagent.result(n)",
    )

    document, error = execute(path, tmp_path / "o.ipynb", parameters={"n": 2, "test": True})

    assert error is None
    said = [output.text for cell in document.cells for output in cell.outputs if "text" in output]
    assert said == ["check\n", "2 True 32\n"]


def test_a_notebook_runs_in_the_folder_and_with_the_environment_of_its_caller(
    saved, tmp_path, monkeypatch
):
    monkeypatch.setenv("MY_OWN", "kept")
    (tmp_path / "there").mkdir()
    path = saved("import os\nprint(os.getcwd(), os.environ['MY_OWN'])")

    document, _ = execute(path, tmp_path / "out.ipynb", cwd=str(tmp_path / "there"))

    assert document.cells[0].outputs[0].text == f"{tmp_path / 'there'} kept\n"


def test_what_is_printed_goes_where_papermill_was_asked_to_put_it(saved, tmp_path, caplog):
    path = saved("import sys\nprint('out')\nsys.stdout.flush()\nprint('err', file=sys.stderr)\n42")
    stdout, stderr = io.StringIO(), io.StringIO()

    with caplog.at_level(logging.INFO, logger="papermill"):
        execute(path, tmp_path / "o.ipynb", log_output=True, stdout_file=stdout, stderr_file=stderr)

    assert (stdout.getvalue(), stderr.getvalue()) == ("out\n", "err\n")
    assert {"out\n", "err\n", "42"} <= {record.getMessage() for record in caplog.records}


def test_an_unknown_kernel_is_lost(saved, tmp_path):
    with pytest.raises(KernelLost, match="no-such-kernel"):
        execute(saved("1"), tmp_path / "out.ipynb", kernel_name="no-such-kernel")


def test_it_works_inside_a_running_loop(saved, tmp_path):
    async def main():
        return execute(saved("print(1)"), tmp_path / "out.ipynb")

    document, error = asyncio.run(main())

    assert error is None
    assert document.cells[0].outputs[0].text == "1\n"


def test_the_command_line_of_papermill_finds_the_engine(saved, tmp_path):
    # Where the package is installed papermill finds it by its entry point.
    site = tmp_path / "site" / "agent_workbench-0.dist-info"
    site.mkdir(parents=True)
    (site / "METADATA").write_text("Metadata-Version: 2.1\nName: agent-workbench\nVersion: 0\n")
    (site / "entry_points.txt").write_text(
        "[papermill.engine]\nworkbench = workbench.kernels.papermill_engine:WorkbenchEngine\n"
    )
    root = Path(__file__).parents[2]
    path = saved(("x = 1", "parameters"), "print(x + 1)")

    done = subprocess.run(
        [sys.executable, "-m", "papermill", "--engine", "workbench", "--no-progress-bar"]
        + [str(path), str(tmp_path / "out.ipynb"), "-p", "x", "41"],
        check=False,
        env={**os.environ, "PYTHONPATH": f"{site.parent}:{root}"},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert (
        '"text": [\n      "42\\n"' in (tmp_path / "out.ipynb").read_text()
        or "42\\n" in (tmp_path / "out.ipynb").read_text()
    )
