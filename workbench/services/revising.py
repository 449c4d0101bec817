"""Revising: a draft gives way to another, and can be brought back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from workbench.domain.access import Principal, require_owner
from workbench.domain.agents import Agent
from workbench.domain.definitions import Definition
from workbench.domain.paging import PAGE, Page
from workbench.domain.revisions import Revision
from workbench.notebook.words import words
from workbench.store.agents import Agents
from workbench.store.objects import Objects
from workbench.store.revisions import Revisions


class Revising:
    """The earlier drafts of agents."""

    def __init__(
        self,
        *,
        agents: Agents,
        revisions: Revisions,
        objects: Objects,
        clock: Callable[[], datetime],
    ) -> None:
        self._agents = agents
        self._revisions = revisions
        self._objects = objects
        self._clock = clock

    async def redraft(
        self,
        principal: Principal,
        agent: Agent,
        definition: Definition,
        *,
        content: bytes | None = None,
    ) -> Agent:
        """The agent with *definition* as its draft; the draft before is a revision from now on.

        *content* is the notebook, if it is another one. The same draft again makes no revision.

        Raises:
            AgentAccessDenied: It belongs to somebody else.
            PreconditionFailed: It was changed by somebody else meanwhile.
        """
        require_owner(principal, agent)
        if definition == agent.draft:
            # Nothing is to be kept, but whoever saves must hear that somebody else was faster.
            return await self._agents.replace(principal, agent, agent)
        said = None if content is None else await asyncio.to_thread(words, content)
        changed = replace(agent, draft=definition, updated_at=self._clock())
        return await self._revisions.replace(principal, agent, changed, words=said)

    async def list(
        self, principal: Principal, agent: Agent, *, limit: int = PAGE, cursor: str | None = None
    ) -> Page[Revision]:
        """The earlier drafts, newest first.

        Raises:
            AgentAccessDenied: The agent belongs to somebody else.
            InvalidRequest: The limit or the cursor makes no sense.
        """
        return await self._revisions.list(principal, agent, limit=limit, cursor=cursor)

    async def notebook(
        self, principal: Principal, agent: Agent, revision_id: str
    ) -> tuple[Revision, bytes]:
        """An earlier draft and its notebook.

        Raises:
            AgentAccessDenied: The agent belongs to somebody else.
            NotFound: There is no such revision, or none any more.
        """
        revision = await self._revisions.get(principal, agent, revision_id)
        return revision, await self._objects.get(revision.definition.fingerprint)

    async def bring_back(self, principal: Principal, agent: Agent, revision_id: str) -> Agent:
        """The agent with an earlier draft, files included, as its draft again.

        Raises:
            AgentAccessDenied: It belongs to somebody else.
            NotFound: There is no such revision, or none any more.
            PreconditionFailed: It was changed by somebody else meanwhile.
        """
        async with self._objects.referring():
            revision, content = await self.notebook(principal, agent, revision_id)
            return await self.redraft(principal, agent, revision.definition, content=content)
