"""Comparing two states of an agent: versions, or a version and the draft."""

from __future__ import annotations

import asyncio

from workbench.domain.access import Principal
from workbench.domain.agents import Agent
from workbench.domain.versions import DRAFT, check_number
from workbench.errors import IllegalMove
from workbench.notebook.compare import Comparison, Side, compare
from workbench.notebook.comparison_page import comparison_page
from workbench.notebook.document import thaw
from workbench.services.authoring import Authoring


class Comparing:
    """What is different between two states of an agent."""

    def __init__(self, *, authoring: Authoring) -> None:
        self._authoring = authoring

    async def compare(
        self,
        principal: Principal,
        agent: Agent,
        *,
        before: str | None = None,
        after: str | None = None,
    ) -> Comparison:
        """All that is different from *before*, or the current version, to *after*, or the draft.

        Raises:
            InvalidRequest: One is neither a version number nor `draft`.
            IllegalMove: Nothing is published that could be compared with.
            AgentAccessDenied: One is the draft of somebody else's agent.
            NotFound: There is no such version.
        """
        first = before or agent.current_version
        if first is None:
            raise IllegalMove(
                f"{agent.address} has no published version: say which states to compare.",
                stage=agent.stage,
            )
        one = await self._side(principal, agent, first)
        other = await self._side(principal, agent, after or DRAFT)
        # In a thread: two large notebooks take a second.
        return await asyncio.to_thread(lambda: compare(_opened(*one), _opened(*other)))

    async def page(
        self,
        principal: Principal,
        agent: Agent,
        *,
        before: str | None = None,
        after: str | None = None,
    ) -> str:
        """As `compare`, as an HTML page of its own.

        Raises:
            WorkbenchError: As `compare` does.
        """
        comparison = await self.compare(principal, agent, before=before, after=after)
        return await asyncio.to_thread(lambda: comparison_page(comparison, title=agent.address))

    async def _side(self, principal: Principal, agent: Agent, version: str) -> tuple[Side, bytes]:
        wanted = version if version == DRAFT else check_number(version)
        definition = await self._authoring.definition(principal, agent, wanted)
        content, _ = await self._authoring.notebook(principal, agent, wanted)
        return Side(label=wanted, notebook={}, definition=definition), content


def _opened(side: Side, content: bytes) -> Side:
    return Side(label=side.label, notebook=thaw(content), definition=side.definition)
