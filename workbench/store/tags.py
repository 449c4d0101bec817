"""Tags, as one cell of a row holds them."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.store.tables import Cell

# Stands around each tag.
_BETWEEN = "\x1f"


def tags_cell(tags: Iterable[str]) -> str:
    """The cell for *tags*."""
    return "".join(f"{_BETWEEN}{tag}{_BETWEEN}" for tag in tags)


def tags_in(cell: Cell) -> tuple[str, ...]:
    """The tags that `tags_cell` wrote."""
    return tuple(tag for tag in str(cell).split(_BETWEEN) if tag)
