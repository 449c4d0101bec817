"""Conditions of a question, put together without ever putting a value into SQL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workbench.domain.paging import read_cursor
from workbench.errors import InvalidRequest
from workbench.store.cells import from_moment, moment


@dataclass(frozen=True, slots=True)
class Condition:
    """A piece of SQL with `{}` where its values stand."""

    sql: str
    values: tuple[object, ...] = ()


def where(conditions: Iterable[Condition]) -> tuple[str, list[object]]:
    """The SQL that all *conditions* hold, with `$1` and so on, and what stands for them."""
    kept = list(conditions)
    values = [value for condition in kept for value in condition.values]
    joined = " AND ".join(f"({condition.sql})" for condition in kept)
    return joined.format(*(f"${i}" for i in range(1, len(values) + 1))), values


def place(cursor: str) -> tuple[str, str]:
    """The moment and the id of the row that *cursor* stands behind, in a list by when they came.

    Raises:
        InvalidRequest: It is no cursor of such a list.
    """
    created_at, row_id = read_cursor(cursor, parts=2)
    try:
        return from_moment(moment(created_at)) or "", row_id
    except ValueError:
        raise InvalidRequest("cursor must be the next_cursor of an earlier page.") from None
