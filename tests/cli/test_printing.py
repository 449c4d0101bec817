"""What people read: tables on terminals, aligned text elsewhere, and nothing that acts on either."""

import json
import os
import pty
import subprocess
import sys

import pytest

from workbench.cli import printing
from workbench.errors import ChecksFailed

ROWS = [("ada/prices", None), ("ada/weather", "1.0.0")]


def on_a_terminal(code):
    """What a terminal is sent by Python *code*."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    process = subprocess.Popen([sys.executable, "-c", code], stdout=theirs, env=environment)
    os.close(theirs)
    sent = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:
            break
        if not piece:
            break
        sent += piece
    os.close(ours)
    assert process.wait() == 0
    return sent.decode()


def test_a_table_is_aligned_text_without_a_terminal(capsys):
    printing.table(("agent", "version"), ROWS, nothing="none")

    assert capsys.readouterr().out == ("agent        version\nada/prices   -\nada/weather  1.0.0\n")


def test_a_table_is_drawn_on_a_terminal():
    sent = on_a_terminal(
        "from workbench.cli import printing\n"
        f"printing.table(('agent', 'version'), {ROWS!r}, nothing='none')"
    )

    assert "ada/weather" in sent
    assert "─" in sent


def test_a_table_takes_no_orders_from_what_is_in_it():
    sent = on_a_terminal(
        "from workbench.cli import printing\n"
        "printing.table(('agent',), [('\\x1b]0;title\\x07[red]x[/red]\\x1b[2J',)], nothing='')"
    )

    assert "[red]x[/red]" in sent
    assert "\x1b]" not in sent
    assert "\x1b[2J" not in sent


def test_an_empty_table_says_so_beside_the_answer(capsys):
    printing.table(("agent",), [], nothing="There are no agents.")

    assert capsys.readouterr() == ("", "There are no agents.\n")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext ü 日本", "plain\ttext ü 日本"),
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        ("\x1b[2Jgone", "[2Jgone"),
        ("\x1b]52;c;AAAA\x07", "]52;c;AAAA"),
        ("over\rwritten\x08\x9b", "overwritten"),
    ],
)
def test_colours_pass_and_orders_to_the_terminal_do_not(text, shown):
    assert printing.harmless(text) == shown


def test_json_for_programs_is_one_line_of_ascii(capsys):
    printing.for_programs({"a": "ü\n\ud800"})

    out = capsys.readouterr().out
    assert out.isascii()
    assert out.count("\n") == 1
    assert json.loads(out) == {"a": "ü\n\ud800"}


def test_failed_cases_are_named_with_their_runs(capsys):
    case = {"case": "small", "run_id": "r1", "message": "It broke."}

    printing.error(ChecksFailed("1 of 1 cases failed.", cases=[case]), as_json=False)

    assert capsys.readouterr().err == (
        "error: 1 of 1 cases failed.\n  small: It broke. (workbench runs show r1)\n"
    )


def test_an_error_is_one_object_for_programs(capsys):
    printing.error(ChecksFailed("why", cases=[]), as_json=True)

    assert json.loads(capsys.readouterr().out) == {
        "error": {"code": "ChecksFailed", "message": "why", "details": {"cases": []}}
    }


def test_a_failure_names_what_was_raised_and_the_cell():
    run = {
        "status": "failed",
        "reason": "agent_error",
        "error": {
            "message": "ValueError: no such city\nand more",
            "ename": "ValueError",
            "cell": {"source": "\n# Look it up\nfind(city)"},
        },
    }

    assert printing.failure(run) == (
        "The run failed (agent_error): ValueError: no such city (in the cell '# Look it up')"
    )


def test_a_failure_without_a_cell_is_told_as_well():
    assert printing.failure({"status": "cancelled", "reason": None, "error": None}) == (
        "The run cancelled"
    )
