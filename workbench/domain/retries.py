"""Beginning a lost run again: only for agents that say so, and only for reasons they name.

An agent may have done half of what it does when its run is lost, so a run is begun at most once
unless its notebook opts into at least once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.domain.runs import Reason, Run

LOST = (
    str(Reason.GATEWAY_RESTARTED),
    str(Reason.KERNEL_DIED),
    str(Reason.KERNEL_START_FAILED),
)
"""The reasons that say something of the machine rather than of the agent."""
NEVER = frozenset({str(Reason.CANCELLED_BY_USER)})
"""The reasons that nobody may name."""
NAMEABLE = tuple(sorted(set(map(str, Reason)) - NEVER))
"""The reasons that an author may name."""
LONGEST_PAUSE_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often, and after what, a run is begun again.

    Attributes:
        max: How many attempts may follow the first.
        on: The reasons of a failed attempt that another may follow.
        backoff_seconds: The most that is waited before the second attempt; it doubles from there
            to the next.
        test: Whether test runs are begun again as well.
    """

    max: int = 0
    on: Sequence[str] = LOST
    backoff_seconds: float = 1.0
    test: bool = False

    def allows(self, run: Run, reason: Reason | None) -> bool:
        """Whether *run*, whose attempt failed for *reason*, is begun again."""
        return (
            reason is not None
            and str(reason) in self.on
            and len(run.attempts) < self.max
            and (self.test or not run.test)
        )

    def pause(self, attempts: int, *, jitter: float) -> float:
        """How many seconds to wait once *attempts* have failed; *jitter* is from 0 to 1.

        Half of it is certain and half is chance ("equal jitter", Brooker, Exponential Backoff And
        Jitter, AWS 2015), so that many runs lost at once do not come back at once.
        """
        most = min(self.backoff_seconds * 2.0 ** (attempts - 1), LONGEST_PAUSE_SECONDS)
        return most * (1 + jitter) / 2


AT_MOST_ONCE = Retry()
"""What holds for every agent that says nothing else."""


def retry_from_json(value: int | Mapping[str, Any]) -> Retry:
    """The retries that a definition was kept with; once that was their number alone."""
    if isinstance(value, int):
        return Retry(max=value)
    return Retry(**{**value, "on": tuple(value["on"])})
