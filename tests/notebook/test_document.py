"""Whatever comes in is refused with the place, or comes out as valid nbformat 4.5, always the same."""

from __future__ import annotations

import json
import time

import nbformat
import pytest

from workbench.errors import InvalidAgentConfig
from workbench.notebook import formats
from workbench.notebook.document import (
    MAX_BYTES,
    MAX_DEPTH,
    code_cell,
    dump,
    fingerprint,
    load,
    markdown_cell,
    node,
    thaw,
    without_outputs,
)


def bare(*cells, **more):
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **more}


def raw_cell(source="", **more):
    return {"cell_type": "raw", "metadata": {}, "source": source, **more}


OLD = {
    "nbformat": 3,
    "nbformat_minor": 0,
    "metadata": {"name": "old"},
    "worksheets": [
        {
            "metadata": {},
            "cells": [
                {"cell_type": "heading", "level": 2, "metadata": {}, "source": "Title"},
                {
                    "cell_type": "code",
                    "language": "python",
                    "collapsed": False,
                    "metadata": {},
                    "input": ["x = 1\n", "x"],
                    "prompt_number": 1,
                    "outputs": [
                        {
                            "output_type": "pyout",
                            "prompt_number": 1,
                            "metadata": {},
                            "text": ["1"],
                        }
                    ],
                },
            ],
        },
        {"metadata": {}, "cells": [{"cell_type": "markdown", "metadata": {}, "source": "end"}]},
    ],
}


def refusal(content):
    with pytest.raises(InvalidAgentConfig) as caught:
        load(content)
    return caught.value


def test_bytes_text_and_values_give_the_same_notebook(notebook):
    values = notebook("x = 1")

    text = json.dumps(values)

    assert (
        load(values) == load(text) == load(text.encode()) == load(b"\xef\xbb\xbf" + text.encode())
    )


def test_a_notebook_that_jupyter_wrote_is_kept_as_it_is(notebook):
    written = nbformat.writes(nbformat.from_dict(notebook("x = 1\ny = 2", ("z", "check"))))

    assert load(written) == nbformat.reads(written, as_version=4)


def test_the_values_that_were_given_are_left_alone(notebook):
    values = notebook("x = 1")
    before = json.dumps(values)

    load(values).cells[0].source = "changed"

    assert json.dumps(values) == before


def test_lists_of_lines_are_joined():
    loaded = load(
        bare(
            {
                "cell_type": "code",
                "source": ["a\n", "b"],
                "outputs": [
                    {"output_type": "stream", "name": "stdout", "text": ["c\n", "d"]},
                    {
                        "output_type": "display_data",
                        "metadata": {},
                        "data": {"text/html": ["<b>", "</b>"], "application/json": ["e", "f"]},
                    },
                ],
            }
        )
    )

    cell = loaded.cells[0]
    assert cell.source == "a\nb"
    assert cell.outputs[0].text == "c\nd"
    assert cell.outputs[1].data == {"text/html": "<b></b>", "application/json": ["e", "f"]}


def test_what_a_hand_written_cell_leaves_unsaid_is_filled_in():
    loaded = load({"nbformat": 4, "cells": [{"cell_type": "code", "source": "1"}]})

    cell = loaded.cells[0]
    assert (cell.metadata, cell.outputs, cell.execution_count) == ({}, [], None)
    nbformat.validate(loaded)


def test_old_notebooks_are_upgraded():
    loaded = load(OLD)

    nbformat.validate(loaded)
    assert (loaded.nbformat, loaded.nbformat_minor, loaded.metadata) == (4, 5, {})
    assert [(c.cell_type, c.source) for c in loaded.cells] == [
        ("markdown", "## Title"),
        ("code", "x = 1\nx"),
        ("markdown", "end"),
    ]
    assert loaded.cells[1].outputs[0].data == {"text/plain": "1"}


@pytest.mark.parametrize(
    "old",
    [
        OLD,
        bare(raw_cell("a"), raw_cell("b"), nbformat_minor=4),
        bare(raw_cell("a"), raw_cell("a"), nbformat_minor=0),
        {"nbformat": 2, "metadata": {}, "worksheets": []},
    ],
)
def test_the_same_old_notebook_gets_the_same_ids(old):
    assert dump(load(old)) == dump(load(old))


