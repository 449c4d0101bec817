"""Carrying out what was accepted: when, how often, and what has become of it.

A run that has begun is settled by exactly one of: its own end, being called off, or the stop of
the workbench. Where its agent opts into it, an attempt that is lost is followed by another, after
a pause.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from workbench.domain.agents import Agent
from workbench.domain.definitions import Definition
from workbench.domain.runs import Reason, Run, RunStatus
from workbench.errors import IllegalMove, Unavailable
from workbench.services.executing import Executing, Live, Watch
from workbench.services.queueing import Errands, Line
from workbench.services.settling import Settling
from workbench.store.runs import Runs

log = logging.getLogger("workbench.runs")


class Dispatching:
    """The line of waiting runs and those being carried out."""

    def __init__(
        self,
        *,
        runs: Runs,
        executing: Executing,
        settling: Settling,
        at_once: int,
        queue_limit: int,
        watch: Watch,
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
    ) -> None:
        """Nothing waits; *jitter* gives numbers from 0 to 1."""
        self._runs = runs
        self._executing = executing
        self._settling = settling
        self._at_once = at_once
        self._watch = watch
        self._clock = clock
        self._jitter = jitter
        self._live: dict[str, Live] = {}
        self._line = Line(limit=queue_limit)
        self._errands = Errands()
        self._resting: dict[str, asyncio.TimerHandle] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._draining = False

    @property
    def waiting(self) -> int:
        """How many accepted runs have not begun, or not begun again."""
        return len(self._line) + len(self._resting)

    @property
    def running(self) -> int:
        """How many runs are being carried out."""
        return len(self._tasks)

    @property
    def draining(self) -> bool:
        """Whether no more runs are accepted because the workbench is about to stop."""
        return self._draining

    @contextmanager
    def place(self, user: str, *, caller: str = "") -> Iterator[None]:
        """Room for one more run of *user*, or of the run *caller*, while it is being accepted.

        Raises:
            ResourceExhausted: The line is full.
            Unavailable: The workbench is about to stop.
        """
        if self._draining:
            raise Unavailable("The workbench is about to stop; ask again in a moment.")
        if caller:
            self._errands.check(caller)
            yield
        else:
            with self._line.place(user):
                yield

    def enqueue(self, run: Run, definition: Definition, *, warning: str = "") -> None:
        """Put an accepted run at the end of its user's line; it begins with *warning*, if any.

        One whose attempt was lost waits until it is due, but never longer than it would have had
        to from now on, whatever has become of the clock.
        """
        live = self._live[run.id] = Live(run=run, definition=definition, warning=warning)
        if run.due_at is None:
            self._join(run)
        else:
            longest = definition.retry.pause(len(run.attempts), jitter=1.0)
            self._rest(live, min((run.due_at - self._clock()).total_seconds(), longest))

    def busy_with(self, agent: Agent) -> bool:
        """Whether a run of *agent* waits, is being carried out, or is not told of to its end."""
        return any(live.run.agent_id == agent.id for live in self._live.values())

    async def settled(self, run_id: str) -> None:
        """Wait until nothing more can happen to the run."""
        live = self._live.get(run_id)
        if live is not None:
            await _end_of(live).wait()

    async def cancel(self, run: Run) -> None:
        """Call the run off; one that waits is settled at once, one that runs as soon as it heeds."""
        live = self._live.get(run.id)
        if live is None:
            if run.status is RunStatus.PENDING:
                await self._withdraw(run)
        else:
            await self._call_off(live, Reason.CANCELLED_BY_USER)

    async def hang_up(self, run_id: str) -> None:
        """End a run whose caller does not wait for it any more, and wait for its end."""
        live = self._live.get(run_id)
        if live is not None:
            await self._call_off(live, Reason.CALLER_ENDED)
            await _end_of(live).wait()

    async def _call_off(self, live: Live, reason: Reason) -> None:
        """Settle it if it waits; if it runs, have it end as soon as it heeds."""
        if live.call_off is not None:
            live.called_off_for = live.called_off_for or reason
            live.call_off.set()
        elif live.called_off_for is not None:
            await _end_of(live).wait()
        else:
            live.called_off_for = reason
            self._line.leave(live.run.user, live.run.id)
            self._errands.leave(live.run.parent_id, live.run.id)
            if resting := self._resting.pop(live.run.id, None):
                resting.cancel()
            await self._settle(live, self._called_off(live.run, reason))

    async def drain(self, seconds: float) -> None:
        """Accept nothing more and let running runs end; what runs after *seconds* is stopped.

        Runs that wait stay accepted: the next life of the workbench carries them out.
        """
        self._dismiss()
        if self._tasks:
            await asyncio.wait(set(self._tasks.values()), timeout=seconds)
        await self.stop()

    async def stop(self) -> None:
        """Stop every running run now; what may not begin again is settled as lost to the stop."""
        self._dismiss()
        for live in self._live.values():
            if live.call_off is not None:
                live.call_off.set()
        if self._tasks:
            await asyncio.wait(set(self._tasks.values()))

    def lost(self, run: Run, definition: Definition, end: Run) -> Run | None:
        """*run* once its attempt is lost as *end* says, if its agent wants another attempt."""
        if not definition.retry.allows(run, end.reason):
            return None
        pause = definition.retry.pause(len(run.attempts) + 1, jitter=self._jitter())
        now = self._clock()
        return run.again(
            at=now,
            due_at=now + timedelta(seconds=pause),
            reason=end.reason,
            error=end.error,
            resource_usage=end.resource_usage,
        )

    async def close_stream(self, run: Run) -> None:
        """Give the stream of a settled run its last event, if a crash kept it from being written.

        Raises:
            Unavailable: The disk does not take it.
        """
        if run.id not in self._live:
            await self._settling.close_stream(run)

    async def _withdraw(self, run: Run) -> None:
        """Settle a run that waits for a life of the workbench that lasts longer than this one."""
        withdrawn = self._called_off(run)
        try:
            await self._runs.record(withdrawn)
        except IllegalMove:
            return  # it has ended since the caller looked
        await self.close_stream(withdrawn)

    def _called_off(self, run: Run, reason: Reason = Reason.CANCELLED_BY_USER) -> Run:
        return run.settle(RunStatus.CANCELLED, at=self._clock(), reason=reason)

    def _dismiss(self) -> None:
        self._draining = self._settling.hurried = True
        self._line.clear()
        self._errands.clear()
        for resting in self._resting.values():
            resting.cancel()
        self._resting.clear()

    def _join(self, run: Run) -> None:
        """Have the run wait: for its turn, or for the place of the run that called it."""
        if run.parent_id:
            self._errands.join(run.parent_id, run.id)
            self._send(run.parent_id)
        else:
            self._line.join(run.user, run.id)
            self._pump()

    def _pump(self) -> None:
        if self._draining:
            return
        while self._places > 0 and (run_id := self._line.next()) is not None:
            self._begin(self._live[run_id])

    @property
    def _places(self) -> int:
        """How many more runs may begin; who was called takes none."""
        return self._at_once + self._errands.under_way - len(self._tasks)

    def _send(self, caller: str) -> None:
        if not self._draining and (run_id := self._errands.next(caller)) is not None:
            self._begin(self._live[run_id])

    def _begin(self, live: Live) -> None:
        live.call_off = asyncio.Event()
        task = asyncio.create_task(self._carry_out(live, live.call_off), name=f"run {live.run.id}")
        self._tasks[live.run.id] = task
        task.add_done_callback(functools.partial(self._ended, live.run))

    def _ended(self, run: Run, _: asyncio.Task[None]) -> None:
        del self._tasks[run.id]
        if run.parent_id:
            self._errands.rested(run.parent_id)
            self._send(run.parent_id)
        else:
            self._line.ended(run.user)
        self._pump()

    def _rest(self, live: Live, seconds: float) -> None:
        """Have the run wait for its next attempt without holding anybody up."""
        run = live.run

        def rested() -> None:
            del self._resting[run.id]
            self._join(run)

        if not self._draining:
            loop = asyncio.get_running_loop()
            self._resting[run.id] = loop.call_later(max(0.0, seconds), rested)

    async def _carry_out(self, live: Live, call_off: asyncio.Event) -> None:
        try:
            end = await self._executing.execute(live, call_off)
        except Exception:
            log.exception("run %s could not be carried out", live.run.id)
            end = live.run.settle(
                RunStatus.FAILED,
                at=self._clock(),
                reason=Reason.INTERNAL_ERROR,
                error={"message": "The workbench failed at its own work; its log says why."},
            )
        await asyncio.gather(*map(self.hang_up, self._errands.called(live.run.id)))
        again = None if live.called_off_for else self.lost(live.run, live.definition, end)
        if again is None or not await self._settling.give_up(again, live.stream):
            await self._settle(live, end)
        else:
            live.run, live.stream, live.call_off = again, None, None
            self._watch(again)
            if live.called_off_for is not None:
                await self._settle(live, self._called_off(again, live.called_off_for))
            elif again.due_at is not None:
                self._rest(live, (again.due_at - self._clock()).total_seconds())

    async def _settle(self, live: Live, run: Run) -> None:
        await self._settling.settle(run, live.stream)
        live.run = run
        self._watch(run)
        self._errands.ended(run.parent_id, run.id)
        del self._live[run.id]
        _end_of(live).set()


def _end_of(live: Live) -> asyncio.Event:
    if live.done is None:
        live.done = asyncio.Event()
    return live.done
