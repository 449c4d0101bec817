"""Having nothing left of an agent: its rows, its runs and what they left, its notebooks and files.

Rows go first. What a crash keeps from being removed after that lies where no row speaks of it
and no route leads to.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from workbench.domain.access import Principal, require_owner
from workbench.domain.agents import Agent
from workbench.store.agents import Agents, owned_agent
from workbench.store.catalog import Catalog
from workbench.store.connection import Rows
from workbench.store.objects import Objects
from workbench.store.papers import Papers
from workbench.store.references import marks_in, referring, spoken_of
from workbench.store.runs import Runs
from workbench.store.tables import (
    AGENT_TEXTS,
    AGENTS,
    FORMER_ADDRESSES,
    IDEMPOTENCY_KEYS,
    MODEL_CALLS,
    REVISIONS,
    RUNS,
    VERSIONS,
)
from workbench.store.transaction import Transaction
from workbench.store.versions import Versions

RUNS_AT_ONCE = 5_000
"""How many runs go in one transaction; an agent with no more goes wholly or not at all."""

_RUNS = f"SELECT id, {referring(RUNS)} FROM runs WHERE agent_id = $1 ORDER BY id LIMIT $2"
_KEYS = """
    SELECT user_name, idempotency_key FROM idempotency_keys
    WHERE run_id IN (SELECT id FROM runs WHERE agent_id = $1 ORDER BY id LIMIT $2)
"""


@dataclass(slots=True)
class _Taken:
    runs: list[str] = field(default_factory=list)
    marks: set[str] = field(default_factory=set)
    versions: list[str] = field(default_factory=list)
    whole: bool = False


class Purges:
    """Deleting agents for good."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        agents: Agents,
        versions: Versions,
        runs: Runs,
        papers: Papers,
        objects: Objects,
    ) -> None:
        self._catalog = catalog
        self._agents = agents
        self._versions = versions
        self._runs = runs
        self._papers = papers
        self._objects = objects

    async def purge(
        self, principal: Principal, agent: Agent, *, runs_at_once: int = RUNS_AT_ONCE
    ) -> None:
        """Have nothing left of *agent*.

        Raises:
            AgentNotFound: There is none, or none that *principal* may know of.
            AgentAccessDenied: It belongs to somebody else.
            IllegalMove: A run of it waits or is under way.
            Unavailable: The disk does not take it; some of its runs may be gone.
        """
        require_owner(principal, await self._agents.by_id(principal, agent.id))
        self._runs.shut(agent)
        marks: set[str] = set()
        whole = False
        try:
            while not whole:
                taken = await self._catalog.transact(
                    lambda rows: _take(rows, principal, agent, runs_at_once),
                    then=lambda taken: self._forget(agent, taken),
                )
                whole = taken.whole
                marks |= taken.marks
                await self._papers.throw_away(taken.runs)
        finally:
            if not whole:
                self._runs.reopen(agent)
        await self._throw_away(marks)

    def _forget(self, agent: Agent, taken: _Taken) -> None:
        self._runs.forget()
        if taken.whole:
            self._agents.forget(agent)
            self._versions.forget(agent, taken.versions)

    async def _throw_away(self, marks: Collection[str]) -> None:
        async def kept() -> Collection[str]:
            return await self._catalog.read(lambda ask: spoken_of(ask, marks), fresh=True)

        await self._objects.throw_away(marks, spoken_of=kept)


def _take(rows: Transaction, principal: Principal, agent: Agent, most: int) -> _Taken:
    """Take some runs of *agent* out of the rows; if they were the last, all the rest as well."""
    owned_agent(rows, principal, agent)
    taken = _Taken()
    runs = rows.query(_RUNS, agent.id, most)
    rows.delete(IDEMPOTENCY_KEYS, rows.query(_KEYS, agent.id, most))
    taken.runs = _delete(rows, taken, runs)
    if len(runs) < most:
        _take_rest(rows, agent, taken)
    return taken


def _delete(rows: Transaction, taken: _Taken, runs: Rows) -> list[str]:
    ids = [str(run[0]) for run in runs]
    rows.delete(RUNS, [(run_id,) for run_id in ids])
    taken.marks.update(mark for run in runs for mark in marks_in(run[1:]))
    return ids


def _take_rest(rows: Transaction, agent: Agent, taken: _Taken) -> None:
    for table in (VERSIONS, REVISIONS):
        keyed = ", ".join(table.key)
        found = rows.query(
            f"SELECT {keyed}, {referring(table)} FROM {table.name} WHERE agent_id = $1", agent.id
        )
        width = len(table.key)
        taken.marks.update(mark for row in found for mark in marks_in(row[width:]))
        rows.delete(table, [row[:width] for row in found])
        if table is VERSIONS:
            taken.versions = [row[1] for row in found]
    drafted = rows.query(f"SELECT {referring(AGENTS)} FROM agents WHERE id = $1", agent.id)
    taken.marks.update(mark for row in drafted for mark in marks_in(row))
    former = "SELECT owner, name FROM former_addresses WHERE agent_id = $1"
    rows.delete(FORMER_ADDRESSES, rows.query(former, agent.id))
    asked = "SELECT id FROM model_calls WHERE agent_id = $1"
    rows.delete(MODEL_CALLS, rows.query(asked, agent.id))
    rows.delete(AGENT_TEXTS, [(agent.id,)])
    rows.delete(AGENTS, [(agent.id,)])
    taken.whole = True
