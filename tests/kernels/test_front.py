"""The record of a run is the one papermill would have made."""

import json

import pytest

from workbench.kernels import Task
from workbench.kernels.front import Front
from workbench.notebook.document import dump, load


@pytest.fixture
def front(notebook):
    def made(*cells, document=None, **options):
        content = dump(load(document or notebook(*cells)))
        return Front(Task(run_id="r", notebook=content, **options))

    return made


def sources(front):
    return [cell.source for cell in front.nb.cells]


def test_parameters_stand_behind_their_cell(front):
    made = front("import os", ("n = 1", "parameters"), "n", parameters={"n": 2})

    assert sources(made) == ["import os", "n = 1", "# Parameters\nn = 2\ntest = False\n", "n"]
    assert [(step.cell.id, step.index) for step in made.steps] == [
        ("cell-0", 0),
        ("cell-1", 1),
        ("injected-parameters", None),
        ("cell-2", 2),
    ]


def test_without_a_parameters_cell_they_stand_on_top(front, caplog):
    made = front("x", test=True)

    assert sources(made) == ["# Parameters\ntest = True\n", "x"]
    assert [step.index for step in made.steps] == [None, 0]
    assert caplog.records == []


@pytest.mark.parametrize("name", ["a b", "x = 1; y", "", "class", "ünïcode", "a\nb", "1a"])
def test_no_name_becomes_code(front, name):
    with pytest.raises(ValueError, match="Not the name of a parameter"):
        front("x", parameters={name: 1})


def test_test_is_the_mode_and_no_parameter_can_change_it(front):
    assert "test = True" in sources(front("x", parameters={"test": False}, test=True))[0]


def test_blank_cells_and_text_are_no_steps(front, notebook):
    document = notebook("1", "  \n", ("raw", "check"))
    document["cells"].append({"cell_type": "markdown", "id": "m", "metadata": {}, "source": "# M"})

    made = front(document=document)

    assert [(step.cell.id, step.status) for step in made.steps] == [
        ("injected-parameters", "pending"),
        ("cell-0", "pending"),
        ("cell-2", "skipped"),
    ]


def in_language(notebook, name, *cells):
    document = notebook(*cells)
    document["metadata"]["kernelspec"] = {"name": name, "display_name": name, "language": name}
    document["metadata"]["language_info"] = {"name": name}
    return document


def test_parameters_are_written_in_the_notebooks_language(front, notebook):
    made = front(document=in_language(notebook, "R", "x"), parameters={"n": True})

    assert sources(made)[0] == "# Parameters\nn = TRUE\ntest = FALSE\n"


def test_a_language_papermill_does_not_speak_takes_none(front, notebook):
    document = in_language(notebook, "brainfuck", "+")

    assert sources(front(document=document)) == ["+"]
    with pytest.raises(ValueError, match="brainfuck"):
        front(document=document, parameters={"n": 1})


def test_the_earlier_runs_marks_and_parameters_are_replaced(front):
    once = front(("n = 1", "parameters"), "1/n", parameters={"n": 0})
    once.begin()
    once.steps[-1].status = "failed"
    once.manager.cell_exception(once.steps[-1].cell)
    once.complete()
    assert len(once.nb.cells) == 5

    again = front(document=json.loads(dump(once.nb)), parameters={"n": 2})

    assert sources(again) == ["n = 1", "# Parameters\nn = 2\ntest = False\n", "1/n"]


def test_what_has_not_run_is_not_called_completed(front):
    made = front("1", "2", ("3", "live"), test=True)
    made.begin()
    made.steps[0].status = "completed"
    made.manager.cell_start(made.steps[0].cell)
    made.manager.cell_complete(made.steps[0].cell)

    made.complete()

    statuses = [cell.metadata.papermill.status for cell in made.nb.cells]
    assert statuses == ["completed", "pending", "pending", "pending"]
    assert made.nb.cells[3].metadata.workbench == {"skipped": "live"}
    assert made.nb.metadata.papermill["parameters"] == {"test": True}
    assert made.nb.metadata.papermill["duration"] >= 0
