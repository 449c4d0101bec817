"""A run that calls another agent and waits for what it gives back.

What it calls is a run of its own, with its own kernel, walls and record. It is carried out in the
place of its caller, spends from its caller's budget besides its own, and ends with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from workbench.domain.access import Principal, Role, may_see_agent
from workbench.domain.agents import Agent
from workbench.domain.events import EventType
from workbench.domain.models import Mode
from workbench.domain.runs import Run
from workbench.errors import (
    AgentNotFound,
    IllegalMove,
    InsufficientPermissions,
    ResourceExhausted,
    Unauthenticated,
)
from workbench.services.authoring import Authoring
from workbench.services.executing import MOST_EFFECTS
from workbench.services.lending import Lending, Loan
from workbench.services.running import Order, Running

MOST_DEEP = 5
"""How many runs may wait for each other, one calling the next."""

# What is recorded for, or replayed from, one agent's cassette says nothing to another agent.
_INHERITED = frozenset({Mode.LIVE, Mode.SCRIPTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a run wants another agent to do.

    Attributes:
        owner: Whose agent.
        name: Which of theirs.
        parameters: Values by name.
        version: A number, `draft` in a test run, or None for what callers meet.
    """

    owner: str
    name: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    version: str | None = None


class Calling:
    """Calls of runs to agents."""

    def __init__(self, authoring: Authoring, running: Running, lending: Lending) -> None:
        self._authoring = authoring
        self._running = running
        self._lending = lending

    async def callee(self, principal: Principal, run_id: str, owner: str, name: str) -> Agent:
        """The agent `owner/name`, if the run *run_id*, which asks, may call it.

        Both must see it: the user for whom the run is, and the owner of the agent that runs. So
        nobody's notebook reaches what is its caller's alone.

        Raises:
            NotFound: Somebody asks who may not know of that run.
            InsufficientPermissions: Somebody else asks than that run.
            Unauthenticated: The run has ended.
            AgentNotFound: There is none that both may know of.
        """
        asking = await self._asking(principal, run_id)
        author = Principal(user=asking.run.owner, role=Role.VIEWER)
        agent = await self._authoring.get(principal, owner, name)
        if not may_see_agent(author, agent):
            raise AgentNotFound(f"There is no agent {agent.address}.", agent=agent.address)
        return agent

    async def call(
        self, principal: Principal, run_id: str, errand: Errand, *, ends: asyncio.Event
    ) -> Run:
        """The run of the agent that was called, settled; when *ends* is set, nobody waits for it.

        Raises:
            NotFound: Somebody asks who may not know of that run.
            InsufficientPermissions: Somebody else asks than that run.
            Unauthenticated: The run has ended.
            AgentNotFound: There is none that both may know of.
            IllegalMove: The agent is waiting for this very run, or cannot be run so.
            InvalidInput: The parameters are not those the version declares.
            ResourceExhausted: So many runs wait for each other already.
            NotFound: There is no such version.
            Unavailable: The workbench is about to stop, or keeps runs apart less than it needs.
        """
        agent = await self.callee(principal, run_id, errand.owner, errand.name)
        loan = await self._asking(principal, run_id)
        _check(loan, agent)
        order = Order(
            parameters=errand.parameters,
            version=errand.version,
            test=loan.run.test,
            model=loan.mode if loan.run.model in _INHERITED else None,
            caller=run_id,
        )
        called = await self._running.accept(principal, agent, order)
        said = {"run_id": called.id, "agent": agent.address}
        message = f"calls {agent.address}"
        loan.tell(EventType.LOG, {"level": "info", "message": message, "fields": said})
        run = await self._end_of(principal, called, loan, ends)
        room = MOST_EFFECTS - len(loan.effects)
        loan.effects += [{**effect, "run_id": run.id} for effect in run.effects[:room]]
        return run

    async def _asking(self, principal: Principal, run_id: str) -> Loan:
        loan = self._lending.of(principal)
        if loan is None or loan.run.id != run_id:
            await self._running.get(principal, run_id)  # nobody hears of what they may not see
            raise InsufficientPermissions("Only a run itself can call agents from there.")
        return loan

    async def _end_of(
        self, principal: Principal, called: Run, loan: Loan, ends: asyncio.Event
    ) -> Run:
        settled = asyncio.ensure_future(self._running.get(principal, called.id, wait_seconds=None))
        ended = asyncio.ensure_future(ends.wait())
        try:
            # The caller may have ended while the run was being accepted.
            if self._lending.of(principal) is loan:
                await asyncio.wait({settled, ended}, return_when=asyncio.FIRST_COMPLETED)
        except Unauthenticated:
            pass  # it has
        finally:
            ended.cancel()
            if not settled.done():
                await self._running.hang_up(called.id)
        return await settled


def _check(loan: Loan, agent: Agent) -> None:
    chain = loan.chain
    waiting = [each.run for each in reversed(chain)]
    if any(run.agent_id == agent.id for run in waiting):
        way = " → ".join([run.address for run in waiting] + [agent.address])
        raise IllegalMove(f"{agent.address} would wait for itself: {way}.", agent=agent.address)
    if len(chain) >= MOST_DEEP:
        raise ResourceExhausted(f"{MOST_DEEP} runs wait for each other already.", most=MOST_DEEP)
