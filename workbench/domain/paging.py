"""A page of a list, and the cursor that asks for the next one."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from workbench.domain.parameters import load_json
from workbench.errors import InvalidRequest

T = TypeVar("T")

PAGE = 50
LARGEST_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """Some rows of a list.

    Attributes:
        items: In the order of the list.
        next_cursor: Asks for the rows behind them; None at the end.
    """

    items: Sequence[T]
    next_cursor: str | None = None


def write_cursor(*key: str) -> str:
    """A cursor that stands behind the row with *key*."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def read_cursor(cursor: str, *, parts: int) -> tuple[str, ...]:
    """The key that `write_cursor` was given.

    Raises:
        InvalidRequest: Nobody here wrote that cursor.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = load_json(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        key = None
    if (
        not isinstance(key, list)
        or len(key) != parts
        or not all(isinstance(part, str) for part in key)
    ):
        raise InvalidRequest("cursor must be the next_cursor of an earlier page.")
    return tuple(key)


def check_limit(limit: int) -> int:
    """*limit*, if a page may be that long.

    Raises:
        InvalidRequest: It is not between 1 and the largest page.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise InvalidRequest(f"limit must be between 1 and {LARGEST_PAGE}.")
    return limit
