"""Two states are compared cell by cell by id, and whatever is different is told once."""

from __future__ import annotations

import copy
import json
import random
import time

from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import as_notebook
from workbench.domain.definitions import AgentFile
from workbench.notebook.compare import TOO_LARGE, Side, compare
from workbench.notebook.comparison_page import MOST_CHANGES, MOST_LINES, comparison_page
from workbench.notebook.definition import define
from workbench.notebook.document import load


def side(label, document, files=()):
    nb = load(document)
    return Side(label=label, notebook=nb, definition=define(nb, fingerprint="f" * 64, files=files))


def compared(before, after, *, had=(), has=()):
    return compare(side("1.0.0", before, had), side("draft", after, has))


def arranged(*ids):
    """A notebook of cells with those ids; each says its own id."""
    document = as_notebook(*(f"print({id!r})" for id in ids))
    for cell, id in zip(document["cells"], ids, strict=True):
        cell["id"] = id
    return document


def test_the_same_notebook_is_the_same():
    comparison = compared(arranged("a", "b"), arranged("a", "b"))

    assert comparison.same
    assert comparison.unchanged == 2
    told = comparison.as_json()
    assert (told["from"], told["to"], told["same"]) == ("1.0.0", "draft", True)
    assert told["cells"] == told["added"] == told["removed"] == told["changed"] == []


def test_cells_come_go_move_and_change():
    before = arranged("a", "b", "c", "d", "e")
    after = arranged("a", "new", "d", "c", "e")
    after["cells"][-1]["source"] = "print('e')\nprint('more')"

    comparison = compared(before, after)
    told = comparison.as_json()

    assert told["added"] == ["new"]
    assert told["removed"] == ["b"]
    assert told["changed"] == ["e"]
    assert len(told["moved"]) == 1
    assert set(told["moved"]) <= {"c", "d"}
    # What was removed stands where it stood: behind `a`.
    assert told["cells"][0]["id"] == "b"
    assert told["unchanged"] == 2
    e = next(cell for cell in told["cells"] if cell["id"] == "e")
    assert (e["before_index"], e["after_index"]) == (4, 4)
    assert [(line["op"], line["text"]) for line in e["lines"]] == [
        (" ", "print('e')"),
        ("+", "print('more')"),
    ]
    json.dumps(told)


def test_a_cell_that_moved_and_changed_is_both():
    before, after = arranged("a", "b", "c", "d"), arranged("d", "a", "b", "c")
    after["cells"][0]["source"] = "1"

    comparison = compared(before, after)

    assert comparison.ids("moved") == comparison.ids("changed") == ["d"]
    assert [cell.change for cell in comparison.cells] == ["changed"]


@given(
    before=st.lists(st.sampled_from("abcdefgh"), unique=True),
    after=st.lists(st.sampled_from("abcdefgh"), unique=True),
)
def test_what_did_not_move_kept_its_order(before, after):
    comparison = compared(arranged(*before), arranged(*after))

    assert set(comparison.ids("added")) == set(after) - set(before)
    assert set(comparison.ids("removed")) == set(before) - set(after)
    moved = set(comparison.ids("moved"))
    stayed = [id for id in after if id in before and id not in moved]
    assert stayed == [id for id in before if id in after and id not in moved]
    assert comparison.unchanged == len(stayed)


def test_tags_metadata_and_the_type_of_a_cell_are_compared():
    before, after = arranged("a"), arranged("a")
    before["cells"][0]["metadata"] = {"tags": ["check"], "gone": 1, "n": 1}
    after["cells"][0]["metadata"] = {"tags": ["live"], "new": {"x": 1}, "n": True}
    after["cells"][0]["cell_type"] = "markdown"
    for left in ("outputs", "execution_count"):
        del after["cells"][0][left]

    (cell,) = compared(before, after).cells

    assert {(change.path, change.change) for change in cell.metadata} == {
        ("/tags", "changed"),
        ("/gone", "removed"),
        ("/new", "added"),
        ("/n", "changed"),
        ("/cell_type", "changed"),
    }
    assert cell.lines == ()


