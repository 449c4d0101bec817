"""A comparison as one HTML page that fetches nothing and runs nothing.

All of it is somebody's text, and all of it is escaped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from workbench.notebook.compare import (
    ADDED,
    CHANGED,
    MOVED,
    REMOVED,
    CellChange,
    Change,
    Comparison,
)
from workbench.notebook.frame import framed
from workbench.notebook.lines import CAME, WENT, Line

MOST_LINES = 400
"""How many lines of one cell are shown."""
LONGEST_LINE = 2_000
MOST_CHANGES = 200
"""How many differences of one kind are shown, and how many cells."""

_CLASS = {CAME: "came", WENT: "went"}
_SIGN = {CAME: "+", WENT: "−"}


def comparison_page(comparison: Comparison, *, title: str) -> str:
    """The page of *comparison*; *title* says whose states they are."""
    parts = [_head(comparison, title)]
    if comparison.same:
        parts.append('<p class="same">Nothing is different.</p>')
    for name, changes, spell in (
        ("Parameters", comparison.parameters, _parameter),
        ("Input schema", comparison.input_schema, _json),
        ("Output schema", comparison.output_schema, _json),
        ("Metadata", comparison.metadata, _json),
        ("Files", comparison.files, _file),
    ):
        if changes:
            parts.append(f"<h2>{name}</h2>{_values(changes, spell)}")
    if comparison.cells:
        parts.append("<h2>Cells</h2>")
        parts += map(_cell, comparison.cells[:MOST_CHANGES])
        parts.append(_more(len(comparison.cells) - MOST_CHANGES, "cells"))
    return framed("\n".join(filter(None, parts)), title=title, style=_style())


def _head(comparison: Comparison, title: str) -> str:
    badges = "".join(
        f'<li class="badge {change}">{count} {change}</li>'
        for change in (ADDED, REMOVED, CHANGED, MOVED)
        if (count := len(comparison.ids(change)))
    )
    kept = f'<li class="badge">{comparison.unchanged} unchanged</li>'
    return (
        f"<header><h1>{escape(title)}</h1><p>from <b>{escape(comparison.before)}</b> to"
        f' <b>{escape(comparison.after)}</b></p><ul class="counts">{badges}{kept}</ul></header>'
    )


def _cell(cell: CellChange) -> str:
    badges = f'<span class="badge {cell.change}">{cell.change}</span>'
    if cell.moved and cell.change != MOVED:
        badges += '<span class="badge moved">moved</span>'
    about = f"<small>{escape(cell.cell_type)} · {escape(cell.id)}</small>"
    parts = [
        f'<section class="cell"><h3>{_place(cell)} {about}{badges}</h3>',
        _lines(cell.lines),
        f'<p class="note">{escape(cell.note)}</p>' if cell.note else "",
        _values(cell.metadata, _json) if cell.metadata else "",
        "</section>",
    ]
    return "".join(parts)


def _place(cell: CellChange) -> str:
    """Where the cell stands, counted from 1 as people do."""
    if cell.after_index is None:
        return f"Cell {(cell.before_index or 0) + 1}"
    if cell.moved and cell.before_index is not None:
        return f"Cell {cell.before_index + 1} → {cell.after_index + 1}"
    return f"Cell {cell.after_index + 1}"


def _lines(lines: Sequence[Line]) -> str:
    if not lines:
        return ""
    rows = "".join(_rows(lines[:MOST_LINES]))
    return f'<table class="lines">{rows}</table>{_more(len(lines) - MOST_LINES, "lines")}'


def _rows(lines: Sequence[Line]) -> Iterator[str]:
    told = (0, 0)
    for line in lines:
        before, after = line.before or told[0], line.after or told[1]
        if before - told[0] > 1 or after - told[1] > 1:
            yield '<tr class="gap"><td class="n" colspan="2"></td><td></td><td>⋯</td></tr>'
        told = before, after
        yield (
            f'<tr class="{_CLASS.get(line.op, "kept")}"><td class="n">{line.before or ""}</td>'
            f'<td class="n">{line.after or ""}</td><td class="op">{_SIGN.get(line.op, "")}</td>'
            f"<td>{escape(_cut(line.text))}</td></tr>"
        )


def _values(changes: Sequence[Change], spell: Callable[[Any], str]) -> str:
    rows = "".join(
        f"<tr><td>{escape(_cut(change.path))}</td>"
        f'<td class="before">{_value(change.change == ADDED, change.before, spell)}</td>'
        f'<td class="after">{_value(change.change == REMOVED, change.after, spell)}</td></tr>'
        for change in changes[:MOST_CHANGES]
    )
    head = "<tr><th>what</th><th>before</th><th>after</th></tr>"
    more = _more(len(changes) - MOST_CHANGES, "differences")
    return f'<table class="values">{head}{rows}</table>{more}'


def _value(absent: bool, value: object, spell: Callable[[Any], str]) -> str:
    if absent:
        return '<span class="same">—</span>'
    return f"<code>{escape(_cut(spell(value)))}</code>"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _parameter(value: Mapping[str, Any]) -> str:
    """A parameter as its author writes it."""
    default = "" if value["required"] else f" = {_json(value['default'])}"
    remark = f"  # {value['help']}" if value["help"] else ""
    return f"{value['name']}: {value['type']}{default}{remark}"


def _file(value: Mapping[str, Any]) -> str:
    return f"{value['size']:,} bytes, sha256 {value['fingerprint'][:12]}…"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]} …"


def _more(count: int, of: str) -> str:
    return f'<p class="note">… and {count:,} more {of}.</p>' if count > 0 else ""


@cache
def _style() -> str:
    return files("workbench.notebook").joinpath("comparison.css").read_text("utf-8")
