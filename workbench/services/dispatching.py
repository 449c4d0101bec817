"""Carrying out what was accepted: who is next, on which kernel, and what has become of it.

Waiting runs stand in one line per user and are taken turn by turn, so that nobody's thousand
runs hold up somebody else's one. A run that has begun is settled by exactly one of: its own end,
being called off, or the stop of the workbench.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from workbench.domain.agents import Agent
from workbench.domain.definitions import Definition
from workbench.domain.events import EventType
from workbench.domain.limits import Limits
from workbench.domain.models import CASSETTE
from workbench.domain.runs import Reason, Run, RunStatus
from workbench.errors import InvalidAgentConfig, ResourceExhausted, Unavailable
from workbench.kernels import Executor, Outcome, Task
from workbench.services.judging import breach
from workbench.services.lending import Lending, Loan
from workbench.services.spending import usage_of
from workbench.store.events import Events, Stream
from workbench.store.objects import Objects
from workbench.store.papers import Papers
from workbench.store.runs import Runs

log = logging.getLogger("workbench.runs")

_LAST_EVENT = {
    RunStatus.COMPLETED: EventType.RUN_COMPLETED,
    RunStatus.FAILED: EventType.RUN_FAILED,
    RunStatus.CANCELLED: EventType.RUN_CANCELLED,
}

Watch = Callable[[Run], None]
"""Is told of each run that has begun or ended, once that is durable."""

MOST_EFFECTS = 1_000
"""How many effects of a test run are kept; its events have them all."""

# What is kept of an effect: the tool, what it was given and said, and the cell that asked.
_EFFECT = ("tool", "effects", "arguments", "text", "cell", "index")

OWN_KERNEL = ""
"""The workbench's own kernel, which also stands in for every Python that is not allowed here."""

# A full disk is usually made room on within minutes; for that long an ended run waits.
_PAUSES = (0.5, 1.0, 2.0, 5.0, *([10.0] * 60))


