"""Earlier drafts, as rows.

The row of a draft is written when another takes its place, and the new draft's with it: so the
highest number always is the draft of today, which is no revision yet.
"""

from __future__ import annotations

from typing import Any

from workbench.domain.access import Principal, require_owner
from workbench.domain.agents import Agent
from workbench.domain.definitions import Definition, definition_from_json
from workbench.domain.paging import Page, check_limit, read_cursor, write_cursor
from workbench.domain.revisions import MOST_REVISIONS, Revision, revision_number
from workbench.errors import NotFound
from workbench.store.agents import Agents, replace_agent
from workbench.store.catalog import Catalog
from workbench.store.cells import from_json, from_moment, moment, text, to_json
from workbench.store.connection import Query
from workbench.store.objects import Objects
from workbench.store.tables import REVISIONS, Row
from workbench.store.texts import keep_text
from workbench.store.transaction import Transaction

_NEWEST = "SELECT max(number) FROM revisions WHERE agent_id = $1"
_OLD = "SELECT agent_id, number FROM revisions WHERE agent_id = $1 AND number <= $2"
_SOME = f"""
    SELECT {REVISIONS.listed} FROM revisions
    WHERE agent_id = $1 AND number < least($2, ({_NEWEST}))
    ORDER BY number DESC LIMIT $3
"""
_NO_NUMBER = 1_000_000_000
"""Higher than any."""


class Revisions:
    """The earlier drafts of all agents."""

    def __init__(self, catalog: Catalog, agents: Agents, objects: Objects) -> None:
        self._catalog = catalog
        self._agents = agents
        self._objects = objects

    async def replace(
        self, principal: Principal, was: Agent, agent: Agent, *, words: str | None = None
    ) -> Agent:
        """*agent*, once its draft stands where that of *was* stood, which is a revision then.

        *words* of the draft are what its owner finds it by; None leaves them as they are.

        Raises:
            AgentNotFound: There is none, or none that *principal* may know of.
            AgentAccessDenied: It belongs to somebody else.
            PreconditionFailed: It is no longer as it *was*.
            Unavailable: The disk does not take it.
        """

        def change(rows: Transaction) -> Agent:
            replace_agent(rows, principal, was, agent)
            newest = rows.query(_NEWEST, agent.id)[0][0]
            if newest is None:
                newest = 1
                first = _row(was, 1, was.draft, by=was.owner)
                rows.put(REVISIONS, {**first, "saved_at": from_moment(was.created_at)})
            rows.put(REVISIONS, _row(agent, newest + 1, agent.draft, by=principal.user))
            rows.delete(REVISIONS, rows.query(_OLD, agent.id, newest - MOST_REVISIONS))
            keep_text(rows, agent, draft=words)
            return agent

        return await self._catalog.transact(change, then=self._agents.learn)

    async def list(
        self, principal: Principal, agent: Agent, *, limit: int, cursor: str | None
    ) -> Page[Revision]:
        """Some earlier drafts of *agent*, newest first.

        Raises:
            AgentNotFound: There is none, or none that *principal* may know of.
            AgentAccessDenied: It belongs to somebody else.
            InvalidRequest: The limit or the cursor makes no sense.
        """
        check_limit(limit)
        below = _NO_NUMBER if cursor is None else _below(cursor)
        await self._owned(principal, agent)

        def question(ask: Query) -> list[Revision]:
            return [self._revision(found) for found in ask(_SOME, agent.id, below, limit + 1)]

        found = await self._catalog.read(question)
        more = len(found) > limit
        return Page(
            items=found[:limit], next_cursor=write_cursor(found[limit - 1].id) if more else None
        )

    async def get(self, principal: Principal, agent: Agent, revision_id: str) -> Revision:
        """One earlier draft of *agent*.

        Raises:
            AgentNotFound: There is none, or none that *principal* may know of.
            AgentAccessDenied: It belongs to somebody else.
            NotFound: It has no such revision, or none any more.
        """
        number = revision_number(revision_id)
        await self._owned(principal, agent)

        def question(ask: Query) -> Revision | None:
            found = ask(_SOME, agent.id, number + 1, 1)
            return self._revision(found[0]) if found and found[0][1] == number else None

        revision = await self._catalog.read(question)
        if revision is None:
            raise NotFound(
                f"{agent.address} has no revision {revision_id}.",
                agent=agent.address,
                revision=revision_id,
            )
        return revision

    async def _owned(self, principal: Principal, agent: Agent) -> None:
        require_owner(principal, await self._agents.by_id(principal, agent.id))

    def _revision(self, values: tuple[Any, ...]) -> Revision:
        row = REVISIONS.image(values)
        definition = definition_from_json(to_json(row["definition"]))
        return Revision(
            agent_id=text(row["agent_id"]),
            number=int(row["number"] or 0),
            definition=definition,
            size=self._objects.size(definition.fingerprint),
            saved_by=text(row["saved_by"]),
            saved_at=moment(row["saved_at"]),
        )


def _row(agent: Agent, number: int, definition: Definition, *, by: str) -> Row:
    return {
        "agent_id": agent.id,
        "number": number,
        "definition": from_json(definition.as_json()),
        "saved_by": by,
        "saved_at": from_moment(agent.updated_at),
    }


def _below(cursor: str) -> int:
    try:
        return revision_number(read_cursor(cursor, parts=1)[0])
    except NotFound:
        return 0