def test_ids_that_were_made_up_follow_the_cells_when_others_come_between():
    before = load(bare(raw_cell("a"), raw_cell("b"), nbformat_minor=4))

    after = load(bare(raw_cell("a"), raw_cell("new"), raw_cell("b"), nbformat_minor=4))

    assert [after.cells[0].id, after.cells[2].id] == [cell.id for cell in before.cells]


def test_a_second_cell_of_the_same_id_gets_another():
    loaded = load(bare(*(raw_cell("same", id="same") for _ in range(3))))

    ids = [cell.id for cell in loaded.cells]
    assert ids[0] == "same"
    assert len(set(ids)) == 3
    nbformat.validate(loaded)


def test_a_newer_minor_format_is_taken_if_it_fits():
    assert load(bare(raw_cell(id="a"), nbformat_minor=9)).nbformat_minor == 5
    assert "zork" in str(refusal(bare(raw_cell(id="a", zork=1), nbformat_minor=9)))


def test_what_jupyter_keeps_for_itself_is_left_out():
    loaded = load(bare(raw_cell(metadata={"trusted": True}), metadata={"signature": "s"}))

    assert (loaded.metadata, loaded.cells[0].metadata) == ({}, {})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not JSON: Expecting value at line 1"),
        ("[]", "must be a JSON object"),
        ("{}", "must say its format"),
        (b"\xff\xfe{}", "not UTF-8"),
        ('{"nbformat": NaN}', "NaN is not JSON"),
        ({"nbformat": float("inf")}, "not plain JSON"),
        ({"nbformat": 4, "cells": {1, 2}}, "not plain JSON"),
        (bare(nbformat=5), "nbformat 5"),
        (bare(nbformat=True), "must say its format"),
        (bare(nbformat=0), "nbformat 0"),
        (bare(nbformat="4"), "must say its format"),
        (bare(zork=1), "zork"),
        (bare(metadata=[]), "The notebook: metadata"),
        (bare(metadata={"kernelspec": {"name": 3}}), "metadata.kernelspec"),
        (bare(cells="none"), "no list of cells"),
        (bare(cells=None), "no list of cells"),
        (bare(None), "Cell 0 must be an object"),
        (bare(raw_cell(), {"cell_type": "zork"}), "Cell 1 must be an object"),
        (bare({"cell_type": []}), "Cell 0 must be an object"),
        (bare(raw_cell(), {"cell_type": "raw"}), 'Cell 1 breaks the notebook format: "source"'),
        (bare(raw_cell(5)), "Cell 0: source"),
        (bare(raw_cell(id="no spaces please")), "Cell 0: id"),
        (bare(raw_cell(metadata={"tags": "a"})), "Cell 0: metadata.tags"),
        (
            bare({"cell_type": "code", "source": "", "outputs": [{"output_type": "stream"}]}),
            'Cell 0: outputs.0 breaks the notebook format: "name"',
        ),
        ({"nbformat": 3, "worksheets": 1}, "The notebook"),
        ({"nbformat": 2, "worksheets": 1}, "cannot be upgraded"),
        ({"nbformat": 1, "cells": [1]}, "cannot be upgraded"),
    ],
)
def test_what_is_no_notebook_is_refused_with_the_place(content, said):
    error = refusal(content)

    assert said in str(error)
    json.dumps(error.details)


def test_the_line_of_broken_json_is_named():
    error = refusal('{"nbformat": 4,\n "cells": [}')

    assert error.details == {"line": 2, "column": 12}


@pytest.mark.parametrize("text", ['{"a": "\\ud800"}', '{"\\uDFFF": 1}'])
def test_half_a_character_is_refused(text):
    assert "surrogate" in str(refusal(bare(metadata=json.loads(text))))
    assert "surrogate" in str(refusal(json.dumps(bare(metadata=json.loads(text)))))
    unescaped = json.dumps(bare(metadata=json.loads(text)), ensure_ascii=False)
    assert "surrogate" in str(refusal(unescaped))


