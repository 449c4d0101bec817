"""Carrying out what was accepted: when, on which kernel, and what has become of it.

A run that has begun is settled by exactly one of: its own end, being called off, or the stop of
the workbench. Where its agent opts into it, an attempt that is lost is followed by another, after
a pause; what belongs to an attempt (its number, its stream, its folder) dies with it, so that
nobody can speak for an attempt that has been given up.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from workbench.domain.agents import Agent
from workbench.domain.caps import Caps
from workbench.domain.definitions import Definition
from workbench.domain.events import EventType
from workbench.domain.isolation import Protection
from workbench.domain.limits import Limits
from workbench.domain.models import CASSETTE
from workbench.domain.network import NOWHERE, Reach
from workbench.domain.runs import Reason, Run, RunStatus
from workbench.errors import IllegalMove, InvalidAgentConfig, Unavailable
from workbench.kernels import Executor, Outcome, Task
from workbench.services.judging import breach
from workbench.services.lending import Lending, Loan
from workbench.services.queueing import Line
from workbench.services.settling import Settling
from workbench.services.spending import usage_of
from workbench.store.events import Events, Stream
from workbench.store.objects import Objects
from workbench.store.papers import Papers
from workbench.store.runs import Runs

log = logging.getLogger("workbench.runs")

Watch = Callable[[Run], None]
"""Is told of each run that has begun, ended or is to begin again, once that is durable."""

MOST_EFFECTS = 1_000
"""How many effects of a test run are kept; its events have them all."""

# What is kept of an effect: the tool, what it was given and said, and the cell that asked.
_EFFECT = ("tool", "effects", "arguments", "text", "cell", "index")

OWN_KERNEL = ""
"""The workbench's own kernel, which also stands in for every Python that is not allowed here."""


@dataclass(slots=True, kw_only=True)
class _Live:
    """A run this process answers for, from accepted to settled; there may be ten thousand.

    Attributes:
        call_off: What ends the attempt under way; None between attempts.
        done: Set when the run is settled, once somebody waits for that.
    """

    run: Run
    definition: Definition
    warning: str
    call_off: asyncio.Event | None = None
    done: asyncio.Event | None = None
    called_off_by_user: bool = False
    stream: Stream | None = None
    effects: list[Mapping[str, object]] = field(default_factory=list)


