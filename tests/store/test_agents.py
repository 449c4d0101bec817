"""An agent is changed by its owner, from the state its owner saw, and seen by those who may."""

import asyncio
import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.store.samples import (
    ADA,
    BOB,
    EVE,
    NOON,
    ROOT,
    a_definition,
    a_version,
    an_agent,
    published,
)
from workbench.domain.agents import Visibility
from workbench.domain.queries import AgentQuery
from workbench.errors import (
    AgentAccessDenied,
    AgentNotFound,
    DuplicateAgentName,
    InsufficientPermissions,
    InvalidRequest,
    PreconditionFailed,
)


def test_an_agent_comes_back_as_it_was_created(with_store):
    agent = an_agent(draft=a_definition(output_schema={"type": "null"}, timeout_seconds=1.5))

    async def create(store):
        assert await store.agents.create(ADA, agent) == agent

    async def read(store):
        return [
            await store.agents.get(ADA, "ada", "weather"),
            await store.agents.by_id(ADA, agent.id),
            *(await store.agents.list(ADA, AgentQuery())).items,
        ]

    with_store(create)
    # Opened again, so that nothing is remembered but on disk. JSON knows lists, not tuples.
    for back in with_store(read):
        assert replace(back, draft=agent.draft) == agent
        assert back.draft.as_json() == agent.draft.as_json() | {
            "tags": ("weather",),
            "parameters": tuple(agent.draft.as_json()["parameters"]),
        }


def test_fifty_who_create_one_name_at_once_make_one_agent(with_store):
    async def story(store):
        attempts = [store.agents.create(ADA, an_agent()) for _ in range(50)]
        return Counter(
            type(outcome).__name__
            for outcome in await asyncio.gather(*attempts, return_exceptions=True)
        )

    assert with_store(story) == {"Agent": 1, "DuplicateAgentName": 49}


def test_the_name_of_an_archived_agent_stays_taken(with_store):
    async def story(store):
        agent = await store.agents.create(ADA, an_agent())
        await store.agents.replace(ADA, agent, replace(agent, archived_at=NOON))
        with pytest.raises(DuplicateAgentName):
            await store.agents.create(ADA, an_agent())
        await store.agents.create(BOB, an_agent(owner="bob"))

    with_store(story)


def test_who_may_not_have_agents_creates_none(with_store):
    async def story(store):
        with pytest.raises(InsufficientPermissions):
            await store.agents.create(EVE, an_agent(owner="eve"))
        with pytest.raises(AgentAccessDenied):
            await store.agents.create(BOB, an_agent(owner="ada"))
        await store.agents.create(ROOT, an_agent(owner="ada"))

    with_store(story)


def test_an_id_is_never_given_twice(with_store):
    async def story(store):
        agent = await store.agents.create(ADA, an_agent())
        with pytest.raises(DuplicateAgentName):
            await store.agents.create(BOB, replace(agent, owner="bob", name="mine"))
        assert await store.agents.by_id(ADA, agent.id) == agent

    with_store(story)


@pytest.mark.parametrize(
    ("what", "who_sees"),
    [
        ({}, {"ada", "root"}),
        ({"visibility": Visibility.PUBLIC}, {"ada", "root"}),
        ({"current_version": "1.0.0"}, {"ada", "root"}),
        (
            {"visibility": Visibility.PUBLIC, "current_version": "1.0.0"},
            {"ada", "bob", "eve", "root"},
        ),
        (
            {"visibility": Visibility.PUBLIC, "current_version": "1.0.0", "archived_at": NOON},
            {"ada", "root"},
        ),
    ],
)
def test_an_agent_is_found_only_by_those_who_may_see_it(with_store, what, who_sees):
    agent = an_agent(**what)

    async def create(store):
        await store.agents.create(ADA, agent)
        return await seers(store)

    async def seers(store):
        seen = set()
        for who in (ROOT, ADA, BOB, EVE):
            listed = (await store.agents.list(who, AgentQuery())).items
            try:
                by_name = await store.agents.get(who, "ada", "weather")
                by_id = await store.agents.by_id(who, agent.id)
            except AgentNotFound:
                assert not listed
            else:
                assert by_name.id == by_id.id == agent.id
                assert [a.id for a in listed] == ([] if agent.archived_at else [agent.id])
                seen.add(who.user)
        return seen

    assert with_store(create) == who_sees
    assert with_store(seers) == who_sees


