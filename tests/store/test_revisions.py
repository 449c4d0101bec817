"""A draft that is replaced stays as a revision, its owner's alone, up to a bounded number."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.store.samples import ADA, BOB, NOON, ROOT, a_definition, a_version, an_agent, published
from workbench.domain.agents import Visibility
from workbench.domain.revisions import MOST_REVISIONS
from workbench.errors import (
    AgentAccessDenied,
    AgentNotFound,
    InvalidRequest,
    NotFound,
    PreconditionFailed,
)


async def drafted(store, agent, text, *, who=ADA, minutes=1):
    """The agent with another draft, saved by *who* some minutes after its last change."""
    mark = await store.objects.put(text.encode())
    after = replace(
        agent,
        draft=a_definition(fingerprint=mark),
        updated_at=agent.updated_at + timedelta(minutes=minutes),
    )
    return await store.revisions.replace(who, agent, after)


async def listed(store, agent):
    return (await store.revisions.list(ADA, agent, limit=200, cursor=None)).items


def test_each_replaced_draft_is_a_revision_with_who_saved_it_and_when(with_store):
    agents = []

    async def story(store):
        first = await store.objects.put(b"first")
        agent = await store.agents.create(ADA, an_agent(draft=a_definition(fingerprint=first)))
        assert await listed(store, agent) == []
        agent = await drafted(store, agent, "second!", who=ROOT)
        agent = await drafted(store, agent, "third")
        agents.append(agent)

    async def later(store):
        await store.rebuild()
        newest, oldest = await listed(store, agents[0])
        assert (newest.id, newest.size, newest.saved_by) == ("2", 7, "root")
        assert newest.saved_at == NOON + timedelta(minutes=1)
        assert (oldest.id, oldest.size, oldest.saved_by) == ("1", 5, "ada")
        assert oldest.saved_at == NOON
        assert oldest.definition.files == agents[0].draft.files
        assert await store.revisions.get(ADA, agents[0], "1") == oldest

    with_store(story)
    with_store(later)


def test_a_draft_saved_over_a_newer_one_changes_nothing(with_store):
    async def story(store):
        agent = await store.agents.create(ADA, an_agent())
        await drafted(store, agent, "second")
        before = await store.dump()
        with pytest.raises(PreconditionFailed):
            await drafted(store, agent, "other")
        assert await store.dump() == before

    with_store(story)


def test_the_draft_of_today_and_numbers_never_given_are_not_found(with_store):
    async def story(store):
        agent = await store.agents.create(ADA, an_agent())
        for wanted in ("1", "2"):
            with pytest.raises(NotFound):
                await store.revisions.get(ADA, agent, wanted)
        agent = await drafted(store, agent, "second")
        for wanted in ("2", "3", "0", "x", "999999999"):
            with pytest.raises(NotFound):
                await store.revisions.get(ADA, agent, wanted)

    with_store(story)


def test_only_the_newest_are_kept(with_store):
    async def story(store):
        agent = await store.agents.create(ADA, an_agent())
        for n in range(MOST_REVISIONS + 3):
            agent = await drafted(store, agent, str(n))
        kept = await listed(store, agent)
        assert len(kept) == MOST_REVISIONS
        assert [kept[0].number, kept[-1].number] == [MOST_REVISIONS + 3, 4]
        with pytest.raises(NotFound):
            await store.revisions.get(ADA, agent, "3")

    with_store(story)


def test_revisions_come_page_by_page(with_store):
    async def story(store):
        agent = await store.agents.create(ADA, an_agent())
        for n in range(5):
            agent = await drafted(store, agent, str(n))
        first = await store.revisions.list(ADA, agent, limit=3, cursor=None)
        second = await store.revisions.list(ADA, agent, limit=3, cursor=first.next_cursor)
        assert [r.id for r in first.items] == ["5", "4", "3"]
        assert [r.id for r in second.items] == ["2", "1"]
        assert second.next_cursor is None
        with pytest.raises(InvalidRequest):
            await store.revisions.list(ADA, agent, limit=3, cursor="x")
        with pytest.raises(InvalidRequest):
            await store.revisions.list(ADA, agent, limit=0, cursor=None)

    with_store(story)


def test_revisions_are_the_owners_alone(with_store):
    async def story(store):
        agent = await store.agents.create(ADA, an_agent())
        agent = await drafted(store, agent, "second")
        with pytest.raises(AgentNotFound):
            await store.revisions.list(BOB, agent, limit=5, cursor=None)
        public = published(agent, visibility=Visibility.PUBLIC)
        await store.versions.publish(ADA, agent, public, a_version(agent))
        with pytest.raises(AgentAccessDenied):
            await store.revisions.list(BOB, public, limit=5, cursor=None)
        with pytest.raises(AgentAccessDenied):
            await store.revisions.get(BOB, public, "1")
        with pytest.raises(AgentAccessDenied):
            await drafted(store, public, "third", who=BOB)
        assert (await store.revisions.get(ROOT, public, "1")).id == "1"

    with_store(story)
