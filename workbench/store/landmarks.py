"""Every so manieth run id, so that a page of a long list is looked for near where it lies."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable

STRIDE = 2048
"""How many runs lie between two landmarks."""
_STRIDES = (2, 32)


class Landmarks:
    """Ids of runs, evenly spread over all runs, in order."""

    def __init__(self, ids: Iterable[str] = ()) -> None:
        self._ids = sorted(ids)
        self._since = 0

    def pass_by(self, run_id: str) -> None:
        """Take note of one more run."""
        self._since += 1
        if self._since == STRIDE:
            self._since = 0
            insort(self._ids, run_id)

    def floors(self, below: str | None) -> list[str | None]:
        """Ids to look no further than, nearest first, for runs before *below*; None is no limit."""
        end = len(self._ids) if below is None else bisect_left(self._ids, below)
        return [*(self._ids[end - s] for s in _STRIDES if end >= s), None]
