"""Whose run is next: turn by turn, and whoever has the fewest under way goes first.

A thousand runs of one user, waiting or under way, hold up nobody else's one: neither the place in
the line nor the next free kernel.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from workbench.errors import ResourceExhausted


class Line:
    """The runs that wait, one line for each user.

    A line that is full refuses whoever holds a fair share of it or more. Others are taken still,
    until twice as many wait as it is long.
    """

    def __init__(self, *, limit: int) -> None:
        """Nobody waits; *limit* is how many may."""
        self._limit = limit
        self._lines: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()
        self._coming: Counter[str] = Counter()
        self._under_way: Counter[str] = Counter()
        self._waiting = 0

    def __len__(self) -> int:
        """How many wait."""
        return self._waiting

    @contextmanager
    def place(self, user: str) -> Iterator[None]:
        """Room for one more run of *user* while it is being accepted.

        Raises:
            ResourceExhausted: The line is full, and the user holds a share of it.
        """
        if not self._has_room(user):
            raise ResourceExhausted(
                f"{self._limit} runs are waiting already; ask again later.",
                queue_limit=self._limit,
                user=user,
            )
        self._coming[user] += 1
        try:
            yield
        finally:
            _less(self._coming, user)

    def join(self, user: str, run_id: str) -> None:
        """Have the run wait behind the user's others."""
        line = self._lines.setdefault(user, OrderedDict())
        if run_id not in line:
            line[run_id] = None
            self._waiting += 1

    def leave(self, user: str, run_id: str) -> None:
        """Have the run wait no more, if it did."""
        line = self._lines.get(user)
        if line is not None and run_id in line:
            del line[run_id]
            self._waiting -= 1
            if not line:
                del self._lines[user]

    def next(self) -> str | None:
        """The run whose turn it is, from now on under way; None if none waits."""
        if not self._lines:
            return None
        # Of those who have equally few under way, the one who has waited longest for a turn.
        user = min(self._lines, key=lambda user: self._under_way[user])
        line = self._lines[user]
        run_id, _ = line.popitem(last=False)
        self._waiting -= 1
        self._lines.move_to_end(user)
        if not line:
            del self._lines[user]
        self._under_way[user] += 1
        return run_id

    def ended(self, user: str) -> None:
        """A run of the user's is no longer under way."""
        _less(self._under_way, user)

    def clear(self) -> None:
        """Nobody waits any more."""
        self._lines.clear()
        self._waiting = 0

    def _has_room(self, user: str) -> bool:
        total = self._waiting + self._coming.total()
        if total < self._limit:
            return True
        users = len({user, *self._lines, *self._coming})
        held = len(self._lines.get(user, ())) + self._coming[user]
        return total < 2 * self._limit and held < self._limit / users


def _less(counts: Counter[str], user: str) -> None:
    counts[user] -= 1
    if not counts[user]:
        del counts[user]
