"""Saying how a run, or an attempt of it, has ended: durable first, then told.

A last event is never taken back, so nobody hears of an end that a crash could undo.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from workbench.domain.events import EventType
from workbench.domain.runs import Run, RunStatus
from workbench.errors import Unavailable
from workbench.store.events import Events, Stream
from workbench.store.runs import Runs

log = logging.getLogger("workbench.runs")

_LAST_EVENT = {
    RunStatus.COMPLETED: EventType.RUN_COMPLETED,
    RunStatus.FAILED: EventType.RUN_FAILED,
    RunStatus.CANCELLED: EventType.RUN_CANCELLED,
}
# A full disk is usually made room on within minutes; for that long an ended run waits.
_PAUSES = (0.5, 1.0, 2.0, 5.0, *([10.0] * 60))


class Settling:
    """How runs end, in the records and in their streams.

    Attributes:
        hurried: Whether there is no time left to wait for a disk.
    """

    def __init__(self, *, runs: Runs, events: Events, at: Callable[[str], None]) -> None:
        """*at* is told each point that an end passes."""
        self._runs = runs
        self._events = events
        self._at = at
        self.hurried = False

    async def settle(self, run: Run, stream: Stream | None = None) -> None:
        """Record and tell how *run* has ended, on *stream* if it is open already.

        What the disk does not take is settled, and told, by the next life of the workbench.
        """
        try:
            await self._record(run)
            self._at("run.recorded")
            stream = stream or await self._events.open(run.id)
            _finish(stream, run)
            await stream.close()
            self._at("run.told")
        except Unavailable:
            log.exception("run %s ended %s but the disk does not take it", run.id, run.status)

    async def give_up(self, again: Run, stream: Stream | None = None) -> bool:
        """Record and tell that an attempt is lost and another will follow; whether that is durable.

        From then on the lost attempt can neither move the run nor add to its events.
        """
        try:
            await self._record(again)
        except Unavailable:
            log.exception("run %s is to begin again but the disk does not take it", again.id)
            return False
        self._at("run.recorded")
        try:
            stream = stream or await self._events.open(again.id)
            _tell_of_another(stream, again)
            await stream.close()
        except Unavailable:
            log.exception("run %s begins again but the disk does not take its events", again.id)
        return True

    async def close_stream(self, run: Run) -> None:
        """Give the stream of a settled run its last event, if a crash kept it from being written.

        Raises:
            Unavailable: The disk does not take it.
        """
        happened = await self._events.read(run.id)
        if happened and happened[-1].type.last:
            return
        stream = await self._events.open(run.id)
        _finish(stream, run)
        await stream.close()

    async def _record(self, run: Run) -> None:
        """Record how *run* stands, however often the disk refuses while there is time."""
        for pause in _PAUSES:
            try:
                await self._runs.record(run)
            except Unavailable:
                if self.hurried:
                    raise
                log.warning("run %s is %s; waiting for the disk", run.id, run.status)
                await asyncio.sleep(pause)
            else:
                return
        await self._runs.record(run)


def _finish(stream: Stream, run: Run) -> None:
    data: dict[str, object] = {"run_id": run.id, "status": str(run.status)}
    if run.reason is not None:
        data["reason"] = str(run.reason)
    if run.error is not None:
        data["error"] = dict(run.error)
    if run.seconds is not None:
        data["execution_time_ms"] = round(run.seconds * 1000, 1)
    # Said again after a crash, it is the same.
    stream.append(_LAST_EVENT[run.status], data, at=run.completed_at)


def _tell_of_another(stream: Stream, again: Run) -> None:
    lost = again.attempts[-1]
    data: dict[str, object] = {
        "run_id": again.id,
        "attempt": lost.number,
        "reason": None if lost.reason is None else str(lost.reason),
        "error": None if lost.error is None else dict(lost.error),
        "due_at": None if again.due_at is None else again.due_at.isoformat(),
    }
    stream.append(EventType.RUN_RETRYING, data)
