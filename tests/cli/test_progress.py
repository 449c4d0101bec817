"""On a terminal a bar shows which cell is under way; elsewhere nobody is bothered."""

import os
import pty
import threading

import pytest

from workbench.cli.progress import cell_bar, cell_names
from workbench.notebook.document import code_cell, dump, load, markdown_cell


def notebook(*cells):
    return dump(
        load(
            {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [dict(c) for c in cells]}
        )
    )


CELLS = notebook(
    markdown_cell("# Report\n\n## Read the table\ntext", id="m1"),
    code_cell("import pandas", id="c1"),
    code_cell("\n\n# draw it\nplot()", id="c2"),
    code_cell("", id="empty"),
    code_cell("assert True", id="check", tags=["check"]),
    code_cell("send()", id="live", tags=["live"]),
    code_cell("x = '" + "y" * 100 + "'", id="long"),
)


def test_a_cell_is_called_by_its_heading_or_its_first_line():
    names = cell_names(CELLS, test=False)

    assert names["c1"] == "Report"
    assert names["c2"] == "draw it"
    assert names["long"].endswith("…")
    assert len(names["long"]) == 50


@pytest.mark.parametrize(
    ("test", "ids"), [(False, {"c1", "c2", "live", "long"}), (True, {"c1", "c2", "check", "long"})]
)
def test_only_cells_that_run_are_counted(test, ids):
    assert set(cell_names(CELLS, test=test)) == ids


def test_without_a_terminal_the_notebook_is_not_even_asked_for(capsys):
    def asked():
        raise AssertionError

    with cell_bar(asked, test=False) as heed:
        heed("cell.started", {"cell": "c1"})

    assert capsys.readouterr() == ("", "")


@pytest.mark.kernel
def test_a_run_on_a_terminal_shows_the_names_of_its_cells(start, greeter):
    ours, theirs = pty.openpty()
    process = start("run", greeter, stderr=theirs, env={"TERM": "xterm", "COLUMNS": "120"})
    os.close(theirs)
    sent = bytearray()

    def read():
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:
                return
            sent.extend(piece)

    reader = threading.Thread(target=read)
    reader.start()
    out, _ = process.communicate(timeout=60)
    reader.join()
    os.close(ours)

    assert process.returncode == 0
    assert out.startswith("{")
    assert "Greets somebody" in sent.decode()
    assert "/3" in sent.decode()
