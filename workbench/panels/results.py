"""What a run handed back and displayed, as blocks that the component for values shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import quote

from workbench.panels import wording

Block: TypeAlias = dict[str, Any]

MOST_ROWS = 200
MOST_BLOCKS = 40
MOST_BYTES = 8_000_000
"""How much of what a run displayed travels to the page; the rest is in the executed notebook."""

_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")


def result_blocks(value: object) -> list[Block]:
    """The result of a run: scalars as figures, rows as tables, texts as texts, the rest as JSON."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        return list(_of_object(value))
    if isinstance(value, list):
        return [_of_list("", value)]
    if isinstance(value, str):
        return [{"kind": "text", "text": value}]
    return [{"kind": "figures", "pairs": [[wording.RESULT, _plain(value)]]}]


def all_blocks(result: Sequence[Block], displayed: Sequence[Block]) -> list[Block]:
    """Everything in the order people look: what it comes to, pictures, and then the details."""
    short = [block for block in result if block["kind"] in ("figures", "text")]
    long = [block for block in result if block not in short]
    pictures = [block for block in displayed if block["kind"] == "picture"]
    rest = [block for block in displayed if block not in pictures]
    if not result:
        return list(displayed)
    more = [{"kind": "more", "title": wording.MORE, "blocks": rest}] if rest else []
    return [*short, *pictures, *long, *more]


def display_blocks(notebook: Mapping[str, Any], *, texts: bool) -> list[Block]:
    """What the cells of an executed notebook displayed; with *texts*, what they printed too."""
    found: list[Block] = []
    size = 0
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            block = block_of(output, texts=texts)
            size += len(json.dumps(block)) if block else 0
            if block and len(found) < MOST_BLOCKS and size <= MOST_BYTES:
                found.append(block)
    return found


def _of_object(value: Mapping[str, Any]) -> Iterator[Block]:
    plain = {name: one for name, one in value.items() if not isinstance(one, dict | list)}
    texts = {name: one for name, one in plain.items() if isinstance(one, str) and len(one) > 40}
    figures = [[wording.title(n), _plain(one)] for n, one in plain.items() if n not in texts]
    if figures:
        yield {"kind": "figures", "pairs": figures}
    for text in texts.values():
        yield {"kind": "text", "text": text}
    for name, one in value.items():
        if isinstance(one, list):
            yield _of_list(wording.title(name), one)
        elif isinstance(one, dict):
            yield _of_inner(wording.title(name), one)


def _of_list(title: str, values: Sequence[Any]) -> Block:
    if values and all(isinstance(one, dict) for one in values):
        columns = list(dict.fromkeys(name for one in values for name in one))
        rows = [[_cell(one.get(name)) for name in columns] for one in values[:MOST_ROWS]]
        return _table(title, [wording.title(name) for name in columns], rows, len(values))
    if not any(isinstance(one, dict | list) for one in values):
        items = [str(_plain(one)) for one in values[:MOST_ROWS]]
        return _table(title, [title], [[item] for item in items], len(values)) | {"title": ""}
    return _json(title, values)


def _of_inner(title: str, value: Mapping[str, Any]) -> Block:
    if value and not any(isinstance(one, dict | list) for one in value.values()):
        rows = [[wording.title(name), _plain(one)] for name, one in value.items()]
        return _table(title, ["", ""], rows, len(rows))
    return _json(title, value)


def _table(title: str, columns: list[str], rows: list[list[Any]], count: int) -> Block:
    more = f"{count - MOST_ROWS:,} more rows" if count > MOST_ROWS else ""
    return {"kind": "table", "title": title, "columns": columns, "rows": rows, "more": more}


def _json(title: str, value: object) -> Block:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return {"kind": "json", "title": title or wording.RESULT, "text": text[:MOST_BYTES]}


def _plain(value: object) -> object:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value or _zero(value)


def _zero(value: object) -> object:
    return "–" if value in (None, "") else value


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def block_of(output: Mapping[str, Any], *, texts: bool) -> Block | None:
    """What one output shows; None if nothing, or only text that is not asked for."""
    if output["output_type"] == "stream":
        said = _text(output.get("text"))
        return {"kind": "code", "text": said} if texts and output.get("name") == "stdout" else None
    data = output.get("data") or {}
    for mime in _PICTURES:
        if mime in data:
            source = f"data:{mime};base64,{_text(data[mime]).strip()}"
            return {"kind": "picture", "source": source, "title": _text(data.get("text/plain"))}
    if "image/svg+xml" in data:
        return {"kind": "picture", "source": _svg(_text(data["image/svg+xml"])), "title": ""}
    if "text/html" in data:
        return {"kind": "html", "html": _text(data["text/html"])}
    if "text/markdown" in data:
        return {"kind": "text", "text": _text(data["text/markdown"])}
    ours = any(mime.startswith("application/vnd.workbench.") for mime in data)
    if texts and not ours and "text/plain" in data:
        return {"kind": "code", "text": _text(data["text/plain"])}
    return None


def _svg(text: str) -> str:
    # In an <img> no script of it runs.
    return f"data:image/svg+xml,{quote(text)}"


def _text(value: object) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")
