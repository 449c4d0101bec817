"""Published versions, as rows."""

from __future__ import annotations

from workbench.domain.access import Principal
from workbench.domain.agents import Agent
from workbench.domain.definitions import definition_from_json
from workbench.domain.versions import Stage, Version, order
from workbench.errors import NotFound, VersionConflict
from workbench.store.agents import Agents, replace_agent
from workbench.store.catalog import Catalog
from workbench.store.cells import from_json, from_moment, moment, text, to_json
from workbench.store.connection import Query
from workbench.store.recent import Recent
from workbench.store.tables import VERSIONS, Row
from workbench.store.transaction import Transaction

_ONE = f"SELECT {VERSIONS.listed} FROM versions WHERE agent_id = $1 AND number = $2"
_ALL = f"SELECT {VERSIONS.listed} FROM versions WHERE agent_id = $1"


class Versions:
    """Every version that was ever published."""

    def __init__(self, catalog: Catalog, agents: Agents) -> None:
        self._catalog = catalog
        self._agents = agents
        self._recent: Recent[tuple[str, str], Version] = Recent()

    async def publish(
        self, principal: Principal, was: Agent, agent: Agent, version: Version
    ) -> Version:
        """*version*, once it is kept and *agent* stands where *was* stood; both or neither.

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
            return version

        def learn(published: Version) -> None:
            self._agents.learn(agent)
            self._recent.write((published.agent_id, published.number), published)

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
            raise NotFound(
                f"{agent.address} has no version {number!r}.", agent=agent.address, version=number
            )
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


def _row(version: Version) -> Row:
    return {
        "agent_id": version.agent_id,
        "number": version.number,
        "stage": str(version.stage),
        "definition": from_json(version.definition.as_json()),
        "changelog": version.changelog,
        "published_by": version.published_by,
        "published_at": from_moment(version.published_at),
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
    )