def test_what_may_not_be_seen_and_what_is_not_there_sound_the_same(with_store):
    async def story(store):
        await store.agents.create(ADA, an_agent(name="hidden"))
        with pytest.raises(AgentNotFound) as hidden:
            await store.agents.get(BOB, "ada", "hidden")
        with pytest.raises(AgentNotFound) as absent:
            await store.agents.get(BOB, "ada", "absent")
        assert str(hidden.value).replace("hidden", "absent") == str(absent.value)

    with_store(story)


def test_a_change_made_from_an_old_state_is_refused(with_store):
    async def story(store):
        agent = await store.agents.create(ADA, an_agent())
        newer = replace(agent, description="better")
        await store.agents.replace(ADA, agent, newer)
        with pytest.raises(PreconditionFailed):
            await store.agents.replace(ADA, agent, replace(agent, description="worse"))
        assert await store.agents.by_id(ADA, agent.id) == newer

    with_store(story)


def test_of_many_changes_from_one_state_one_wins(with_store):
    async def story(store):
        agent = await store.agents.create(ADA, an_agent())
        attempts = [
            store.agents.replace(ADA, agent, replace(agent, description=str(n))) for n in range(20)
        ]
        outcomes = await asyncio.gather(*attempts, return_exceptions=True)
        winners = [o for o in outcomes if not isinstance(o, PreconditionFailed)]
        assert winners == [await store.agents.by_id(ADA, agent.id)]

    with_store(story)


def test_an_agent_read_from_disk_can_be_changed_as_it_was_read(with_store):
    agent = an_agent()

    async def create(store):
        await store.agents.create(ADA, agent)

    async def change(store):
        read = await store.agents.by_id(ADA, agent.id)
        await store.agents.replace(ADA, read, replace(read, description="x"))
        await store.agents.replace(ADA, replace(agent, description="x"), agent)

    with_store(create)
    with_store(change)


def test_others_change_nothing_and_learn_nothing(with_store):
    async def story(store):
        hidden = await store.agents.create(ADA, an_agent(name="hidden"))
        open_one = published(an_agent(name="open", visibility=Visibility.PUBLIC))
        await store.agents.create(ADA, open_one)
        with pytest.raises(AgentNotFound):
            await store.agents.replace(BOB, hidden, replace(hidden, description="x"))
        with pytest.raises(AgentAccessDenied):
            await store.agents.replace(BOB, open_one, replace(open_one, description="x"))
        with pytest.raises(AgentAccessDenied):
            await store.agents.replace(ADA, open_one, replace(open_one, owner="bob"))

    with_store(story)


def test_a_renamed_agent_is_found_by_its_new_name_only(with_store):
    async def story(store):
        agent = await store.agents.create(ADA, an_agent(name="old"))
        other = await store.agents.create(ADA, an_agent(name="other"))
        with pytest.raises(DuplicateAgentName):
            await store.agents.replace(ADA, agent, replace(agent, name="other"))
        renamed = await store.agents.replace(ADA, agent, replace(agent, name="new"))

        assert await store.agents.get(ADA, "ada", "new") == renamed
        assert await store.agents.get(ADA, "ada", "other") == other
        with pytest.raises(AgentNotFound):
            await store.agents.get(ADA, "ada", "old")
        again = await store.agents.create(ADA, an_agent(name="old"))
        assert await store.agents.get(ADA, "ada", "old") == again

    with_store(story)


