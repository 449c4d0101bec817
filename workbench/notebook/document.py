"""A notebook as a document: read, written, and stripped of what a run left in it.

`load` is the only door for documents from outside; what it returns is nbformat 4.5, valid, with
an id in every cell, and equal bytes give equal notebooks. `thaw` is for our own stored bytes,
which went through that door once.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from json import JSONDecodeError
from typing import Any

from nbformat.notebooknode import NotebookNode, from_dict
from nbformat.v4.rwbase import rejoin_lines, strip_transient

from workbench.domain.parameters import load_json
from workbench.errors import InvalidAgentConfig
from workbench.notebook.formats import check_format, modernized
from workbench.notebook.tags import INJECTED

# Other floors name the type from here: nbformat is this floor's alone.
__all__ = [
    "MAX_BYTES",
    "NotebookNode",
    "code_cell",
    "dump",
    "fingerprint",
    "load",
    "markdown_cell",
    "node",
    "thaw",
    "without_outputs",
]

MAX_BYTES = 20 * 1024 * 1024
MAX_DEPTH = 100
MAX_VALUES = 3_000_000
"""How many values a document may hold; one takes two bytes there and fifty times that here."""

_ERROR_MARKER = "papermill-error-cell-tag"
_LEFT_IN_CELL = ("papermill", "execution", "collapsed")
_LEFT_IN_NOTEBOOK = ("papermill", "widgets")


def load(content: bytes | str | Mapping[str, Any]) -> NotebookNode:
    """The notebook that *content* is, as valid nbformat 4.5 with an id in every cell.

    Older formats are upgraded; the same document always gets the same ids.

    Raises:
        InvalidAgentConfig: It is no notebook, a newer format than is known, or too large.
    """
    text = _text(content)
    raw = _parsed(text)
    _check_size(raw)
    document = modernized(raw)
    check_format(document)
    nb = _notebook(document)
    rejoin_lines(nb)  # type: ignore[no-untyped-call]
    strip_transient(nb)  # type: ignore[no-untyped-call]
    _identify(nb.cells)
    return nb


def thaw(content: bytes) -> NotebookNode:
    """A fresh notebook, free to be changed, from bytes that `dump` wrote; nothing is checked."""
    return _notebook(json.loads(content))


def dump(nb: Mapping[str, Any]) -> bytes:
    """*nb* as canonical JSON: equal notebooks have equal bytes.

    Raises:
        ValueError: It holds what JSON or UTF-8 cannot; nothing that `load` returned does.
    """
    text = json.dumps(nb, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    return text.encode() + b"\n"


def fingerprint(content: bytes) -> str:
    """SHA-256 of *content*, in hex."""
    return hashlib.sha256(content).hexdigest()


def without_outputs(nb: Mapping[str, Any]) -> NotebookNode:
    """A copy of *nb* as its author wrote it, without anything a run has left in it."""
    metadata = {k: v for k, v in nb["metadata"].items() if k not in _LEFT_IN_NOTEBOOK}
    cells = [_unrun(cell) for cell in nb["cells"] if not _made_by_a_run(cell)]
    return _notebook({**nb, "metadata": metadata, "cells": cells})


def node(**values: object) -> NotebookNode:
    """A piece of a notebook, such as an output, with *values*; nothing is checked."""
    return _notebook(values)


def code_cell(source: str, *, id: str, tags: Sequence[str] = ()) -> NotebookNode:
    """A code cell that has not run."""
    metadata = {"tags": list(tags)} if tags else {}
    return node(
        cell_type="code",
        id=id,
        metadata=metadata,
        source=source,
        outputs=[],
        execution_count=None,
    )


def markdown_cell(source: str, *, id: str, tags: Sequence[str] = ()) -> NotebookNode:
    """A cell of text."""
    metadata = {"tags": list(tags)} if tags else {}
    return node(cell_type="markdown", id=id, metadata=metadata, source=source)


def _notebook(value: dict[str, Any]) -> NotebookNode:
    made = from_dict(value)  # type: ignore[no-untyped-call]
    assert isinstance(made, NotebookNode)
    return made


def _text(content: bytes | str | Mapping[str, Any]) -> str:
    if isinstance(content, Mapping):
        try:
            content = json.dumps(content, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidAgentConfig(f"The notebook is not plain JSON: {error}.") from None
    if len(content) > MAX_BYTES:
        raise InvalidAgentConfig(
            f"The notebook is {len(content):,} bytes long; {MAX_BYTES:,} are allowed.",
            size=len(content),
            allowed=MAX_BYTES,
        )
    try:
        if isinstance(content, str):
            content = content.encode()
        return content.decode("utf-8-sig")
    except UnicodeEncodeError:
        raise _half_a_character() from None
    except UnicodeDecodeError as error:
        raise InvalidAgentConfig(
            f"The notebook is not UTF-8 text: byte {error.start} does not belong there.",
            byte=error.start,
        ) from None


def _half_a_character() -> InvalidAgentConfig:
    return InvalidAgentConfig("The notebook holds half a surrogate pair, which is no character.")


def _parsed(text: str) -> dict[str, Any]:
    try:
        raw = load_json(text)
    except JSONDecodeError as error:
        raise InvalidAgentConfig(
            f"The notebook is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.",
            line=error.lineno,
            column=error.colno,
        ) from None
    except UnicodeEncodeError:
        raise _half_a_character() from None
    except ValueError as error:
        raise InvalidAgentConfig(f"The notebook is not JSON: {str(error)[:200]}.") from None
    if not isinstance(raw, dict):
        raise InvalidAgentConfig("The notebook must be a JSON object with cells and metadata.")
    return raw


def _check_size(raw: dict[str, Any]) -> None:
    """Refuse what is nested so deeply, or so finely, that walking it would be an attack."""
    level: list[Any] = [raw]
    seen = 0
    for _ in range(MAX_DEPTH):
        seen += sum(map(len, level))
        if seen > MAX_VALUES:
            raise InvalidAgentConfig(
                f"The notebook holds more than {MAX_VALUES:,} values.", allowed=MAX_VALUES
            )
        level = [
            value
            for container in level
            for value in (container.values() if isinstance(container, dict) else container)
            if isinstance(value, dict | list)
        ]
        if not level:
            return
    raise InvalidAgentConfig(
        f"The notebook is nested more than {MAX_DEPTH} levels deep.", allowed=MAX_DEPTH
    )


def _identify(cells: Sequence[NotebookNode]) -> None:
    """Give an id to every cell that has none or another cell's.

    The id is made of what the cell says, so that cells which stay the same keep it when others
    are put between them.
    """
    taken = {cell.id for cell in cells if "id" in cell}
    kept: set[str] = set()
    copies: Counter[bytes] = Counter()
    for cell in cells:
        if "id" in cell and cell.id not in kept:
            kept.add(cell.id)
            continue
        content = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).digest()
        while True:
            made = hashlib.sha256(content + str(copies[content]).encode()).hexdigest()[:12]
            copies[content] += 1
            if made not in taken:
                break
        taken.add(made)
        kept.add(made)
        cell["id"] = made


def _made_by_a_run(cell: Mapping[str, Any]) -> bool:
    tags = cell["metadata"].get("tags", ())
    return INJECTED in tags or _ERROR_MARKER in tags


def _unrun(cell: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {k: v for k, v in cell["metadata"].items() if k not in _LEFT_IN_CELL}
    own = metadata.get("workbench")
    if isinstance(own, Mapping) and "skipped" in own:
        rest = {k: v for k, v in own.items() if k != "skipped"}
        metadata = {**metadata, "workbench": rest} if rest else _without(metadata, "workbench")
    unrun = {**cell, "metadata": metadata}
    if cell["cell_type"] == "code":
        unrun |= {"outputs": [], "execution_count": None}
    return unrun


def _without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {k: v for k, v in mapping.items() if k != key}
