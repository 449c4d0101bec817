"""Taking up what an earlier life of the workbench left: every accepted run ends, exactly once."""

from __future__ import annotations

import asyncio
import logging

from workbench.domain.access import Principal
from workbench.domain.definitions import Definition
from workbench.domain.runs import Run, RunStatus
from workbench.domain.versions import DRAFT
from workbench.errors import HomeUnreadable, NotFound
from workbench.notebook.words import words
from workbench.services.dispatching import Dispatching
from workbench.store.agents import Agents
from workbench.store.objects import Objects
from workbench.store.runs import Runs
from workbench.store.versions import Versions

log = logging.getLogger("workbench.runs")


class Recovering:
    """What is done once, before the first request is answered."""

    def __init__(
        self,
        *,
        runs: Runs,
        agents: Agents,
        versions: Versions,
        objects: Objects,
        dispatching: Dispatching,
        administrator: Principal,
    ) -> None:
        self._runs = runs
        self._agents = agents
        self._versions = versions
        self._objects = objects
        self._dispatching = dispatching
        self._administrator = administrator

    async def recover(self, *, resume: bool = True) -> None:
        """Settle the runs that had begun, and put those that never did back into the line.

        Without *resume* those that never did stay as they are, for a life that lasts longer.
        """
        await self._read_words()
        begun = again = 0
        for run in await self._runs.unsettled():
            if run.status is RunStatus.PENDING and not resume:
                continue
            found = await self._accepted_for(run) if run.status is RunStatus.PENDING else None
            if found is None:
                await self._dispatching.abandon(run)
                begun += 1
            else:
                definition, warning = found
                self._dispatching.enqueue(run, definition, warning=warning)
                again += 1
        if begun or again:
            log.warning(
                "an earlier life ended with runs under way: %d settled as gateway_restarted,"
                " %d that had not begun are carried out now",
                begun,
                again,
            )

    async def _read_words(self) -> None:
        """Have agents found by their words that are older than looking for words is."""
        for agent in await self._agents.unread():
            said = {}
            for state, definition in (("draft", agent.draft), ("published", agent.published)):
                try:
                    content = await self._objects.get(definition.fingerprint) if definition else b""
                    said[state] = await asyncio.to_thread(words, content) if content else ""
                except (NotFound, HomeUnreadable) as error:
                    log.warning("the notebook of %s cannot be looked through: %s", agent.id, error)
                    said[state] = ""
            if any(said.values()):
                await self._agents.hear(agent, draft=said["draft"], published=said["published"])

    async def _accepted_for(self, run: Run) -> tuple[Definition, str] | None:
        """What the run was accepted for, if that still stands, and what is to be warned of.

        A draft may have moved on.
        """
        try:
            agent = await self._agents.by_id(self._administrator, run.agent_id)
            if run.version == DRAFT:
                same = agent.draft.fingerprint == run.fingerprint
                return (agent.draft, "") if same else None
            version = await self._versions.get(self._administrator, agent, run.version)
            return version.definition, version.warning
        except NotFound:
            return None
