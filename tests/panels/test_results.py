"""A result is shown the way people read it: figures, tables, pictures, texts."""

from workbench.panels.results import MOST_ROWS, all_blocks, display_blocks, result_blocks


def kinds(blocks):
    return [block["kind"] for block in blocks]


def test_scalars_are_figures_rows_a_table_and_nested_things_json():
    blocks = result_blocks(
        {
            "year": 2015,
            "dry": False,
            "nothing": None,
            "story": "long " * 20,
            "months": [{"month": "May", "rain": 1.5}, {"month": "June", "wet": [1]}],
            "deep": {"a": {"b": 1}},
            "flat": {"a": 0},
        }
    )

    assert kinds(blocks) == ["figures", "text", "table", "json", "table"]
    assert blocks[0]["pairs"] == [["Year", 2015], ["Dry", "no"], ["Nothing", "–"]]
    assert blocks[2]["columns"] == ["Month", "Rain", "Wet"]
    assert blocks[2]["rows"] == [["May", 1.5, None], ["June", None, "[1]"]]
    assert blocks[4]["rows"] == [["A", 0]]


def test_plain_results_are_shown_plainly():
    assert result_blocks(None) == []
    assert result_blocks("done") == [{"kind": "text", "text": "done"}]
    assert result_blocks(0) == [{"kind": "figures", "pairs": [["Result", 0]]}]
    assert result_blocks([1, 2])[0]["rows"] == [["1"], ["2"]]


def test_long_tables_say_how_much_is_not_shown():
    (block,) = result_blocks([{"n": n} for n in range(MOST_ROWS + 5)])

    assert len(block["rows"]) == MOST_ROWS
    assert block["more"] == "5 more rows"


def executed(*outputs):
    return {"cells": [{"cell_type": "markdown"}, {"cell_type": "code", "outputs": list(outputs)}]}


def display(**data):
    return {"output_type": "display_data", "data": data}


def test_pictures_pages_and_texts_are_taken_from_the_executed_notebook():
    notebook = executed(
        {"output_type": "stream", "name": "stdout", "text": ["a\n", "b"]},
        {"output_type": "stream", "name": "stderr", "text": "warning"},
        {"output_type": "error", "ename": "E", "evalue": "secret", "traceback": ["t"]},
        display(**{"image/png": "aGk=\n", "text/plain": "<Figure>"}),
        display(**{"image/svg+xml": "<svg onload='x'/>"}),
        display(**{"text/html": "<table></table>", "text/plain": "frame"}),
        display(**{"application/vnd.workbench.result+json": 1, "text/plain": "1"}),
        {"output_type": "execute_result", "data": {"text/plain": "42"}},
    )

    told = display_blocks(notebook, texts=True)
    assert kinds(told) == ["code", "picture", "picture", "html", "code"]
    assert told[0]["text"] == "a\nb"
    assert told[1]["source"] == "data:image/png;base64,aGk="
    assert told[2]["source"].startswith("data:image/svg+xml,%3Csvg")
    assert kinds(display_blocks(notebook, texts=False)) == ["picture", "picture", "html"]


def test_what_it_comes_to_is_first_then_pictures_then_the_details():
    result = result_blocks({"n": 1, "rows": [{"a": 1}]})
    shown = display_blocks(
        executed(display(**{"text/html": "<b>x</b>"}), display(**{"image/png": "aGk="})),
        texts=False,
    )

    assert kinds(all_blocks(result, shown)) == ["figures", "picture", "table", "more"]
    assert all_blocks([], shown) == shown