@dataclass(slots=True, kw_only=True)
class _Live:
    """A run this process answers for, from accepted to settled."""

    run: Run
    definition: Definition
    warning: str
    call_off: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)
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
        longest_run_seconds: float,
        at_once: int,
        queue_limit: int,
        kernels: Collection[str],
        watch: Watch,
        clock: Callable[[], datetime],
    ) -> None:
        self._runs = runs
        self._events = events
        self._papers = papers
        self._objects = objects
        self._executor = executor
        self._lending = lending
        self._limits = limits
        self._longest_run_seconds = longest_run_seconds
        self._at_once = at_once
        self._queue_limit = queue_limit
        self._kernels = frozenset(kernels)
        self._watch = watch
        self._clock = clock
        self._live: dict[str, _Live] = {}
        self._lines: OrderedDict[str, deque[str]] = OrderedDict()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._places = 0
        self._draining = False

    @property
    def waiting(self) -> int:
        """How many accepted runs have not begun."""
        return sum(map(len, self._lines.values()))

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
        if self.waiting + self._places >= self._queue_limit:
            raise ResourceExhausted(
                f"{self._queue_limit} runs are waiting already; ask again later.",
                queue_limit=self._queue_limit,
                user=user,
            )
        self._places += 1
        try:
            yield
        finally:
            self._places -= 1

    def enqueue(self, run: Run, definition: Definition, *, warning: str = "") -> None:
        """Put an accepted run at the end of its user's line; it begins with *warning*, if any."""
        self._live[run.id] = _Live(run=run, definition=definition, warning=warning)
        self._lines.setdefault(run.user, deque()).append(run.id)
        self._pump()

    def busy_with(self, agent: Agent) -> bool:
        """Whether a run of *agent* waits, is being carried out, or is not told of to its end."""
        return any(live.run.agent_id == agent.id for live in self._live.values())

    async def settled(self, run_id: str) -> None:
        """Wait until nothing more can happen to the run."""
        live = self._live.get(run_id)
        if live is not None:
            await live.done.wait()

    async def cancel(self, run: Run) -> None:
        """Call the run off; one that waits is settled at once, one that runs as soon as it heeds."""
        live = self._live.get(run.id)
        if live is None:
            if run.status is RunStatus.PENDING:
                await self._withdraw(run)
        elif run.id in self._tasks:
            live.called_off_by_user = True
            live.call_off.set()
        elif live.called_off_by_user:
            await live.done.wait()
        else:
            live.called_off_by_user = True
            line = self._lines.get(run.user, deque())
            if run.id in line:
                line.remove(run.id)
            await self._settle(live, self._called_off(live.run))

    async def drain(self, seconds: float) -> None:
        """Accept nothing more and let running runs end; what runs after *seconds* is stopped.

        Runs that wait stay accepted: the next life of the workbench carries them out.
        """
        self._draining = True
        self._lines.clear()
        if self._tasks:
            await asyncio.wait(set(self._tasks.values()), timeout=seconds)
        await self.stop()

    async def stop(self) -> None:
        """Stop every running run now and settle it as lost to the stop."""
        self._draining = True
        self._lines.clear()
        for live in self._live.values():
            live.call_off.set()
        if self._tasks:
            await asyncio.wait(set(self._tasks.values()))

    async def abandon(self, run: Run) -> None:
        """Settle a run that an earlier life of the workbench had begun.

        It may have done half of what it does, so it is not begun again.
        """
        stopped = run.settle(
            RunStatus.FAILED,
            at=self._clock(),
            reason=Reason.GATEWAY_RESTARTED,
            error={"message": "The workbench stopped while this run was under way."},
        )
        await self._runs.record(stopped)
        await self.close_stream(stopped)

    async def _withdraw(self, run: Run) -> None:
        """Settle a run that waits for a life of the workbench that lasts longer than this one."""
        withdrawn = self._called_off(run)
        await self._runs.record(withdrawn)
        await self.close_stream(withdrawn)

    def _called_off(self, run: Run) -> Run:
        return run.settle(RunStatus.CANCELLED, at=self._clock(), reason=Reason.CANCELLED_BY_USER)

    async def close_stream(self, run: Run) -> None:
        """Give the stream of a settled run its last event, if a crash kept it from being written."""
        if run.id in self._live:
            return
        happened = await self._events.read(run.id)
        if happened and happened[-1].type.last:
            return
        stream = await self._events.open(run.id)
        _finish(stream, run)
        await stream.close()

    def _pump(self) -> None:
        if self._draining:
            return
        while len(self._tasks) < self._at_once and (run_id := self._next()) is not None:
            task = asyncio.create_task(self._carry_out(self._live[run_id]), name=f"run {run_id}")
            self._tasks[run_id] = task
            task.add_done_callback(functools.partial(self._ended, run_id))

    def _next(self) -> str | None:
        while self._lines:
            user, line = self._lines.popitem(last=False)
            if line:
                run_id = line.popleft()
                if line:
                    self._lines[user] = line
                return run_id
        return None

    def _ended(self, run_id: str, _: asyncio.Task[None]) -> None:
        del self._tasks[run_id]
        self._pump()

    async def _carry_out(self, live: _Live) -> None:
        try:
            settled = await self._execute(live)
        except Exception:
            log.exception("run %s could not be carried out", live.run.id)
            settled = live.run.settle(
                RunStatus.FAILED,
                at=self._clock(),
                reason=Reason.INTERNAL_ERROR,
                error={"message": "The workbench failed at its own work; its log says why."},
            )
        await self._settle(live, settled)

    async def _execute(self, live: _Live) -> Run:
        stream = live.stream = await self._events.open(live.run.id)

        async def started(isolation: str) -> None:
            # Durable before the first cell: what may have done something is never begun again.
            live.run = live.run.begin(at=self._clock(), isolation=isolation)
            await self._runs.record(live.run)
            self._watch(live.run)
            stream.append(
                EventType.RUN_STARTED,
                {"run_id": live.run.id, "test": live.run.test, "isolation": isolation},
            )
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
                task, report=report, cancel=live.call_off, started=started
            )
        finally:
            self._lending.take_back(live.run.id)
        await self._papers.write_notebook(live.run.id, outcome.notebook)
        if (tape := loan.tape) is not None:
            await self._papers.write_file(live.run.id, CASSETTE, tape)
        return self._judge(live, outcome, loan)

    async def _task(self, live: _Live, loan: Loan) -> Task:
        run, definition = live.run, live.definition
        seconds = definition.timeout_seconds or self._limits.seconds
        return Task(
            run_id=run.id,
            notebook=await self._objects.get(run.fingerprint),
            parameters=run.parameters,
            test=run.test,
            files={f.path: self._objects.path(f.fingerprint) for f in definition.files},
            kernel=definition.kernel if definition.kernel in self._kernels else OWN_KERNEL,
            limits=replace(self._limits, seconds=min(seconds, self._longest_run_seconds)),
            leave=self._papers.files_path(run.id),
            environment=loan.environment,
            relays=loan.relays,
        )

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
        )

    async def _settle(self, live: _Live, run: Run) -> None:
        """Durable first, then told: a last event is never taken back."""
        try:
            await self._record_at_last(run)
            stream = live.stream or await self._events.open(run.id)
            _finish(stream, run)
            await stream.close()
        except Unavailable:
            # What is not durable is settled, what is not told is told, at the next start.
            log.exception("run %s ended %s but the disk does not take it", run.id, run.status)
        live.run = run
        self._watch(run)
        del self._live[run.id]
        live.done.set()

    async def _record_at_last(self, run: Run) -> None:
        """Record how the run ended, however often the disk refuses while the workbench lives."""
        for pause in _PAUSES:
            try:
                await self._runs.record(run)
            except Unavailable:
                if self._draining:
                    raise
                log.warning("run %s ended %s; waiting for the disk", run.id, run.status)
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
    stream.append(_LAST_EVENT[run.status], data)
