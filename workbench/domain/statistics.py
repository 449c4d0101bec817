"""What many runs come to: how many, how they ended, and how long they took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from workbench.errors import InvalidRequest

LONGEST_DAYS = 366
DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Some runs, summed up; test runs never count.

    Attributes:
        runs: How many were accepted.
        p50_ms: How long half of those that ended took at most; None if none ended.
        p95_ms: The same of 95 in a hundred.
    """

    runs: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None

    @property
    def success_rate(self) -> float | None:
        """The part that completed, of those that ended by themselves; None if none did."""
        ended = self.completed + self.failed
        return None if not ended else self.completed / ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """The runs of a span of days.

    Attributes:
        since: When it begins.
        whole: All of them.
        days: Those of each day in UTC on which there were any, oldest first.
        agents: Those of each agent by its address, the busiest first.
    """

    since: datetime
    whole: Summary
    days: tuple[tuple[date, Summary], ...]
    agents: tuple[tuple[str, Summary], ...]


def check_days(days: int) -> int:
    """*days*, if statistics may reach so far back.

    Raises:
        InvalidRequest: They may not.
    """
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidRequest(f"days is from 1 to {LONGEST_DAYS}.", query="days")
    return days
