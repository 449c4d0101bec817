"""Agents, as rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from workbench.domain.access import Principal, may_see_agent, require_author, require_owner
from workbench.domain.agents import Agent, Visibility
from workbench.domain.definitions import definition_from_json
from workbench.domain.paging import Page, check_limit, read_cursor, write_cursor
from workbench.domain.queries import AgentQuery
from workbench.errors import (
    AgentAccessDenied,
    AgentNotFound,
    DuplicateAgentName,
    InvalidRequest,
    PreconditionFailed,
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
from workbench.store.conditions import Condition, where
from workbench.store.connection import Query
from workbench.store.recent import Recent
from workbench.store.sight import agents_seen_by
from workbench.store.tables import AGENTS, Row
from workbench.store.texts import agents_found_by, keep_text
from workbench.store.transaction import Transaction

# Stands around each tag, so that a whole one can be looked for in all of them.
_BETWEEN = "\x1f"


class Agents:
    """Every agent the workbench remembers."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._by_id: Recent[str, Agent] = Recent()
        self._ids: Recent[tuple[str, str], str] = Recent()

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
        limit = check_limit(query.limit)
        conditions, values = where(
            [
                agents_seen_by(principal),
                Condition("archived_at IS NULL"),
                *_conditions(principal, query),
            ]
        )
        sql = (
            f"SELECT {AGENTS.listed} FROM agents WHERE {conditions}"
            f" ORDER BY created_at DESC, id DESC LIMIT {limit + 1}"
        )
        rows = await self._catalog.read(
            lambda ask: [AGENTS.image(found) for found in ask(sql, *values)]
        )
        agents = [_agent(row) for row in rows[:limit]]
        more = len(rows) > limit
        return Page(items=agents, next_cursor=_cursor(agents[-1]) if more else None)

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


def _conditions(principal: Principal, query: AgentQuery) -> Iterator[Condition]:
    if query.name is not None:
        yield Condition("name = {}", (query.name,))
    if query.owner is not None:
        yield Condition("owner = {}", (query.owner,))
    if query.text is not None:
        yield agents_found_by(principal, query.text)
    if query.tag is not None:
        yield Condition("strpos(tags, {}) > 0", (_tags([query.tag]),))
    if query.cursor is not None:
        created_at, agent_id = read_cursor(query.cursor, parts=2)
        try:
            moment(created_at)
        except ValueError:
            raise InvalidRequest("cursor must be the next_cursor of an earlier page.") from None
        yield Condition("(created_at, id) < (CAST({} AS TIMESTAMP), {})", (created_at, agent_id))


def _cursor(agent: Agent) -> str:
    return write_cursor(from_moment(agent.created_at) or "", agent.id)


def _tags(tags: object) -> str:
    assert isinstance(tags, list | tuple)
    return "".join(f"{_BETWEEN}{tag}{_BETWEEN}" for tag in tags)


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
        "tags": _tags(agent.face.tags),
        "created_at": from_moment(agent.created_at),
        "updated_at": from_moment(agent.updated_at),
        "archived_at": from_moment(agent.archived_at),
    }


def _agent(row: Row) -> Agent:
    published = row["published"]
    return Agent(
        id=text(row["id"]),
        owner=text(row["owner"]),
        name=text(row["name"]),
        description=text(row["description"]),
        draft=definition_from_json(to_json(row["draft"])),
        current_version=text_or_none(row["current_version"]),
        published=definition_from_json(to_json(published)) if published is not None else None,
        visibility=Visibility(text(row["visibility"])),
        metadata=to_json(row["metadata"]),
        created_at=moment(row["created_at"]),
        updated_at=moment(row["updated_at"]),
        archived_at=to_moment(row["archived_at"]),
    )
