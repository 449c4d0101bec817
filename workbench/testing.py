"""Stand-ins for people who test against the workbench, and for us."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from workbench.domain.events import EventType
from workbench.domain.runs import Reason, RunStatus
from workbench.kernels import Outcome, Report, Started, Task


class SteppingClock:
    """A clock that moves on by one second whenever it is looked at."""

    def __init__(self, begin: datetime = datetime(2026, 11, 20, 12, tzinfo=UTC)) -> None:
        self.now = begin

    def __call__(self) -> datetime:
        """The next second."""
        self.now += timedelta(seconds=1)
        return self.now


class InstantExecutor:
    """An executor without kernels: it does what it is told to, and remembers what it was asked.

    Attributes:
        asked: Every task, in the order they began.
        isolation: There is nothing to isolate.
        ready: No kernel waits.
        hold: While it is cleared, tasks that have begun do not end unless they are called off.
    """

    isolation = "none"
    ready = 0

    def __init__(
        self, answer: Callable[[Task], object] = lambda task: dict(task.parameters)
    ) -> None:
        self.asked: list[Task] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self._answer = answer

    async def execute(
        self,
        task: Task,
        *,
        report: Report,
        cancel: asyncio.Event,
        started: Started | None = None,
    ) -> Outcome:
        """The outcome of answering: an exception is a cell that raised."""
        self.asked.append(task)
        if started is not None:
            await started("none")
        if await self._called_off(cancel):
            return _outcome(task, RunStatus.CANCELLED, reason=Reason.CANCELLED_BY_USER)
        try:
            result = self._answer(task)
        except Exception as error:  # noqa: BLE001 - whatever a notebook raises is an outcome
            return _outcome(
                task,
                RunStatus.FAILED,
                reason=Reason.AGENT_ERROR,
                error={
                    "message": f"{type(error).__name__}: {error}",
                    "ename": type(error).__name__,
                    "evalue": str(error),
                },
            )
        report(EventType.RESULT, {"value": result})
        return _outcome(task, RunStatus.COMPLETED, result=result)

    async def close(self) -> None:
        """Nothing is held."""

    async def _called_off(self, cancel: asyncio.Event) -> bool:
        waits = [asyncio.ensure_future(event.wait()) for event in (self.hold, cancel)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        return cancel.is_set()


def _outcome(
    task: Task,
    status: RunStatus,
    *,
    reason: Reason | None = None,
    result: object = None,
    error: Mapping[str, object] | None = None,
) -> Outcome:
    return Outcome(
        status=status,
        reason=reason,
        result=result,
        error=error,
        notebook=task.notebook,
        isolation="none",
    )
