"""A version is published with its agent or not at all, and never changes afterwards."""

import asyncio
from dataclasses import replace

import pytest

from tests.store.samples import ADA, BOB, EVE, a_version, an_agent, published
from workbench.domain.agents import Visibility
from workbench.errors import (
    AgentAccessDenied,
    AgentNotFound,
    NotFound,
    PreconditionFailed,
    VersionConflict,
)


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
