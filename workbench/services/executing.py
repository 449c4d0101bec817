"""Executing one attempt of a run: what it is given, what is told of it, and how it has ended.

What belongs to an attempt (its number, its stream, its folder, what it was lent) dies with it, so
that nobody can speak for an attempt that has been given up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from workbench.domain.caps import Caps
from workbench.domain.definitions import Definition
from workbench.domain.events import EventType
from workbench.domain.isolation import Protection
from workbench.domain.limits import Limits
from workbench.domain.models import CASSETTE
from workbench.domain.network import NOWHERE, Reach
from workbench.domain.runs import Reason, Run, RunStatus
from workbench.errors import InvalidAgentConfig, Unavailable
from workbench.kernels import Executor, Outcome, Task
from workbench.services.judging import breach
from workbench.services.lending import Lending, Loan
from workbench.services.spending import usage_of
from workbench.store.events import Events, Stream
from workbench.store.objects import Objects
from workbench.store.papers import Papers
from workbench.store.runs import Runs

Watch = Callable[[Run], None]
"""Is told of each run that has begun, ended or is to begin again, once that is durable."""

MOST_EFFECTS = 1_000
"""How many effects of a test run are kept; its events have them all."""

# What is kept of an effect: the tool, what it was given and said, and the cell that asked.
_EFFECT = ("tool", "effects", "arguments", "text", "cell", "index")

SHELL = "WORKBENCH_RUN_SHELL"
"""What `workbench.agent.toolbox` looks for."""

OWN_KERNEL = ""
"""The workbench's own kernel, which also stands in for every Python that is not allowed here."""


@dataclass(slots=True, kw_only=True)
class Live:
    """A run this process answers for, from accepted to settled; there may be ten thousand.

    Attributes:
        call_off: What ends the attempt under way; None between attempts.
        done: Set when the run is settled, once somebody waits for that.
        called_off_for: Why it was called off, if it was; what comes to a stop with us was not.
        stream: Where the attempt under way is told of.
    """

    run: Run
    definition: Definition
    warning: str
    call_off: asyncio.Event | None = None
    done: asyncio.Event | None = None
    called_off_for: Reason | None = None
    stream: Stream | None = None


class Executing:
    """Attempts, from the stream that tells of them to the end they came to."""

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
        kernels: Collection[str],
        protection: Protection,
        watch: Watch,
        clock: Callable[[], datetime],
        boot: str,
        at: Callable[[str], None],
    ) -> None:
        """*boot* is the life of the workbench, *at* is told each point that an attempt passes."""
        self._runs = runs
        self._events = events
        self._papers = papers
        self._objects = objects
        self._executor = executor
        self._lending = lending
        self._limits = limits
        self._caps = caps
        self._kernels = frozenset(kernels)
        self._protection = protection
        self._watch = watch
        self._clock = clock
        self._boot = boot
        self._at = at

    async def execute(self, live: Live, call_off: asyncio.Event) -> Run:
        """How the next attempt of *live* has ended; it is called off when *call_off* is set."""
        live.stream = await self._events.open(live.run.id)
        self._at("run.opened")
        try:
            self._protection.check(live.definition.isolation)
        except Unavailable as error:
            return self._failed(live, Reason.ISOLATION_UNAVAILABLE, error)
        try:
            loan = await self._lending.lend(live.run, live.definition, live.stream.append)
        except InvalidAgentConfig as error:
            return self._failed(live, Reason.AGENT_ERROR, error)
        try:
            outcome = await self._carry_out(live, loan, live.stream, call_off)
        finally:
            self._lending.take_back(live.run.id)
        self._at("run.executed")
        # One wait for the disk instead of two.
        await asyncio.gather(self._keep(live.run, outcome, loan), live.stream.keep())
        self._at("run.kept")
        return self._judge(live, outcome, loan)

    async def _carry_out(
        self, live: Live, loan: Loan, stream: Stream, call_off: asyncio.Event
    ) -> Outcome:
        async def started(isolation: str) -> None:
            await self._begin(live, stream, isolation)

        def report(type: EventType, data: Mapping[str, object]) -> None:
            stream.append(type, data)
            simulated = type is EventType.TOOL_RESULT and data.get("simulated") is True
            if simulated and len(loan.effects) < MOST_EFFECTS:
                loan.effects.append({name: data[name] for name in _EFFECT if name in data})

        task = await self._task(live, loan)
        return await self._executor.execute(task, report=report, cancel=call_off, started=started)

    async def _begin(self, live: Live, stream: Stream, isolation: str) -> None:
        # Durable before the first cell: what may have done something is never begun again.
        begun = live.run.begin(at=self._clock(), isolation=isolation, boot=self._boot)
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
            warning = {"level": "warning", "message": live.warning, "fields": {}}
            stream.append(EventType.LOG, warning)

    async def _task(self, live: Live, loan: Loan) -> Task:
        run, definition = live.run, live.definition
        files = (*definition.shared, *definition.files)
        return Task(
            run_id=run.id,
            notebook=await self._objects.get(run.fingerprint),
            parameters=run.parameters,
            test=run.test,
            files={f.path: self._objects.path(f.fingerprint) for f in files},
            kernel=definition.kernel if definition.kernel in self._kernels else OWN_KERNEL,
            # A cap may have been lowered since the version was published.
            limits=self._limits.granting(definition.asked, most=self._caps.limits),
            reach=self._reach(live),
            leave=self._papers.files_path(run.id, attempt=max(run.attempt, 1)),
            environment={**loan.environment, **self._shell(live)},
        )

    def _reach(self, live: Live) -> Reach:
        """Nothing for a test run, whatever its agent asks for, nor beyond a cap lowered since."""
        allowed = live.definition.network.within(self._caps.network)
        return NOWHERE if live.run.test or not allowed else live.definition.reach

    def _shell(self, live: Live) -> Mapping[str, str]:
        """What tells the toolbox that models may have a shell."""
        return {SHELL: "1"} if live.definition.shell and self._caps.shell else {}

    async def _keep(self, run: Run, outcome: Outcome, loan: Loan) -> None:
        number = max(run.attempt, 1)
        await self._papers.write_notebook(run.id, outcome.notebook, attempt=number)
        if (tape := loan.tape) is not None:
            await self._papers.write_file(run.id, CASSETTE, tape, attempt=number)

    def _failed(self, live: Live, reason: Reason, error: Exception) -> Run:
        return live.run.settle(
            RunStatus.FAILED, at=self._clock(), reason=reason, error={"message": str(error)}
        )

    def _judge(self, live: Live, outcome: Outcome, loan: Loan) -> Run:
        status, reason, error = outcome.status, outcome.reason, outcome.error
        if status is RunStatus.CANCELLED:
            reason = live.called_off_for
            if reason is None:
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
            effects=loan.effects,
            cells=[cell.as_json() for cell in outcome.cells],
        )
