"""Taking up what an earlier life of the workbench left: every accepted run ends, exactly once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from workbench.domain.access import Principal
from workbench.domain.definitions import Definition
from workbench.domain.runs import Reason, Run, RunStatus
from workbench.domain.versions import DRAFT
from workbench.errors import HomeUnreadable, NotFound
from workbench.notebook.words import words
from workbench.services.dispatching import Dispatching
from workbench.services.settling import Settling
from workbench.store.agents import Agents
from workbench.store.objects import Objects
from workbench.store.runs import Runs
from workbench.store.versions import Versions

log = logging.getLogger("workbench.runs")

_Found = tuple[Definition, str] | None


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
        settling: Settling,
        administrator: Principal,
        clock: Callable[[], datetime],
        boot: str,
    ) -> None:
        """Runs that begun in any other life than *boot* are taken up."""
        self._runs = runs
        self._agents = agents
        self._versions = versions
        self._objects = objects
        self._dispatching = dispatching
        self._settling = settling
        self._administrator = administrator
        self._clock = clock
        self._boot = boot
        self._known: dict[tuple[str, str, str], _Found] = {}

    async def recover(self, *, resume: bool = True) -> None:
        """Settle or give up the attempts that had begun, and put back into the line what waits.

        Without *resume* what waits stays as it is, for a life that lasts longer.
        """
        await self._read_words()
        settled = again = 0
        for run in await self._runs.unsettled():
            if run.status is RunStatus.RUNNING and run.boot == self._boot:
                continue
            if run.status is RunStatus.PENDING and not resume:
                continue
            if run.parent_id:
                await self._settling.settle(self._abandoned(run))
                settled += 1
                continue
            found = await self._accepted_for(run)
            if run.status is RunStatus.RUNNING or found is None:
                run = await self._stopped(run, found)
            if run.status.settled:
                settled += 1
            elif found is not None and resume:
                self._dispatching.enqueue(run, found[0], warning=found[1])
                again += 1
        self._known.clear()
        if settled or again:
            log.warning(
                "an earlier life ended with runs under way: %d settled as gateway_restarted,"
                " %d that had not begun, or may begin again, are carried out now",
                settled,
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

    async def _stopped(self, run: Run, found: _Found) -> Run:
        """What becomes of a run that an earlier life had begun, or that cannot begin any more.

        It may have done half of what it does, so it is begun again only if its agent says so.
        """
        end = self._cut_short(run)
        again = None if found is None else self._dispatching.lost(run, found[0], end)
        if again is not None and await self._settling.give_up(again):
            return again
        await self._settling.settle(end)
        return end

    def _cut_short(self, run: Run) -> Run:
        return run.settle(
            RunStatus.FAILED,
            at=self._clock(),
            reason=Reason.GATEWAY_RESTARTED,
            error={"message": "The workbench stopped while this run was under way."},
        )

    def _abandoned(self, run: Run) -> Run:
        """A run that was called, now that nobody waits for it: its caller ended with that life."""
        if run.status is RunStatus.RUNNING:
            return self._cut_short(run)
        return run.settle(RunStatus.CANCELLED, at=self._clock(), reason=Reason.CALLER_ENDED)

    async def _accepted_for(self, run: Run) -> _Found:
        """What the run was accepted for, if that still stands, and what is to be warned of.

        A draft may have moved on. Thousands of runs are of a few versions, each looked up once.
        """
        key = run.agent_id, run.version, run.fingerprint
        if key not in self._known:
            self._known[key] = await self._look_up(run)
        return self._known[key]

    async def _look_up(self, run: Run) -> _Found:
        try:
            agent = await self._agents.by_id(self._administrator, run.agent_id)
            if run.version == DRAFT:
                same = agent.draft.fingerprint == run.fingerprint
                return (agent.draft, "") if same else None
            version = await self._versions.get(self._administrator, agent, run.version)
            return version.definition, version.warning
        except NotFound:
            return None
