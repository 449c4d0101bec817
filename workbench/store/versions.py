"""Published versions, as rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from workbench.domain.access import Principal
from workbench.domain.agents import Agent
from workbench.domain.definitions import definition_from_json
from workbench.domain.paging import Page, check_limit, read_cursor, write_cursor
from workbench.domain.versions import Stage, Version, check_number, order
from workbench.errors import IllegalMove, NotFound, VersionConflict
from workbench.store.agents import Agents, owned_agent, replace_agent
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
from workbench.store.connection import Query
from workbench.store.recent import Recent
from workbench.store.tables import VERSIONS, Row
from workbench.store.texts import keep_text
from workbench.store.transaction import Transaction

_ONE = f"SELECT {VERSIONS.listed} FROM versions WHERE agent_id = $1 AND number = $2"
_ALL = f"SELECT {VERSIONS.listed} FROM versions WHERE agent_id = $1"
_NUMBERS = "SELECT number FROM versions WHERE agent_id = $1"


class Versions:
    """Every version that was ever published."""

    def __init__(self, catalog: Catalog, agents: Agents) -> None:
        self._catalog = catalog
        self._agents = agents
        self._recent: Recent[tuple[str, str], Version] = Recent()

    async def publish(
        self, principal: Principal, was: Agent, agent: Agent, version: Version, *, words: str = ""
    ) -> Version:
        """*version*, once it is kept and *agent* stands where *was* stood; both or neither.

        *words* are what everybody who may see the agent finds it by, in lower case.

        Raises:
            AgentNotFound: There is no such agent, or none that *principal* may know of.
            AgentAccessDenied: The agent belongs to somebody else.
            PreconditionFailed: The agent is no longer as it *was*.
            VersionConflict: It has a version of that number.
            Unavailable: The disk does not take it.
        """
        if version.agent_id != agent.id:
            raise ValueError("a version belongs to the agent it is published with")

        def change(rows: Transaction) -> Version:
            replace_agent(rows, principal, was, agent)
            if rows.row(VERSIONS, version.agent_id, version.number) is not None:
                raise VersionConflict(
                    f"{agent.address} has a version {version.number} already.",
                    agent=agent.address,
                    version=version.number,
                )
            rows.put(VERSIONS, _row(version))
            keep_text(rows, agent, published=words)
            return version

        def learn(published: Version) -> None:
            self._agents.learn(agent)
            self._recent.write((published.agent_id, published.number), published)

        return await self._catalog.transact(change, then=learn)

    async def point(
        self, principal: Principal, was: Agent, agent: Agent, *, words: str = ""
    ) -> Agent:
        """*agent*, which points to another of its versions, once it stands where *was* stood.

        *words* are what everybody who may see the agent finds it by, in lower case.

        Raises:
            AgentNotFound: There is no such agent, or none that *principal* may know of.
            AgentAccessDenied: The agent belongs to somebody else.
            PreconditionFailed: The agent is no longer as it *was*.
            NotFound: It has no version of that number.
            IllegalMove: That version is archived.
            Unavailable: The disk does not take it.
        """

        def change(rows: Transaction) -> Agent:
            replace_agent(rows, principal, was, agent)
            version = _stored(rows, agent, str(agent.current_version))
            if version.stage is Stage.ARCHIVED:
                raise IllegalMove(
                    f"Version {version.number} is archived, so nobody can be given it.",
                    version=version.number,
                )
            keep_text(rows, agent, published=words)
            return agent

        return await self._catalog.transact(change, then=self._agents.learn)

    async def move(
        self,
        principal: Principal,
        agent: Agent,
        number: str,
        to: Stage,
        *,
        at: datetime,
        note: str = "",
    ) -> Version:
        """The version *number* of *agent*, once it stands in the stage *to*.

        Raises:
            AgentNotFound: There is no such agent, or none that *principal* may know of.
            AgentAccessDenied: The agent belongs to somebody else.
            NotFound: It has no version of that number.
            IllegalMove: That stage does not follow, or callers would be left without a version.
            InvalidRequest: The note is too long.
            Unavailable: The disk does not take it.
        """

        def change(rows: Transaction) -> Version:
            stored = owned_agent(rows, principal, agent)
            moved = _stored(rows, stored, number).move(to, at=at, note=note)
            if to is Stage.ARCHIVED and stored.current_version == number:
                raise IllegalMove(
                    f"{number} is what callers of {stored.address} get: publish another version,"
                    " roll back to one, or archive the agent.",
                    version=number,
                )
            rows.put(VERSIONS, _row(moved))
            return moved

        def learn(moved: Version) -> None:
            self._recent.write((moved.agent_id, moved.number), moved)

        return await self._catalog.transact(change, then=learn)

    async def get(self, principal: Principal, agent: Agent, number: str) -> Version:
        """The version *number* of *agent*.

        Raises:
            AgentNotFound: There is no such agent, or none that *principal* may know of.
            NotFound: The agent has no version of that number.
        """
        await self._agents.by_id(principal, agent.id)
        known = self._recent.get((agent.id, number))
        if known is not None:
            return known
        epoch = self._recent.epoch

        def question(ask: Query) -> Version | None:
            found = ask(_ONE, agent.id, number)
            return _version(VERSIONS.image(found[0])) if found else None

        version = await self._catalog.read(question)
        if version is None:
            raise _unknown(agent, number)
        self._recent.learn((agent.id, number), version, epoch=epoch)
        return version

    async def list(self, principal: Principal, agent: Agent) -> list[Version]:
        """All versions of *agent*, the highest number first.

        Raises:
            AgentNotFound: There is no such agent, or none that *principal* may know of.
        """
        await self._agents.by_id(principal, agent.id)
        versions = await self._catalog.read(
            lambda ask: [_version(VERSIONS.image(found)) for found in ask(_ALL, agent.id)]
        )
        return sorted(versions, key=lambda version: order(version.number), reverse=True)

    async def page(
        self, principal: Principal, agent: Agent, *, limit: int, cursor: str | None
    ) -> Page[Version]:
        """Some versions of *agent*, the highest number first.

        Raises:
            AgentNotFound: There is no such agent, or none that *principal* may know of.
            InvalidRequest: The limit or the cursor makes no sense.
        """
        check_limit(limit)
        below = None if cursor is None else check_number(read_cursor(cursor, parts=1)[0])
        await self._agents.by_id(principal, agent.id)

        def question(ask: Query) -> Page[Version]:
            numbers = sorted(
                (found[0] for found in ask(_NUMBERS, agent.id)), key=order, reverse=True
            )
            behind = [n for n in numbers if below is None or order(n) < order(below)]
            shown = behind[:limit]
            places = ", ".join(f"${n}" for n in range(2, len(shown) + 2))
            found = ask(f"{_ALL} AND number IN ({places})", agent.id, *shown) if shown else []
            versions = [_version(VERSIONS.image(values)) for values in found]
            return Page(
                items=sorted(versions, key=lambda one: order(one.number), reverse=True),
                next_cursor=write_cursor(behind[limit - 1]) if len(behind) > limit else None,
            )

        return await self._catalog.read(question)

    @property
    def epoch(self) -> tuple[int, int]:
        """Another whenever a version or an agent was written since: lists may read otherwise now."""
        return self._agents.epoch, self._recent.epoch

    def forget(self, agent: Agent, numbers: Iterable[str]) -> None:
        """Take note that these versions of *agent* are gone."""
        for number in numbers:
            self._recent.drop((agent.id, number))


def _stored(rows: Transaction, agent: Agent, number: str) -> Version:
    row = rows.row(VERSIONS, agent.id, number)
    if row is None:
        raise _unknown(agent, number)
    return _version(row)


def _unknown(agent: Agent, number: str) -> NotFound:
    return NotFound(
        f"{agent.address} has no version {number!r}.", agent=agent.address, version=number
    )


def _row(version: Version) -> Row:
    return {
        "agent_id": version.agent_id,
        "number": version.number,
        "stage": str(version.stage),
        "definition": from_json(version.definition.as_json()),
        "changelog": version.changelog,
        "published_by": version.published_by,
        "published_at": from_moment(version.published_at),
        "deprecated_at": from_moment(version.deprecated_at),
        "deprecation_note": version.deprecation_note or None,
        "archived_at": from_moment(version.archived_at),
    }


def _version(row: Row) -> Version:
    return Version(
        agent_id=text(row["agent_id"]),
        number=text(row["number"]),
        stage=Stage(text(row["stage"])),
        definition=definition_from_json(to_json(row["definition"])),
        changelog=text(row["changelog"]),
        published_by=text(row["published_by"]),
        published_at=moment(row["published_at"]),
        deprecated_at=to_moment(row["deprecated_at"]),
        deprecation_note=text_or_none(row["deprecation_note"]) or "",
        archived_at=to_moment(row["archived_at"]),
    )
