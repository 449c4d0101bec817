"""Agents, as rows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

from workbench.domain.access import Principal, may_see_agent, require_author, require_owner
from workbench.domain.agents import Agent, Visibility
from workbench.domain.definitions import definition_from_json
from workbench.domain.paging import Page, check_limit, write_cursor
from workbench.domain.queries import AgentQuery
from workbench.errors import (
    AgentAccessDenied,
    AgentNotFound,
    DuplicateAgentName,
    PreconditionFailed,
    Unavailable,
)
from workbench.store.addresses import claim_address, leave_address
from workbench.store.catalog import Catalog
from workbench.store.cells import (
    from_json,
    from_moment,
    moment,
    text,
    text_or_none,
    to_json,
    to_moment,
)
from workbench.store.conditions import Condition, place, where
from workbench.store.connection import Query
from workbench.store.directory import Directory
from workbench.store.recent import Recent
from workbench.store.tables import AGENT_TEXTS, AGENTS, Row, check_text
from workbench.store.tags import tags_cell
from workbench.store.texts import keep_text
from workbench.store.transaction import Transaction

MOST_KEPT = 16_384
"""How many agents are kept in memory as they stand; each takes some five kilobytes."""
_TEXTS_AT_ONCE = 100

_TEXTS = f"""
    SELECT {AGENT_TEXTS.listed} FROM agent_texts WHERE agent_id > $1
    ORDER BY agent_id LIMIT {_TEXTS_AT_ONCE}
