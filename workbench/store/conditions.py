"""Conditions of a question, put together without ever putting a value into SQL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


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
