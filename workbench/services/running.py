"""Start a run, follow it, call it off; carrying it out is `workbench.services.dispatching`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from workbench.domain.access import Principal, require_owner
from workbench.domain.agents import Agent
from workbench.domain.definitions import Definition
from workbench.domain.events import Event
from workbench.domain.isolation import Protection
from workbench.domain.models import Mode
from workbench.domain.paging import Page
from workbench.domain.parameters import accept, from_text
from workbench.domain.queries import RunQuery
from workbench.domain.runs import Run
from workbench.domain.versions import DRAFT, Stage, check_number
from workbench.errors import IllegalMove, InvalidInput, NotFound
from workbench.services.dispatching import Dispatching
from workbench.services.equipping import Equipping
from workbench.services.judging import check_values
from workbench.store.events import Events
from workbench.store.papers import Papers, RunFile
from workbench.store.runs import Idempotency, Runs
from workbench.store.versions import Versions

# Faces make idempotency keys, but may not see the store.
__all__ = ["Idempotency", "Order", "Running"]

PYTHON = "python"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody wants to be run.

    Attributes:
        parameters: Values by name.
        texts: Values by name as texts of a query or a command line, read by the declared types.
        test: Whether it shall be a test run.
        version: A number, `draft`, or None for what callers meet.
        model: Where the answers of its language model shall come from; None is the usual: the
            model itself, in test runs the agent's cassette or else the scripted model.
        key: The caller's idempotency key with the fingerprint of the request it came with.
        caller: The run that calls, in whose place it is carried out; empty if somebody asks.
    """

    parameters: Mapping[str, object] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    test: bool = False
    version: str | None = None
    model: Mode | None = None
    key: Idempotency | None = None
    caller: str = ""