"""


class Agents:
    """Every agent the workbench remembers."""

    def __init__(self, catalog: Catalog, directory: Directory) -> None:
        self._catalog = catalog
        self._directory = directory
        self._by_id: Recent[str, Agent] = Recent(limit=MOST_KEPT)
        self._ids: Recent[tuple[str, str], str] = Recent(limit=MOST_KEPT)
        self._reading: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Have the directory of all agents; once, before anything else.

        What their notebooks say is read meanwhile.
        """
        sql = f"SELECT {AGENTS.listed} FROM agents ORDER BY created_at, id"

        def enter(ask: Query) -> None:
            for found in ask(sql):
                self._directory.enter(AGENTS.image(found))

        await self._catalog.read(enter)
        self._reading = asyncio.create_task(self._read_texts())

    async def close(self) -> None:
        """Read no further."""
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError, Unavailable):
                await self._reading

    async def create(self, principal: Principal, agent: Agent, *, words: str = "") -> Agent:
        """*agent*, once it is kept; *words* of its draft are what its owner finds it by.

        Raises:
            InsufficientPermissions: *principal* may not have agents.
            AgentAccessDenied: It would belong to somebody else.
            DuplicateAgentName: Its owner has one of that name, be it archived.
            Unavailable: The disk does not take it.
        """
        require_author(principal)
        require_owner(principal, agent)

        def change(rows: Transaction) -> Agent:
            if rows.row(AGENTS, agent.id) is not None:
                raise DuplicateAgentName(f"There is an agent {agent.id} already.")
            _refuse_taken_name(rows, agent)
            rows.put(AGENTS, _row(agent))
            keep_text(rows, agent, draft=words)
            claim_address(rows, agent)
            return agent

        return await self._catalog.transact(change, then=self.learn)

    async def get(self, principal: Principal, owner: str, name: str) -> Agent:
        """The agent *owner*/*name* as it stands.

        Raises:
            AgentNotFound: There is none, or none that *principal* may know of.
        """
        known = self._ids.get((owner, name))
        agent = self._by_id.get(known) if known else None
        if agent is None:
            agent = await self._read(
                Condition("owner = {} AND name = {}", (owner, name)), f"{owner}/{name}"
            )
        return _seen(principal, agent, f"{owner}/{name}")

    async def by_id(self, principal: Principal, agent_id: str) -> Agent:
        """The agent with that id as it stands.

        Raises:
            AgentNotFound: There is none, or none that *principal* may know of.
        """
        agent = self._by_id.get(agent_id)
        if agent is None:
            agent = await self._read(Condition("id = {}", (agent_id,)), agent_id)
        return _seen(principal, agent, agent_id)

    async def list(self, principal: Principal, query: AgentQuery) -> Page[Agent]:
        """The agents in use that *query* asks for and *principal* may see, newest first.

        Raises:
            InvalidRequest: The limit or the cursor makes no sense.
        """
        check_limit(query.limit)
        for asked in (query.name, query.owner, query.text, query.tag):
            check_text(asked or "")
        below = None if query.cursor is None else place(query.cursor)
        if query.text:
            await self._have_texts()
        ids, more = self._directory.page(principal, query, below)
        found = await self._some(ids)
        # The directory may know of a change a moment before the agents that are kept here do.
        seen = [a for a in found if may_see_agent(principal, a) and a.archived_at is None]
        last = self._directory.place(ids[-1]) if more else None
        return Page(items=seen, next_cursor=write_cursor(*last) if last else None)

    async def replace(self, principal: Principal, was: Agent, agent: Agent) -> Agent:
        """*agent*, once it stands where *was* stood.

        Raises:
            AgentNotFound: There is none, or none that *principal* may know of.
            AgentAccessDenied: It belongs, or would belong, to somebody else.
            PreconditionFailed: It is no longer as it *was*.
            DuplicateAgentName: Its owner has another of its new name.
            Unavailable: The disk does not take it.
        """

        def change(rows: Transaction) -> Agent:
            replace_agent(rows, principal, was, agent)
            return agent

        return await self._catalog.transact(change, then=self.learn)

    async def unread(self) -> Sequence[Agent]:
        """The agents whose notebooks nobody has looked through for words."""
        sql = (
            f"SELECT {AGENTS.listed} FROM agents"
            " WHERE id NOT IN (SELECT agent_id FROM agent_texts) ORDER BY id"
        )
        return await self._catalog.read(
            lambda ask: [_agent(AGENTS.image(found)) for found in ask(sql)]
        )

    async def hear(self, agent: Agent, *, draft: str, published: str) -> None:
        """Have *agent* found by these words of its notebooks, if nobody has kept any meanwhile.

        Raises:
            Unavailable: The disk does not take it.
        """

        def change(rows: Transaction) -> None:
            if rows.row(AGENTS, agent.id) and not rows.row(AGENT_TEXTS, agent.id):
                keep_text(rows, agent, draft=draft, published=published)

        await self._catalog.transact(change)

    async def moved(
        self, principal: Principal, owner: str, name: str, *, since: datetime
    ) -> Agent | None:
        """The agent that was called *owner*/*name* until *since* or later, if *principal* may see it."""
        sql = (
            "SELECT agent_id FROM former_addresses"
            " WHERE owner = $1 AND name = $2 AND left_at >= CAST($3 AS TIMESTAMP)"
        )
        found = await self._catalog.read(lambda ask: ask(sql, owner, name, from_moment(since)))
        if not found:
            return None
        try:
            return await self.by_id(principal, found[0][0])
        except AgentNotFound:
            return None

    @property
    def epoch(self) -> int:
        """Another number whenever an agent was written since: lists may read otherwise now."""
        return self._by_id.epoch

    def forget(self, agent: Agent) -> None:
        """Take note that *agent* is gone."""
        self._by_id.drop(agent.id)
        self._ids.drop((agent.owner, agent.name))

    def learn(self, agent: Agent) -> None:
        """Take note that *agent* has just been written."""
        before = self._by_id.get(agent.id)
        if before is not None and before.address != agent.address:
            self._ids.drop((before.owner, before.name))
        self._by_id.write(agent.id, agent)
        self._ids.write((agent.owner, agent.name), agent.id)

    async def _some(self, ids: Sequence[str]) -> Sequence[Agent]:
        """Those of *ids* that there are, in their order."""
        kept = {agent_id: self._by_id.get(agent_id) for agent_id in ids}
        missing = [agent_id for agent_id, agent in kept.items() if agent is None]
        if missing:
            epoch = self._by_id.epoch
            conditions, values = where([Condition("id IN (SELECT unnest({}))", (missing,))])
            sql = f"SELECT {AGENTS.listed} FROM agents WHERE {conditions}"

            def question(ask: Query) -> Sequence[Agent]:
                return [_agent(AGENTS.image(found)) for found in ask(sql, *values)]

            for agent in await self._catalog.read(question):
                self._by_id.learn(agent.id, agent, epoch=epoch)
                kept[agent.id] = agent
        return [agent for agent in kept.values() if agent is not None]

    async def _have_texts(self) -> None:
        """Wait until all notebooks' words are read.

        Raises:
            Unavailable: The index does not answer.
        """
        reading = self._reading
        if reading is None or (reading.done() and reading.exception() is not None):
            reading = self._reading = asyncio.create_task(self._read_texts())
        await asyncio.shield(reading)

    async def _read_texts(self) -> None:
        last: str | None = ""
        while last is not None:
            last = await self._catalog.read(partial(self._hear, last))

    def _hear(self, last: str, ask: Query) -> str | None:
        """Have some more texts, behind that of the agent *last*; whose was the last, if any is left."""
        rows = [AGENT_TEXTS.image(found) for found in ask(_TEXTS, last)]
        for row in rows:
            self._directory.hear(row, late=True)
        return text(rows[-1]["agent_id"]) if len(rows) == _TEXTS_AT_ONCE else None

    async def _read(self, condition: Condition, wanted: str) -> Agent:
        epoch, ids_epoch = self._by_id.epoch, self._ids.epoch
        conditions, values = where([condition])
        sql = f"SELECT {AGENTS.listed} FROM agents WHERE {conditions}"

        def question(ask: Query) -> Agent | None:
            found = ask(sql, *values)
            return _agent(AGENTS.image(found[0])) if found else None

        agent = await self._catalog.read(question)
        if agent is None:
            raise _unknown(wanted)
        self._by_id.learn(agent.id, agent, epoch=epoch)
        self._ids.learn((agent.owner, agent.name), agent.id, epoch=ids_epoch)
        return agent


