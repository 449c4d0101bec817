"""How two runs differ, cell by cell, as a page: what they were given, what cells say and displayed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from html import escape
from pathlib import Path
from typing import Any, TypeAlias

View: TypeAlias = Mapping[str, Any]

MOST_LINES = 400
_STYLE = (Path(__file__).parent / "difference.css").read_text(encoding="utf-8")


def difference_page(before: View, old: View, after: View, new: View) -> str:
    """The page of two runs and their executed notebooks; all that is from outside is escaped."""
    parts = [_facts(before, after)]
    old_cells, new_cells = _cells(old), _cells(new)
    for cell_id in dict.fromkeys([*old_cells, *new_cells]):
        left, right = old_cells.get(cell_id), new_cells.get(cell_id)
        parts.append(_cell(cell_id, left or {}, right or {}))
    body = "".join(parts)
    return f"<!doctype html><meta charset=utf-8><style>{_STYLE}</style><main>{body}</main>"


def _facts(before: View, after: View) -> str:
    heads = "".join(
        f"<th scope=col><code>{escape(run['id'])}</code></th>" for run in (before, after)
    )
    rows = "".join(_fact(name, fact(before), fact(after)) for name, fact in _FACTS.items())
    values = "".join(_value(name, before.get(name), after.get(name)) for name in _VALUES)
    return f"<table><tr><th>run</th>{heads}</tr>{rows}</table>{values}"


_FACTS: Mapping[str, Callable[[View], str]] = {
    "version": lambda run: str(run["version"]),
    "status": lambda run: " · ".join(filter(None, (run["status"], run.get("reason")))),
    "took": lambda run: _seconds(run["execution_time_ms"]),
}
_VALUES = ("parameters", "result")


def _fact(name: str, left: str, right: str) -> str:
    mark = "" if left == right or name == "took" else " class=changed"
    return f"<tr{mark}><th>{name}</th><td>{escape(left)}</td><td>{escape(right)}</td></tr>"


def _value(name: str, left: object, right: object) -> str:
    lines = _lines(_spelled(left), _spelled(right))
    return _section(f"<b>{name}</b>", _block("", lines), same=left == right)


def _section(name: str, body: str, *, same: bool) -> str:
    head = f"<summary>{name} <i>{'same' if same else 'differs'}</i></summary>"
    return f"<details{'' if same else ' open class=changed'}>{head}{body}</details>"


def _seconds(ms: float | None) -> str:
    return "–" if ms is None else f"{ms / 1000:.2f} s"


def _cells(notebook: View) -> dict[str, View]:
    return {cell["id"]: cell for cell in notebook["cells"] if cell["cell_type"] == "code"}


def _cell(cell_id: str, left: View, right: View) -> str:
    source = _lines(_text(left.get("source")), _text(right.get("source")))
    shown = _lines(_shown(left), _shown(right))
    same = not any(mark for mark, _ in [*source, *shown])
    pictures = _pictures(left, right)
    body = _block("source", source) + _block("output", shown) + pictures
    return _section(f"<code>{escape(cell_id)}</code>", body, same=same and not pictures)


def _block(name: str, lines: Sequence[tuple[str, str]]) -> str:
    if not lines:
        return ""
    inner = "".join(
        f'<div data-mark="{mark}">{escape(text) or " "}</div>' for mark, text in lines[:MOST_LINES]
    )
    head = f"<h4>{name}</h4>" if name else ""
    return f"{head}<pre class=lines>{inner}</pre>"


def _lines(left: str, right: str) -> list[tuple[str, str]]:
    old, new = left.splitlines(), right.splitlines()
    return list(_marked(old, new))


def _marked(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str]]:
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from (("", line) for line in old[i:j])
        else:
            yield from (("-", line) for line in old[i:j])
            yield from (("+", line) for line in new[k:m])


def _shown(cell: View) -> str:
    texts = []
    for output in cell.get("outputs", ()):
        data = output.get("data") or {}
        kept = output.get("text") or data.get("text/plain") or output.get("evalue") or ""
        texts.append(_text(kept))
    return "\n".join(texts)


def _pictures(left: View, right: View) -> str:
    found = [_picture(cell) for cell in (left, right)]
    if not any(found) or found[0] == found[1]:
        return ""
    images = "".join(f'<img alt="" src="{source}">' for source in found if source)
    return f"<div class=pictures>{images}</div>"


def _picture(cell: View) -> str:
    for output in cell.get("outputs", ()):
        picture = (output.get("data") or {}).get("image/png")
        if picture:
            return f"data:image/png;base64,{escape(_text(picture).strip(), quote=True)}"
    return ""


def _spelled(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=1, ensure_ascii=False)[:4000]


def _text(value: object) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")