def test_pages_hold_every_agent_once_newest_first(with_store):
    async def story(store):
        made = []
        for n in range(23):
            # Three of each moment, so that the moment alone does not order them.
            at = NOON + timedelta(seconds=n // 3)
            made.append(await store.agents.create(ADA, an_agent(name=f"a{n}", at=at)))
        found, cursor = [], None
        while True:
            page = await store.agents.list(ADA, AgentQuery(limit=5, cursor=cursor))
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        order = sorted(made, key=lambda a: (a.created_at, a.id), reverse=True)
        assert [a.id for a in found] == [a.id for a in order]

    with_store(story)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"name": "rain"}, {"rain"}),
        ({"owner": "bob"}, {"bobs"}),
        ({"text": "WILL"}, {"rain", "snow"}),
        ({"text": "%"}, set()),
        ({"text": "now"}, {"snow"}),
        ({"tag": "wet"}, {"rain", "snow"}),
        ({"tag": "we"}, set()),
        ({"tag": "wet", "text": "rain"}, {"rain"}),
        ({"name": "'; DROP TABLE agents; --"}, set()),
    ],
)
def test_a_list_holds_what_was_asked_for(with_store, query, names):
    async def story(store):
        wet = a_definition(tags=("wet", "cold"))
        await store.agents.create(ROOT, an_agent(name="rain", draft=wet))
        await store.agents.create(ROOT, an_agent(name="snow", draft=wet))
        await store.agents.create(ROOT, an_agent("bob", "bobs", description="Ünlike {} $1"))
        page = await store.agents.list(ROOT, AgentQuery(**query))
        assert {agent.name for agent in page.items} == names

    with_store(story)


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 201},
        {"cursor": "?"},
        {"cursor": "WyJ4Il0"},
        {"cursor": "WyJ4IiwieSJd"},
        {"text": "\ud800"},
        {"name": "\0"},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(with_store, query):
    async def story(store):
        with pytest.raises(InvalidRequest):
            await store.agents.list(ADA, AgentQuery(**query))

    with_store(story)


def test_a_text_that_could_not_be_kept_is_refused_before_anything_is(with_store):
    async def story(store):
        for text in ("half \ud800", "nul \0"):
            with pytest.raises(InvalidRequest):
                await store.agents.create(ADA, an_agent(description=text))
        assert await store.dump() == []
        metadata = {"fine": "\ud800\0"}
        agent = await store.agents.create(ADA, an_agent(metadata=metadata))
        assert (await store.agents.by_id(ADA, agent.id)).metadata == metadata

    with_store(story)


def test_a_caller_who_goes_away_leaves_no_stale_memory(with_store):
    async def story(store):
        agent = await store.agents.create(ADA, an_agent())
        newer = replace(agent, description="newer")
        leaving = asyncio.create_task(store.agents.replace(ADA, agent, newer))
        await asyncio.sleep(0)
        leaving.cancel()
        await store.flush()

        assert await store.agents.by_id(ADA, agent.id) == newer

    with_store(story)


def test_hot_agents_are_not_asked_of_the_index(with_store):
    async def story(store):
        agent = await store.agents.create(ADA, an_agent())
        # A coroutine that never waits is done at its first step.
        with pytest.raises(StopIteration) as done:
            store.agents.get(ADA, "ada", "weather").send(None)
        assert done.value.value == agent

    with_store(story)


def test_cells_are_found_by_what_is_published_and_by_the_owner_in_the_draft(with_store):
    async def found(store, who, text):
        return [a.name for a in (await store.agents.list(who, AgentQuery(text=text))).items]

    async def story(store):
        await store.agents.create(ADA, an_agent(name="secret"), words="hidden plan")
        shown = await store.agents.create(ADA, an_agent(name="shown"), words="import rain")
        public = replace(
            shown, current_version="1.0.0", published=shown.draft, visibility=Visibility.PUBLIC
        )
        await store.versions.publish(ADA, shown, public, a_version(shown), words="import rain")
        redrafted = replace(public, description="x")
        await store.revisions.replace(ADA, public, redrafted, words="new plan: 100% $1 {} '")

        for text, ada, bob in (
            ("RAIN", ["shown"], ["shown"]),
            ("plan", ["shown", "secret"], []),
            ("hidden", ["secret"], []),
            ("100% $1 {} '", ["shown"], []),
            ("weather", ["shown", "secret"], ["shown"]),
            ("hidden plan import", [], []),
        ):
            assert await found(store, ADA, text) == ada, text
            assert await found(store, ROOT, text) == ada, text
            assert await found(store, BOB, text) == bob, text
        await store.agents.replace(
            ADA, redrafted, replace(redrafted, visibility=Visibility.PRIVATE)
        )
        assert await found(store, BOB, "rain") == []
        await store.rebuild()
        assert await found(store, ADA, "hidden") == ["secret"]

    with_store(story)