def test_what_the_agent_takes_and_gives_is_compared():
    before = as_notebook(
        ("city: str = 'Rome'\ndays: int = 1", "parameters"),
        description="Old.",
        output_schema={"type": "object", "properties": {"x": {"type": "string"}}},
    )
    after = as_notebook(
        ("days: float = 1\nhow: str = 'well'", "parameters"),
        description="New.",
        output_schema={"type": "object", "properties": {"x": {"type": "number"}}},
        tags=["t"],
    )
    csv = AgentFile(path="a.csv", fingerprint="1" * 64, size=1)

    told = compared(
        before,
        after,
        had=(csv, AgentFile(path="gone.csv", fingerprint="2" * 64, size=2)),
        has=(AgentFile(path="a.csv", fingerprint="3" * 64, size=3),),
    )

    assert [(c.path, c.change) for c in told.parameters] == [
        ("city", "removed"),
        ("days", "changed"),
        ("how", "added"),
    ]
    assert told.parameters[1].before["type"] == "int"
    assert told.parameters[1].after["type"] == "float"
    assert "/properties/city" in {c.path for c in told.input_schema}
    assert [(c.path, c.before, c.after) for c in told.output_schema] == [
        ("/properties/x/type", "string", "number")
    ]
    assert {(c.path, c.change) for c in told.metadata} == {
        ("/workbench/description", "changed"),
        ("/workbench/tags", "added"),
    }
    assert [(c.path, c.change) for c in told.files] == [
        ("a.csv", "changed"),
        ("gone.csv", "removed"),
    ]


def test_a_schema_that_comes_is_told_whole():
    (change,) = compared(as_notebook("1"), as_notebook("1", output_schema={})).output_schema

    assert (change.path, change.before, change.after) == ("/", None, {})


def test_what_would_take_too_long_is_said_to():
    before, after = arranged("a"), arranged("a")
    before["cells"][0] |= {"source": "\n".join(f"a{n}" for n in range(10_000))}
    after["cells"][0] |= {"source": "\n".join(f"b{n}" for n in range(10_000))}

    comparison = compared(before, after)

    assert comparison.cells[0].note == TOO_LARGE
    assert TOO_LARGE in comparison_page(comparison, title="x")


def test_a_line_end_at_the_end_is_a_change_that_is_explained():
    before, after = arranged("a"), arranged("a")
    after["cells"][0]["source"] += "\n"

    (cell,) = compared(before, after).cells

    assert (cell.change, cell.lines) == ("changed", ())
    assert cell.note


def test_five_thousand_shuffled_and_rewritten_cells_take_seconds_at_most():
    ids = [f"c{n}" for n in range(5_000)]
    shuffled = random.Random(1).sample(ids, len(ids))
    before, after = (side("x", arranged(*order)) for order in (ids, shuffled))
    for cell in after.notebook["cells"]:
        cell["source"] = "\n".join(random.Random(cell["id"]).choices("ab", k=200))
    for cell in before.notebook["cells"]:
        cell["source"] = "\n".join(random.Random(cell["id"] + "x").choices("ab", k=200))

    begun = time.process_time()
    comparison = compare(before, after)
    page = comparison_page(comparison, title="x")

    assert time.process_time() - begun < 20
    assert len(comparison.ids("changed")) == 5_000
    assert len(page) < 20_000_000


EVIL = "</style></title><script>alert(1)</script><img src=x onerror=alert(1)>&\"'"


def test_nothing_in_the_page_is_anybodys_markup():
    before = arranged("a", "b", "c")
    after = copy.deepcopy(before)
    after["cells"][0]["source"] = f"# {EVIL}"
    after["cells"][1]["metadata"] = {EVIL: {EVIL: EVIL}, "tags": ["x"]}
    after["metadata"]["workbench"] = {"description": EVIL, EVIL: EVIL}
    del after["cells"][2]
    file = AgentFile(path=EVIL, fingerprint="1" * 64, size=1)

    page = comparison_page(compared(before, after, has=(file,)), title=EVIL)

    assert "<script" not in page
    assert "<img" not in page
    assert page.count("</style>") == page.count("</title>") == 1
    assert page.count("&lt;script&gt;") >= 6
    assert "default-src 'none'" in page


def test_the_page_shows_what_changed():
    before, after = arranged("a", "b", "c", "d"), arranged("d", "a", "b", "new")
    after["cells"][2]["source"] = "print('other')"

    page = comparison_page(compared(before, after), title="ada/weather")

    for said in ("1 added", "1 removed", "1 changed", "1 moved", "1 unchanged", "Cell 4 → 1"):
        assert said in page
    assert 'class="came"' in page
    assert 'class="went"' in page
    assert "Nothing is different" not in page
    assert "Nothing is different" in comparison_page(compared(before, before), title="x")


def test_the_page_follows_the_readers_light():
    page = comparison_page(compared(arranged("a"), arranged("b")), title="x")

    assert "prefers-color-scheme: dark" in page
    assert 'content="light dark"' in page


def test_a_long_comparison_is_cut_in_the_page_and_whole_in_json():
    before = arranged("a")
    after = arranged("a", *(f"n{n}" for n in range(MOST_CHANGES + 10)))
    after["cells"][1]["source"] = "\n".join("x" for _ in range(MOST_LINES + 7))

    comparison = compared(before, after)
    page = comparison_page(comparison, title="x")

    assert "… and 10 more cells." in page
    assert "… and 7 more lines." in page
    assert len(comparison.as_json()["cells"]) == MOST_CHANGES + 10
