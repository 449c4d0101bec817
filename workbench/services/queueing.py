"""Whose run is next: turn by turn, and whoever has the fewest under way goes first.

A thousand runs of one user, waiting or under way, hold up nobody else's one: neither the place in
the line nor the next free kernel.

Runs that were called by runs stand in no line. A caller waits for what it has called, so the one
that is called is carried out in its place: nobody can wait for a place that a waiting caller holds.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from workbench.errors import ResourceExhausted

MOST_CALLED = 64
"""How many of the runs that one run has called may wait."""


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


class Errands:
    """The runs that were called by runs: of those of one caller one is under way at a time."""

    def __init__(self) -> None:
        self._called: dict[str, dict[str, None]] = {}
        self._waiting: dict[str, OrderedDict[str, None]] = {}
        self._under_way: dict[str, str] = {}

    @property
    def under_way(self) -> int:
        """How many are under way, each in the place of its caller."""
        return len(self._under_way)

    def check(self, caller: str) -> None:
        """Let the caller call one more.

        Raises:
            ResourceExhausted: So many of those it called wait already.
        """
        if len(self._waiting.get(caller, ())) >= MOST_CALLED:
            raise ResourceExhausted(
                f"{MOST_CALLED} runs that this run has called are waiting already.",
                most=MOST_CALLED,
            )

    def called(self, caller: str) -> Sequence[str]:
        """The runs it has called that have not ended."""
        return tuple(self._called.get(caller, ()))

    def join(self, caller: str, run_id: str) -> None:
        """Have the run wait behind the caller's others."""
        self._called.setdefault(caller, {})[run_id] = None
        self._waiting.setdefault(caller, OrderedDict())[run_id] = None

    def leave(self, caller: str, run_id: str) -> None:
        """Have the run wait no more, if it did."""
        _forget(self._waiting, caller, run_id)

    def next(self, caller: str) -> str | None:
        """The run that the caller's place is for, from now on under way; None if there is none."""
        if caller in self._under_way or caller not in self._waiting:
            return None
        run_id = next(iter(self._waiting[caller]))
        self.leave(caller, run_id)
        self._under_way[caller] = run_id
        return run_id

    def rested(self, caller: str) -> None:
        """The one that was under way no longer is; it may come back."""
        del self._under_way[caller]

    def ended(self, caller: str, run_id: str) -> None:
        """The run, which the caller may have called, has ended for good."""
        _forget(self._called, caller, run_id)

    def clear(self) -> None:
        """Nobody waits any more."""
        self._waiting.clear()


def _forget(runs: dict[str, Any], caller: str, run_id: str) -> None:
    """Drop the run from those of the caller, and the caller with its last."""
    if caller in runs:
        runs[caller].pop(run_id, None)
        if not runs[caller]:
            del runs[caller]


def _less(counts: Counter[str], user: str) -> None:
    counts[user] -= 1
    if not counts[user]:
        del counts[user]
