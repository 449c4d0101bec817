"""A tag decides in which runs a cell is carried out, and nothing else does."""

from __future__ import annotations

import pytest

from workbench.notebook.document import code_cell, markdown_cell
from workbench.notebook.tags import cell_tags, is_code, runs, skip_reason


@pytest.mark.parametrize(
    ("tags", "in_test_runs", "in_others"),
    [
        ([], True, True),
        (["parameters"], True, True),
        (["setup"], True, True),
        (["injected-parameters"], True, True),
        (["mine"], True, True),
        (["check"], True, False),
        (["live"], False, True),
        (["mine", "live"], False, True),
        (["skip-execution"], False, False),
    ],
)
def test_a_cell_runs_as_its_tags_say(tags, in_test_runs, in_others):
    cell = code_cell("x = 1", id="a", tags=tags)

    assert (runs(cell, test=True), runs(cell, test=False)) == (in_test_runs, in_others)


@pytest.mark.parametrize("cell", [code_cell(" \n\t", id="a"), markdown_cell("x = 1", id="a")])
def test_what_holds_no_code_does_not_run_and_is_not_skipped_either(cell):
    assert not is_code(cell)
    assert not runs(cell, test=True)
    assert skip_reason(cell, test=True) is None


def test_the_reason_for_skipping_is_the_tag():
    cell = code_cell("x", id="a", tags=["mine", "live", "skip-execution"])

    assert skip_reason(cell, test=True) == "live"
    assert skip_reason(cell, test=False) == "skip-execution"


def test_tags_keep_their_order():
    assert cell_tags(code_cell("x", id="a", tags=["b", "a"])) == ("b", "a")
    assert cell_tags(code_cell("x", id="a")) == ()
