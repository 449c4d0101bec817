"""The directory lists what walking over all agents would list, whatever happened to them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.samples import ADA, BOB, NOON, ROOT, a_version, an_agent, published
from workbench.domain.access import may_see_agent
from workbench.domain.agents import Visibility
from workbench.domain.queries import AgentQuery
from workbench.errors import InvalidRequest
from workbench.store.agents import _row
from workbench.store.directory import Directory
from workbench.store.tables import AGENT_TEXTS, AGENTS, delete, put

WORDS = ["rain", "train", "wind"]
IDS = st.integers(0, 5)
QUERIES = st.builds(
    AgentQuery,
    owner=st.sampled_from([None, "ada", "bob"]),
    name=st.sampled_from([None, "agent1"]),
    tag=st.sampled_from([None, "red", "blue"]),
    text=st.sampled_from([None, "rain", "ain", "wind rain", "agent1", "!"]),
    limit=st.integers(1, 4),
)


@st.composite
def happenings(draw):
    """An agent as it is put, its words, or nothing, which is that it is deleted."""
    n = draw(IDS)
    tags = draw(st.sets(st.sampled_from(["red", "blue"])))
    agent = an_agent(
        id=f"{n:032x}",
        owner=draw(st.sampled_from(["ada", "bob"])),
        name=f"agent{draw(IDS)}",
        description=draw(st.sampled_from(["", "rain"])),
        created_at=NOON + timedelta(seconds=n % 3),
        visibility=draw(st.sampled_from(Visibility)),
        current_version=draw(st.sampled_from([None, "1.0.0"])),
        archived_at=draw(st.sampled_from([None, None, NOON])),
    )
    agent = replace(agent, draft=replace(agent.draft, tags=tuple(sorted(tags))))
    said = {kind: draw(st.sets(st.sampled_from(WORDS))) for kind in ("draft", "published")}
    return draw(st.sampled_from(["put", "put", "say", "delete"])), agent, said


def told(agent, said, principal):
    own = principal.is_admin or principal.user == agent.owner
    heard = f"{agent.name} {agent.description} {' '.join(agent.face.tags)}"
    return " ".join((heard, *said["published"], *(said["draft"] if own else ())))


def wanted(agent, said, query, principal):
    words = (query.text or "").split()
    return (
        agent.archived_at is None
        and may_see_agent(principal, agent)
        and query.owner in (None, agent.owner)
        and query.name in (None, agent.name)
        and (query.tag is None or query.tag in agent.face.tags)
        and all(word in told(agent, said, principal) for word in words)
    )


@settings(max_examples=120)
@given(
    happened=st.lists(happenings(), max_size=12),
    query=QUERIES,
    principal=st.sampled_from([ADA, BOB, ROOT]),
)
def test_pages_are_what_a_walk_over_everything_gives(happened, query, principal):
    directory, agents, texts = Directory(), {}, {}
    for what, agent, said in happened:
        if what == "put":
            # Neither the owner nor the time of making ever changes.
            first = agents.get(agent.id, agent)
            agent = replace(agent, owner=first.owner, created_at=first.created_at)
            agents[agent.id] = agent
            directory.take_in([put(AGENTS, _row(agent))])
        elif what == "say" and agent.id in agents:
            texts[agent.id] = said
            row = {"agent_id": agent.id, "owner": agent.owner}
            row |= {kind: " ".join(sorted(words)) for kind, words in said.items()}
            directory.take_in([put(AGENT_TEXTS, row)])
        elif what == "delete":
            agents.pop(agent.id, None)
            texts.pop(agent.id, None)
            directory.take_in([delete(AGENTS, (agent.id,))])
    nothing = {"draft": set(), "published": set()}
    expected = sorted(
        (
            agent
            for agent in agents.values()
            if wanted(agent, texts.get(agent.id, nothing), query, principal)
        ),
        key=lambda agent: (agent.created_at, agent.id),
        reverse=True,
    )

    pages, below, more = [], None, True
    while more:
        ids, more = directory.page(principal, query, below)
        assert len(ids) == query.limit or not more
        pages += ids
        below = directory.place(ids[-1]) if ids else None

    assert pages == [agent.id for agent in expected]


def test_more_words_than_anybody_means_are_refused():
    many = " ".join(f"word{n}" for n in range(33))
    with pytest.raises(InvalidRequest):
        Directory().page(ADA, AgentQuery(text=many), None)


def test_what_was_said_before_the_home_was_opened_is_found(with_store, tmp_path):
    async def story(store):
        for n in range(120):
            agent = an_agent(id=f"{n:032x}", name=f"agent{n}")
            await store.agents.create(ADA, agent, words=f"import word{n}")

        assert await found(store, ADA, "word119") == ["agent119"]

    async def later(store):
        # One is saved and one deleted while the others are still being read.
        agent = await store.agents.get(ADA, "ada", "agent7")
        await store.revisions.replace(
            ADA, agent, replace(agent, description="x"), words="something else"
        )
        await store.purges.purge(ADA, await store.agents.get(ADA, "ada", "agent8"))

        assert await found(store, ADA, "word119") == ["agent119"]
        assert await found(store, ADA, "word7") == [f"agent{n}" for n in range(79, 69, -1)]
        assert await found(store, ADA, "something") == ["agent7"]
        assert await found(store, ADA, "word8") == [f"agent{n}" for n in range(89, 79, -1)]
        assert len(await found(store, ADA, "import", limit=200)) == 118

    with_store(story)
    with_store(later)


def test_a_home_is_closed_while_words_are_still_being_read(with_store):
    async def story(store):
        await asyncio.gather(
            *(
                store.agents.create(ADA, an_agent(id=f"{n:032x}", name=f"a{n}"), words="x")
                for n in range(101)
            )
        )

    async def nothing(store):
        pass

    with_store(story)
    with_store(nothing)


def test_what_is_hidden_again_is_on_no_page_of_others(with_store):
    async def story(store):
        agent = await store.agents.create(ADA, an_agent(), words="rain")
        public = replace(published(agent), visibility=Visibility.PUBLIC)
        await store.versions.publish(ADA, agent, public, a_version(agent), words="rain")
        assert await found(store, BOB, "rain") == ["weather"]

        await store.agents.replace(ADA, public, replace(public, visibility=Visibility.PRIVATE))

        assert await found(store, BOB, "rain") == await found(store, BOB, None) == []
        assert await found(store, ADA, "rain") == ["weather"]

    with_store(story)


async def found(store, who, text, **more):
    page = await store.agents.list(who, AgentQuery(text=text, **more))
    return [agent.name for agent in page.items]