class Dispatching:
    """The line of waiting runs and those being carried out."""

    def __init__(
        self,
        *,
        runs: Runs,
        events: Events,
        papers: Papers,
        objects: Objects,
        executor: Executor,
        lending: Lending,
        limits: Limits,
        caps: Caps,
        at_once: int,
        queue_limit: int,
        kernels: Collection[str],
        protection: Protection,
        watch: Watch,
        clock: Callable[[], datetime],
        boot: str,
        jitter: Callable[[], float],
        settling: Settling,
        at: Callable[[str], None] = lambda point: None,
    ) -> None:
        """Nothing waits.

        Of what cannot be read off the types: *boot* is the life of the workbench that begins runs,
        *jitter* gives numbers from 0 to 1, *at* is told each point that a run passes.
        """
        self._settling = settling
        self._runs = runs
        self._events = events
        self._papers = papers
        self._objects = objects
        self._executor = executor
        self._lending = lending
        self._limits = limits
        self._caps = caps
        self._at_once = at_once
        self._kernels = frozenset(kernels)
        self._protection = protection
        self._watch = watch
        self._clock = clock
        self._boot = boot
        self._jitter = jitter
        self._at = at
        self._live: dict[str, _Live] = {}
        self._line = Line(limit=queue_limit)
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
    def place(self, user: str) -> Iterator[None]:
        """Room for one more run of *user* while it is being accepted.

        Raises:
            ResourceExhausted: The line is full.
            Unavailable: The workbench is about to stop.
        """
        if self._draining:
            raise Unavailable("The workbench is about to stop; ask again in a moment.")
        with self._line.place(user):
            yield

    def enqueue(self, run: Run, definition: Definition, *, warning: str = "") -> None:
        """Put an accepted run at the end of its user's line; it begins with *warning*, if any.

        One whose attempt was lost waits until it is due, but never longer than it would have had
        to from now on, whatever has become of the clock.
        """
        live = self._live[run.id] = _Live(run=run, definition=definition, warning=warning)
        if run.due_at is None:
            self._line.join(run.user, run.id)
            self._pump()
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
        elif live.call_off is not None:
            live.called_off_by_user = True
            live.call_off.set()
        elif live.called_off_by_user:
            await _end_of(live).wait()
        else:
            live.called_off_by_user = True
            self._line.leave(run.user, run.id)
            if resting := self._resting.pop(run.id, None):
                resting.cancel()
            await self._settle(live, self._called_off(live.run))

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

    def _called_off(self, run: Run) -> Run:
        return run.settle(RunStatus.CANCELLED, at=self._clock(), reason=Reason.CANCELLED_BY_USER)

    def _dismiss(self) -> None:
        self._draining = self._settling.hurried = True
        self._line.clear()
        for resting in self._resting.values():
            resting.cancel()
        self._resting.clear()

    def _pump(self) -> None:
        if self._draining:
            return
        while len(self._tasks) < self._at_once and (run_id := self._line.next()) is not None:
            live = self._live[run_id]
            live.call_off = asyncio.Event()
            task = asyncio.create_task(self._carry_out(live, live.call_off), name=f"run {run_id}")
            self._tasks[run_id] = task
            task.add_done_callback(functools.partial(self._ended, live.run))

    def _ended(self, run: Run, _: asyncio.Task[None]) -> None:
        del self._tasks[run.id]
        self._line.ended(run.user)
        self._pump()

    def _rest(self, live: _Live, seconds: float) -> None:
        """Have the run wait for its next attempt without holding anybody up."""
        run = live.run

        def rested() -> None:
            del self._resting[run.id]
            self._line.join(run.user, run.id)
            self._pump()

        if not self._draining:
            loop = asyncio.get_running_loop()
            self._resting[run.id] = loop.call_later(max(0.0, seconds), rested)

    async def _carry_out(self, live: _Live, call_off: asyncio.Event) -> None:
        try:
            end = await self._execute(live, call_off)
        except Exception:
            log.exception("run %s could not be carried out", live.run.id)
            end = live.run.settle(
                RunStatus.FAILED,
                at=self._clock(),
                reason=Reason.INTERNAL_ERROR,
                error={"message": "The workbench failed at its own work; its log says why."},
            )
        again = None if live.called_off_by_user else self.lost(live.run, live.definition, end)
        if again is None or not await self._settling.give_up(again, live.stream):
            await self._settle(live, end)
        else:
            live.run, live.stream, live.call_off = again, None, None
            self._watch(again)
            if live.called_off_by_user:
                await self._settle(live, self._called_off(again))
            elif again.due_at is not None:
                self._rest(live, (again.due_at - self._clock()).total_seconds())

    async def _execute(self, live: _Live, call_off: asyncio.Event) -> Run:
        waited = live.run
        stream = live.stream = await self._events.open(waited.id)
        self._at("run.opened")
        try:
            self._protection.check(live.definition.isolation)
        except Unavailable as error:
            return waited.settle(
                RunStatus.FAILED,
                at=self._clock(),
                reason=Reason.ISOLATION_UNAVAILABLE,
                error={"message": str(error)},
            )

        async def started(isolation: str) -> None:
            # Durable before the first cell: what may have done something is never begun again.
            begun = waited.begin(at=self._clock(), isolation=isolation, boot=self._boot)
            live.run = await self._runs.record(begun)
            self._at("run.begun")
            self._watch(begun)
            data: dict[str, object] = {
                "run_id": begun.id,
                "test": begun.test,
                "isolation": isolation,
                "attempt": begun.attempt,
            }
            stream.append(EventType.RUN_STARTED, data)
            if live.warning:
                stream.append(
                    EventType.LOG, {"level": "warning", "message": live.warning, "fields": {}}
                )

        def report(type: EventType, data: Mapping[str, object]) -> None:
            stream.append(type, data)
            simulated = type is EventType.TOOL_RESULT and data.get("simulated") is True
            if simulated and len(live.effects) < MOST_EFFECTS:
                live.effects.append({name: data[name] for name in _EFFECT if name in data})

        try:
            loan = await self._lending.lend(live.run, live.definition, stream.append)
        except InvalidAgentConfig as error:
            said = {"message": str(error)}
            return live.run.settle(
                RunStatus.FAILED, at=self._clock(), reason=Reason.AGENT_ERROR, error=said
            )
        try:
            task = await self._task(live, loan)
            outcome = await self._executor.execute(
                task, report=report, cancel=call_off, started=started
            )
        finally:
            self._lending.take_back(live.run.id)
        self._at("run.executed")
        number = max(live.run.attempt, 1)
        await self._papers.write_notebook(waited.id, outcome.notebook, attempt=number)
        if (tape := loan.tape) is not None:
            await self._papers.write_file(waited.id, CASSETTE, tape, attempt=number)
        self._at("run.kept")
        return self._judge(live, outcome, loan)

    async def _task(self, live: _Live, loan: Loan) -> Task:
        run, definition = live.run, live.definition
        return Task(
            run_id=run.id,
            notebook=await self._objects.get(run.fingerprint),
            parameters=run.parameters,
            test=run.test,
            files={f.path: self._objects.path(f.fingerprint) for f in definition.files},
            kernel=definition.kernel if definition.kernel in self._kernels else OWN_KERNEL,
            # A cap may have been lowered since the version was published.
            limits=self._limits.granting(definition.asked, most=self._caps.limits),
            reach=self._reach(live),
            leave=self._papers.files_path(run.id, attempt=max(run.attempt, 1)),
            environment=loan.environment,
        )

    def _reach(self, live: _Live) -> Reach:
        """Nothing for a test run, whatever its agent asks for, nor beyond a cap lowered since."""
        allowed = live.definition.network.within(self._caps.network)
        return NOWHERE if live.run.test or not allowed else live.definition.reach

    def _judge(self, live: _Live, outcome: Outcome, loan: Loan) -> Run:
        status, reason, error = outcome.status, outcome.reason, outcome.error
        if status is RunStatus.CANCELLED and not live.called_off_by_user:
            status, reason = RunStatus.FAILED, Reason.GATEWAY_RESTARTED
            error = {"message": "The workbench was stopped while this run was under way."}
        if status is RunStatus.COMPLETED and (broken := breach(live.definition, outcome.result)):
            status, reason, error = RunStatus.FAILED, Reason.INVALID_OUTPUT, broken
        if reason is Reason.AGENT_ERROR and loan.exceeded is not None:
            reason, error = Reason.BUDGET_EXCEEDED, {**(error or {}), "budget": str(loan.exceeded)}
        return live.run.settle(
            status,
            at=self._clock(),
            reason=reason,
            result=outcome.result if status is RunStatus.COMPLETED else None,
            error=error,
            resource_usage=outcome.resource_usage,
            usage=usage_of(loan.account.spent) if loan.account.spent.calls else {},
            effects=live.effects,
            cells=[cell.as_json() for cell in outcome.cells],
        )

    async def _settle(self, live: _Live, run: Run) -> None:
        await self._settling.settle(run, live.stream)
        live.run = run
        self._watch(run)
        del self._live[run.id]
        _end_of(live).set()


def _end_of(live: _Live) -> asyncio.Event:
    if live.done is None:
        live.done = asyncio.Event()
    return live.done