class Running:
    """Runs, from asked-for to settled."""

    def __init__(
        self,
        *,
        runs: Runs,
        versions: Versions,
        events: Events,
        papers: Papers,
        dispatching: Dispatching,
        equipping: Equipping,
        protection: Protection,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._runs = runs
        self._versions = versions
        self._events = events
        self._papers = papers
        self._dispatching = dispatching
        self._equipping = equipping
        self._protection = protection
        self._clock = clock
        self._new_id = new_id

    async def accept(self, principal: Principal, agent: Agent, order: Order) -> Run:
        """A run that is durable: whatever dies from now on, it ends exactly once.

        A repeated idempotency key gives the run it made the first time.

        Raises:
            InvalidInput: The parameters are not those the version declares.
            IllegalMove: A draft outside a test run, or a version or agent that is archived.
            AgentAccessDenied: The draft of somebody else's agent.
            InvalidAgentConfig: The draft uses an agent that is not there.
            NotFound: There is no such version.
            ResourceExhausted: Too many runs are waiting.
            IdempotencyMismatch: The key came with another request before.
            Unavailable: The workbench is about to stop, or keeps runs apart less than this one needs.
        """
        run, _ = await self.take(principal, agent, order)
        return run

    async def take(self, principal: Principal, agent: Agent, order: Order) -> tuple[Run, bool]:
        """As `accept`, and whether the run had been made by an earlier request with that key.

        Raises:
            WorkbenchError: As `accept` does.
        """
        number, definition, warning = await self._resolve(principal, agent, order)
        self._protection.check(definition.isolation)
        _check_model(definition, order)
        parameters = _values(definition, order)
        run = Run(
            id=self._new_id(),
            agent_id=agent.id,
            owner=agent.owner,
            agent_name=agent.name,
            version=number,
            fingerprint=definition.fingerprint,
            user=principal.user,
            parameters=parameters,
            test=order.test,
            model=order.model,
            parent_id=order.caller,
            created_at=self._clock(),
        )
        with self._dispatching.place(principal.user, caller=order.caller):
            return await self._runs.accept(
                run,
                key=order.key,
                then=lambda run: self._dispatching.enqueue(run, definition, warning=warning),
            )

    async def get(
        self, principal: Principal, run_id: str, *, wait_seconds: float | None = 0.0
    ) -> Run:
        """The run, at once or when it has settled, but not later than *wait_seconds*.

        None waits for as long as it takes; the run's own deadline bounds that.

        Raises:
            NotFound: There is none the asker may know of.
        """
        run = await self._runs.get(principal, run_id)
        if run.status.settled or wait_seconds == 0:
            return run
        try:
            async with asyncio.timeout(wait_seconds):
                await self._dispatching.settled(run_id)
        except TimeoutError:
            pass  # as it stands now is the answer then
        return await self._runs.get(principal, run_id)

    async def equipped(self, principal: Principal, draft: Definition) -> Definition:
        """*draft* with the skills and personas of others that it uses, as its test runs have them.

        Raises:
            InvalidAgentConfig: It uses an agent that is not there.
        """
        return await self._equipping.equipped(principal, draft)

    @property
    def epoch(self) -> int:
        """As long as it is the same number, every list of runs reads as before."""
        return self._runs.epoch

    async def list(self, principal: Principal, query: RunQuery) -> Page[Run]:
        """The runs the asker may know of, newest first."""
        return await self._runs.list(principal, query)

    async def cancel(self, principal: Principal, run_id: str) -> Run:
        """The run, called off if it had not ended; doing so twice is doing so once.

        Raises:
            NotFound: There is none the asker may know of.
        """
        run = await self._runs.get(principal, run_id)
        if run.status.settled:
            return run
        await self._dispatching.cancel(run)
        return await self._runs.get(principal, run_id)

    async def hang_up(self, run_id: str) -> None:
        """End a run that was called by another, which does not wait for it any more."""
        await self._dispatching.hang_up(run_id)

    async def events(
        self, principal: Principal, run_id: str, *, after: int = 0
    ) -> AsyncIterator[Event]:
        """What happened and happens during the run, from event *after* + 1 to its last.

        Raises:
            NotFound: There is no run the asker may know of.
        """
        run = await self._runs.get(principal, run_id)
        if run.status.settled:
            await self._dispatching.close_stream(run)
        return self._events.follow(run.id, after=after)

    async def happened(self, principal: Principal, run_id: str) -> Sequence[Event]:
        """What has happened during the run so far.

        Raises:
            NotFound: There is no run the asker may know of.
        """
        run = await self._runs.get(principal, run_id)
        happened = await self._events.read(run.id)
        if run.status.settled and not (happened and happened[-1].type.last):
            await self._dispatching.close_stream(run)
            happened = await self._events.read(run.id)
        return happened

    async def notebook(
        self, principal: Principal, run_id: str, *, attempt: int | None = None
    ) -> bytes:
        """The notebook that the run's last attempt executed, or that one.

        Raises:
            NotFound: There is no run the asker may know of, or it never left a notebook.
        """
        run = await self._runs.get(principal, run_id)
        return await self._papers.notebook(run.id, attempt=_attempt(run, attempt))

    async def files(
        self, principal: Principal, run_id: str, *, attempt: int | None = None
    ) -> Sequence[RunFile]:
        """The files that the run's last attempt left, or that one, by path.

        Raises:
            NotFound: There is no run the asker may know of, or no such attempt.
        """
        run = await self._runs.get(principal, run_id)
        return await self._papers.files(run.id, attempt=_attempt(run, attempt))

    async def file(
        self, principal: Principal, run_id: str, path: str, *, attempt: int | None = None
    ) -> BinaryIO:
        """One file that the run's last attempt left, or that one, open for reading.

        Raises:
            NotFound: There is no such run, attempt or file.
        """
        run = await self._runs.get(principal, run_id)
        return await self._papers.open_file(run.id, path, attempt=_attempt(run, attempt))

    async def _resolve(
        self, principal: Principal, agent: Agent, order: Order
    ) -> tuple[str, Definition, str]:
        if agent.archived_at is not None:
            raise IllegalMove(
                f"{agent.address} is archived, so it cannot be run.", stage="archived"
            )
        wanted = order.version or agent.current_version or DRAFT
        if wanted == DRAFT:
            require_owner(principal, agent)
            if not order.test:
                raise IllegalMove(
                    f"{agent.address} {_why_draft(agent)}: ask for a test run, or publish it.",
                    stage=agent.stage,
                )
            return DRAFT, await self.equipped(principal, agent.draft), ""
        version = await self._versions.get(principal, agent, check_number(wanted))
        if version.stage is Stage.ARCHIVED:
            raise IllegalMove(f"Version {wanted} is archived, so it cannot be run.", version=wanted)
        return wanted, version.definition, version.warning


def _attempt(run: Run, wanted: int | None) -> int:
    last = max(run.attempt, 1)
    if wanted is not None and not 1 <= wanted <= last:
        raise NotFound(f"Run {run.id} has no attempt {wanted}.", run_id=run.id, attempt=wanted)
    return wanted or last


def _why_draft(agent: Agent) -> str:
    return "has no published version" if agent.current_version is None else "is asked for as draft"


def _check_model(definition: Definition, order: Order) -> None:
    if order.model is not None and definition.language != PYTHON:
        raise InvalidInput(
            f"The notebook is in {definition.language}: only kernels of Python have a way to"
            " language models.",
            field="model",
        )


def _values(definition: Definition, order: Order) -> dict[str, object]:
    given = {**from_text(definition.parameters, order.texts), **order.parameters}
    values = accept(definition.parameters, given)
    check_values(definition, values)
    return values
