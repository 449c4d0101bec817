"""Python as notebooks write it: with IPython's magics, shell lines and top-level `await`.

Nothing here runs or imports the code. Code that is longer than a person writes is not read at
all: reading costs a thousand times its size, and a run will tell soon enough.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from workbench.errors import InvalidAgentConfig
from workbench.notebook.quiet import quietly

MAX_SOURCE = 128 * 1024
"""How long a cell may be to be read."""

# Where IPython may find something to rewrite. It does so one at a time and reads the whole cell
# again for each, and it looks for a question mark in more than linear time.
_MAGIC = re.compile(r"^[ \t]*[%!?,;/]|=[ \t]*[%!]|\?[ \t]*$", re.MULTILINE)
_MAX_REWRITING = 100_000
_MAX_REWRITTEN_LINE = 1_000

# Magics of a cell whose body is still this notebook's Python.
_PYTHON_CELL_MAGICS = frozenset({"capture", "prun", "time", "timeit"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A cell's source as plain Python, line for line, and its syntax tree."""

    text: str
    tree: ast.Module


def language(nb: Mapping[str, Any]) -> str:
    """The language *nb* is written in, in lower case; `python` if it does not say."""
    metadata = nb["metadata"]
    for place, key in (("language_info", "name"), ("kernelspec", "language")):
        about = metadata.get(place)
        name = about.get(key) if isinstance(about, Mapping) else None
        if isinstance(name, str) and name.strip():
            return _LANGUAGES.get(name.strip().lower(), name.strip().lower())[:64]
    return "python"


_LANGUAGES = {"python3": "python", "ipython": "python"}


def is_python(nb: Mapping[str, Any]) -> bool:
    """Whether *nb* is written in Python."""
    return language(nb) == "python"


def read(source: str, *, cell: int, cell_id: str = "") -> Code | None:
    """What a cell says; None if it is in another language, or too long to be read.

    Raises:
        InvalidAgentConfig: It is not Python, though it should be; the details name the line.
    """
    text = _body(source.replace("\r\n", "\n").replace("\r", "\n"))
    if text is None or len(text) > MAX_SOURCE:
        return None
    try:
        return Code(text=text, tree=_tree(text))
    except SyntaxError as first:
        error = first
    plain = _without_magics(text)
    if plain is None:
        return None
    try:
        return Code(text=plain, tree=_tree(plain))
    except SyntaxError as second:
        error = second
    line = error.lineno or 1
    raise InvalidAgentConfig(
        f"Cell {cell} is not valid Python: {error.msg} (line {line}).",
        cell=cell,
        cell_id=cell_id,
        line=line,
    )


def reading_cost(source: str) -> int:
    """How much work `read` may be, in characters of plain Python."""
    return len(source) + 5 * min(_rewriting(source), _MAX_REWRITING)


def _rewriting(source: str) -> int:
    return len(source) * sum(1 for _ in _MAGIC.finditer(source))


def _body(source: str) -> str | None:
    """*source* without the magic that governs the whole cell; None if that is not for Python."""
    stripped = source.lstrip()
    if not stripped.startswith("%%"):
        return source
    head, _, body = stripped.partition("\n")
    magic = head[2:].split(None, 1)
    if not magic or magic[0] not in _PYTHON_CELL_MAGICS:
        return None
    above = source[: len(source) - len(stripped)].count("\n") + 1
    return "\n" * above + body


def _without_magics(source: str) -> str | None:
    """*source* as IPython would hand it to Python; None if finding that out takes too long."""
    rewritten = any(
        len(line) > _MAX_REWRITTEN_LINE and _MAGIC.search(line) for line in source.split("\n")
    )
    if rewritten or _rewriting(source) > _MAX_REWRITING:
        return None
    try:
        with quietly():
            manager = TransformerManager()  # type: ignore[no-untyped-call]
            # It drops empty lines at the top, and the lines must keep their numbers.
            begun = source.lstrip("\n")
            above = "\n" * (len(source) - len(begun))
            return above + str(manager.transform_cell(begun))
    except (SyntaxError, RuntimeError, ValueError, RecursionError):
        # Python's own parser says best what is wrong with it.
        return source


def _tree(source: str) -> ast.Module:
    """The syntax tree of plain Python.

    Raises:
        SyntaxError: It is none, whatever the parser says about that.
    """
    try:
        with quietly():
            flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            tree = compile(source, "<cell>", "exec", flags, dont_inherit=True)
    except (RecursionError, MemoryError):
        raise SyntaxError("nested too deeply") from None
    except ValueError as error:
        raise SyntaxError(str(error)[:200]) from None
    assert isinstance(tree, ast.Module)
    return tree