def replace_agent(rows: Transaction, principal: Principal, was: Agent, agent: Agent) -> None:
    """Put *agent* where *was* stands, inside the transaction *rows*.

    Raises:
        AgentNotFound: There is none, or none that *principal* may know of.
        AgentAccessDenied: It belongs, or would belong, to somebody else.
        PreconditionFailed: It is no longer as it *was*.
        DuplicateAgentName: Its owner has another of its new name.
    """
    if was.id != agent.id:
        raise ValueError("an agent keeps its id")
    stored = owned_agent(rows, principal, was)
    if agent.owner != stored.owner:
        raise AgentAccessDenied(f"{stored.address} stays with {stored.owner}.")
    if _row(stored) != _row(was):
        raise PreconditionFailed(
            f"{stored.address} was changed meanwhile; read it again.", agent=stored.address
        )
    if agent.name != stored.name:
        _refuse_taken_name(rows, agent)
        leave_address(rows, stored, at=agent.updated_at)
        claim_address(rows, agent)
    rows.put(AGENTS, _row(agent))


def owned_agent(rows: Transaction, principal: Principal, agent: Agent) -> Agent:
    """*agent* as it stands inside the transaction *rows*, for those who may change it.

    Raises:
        AgentNotFound: There is none, or none that *principal* may know of.
        AgentAccessDenied: It belongs to somebody else.
    """
    row = rows.row(AGENTS, agent.id)
    if row is None:
        raise _unknown(agent.address)
    stored = _seen(principal, _agent(row), agent.address)
    require_owner(principal, stored)
    return stored


def _refuse_taken_name(rows: Transaction, agent: Agent) -> None:
    sql = "SELECT id FROM agents WHERE owner = $1 AND name = $2"
    if rows.query(sql, agent.owner, agent.name):
        raise DuplicateAgentName(
            f"{agent.owner} has an agent {agent.name!r} already; choose another name.",
            agent=agent.address,
        )


def _seen(principal: Principal, agent: Agent, wanted: str) -> Agent:
    if not may_see_agent(principal, agent):
        raise _unknown(wanted)
    return agent


def _unknown(wanted: str) -> AgentNotFound:
    return AgentNotFound(f"There is no agent {wanted!r}.", agent=wanted)


def _row(agent: Agent) -> Row:
    return {
        "id": agent.id,
        "owner": agent.owner,
        "name": agent.name,
        "description": agent.description,
        "draft": from_json(agent.draft.as_json()),
        "current_version": agent.current_version,
        "published": from_json(agent.published.as_json()) if agent.published else None,
        "visibility": str(agent.visibility),
        "metadata": from_json(dict(agent.metadata)),
        "tags": tags_cell(agent.face.tags),
        "created_at": from_moment(agent.created_at),
        "updated_at": from_moment(agent.updated_at),
        "archived_at": from_moment(agent.archived_at),
    }


def _agent(row: Row) -> Agent:
    published = row["published"]
    draft = definition_from_json(to_json(row["draft"]))
    face = None
    if published is not None:
        # Most drafts are what is published: one is enough to keep.
        face = draft if published == row["draft"] else definition_from_json(to_json(published))
    return Agent(
        id=text(row["id"]),
        owner=text(row["owner"]),
        name=text(row["name"]),
        description=text(row["description"]),
        draft=draft,
        current_version=text_or_none(row["current_version"]),
        published=face,
        visibility=Visibility(text(row["visibility"])),
        metadata=to_json(row["metadata"]),
        created_at=moment(row["created_at"]),
        updated_at=moment(row["updated_at"]),
        archived_at=to_moment(row["archived_at"]),
    )
