"""Cells are put together into a notebook by us; what nobody has read yet is looked through."""

import pytest

from tests.conftest import as_notebook
from tests.domain.test_plans import PLAN
from workbench.domain.plans import plan_from_json
from workbench.notebook.definition import define
from workbench.notebook.document import dump, load
from workbench.notebook.drafts import Edit, assembled, edited, numbered
from workbench.notebook.filled import filled
from workbench.notebook.linting import lint
from workbench.notebook.policy import breaches

CELLS = numbered([("markdown", "## Double"), ("code", "d = n * 2"), ("check", "assert d")])


def ids(cells):
    return [cell.id for cell in cells]


def test_the_plan_is_the_notebooks_own_parameters_cases_and_description():
    nb = assembled(plan_from_json(PLAN), CELLS, {"by": "model"})
    definition = define(load(dump(nb)), fingerprint="0" * 64)

    assert [(p.name, p.required, p.help) for p in definition.parameters] == [
        ("n", True, "what to double"),
        ("rows", False, ""),
    ]
    assert definition.description == "Doubles a number."
    assert [(case.name, case.expected) for case in definition.cases] == [("three", 6)]
    assert [cell["metadata"].get("tags", []) for cell in nb.cells][1:] == [
        ["parameters"],
        [],
        [],
        ["check"],
    ]
    assert nb.metadata["workbench"]["generated"]["by"] == "model"


def test_cells_keep_their_ids_while_others_come_and_go():
    after = edited(
        CELLS,
        [
            Edit(action="insert_after", id="parameters", source="import math"),
            Edit(action="delete", id="cell-1"),
            Edit(action="replace", id="cell-2", source="```python\nd = 2 * n\n```"),
            Edit(action="insert_after", id="cell-3", kind="markdown", source="done"),
        ],
    )

    assert ids(after) == ["cell-4", "cell-2", "cell-3", "cell-5"]
    assert after[1].source == "d = 2 * n"


@pytest.mark.parametrize(
    "edit",
    [
        Edit(action="explode", id="cell-1"),
        Edit(action="replace", id="cell-9"),
        Edit(action="replace", id="parameters"),
        Edit(action="delete", id="title"),
        Edit(action="replace", id="cell-1", kind="raw"),
        Edit(action="replace", id="cell-1", source="x" * 20_001),
        Edit(action="replace", id="cell-1", source="\ud800"),
    ],
)
def test_an_edit_that_cannot_be_done_says_why(edit):
    with pytest.raises(ValueError, match=r"cell|action|edit"):
        edited(CELLS, [edit])


@pytest.mark.parametrize("written", [[], [("code", "x")] * 61, [("raw", "x")]])
def test_what_is_no_list_of_cells_is_refused(written):
    with pytest.raises(ValueError, match="cell"):
        numbered(written)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("import requests", "Network"),
        ("import socket", "Network"),
        ("import subprocess", "Process"),
        ("!ls", "Process"),
        ("%pip install x", "Process"),
        ("import os\nos.system('ls')", "Process"),
        ("eval('1')", "Evaluation"),
        ("x = 1", "NoResult"),
    ],
)
def test_what_should_not_be_there_is_told(source, code):
    source += "" if code == "NoResult" else "\nagent.result(1)"
    assert code in {breach.code for breach in breaches(load(as_notebook(source)))}


def test_nothing_is_said_of_plain_cells_and_of_a_network_that_is_declared():
    plain = "import urllib.parse, math\nagent.result(math.pi)"
    assert list(breaches(load(as_notebook(plain)))) == []
    declared = as_notebook("import requests\nagent.result(1)", network=["example.org"])
    assert list(breaches(load(declared))) == []


def test_ruff_names_the_cell_and_the_line():
    pytest.importorskip("ruff")
    nb = load(as_notebook(("n: int = 1", "parameters"), "x = n", "y = x\nz = nonsense"))

    [found] = lint(nb)

    assert (found.code, found.cell_id, found.line) == ("F821", "cell-2", 2)


@pytest.mark.parametrize(
    ("description", "cells"),
    [("Sum the rows of a table", 3), ("Translate a text", 2), ("Ünknown {things}", 2)],
)
def test_a_starter_is_filled_the_same_way_every_time(description, cells):
    plan, written = filled(description)

    assert (plan, written) == filled(description)
    assert len(written) == cells
    assert plan_from_json(plan.as_json()) == plan_from_json(plan.as_json())
    nb = load(dump(assembled(plan, numbered(written), {})))
    assert define(nb, fingerprint="0" * 64).description == description
    assert list(breaches(nb)) == []
