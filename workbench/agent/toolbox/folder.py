"""The files in the run's folder: listed, read and written, and nothing outside of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.agent.speech import situation
from workbench.agent.tools import MOST_LETTERS, Tool, tool

MOST_WRITTEN = 1_000_000
"""How many letters may be written at a time."""
MOST_LISTED = 500
_PAGE = MOST_LETTERS // 2


def files() -> Sequence[Tool]:
    """Tools for the files in the run's folder; what is written there is kept with the run."""
    return [tool(list_files), tool(read_file), tool(write_file)]


def list_files(folder: str = "") -> dict[str, Any]:
    """List the files in the working folder.

    Args:
        folder: A folder inside it, by its relative path; all of it without.
    """
    root, found = situation().folder.resolve(), []
    for path in sorted(_inside(folder).rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        if not hidden and not path.is_symlink() and path.is_file():
            found.append({"path": str(path.relative_to(root)), "bytes": path.stat().st_size})
    return {"files": found[:MOST_LISTED], "left_out": max(0, len(found) - MOST_LISTED)}


def read_file(path: str, offset: int = 0) -> dict[str, Any]:
    """Read a text file in the working folder.

    Args:
        path: Its relative path.
        offset: How many bytes to pass over; a long file is read piece by piece.
    """
    wanted = _inside(path)
    # A pipe would be waited for.
    if not wanted.is_file():
        raise FileNotFoundError(f"There is no file {path!r:.200}.")
    with wanted.open("rb") as file:
        file.seek(max(0, offset))
        content = file.read(_PAGE)
        after = file.tell()
    left = wanted.stat().st_size - after
    # A letter of several bytes may be cut in two at either end.
    return {"text": content.decode(errors="replace"), "next_offset": after if left > 0 else None}


def write_file(path: str, text: str) -> str:
    """Write a text file in the working folder, in place of one that is there.

    Args:
        path: Its relative path.
        text: All of what it shall hold.
    """
    if len(text) > MOST_WRITTEN:
        raise ValueError(f"A file may get {MOST_WRITTEN:,} letters, not {len(text):,}.")
    target = _inside(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    return f"{path}: {len(text.encode()):,} bytes"


def _inside(path: str) -> Path:
    root = situation().folder.resolve()
    # Links are followed first: where they lead is what counts.
    found = (root / path).resolve()
    if "\0" in path or not found.is_relative_to(root):
        raise PermissionError(f"{path!r:.200} leads out of the working folder.")
    return found
