"""A version is published with its agent or not at all; afterwards only its stage changes."""

import asyncio
import json
from dataclasses import replace

import pytest

from tests.store.samples import ADA, BOB, EVE, NOON, a_version, an_agent, published
from workbench.domain.agents import Visibility
from workbench.domain.versions import Stage
from workbench.errors import (
    AgentAccessDenied,
    AgentNotFound,
    IllegalMove,
    InvalidRequest,
    NotFound,
    PreconditionFailed,
    VersionConflict,
)
from workbench.store.tables import VERSIONS, put


async def with_versions(store, *numbers):
    """An agent with those versions; the last is the current one."""
    agent = await store.agents.create(ADA, an_agent())
    for number in numbers:
        following = published(agent, number)
        await store.versions.publish(ADA, agent, following, a_version(agent, number))
        agent = following
    return agent


def test_publishing_keeps_the_version_and_moves_the_agent(with_store):
    agent = an_agent()

    async def publish(store):
        await store.agents.create(ADA, agent)
        await store.versions.publish(ADA, agent, published(agent), a_version(agent))
        assert await store.agents.by_id(ADA, agent.id) == published(agent)

    async def read(store):
        stands = await store.agents.by_id(ADA, agent.id)
        back = await store.versions.get(ADA, stands, "1.0.0")
        assert replace(back, definition=agent.draft) == a_version(agent)
        assert await store.versions.list(ADA, stands) == [back]
        assert stands.current_version == "1.0.0"

    with_store(publish)
    with_store(read)


def test_a_taken_number_changes_nothing(with_store):
    async def story(store):
        agent = await store.agents.create(ADA, an_agent())
        first = published(agent)
        await store.versions.publish(ADA, agent, first, a_version(agent))
        before = await store.dump()
        with pytest.raises(VersionConflict):
            again = replace(first, description="again")
            await store.versions.publish(ADA, first, again, a_version(agent))
        assert await store.dump() == before
        assert await store.agents.by_id(ADA, agent.id) == first

    with_store(story)


def test_of_many_who_publish_at_once_one_wins(with_store):
    async def story(store):
        agent = await store.agents.create(ADA, an_agent())
        attempts = [
            store.versions.publish(
                ADA, agent, published(agent, f"1.{n}.0"), a_version(agent, f"1.{n}.0")
            )
            for n in range(10)
        ]
        outcomes = await asyncio.gather(*attempts, return_exceptions=True)
        assert sum(isinstance(o, PreconditionFailed) for o in outcomes) == 9
        stands = await store.agents.by_id(ADA, agent.id)
        numbers = [v.number for v in await store.versions.list(ADA, stands)]
        assert numbers == [stands.current_version]

    with_store(story)


def test_versions_are_listed_by_number_not_by_letter(with_store):
    async def story(store):
        agent = await store.agents.create(ADA, an_agent())
        for number in ("1.9.0", "1.10.0", "1.2.0"):
            next_one = published(agent, number)
            await store.versions.publish(ADA, agent, next_one, a_version(agent, number))
            agent = next_one
        listed = await store.versions.list(ADA, agent)
        assert [v.number for v in listed] == ["1.10.0", "1.9.0", "1.2.0"]

    with_store(story)


def test_versions_of_what_may_not_be_seen_are_not_there(with_store):
    async def story(store):
        hidden = await store.agents.create(ADA, an_agent())
        shown = published(hidden)
        await store.versions.publish(ADA, hidden, shown, a_version(hidden))
        for who in (BOB, EVE):
            with pytest.raises(AgentNotFound):
                await store.versions.get(who, shown, "1.0.0")
            with pytest.raises(AgentNotFound):
                await store.versions.list(who, replace(shown, owner=who.user))
            with pytest.raises(AgentNotFound):
                await store.versions.publish(who, shown, shown, a_version(shown, "2.0.0"))
        public = replace(shown, visibility=Visibility.PUBLIC)
        await store.agents.replace(ADA, shown, public)
        assert (await store.versions.get(EVE, public, "1.0.0")).number == "1.0.0"
        with pytest.raises(AgentAccessDenied):
            await store.versions.publish(BOB, public, public, a_version(public, "2.0.0"))

    with_store(story)


def test_a_number_never_published_is_not_found(with_store):
    async def story(store):
        agent = await store.agents.create(ADA, an_agent())
        for number in ("1.0.0", "draft", "1"):
            with pytest.raises(NotFound):
                await store.versions.get(ADA, agent, number)

    with_store(story)


def test_a_stage_is_kept_with_its_moment_and_its_note(with_store):
    agents = []

    async def story(store):
        agent = await with_versions(store, "1.0.0", "2.0.0")
        agents.append(agent)
        assert (await store.versions.get(ADA, agent, "1.0.0")).stage is Stage.PUBLISHED
        moved = await store.versions.move(
            ADA, agent, "1.0.0", Stage.DEPRECATED, at=NOON, note="Use 2."
        )
        assert await store.versions.get(ADA, agent, "1.0.0") == moved
        assert (moved.deprecated_at, moved.deprecation_note) == (NOON, "Use 2.")
        await store.rebuild()

    async def later(store):
        version = await store.versions.get(ADA, agents[0], "1.0.0")
        assert (version.stage, version.deprecation_note) == (Stage.DEPRECATED, "Use 2.")
        assert version.deprecated_at == NOON

    with_store(story)
    with_store(later)