def test_whole_characters_beyond_the_basic_plane_are_kept():
    loaded = load(json.dumps(bare(raw_cell("😀 é \\ud800"))))

    assert loaded.cells[0].source == "😀 é \\ud800"
    assert load(dump(loaded)) == loaded


@pytest.mark.parametrize(
    ("bomb", "said"),
    [
        ("[" * 200_000, "nested"),
        ('{"a":' * 150 + "1" + "}" * 150, f"more than {MAX_DEPTH} levels"),
        (b" " * (MAX_BYTES + 1), "bytes long"),
        (json.dumps(bare(*[raw_cell()] * 100_000)), "100,000 cells"),
        (json.dumps({"nbformat": 1, "cells": [raw_cell()] * 100_000}), "100,000 cells"),
        (json.dumps({**OLD, "worksheets": OLD["worksheets"] * 5_000}), "15,000 cells"),
        ('{"a": [' + "[]," * 4_000_000 + "[]]}", "values"),
        ('{"nbformat": ' + "9" * 100_000 + "}", "digits"),
    ],
)
def test_a_bomb_is_refused_within_seconds(bomb, said):
    begun = time.process_time()

    error = refusal(bomb)

    assert said in str(error)
    assert len(str(error)) < 1_000
    assert time.process_time() - begun < 10


def test_as_many_equal_cells_as_are_allowed_get_their_ids_quickly():
    begun = time.process_time()

    loaded = load(bare(*[raw_cell("x", id="x")] * formats.MAX_CELLS))

    assert len({cell.id for cell in loaded.cells}) == formats.MAX_CELLS
    assert time.process_time() - begun < 5


def test_equal_notebooks_have_equal_bytes_and_fingerprints():
    one = dump(load('{"nbformat":4,"nbformat_minor":5,"cells":[],"metadata":{"b":1,"a":"é"}}'))
    other = dump(load({"metadata": {"a": "é", "b": 1}, "cells": [], "nbformat": 4}))

    assert one == other
    assert fingerprint(one) == fingerprint(other)
    assert one.decode().splitlines()[2:5] == [' "metadata": {', '  "a": "é",', '  "b": 1']
    assert one.endswith(b"}\n")


def test_what_was_written_thaws_to_the_same_notebook_fresh_each_time(notebook):
    loaded = load(notebook("x = 1"))
    content = dump(loaded)

    first = thaw(content)
    first.cells[0].source = "changed"

    assert thaw(content) == loaded
    assert thaw(content).cells[0].metadata == {}


def test_a_notebook_without_outputs_is_as_its_author_wrote_it(notebook):
    written = load(notebook("x = 1", ("print(x)", "live"), description="d"))
    executed = thaw(dump(written))
    executed.metadata["papermill"] = {"duration": 1}
    executed.metadata["widgets"] = {"state": {}}
    for number, cell in enumerate(executed.cells):
        cell.execution_count = number
        cell.outputs = [node(output_type="stream", name="stdout", text="1")]
        cell.metadata |= {"papermill": {"status": "completed"}, "execution": {}, "collapsed": True}
    executed.cells[1].metadata["workbench"] = node(skipped="live")
    executed.cells.insert(0, markdown_cell("failed", id="e", tags=["papermill-error-cell-tag"]))
    executed.cells.insert(2, code_cell("x = 2", id="i", tags=["injected-parameters"]))
    before = dump(executed)

    stripped = without_outputs(executed)

    assert stripped == written
    assert dump(executed) == before


def test_a_cell_keeps_what_its_author_told_the_workbench_of_it(notebook):
    executed = load(notebook("x = 1"))
    executed.cells[0].metadata["workbench"] = node(skipped="live", note="mine")

    assert without_outputs(executed).cells[0].metadata == {"workbench": {"note": "mine"}}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"])
def test_what_json_cannot_hold_is_not_written(value):
    with pytest.raises(ValueError, match="JSON compliant|surrogates"):
        dump(node(metadata={"a": value}))


def test_cells_that_are_made_here_are_valid():
    made = node(
        nbformat=4,
        nbformat_minor=5,
        metadata={},
        cells=[code_cell("1", id="a", tags=["check"]), markdown_cell("b", id="b")],
    )

    nbformat.validate(made)
    assert load(made) == made
