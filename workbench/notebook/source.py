"""Python source as a notebook.

Source with `# %%` lines becomes one cell for each of them, any other a single cell. What defines
`agent_main()`, or else `run()`, and does not hand back a result by itself gets a last cell that
calls it for one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from typing import Any

from workbench.errors import InvalidAgentConfig
from workbench.notebook.document import NotebookNode, load
from workbench.notebook.python import MAX_SOURCE, read

MAX_BYTES = 1024 * 1024
MAX_CELLS = 1_000
_MARK = re.compile(r"^# ?%%", re.MULTILINE)
_HEADER = re.compile(r"\A(?:#!.*\n)?# ---[ \t]*\n(?:#.*\n)*?# ---[ \t]*\n")

# What jupytext notes in a cell for its own way back to text.
_JUPYTEXT = frozenset(
    {"cell_marker", "incorrectly_encoded_metadata", "lines_to_next_cell", "title"}
)

_CALL = """\
# Hands back what {name}() returns, unless a result was given before.
from workbench import agent as _agent

if not _agent.has_result():
    _agent.result({call})"""


def from_source(text: str) -> NotebookNode:
    """The notebook that the Python source *text* stands for.

    Raises:
        InvalidAgentConfig: It is empty, too long, or no Python; the details name the line.
    """
    if not isinstance(text, str) or not text.strip():
        raise InvalidAgentConfig("agent_config must be Python source; it is empty.")
    if len(text) > MAX_BYTES:
        raise InvalidAgentConfig(
            f"agent_config is {len(text):,} characters long; {MAX_BYTES:,} are allowed."
        )
    _check_characters(text)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    cells = _percent(text) if _MARK.search(text) else [_cell("code", text.strip("\n"))]
    entry = _entry(cells)
    if entry:
        cells.append(_cell("code", entry))
    return load(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"language_info": {"name": "python"}},
            "cells": cells,
        }
    )


def _check_characters(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise InvalidAgentConfig(
            f"agent_config holds half a surrogate pair, which is no character (line {line}).",
            line=line,
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InvalidAgentConfig(f"agent_config holds a NUL byte (line {line}).", line=line)


def _cell(kind: str, source: str, metadata: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"cell_type": kind, "source": source, "metadata": dict(metadata or {})}


def _percent(text: str) -> list[dict[str, Any]]:
    marks = sum(1 for _ in _MARK.finditer(text))
    if marks > MAX_CELLS:
        raise InvalidAgentConfig(f"agent_config has {marks:,} cells; {MAX_CELLS:,} are allowed.")
    # Weight: only this kind of source needs it.
    import jupytext

    try:
        # The header is YAML that sets up jupytext; nothing in it is ours.
        body = _HEADER.sub("", text, count=1).strip("\n")
        document = jupytext.reads(body, fmt="py:percent")
    except Exception as error:  # noqa: BLE001 - whatever it trips over is in the author's text
        raise InvalidAgentConfig(
            f"agent_config cannot be read as cells: {type(error).__name__}: {str(error)[:200]}."
        ) from None
    return [_cell(c["cell_type"], c["source"], _own(c["metadata"])) for c in document["cells"]]


def _own(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key not in _JUPYTEXT}


def _entry(cells: Iterable[Mapping[str, Any]]) -> str:
    """The source of the cell that calls `agent_main()` or `run()`; empty if there is neither."""
    defined: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
    for index, cell in enumerate(cells):
        if cell["cell_type"] != "code":
            continue
        if len(cell["source"]) > MAX_SOURCE:
            raise InvalidAgentConfig(
                f"Cell {index} is {len(cell['source']):,} characters long; "
                f"{MAX_SOURCE:,} are allowed.",
                cell=index,
            )
        code = read(cell["source"], cell=index)
        for statement in code.tree.body if code else []:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                defined[statement.name] = statement
    main, other = defined.get("agent_main"), defined.get("run")
    if main and not _callable_bare(main):
        raise InvalidAgentConfig(
            f"agent_main is called without arguments, so each needs a default (line {main.lineno}).",
            line=main.lineno,
        )
    chosen = main or (other if other and _callable_bare(other) else None)
    if chosen is None:
        return ""
    call = f"{chosen.name}()"
    waited = f"await {call}" if isinstance(chosen, ast.AsyncFunctionDef) else call
    return _CALL.format(name=chosen.name, call=waited)


def _callable_bare(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    given = function.args
    positional = len(given.posonlyargs) + len(given.args)
    return len(given.defaults) == positional and None not in given.kw_defaults