def test_the_current_version_cannot_be_archived(with_store):
    async def story(store):
        agent = await with_versions(store, "1.0.0", "2.0.0")
        before = await store.dump()
        with pytest.raises(IllegalMove):
            await store.versions.move(ADA, agent, "2.0.0", Stage.ARCHIVED, at=NOON)
        assert await store.dump() == before
        archived = await store.versions.move(ADA, agent, "1.0.0", Stage.ARCHIVED, at=NOON)
        assert archived.archived_at == NOON
        with pytest.raises(IllegalMove):
            await store.versions.move(ADA, agent, "1.0.0", Stage.DEPRECATED, at=NOON)

    with_store(story)


def test_the_agent_points_to_a_version_that_is_there_and_not_archived(with_store):
    async def story(store):
        agent = await with_versions(store, "1.0.0", "2.0.0", "3.0.0")
        await store.versions.move(ADA, agent, "1.0.0", Stage.ARCHIVED, at=NOON)
        await store.versions.move(ADA, agent, "2.0.0", Stage.DEPRECATED, at=NOON)
        before = await store.dump()
        for number, refusal in (("1.0.0", IllegalMove), ("9.0.0", NotFound)):
            with pytest.raises(refusal):
                await store.versions.point(ADA, agent, replace(agent, current_version=number))
        assert await store.dump() == before
        back = replace(agent, current_version="2.0.0")
        await store.versions.point(ADA, agent, back)
        assert await store.agents.by_id(ADA, agent.id) == back
        with pytest.raises(PreconditionFailed):
            await store.versions.point(ADA, agent, back)

    with_store(story)


def test_of_archiving_a_version_and_pointing_to_it_one_wins(with_store):
    async def story(store):
        agent = await with_versions(store, "1.0.0", "2.0.0")
        outcomes = await asyncio.gather(
            store.versions.point(ADA, agent, replace(agent, current_version="1.0.0")),
            store.versions.move(ADA, agent, "1.0.0", Stage.ARCHIVED, at=NOON),
            return_exceptions=True,
        )
        assert sum(isinstance(o, IllegalMove) for o in outcomes) == 1
        stands = await store.agents.by_id(ADA, agent.id)
        current = await store.versions.get(ADA, stands, stands.current_version)
        assert current.stage is Stage.PUBLISHED

    with_store(story)


def test_only_its_owner_moves_a_version(with_store):
    async def story(store):
        agent = await with_versions(store, "1.0.0", "2.0.0")
        public = replace(agent, visibility=Visibility.PUBLIC)
        for who, stands, refusal in (
            (BOB, agent, AgentNotFound),
            (BOB, public, AgentAccessDenied),
        ):
            if stands is public:
                await store.agents.replace(ADA, agent, public)
            with pytest.raises(refusal):
                await store.versions.move(who, stands, "1.0.0", Stage.DEPRECATED, at=NOON)
            with pytest.raises(refusal):
                await store.versions.point(who, stands, replace(stands, current_version="1.0.0"))

    with_store(story)


def test_a_version_journaled_before_stages_had_moments_is_read_as_published(with_store):
    async def story(store):
        agent = await with_versions(store, "1.0.0")
        row = json.loads(next(line for line in await store.dump() if '["versions"' in line))[1]
        for added in ("deprecated_at", "deprecation_note", "archived_at"):
            del row[added]
        await store.agents._catalog.progress([put(VERSIONS, {**row, "number": "0.9.0"})])
        await store.rebuild()
        version = await store.versions.get(ADA, agent, "0.9.0")
        assert (version.stage, version.warning) == (Stage.PUBLISHED, "")
        assert version.deprecated_at is version.archived_at is None

    with_store(story)


def test_versions_come_page_by_page(with_store):
    async def story(store):
        agent = await with_versions(store, "1.9.0", "1.10.0", "1.2.0", "0.1.0", "2.0.0")
        pages, cursor = [], None
        while True:
            page = await store.versions.page(ADA, agent, limit=2, cursor=cursor)
            pages.append([version.number for version in page.items])
            cursor = page.next_cursor
            if cursor is None:
                break
        assert pages == [["2.0.0", "1.10.0"], ["1.9.0", "1.2.0"], ["0.1.0"]]
        for broken in ("x", "WyJ4Il0"):
            with pytest.raises(InvalidRequest):
                await store.versions.page(ADA, agent, limit=2, cursor=broken)
        with pytest.raises(AgentNotFound):
            await store.versions.page(BOB, agent, limit=2, cursor=None)

    with_store(story)