def test_a_former_address_leads_to_the_agent_for_a_while(with_store):
    async def story(store):
        agent = await store.agents.create(ADA, an_agent(name="one"))
        two = replace(agent, name="two", updated_at=NOON + timedelta(days=1))
        await store.agents.replace(ADA, agent, two)
        three = replace(two, name="three", updated_at=NOON + timedelta(days=2))
        await store.agents.replace(ADA, two, three)

        for name in ("one", "two"):
            assert await store.agents.moved(ADA, "ada", name, since=NOON) == three
            assert await store.agents.moved(BOB, "ada", name, since=NOON) is None
            with pytest.raises(AgentNotFound):
                await store.agents.get(ADA, "ada", name)
        assert await store.agents.moved(ADA, "ada", "one", since=NOON + timedelta(days=1.5)) is None
        assert await store.agents.moved(ADA, "bob", "one", since=NOON) is None

        later = replace(three, name="four", updated_at=NOON + timedelta(days=31.5))
        await store.agents.replace(ADA, three, later)
        assert await store.agents.moved(ADA, "ada", "one", since=NOON) is None
        assert await store.agents.moved(ADA, "ada", "two", since=NOON) == later

    with_store(story)


def test_an_address_that_is_taken_again_leads_to_who_has_it(with_store):
    async def story(store):
        agent = await store.agents.create(ADA, an_agent(name="one"))
        two = await store.agents.replace(ADA, agent, replace(agent, name="two"))
        new = await store.agents.create(ADA, an_agent(name="one"))
        assert await store.agents.moved(ADA, "ada", "one", since=NOON) is None
        await store.agents.replace(ADA, new, replace(new, name="three"))
        assert (await store.agents.moved(ADA, "ada", "one", since=NOON)).id == new.id
        back = await store.agents.replace(ADA, two, replace(two, name="one"))
        assert await store.agents.get(ADA, "ada", "one") == back
        assert await store.agents.moved(ADA, "ada", "one", since=NOON) is None
        assert (await store.agents.moved(ADA, "ada", "two", since=NOON)).id == back.id

    with_store(story)


def test_words_that_are_published_are_kept_once_and_survive_another_version(with_store):
    async def found(store, text):
        return len((await store.agents.list(ADA, AgentQuery(text=text))).items)

    async def kept(store):
        (line,) = [line for line in await store.dump() if '["agent_texts"' in line]
        row = json.loads(line)[1]
        return row["draft"], row["published"]

    async def story(store):
        agent = await store.agents.create(ADA, an_agent(), words="first")
        one = published(agent)
        await store.versions.publish(ADA, agent, one, a_version(agent), words="first")
        assert await kept(store) == ("", "first")
        redrafted = replace(one, description="x")
        await store.revisions.replace(ADA, one, redrafted, words="second")
        two = published(redrafted, "2.0.0")
        await store.versions.publish(ADA, redrafted, two, a_version(agent, "2.0.0"), words="second")
        assert await kept(store) == ("", "second")
        await store.versions.point(ADA, two, replace(two, current_version="1.0.0"), words="first")
        assert await kept(store) == ("second", "first")
        assert [await found(store, text) for text in ("first", "second", "third")] == [1, 1, 0]

    with_store(story)
