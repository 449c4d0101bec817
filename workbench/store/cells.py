"""Moments and structures, as the cells of a row hold them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from workbench.store.tables import Cell


def from_moment(at: datetime | None) -> str | None:
    """The cell for *at*, which must know its zone."""
    if at is None:
        return None
    if at.tzinfo is None:
        raise ValueError("a moment without a zone is not a moment")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat()


def to_moment(cell: Cell) -> datetime | None:
    """The moment `from_moment` wrote, in UTC."""
    return None if cell is None else datetime.fromisoformat(str(cell)).replace(tzinfo=UTC)


def moment(cell: Cell) -> datetime:
    """As `to_moment`, where there is always one."""
    found = to_moment(cell)
    assert found is not None
    return found


def from_json(value: object) -> str:
    """The cell for a structure of plain JSON values.

    Raises:
        ValueError: NaN or an infinity is in it.
        TypeError: Something is in it that JSON does not know.
    """
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def to_json(cell: Cell) -> Any:
    """The structure `from_json` wrote."""
    return json.loads(str(cell))


def text(cell: Cell) -> str:
    """A cell that is always a text."""
    assert isinstance(cell, str)
    return cell


def text_or_none(cell: Cell) -> str | None:
    """A cell that is a text or nothing."""
    return None if cell is None else text(cell)
