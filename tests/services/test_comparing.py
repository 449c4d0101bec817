"""Two states of an agent are compared by those who may see both."""

from __future__ import annotations

import json

import pytest

from workbench.domain.agents import Visibility
from workbench.errors import AgentAccessDenied, IllegalMove, InvalidRequest, NotFound
from workbench.services.authoring import Proposal, entity_tag


async def grown(app, who, notebook):
    """An agent with two versions and a draft, each with a cell more."""
    agent = await app.authoring.create(
        who, Proposal(name="a", notebook=notebook("1"), visibility=Visibility.PUBLIC)
    )
    for cells in (("1", "2"), ("1", "2", "3")):
        await app.publishing.publish(who, agent)
        agent = await app.authoring.by_id(who, agent.id)
        agent = await app.authoring.save(
            who, agent, json.dumps(notebook(*cells)).encode(), seen=entity_tag(agent.draft)
        )
    return agent


def test_versions_and_the_draft_are_compared(desk, run, ada, notebook):
    async def story():
        async with desk() as (app, _):
            agent = await grown(app, ada, notebook)
            pairs = [("1.0.0", "1.1.0"), ("1.0.0", "draft"), (None, None), ("draft", "1.0.0")]
            told = [
                (await app.comparing.compare(ada, agent, before=one, after=other)).as_json()
                for one, other in pairs
            ]
            page = await app.comparing.page(ada, agent)
            return told, page

    told, page = run(story())

    assert [(t["from"], t["to"], t["added"], t["removed"]) for t in told] == [
        ("1.0.0", "1.1.0", ["cell-1"], []),
        ("1.0.0", "draft", ["cell-1", "cell-2"], []),
        ("1.1.0", "draft", ["cell-2"], []),
        ("draft", "1.0.0", [], ["cell-1", "cell-2"]),
    ]
    assert "<h1>ada/a</h1>" in page


def test_nobody_else_compares_with_the_draft(desk, run, ada, bob, notebook):
    async def story():
        async with desk() as (app, _):
            agent = await grown(app, ada, notebook)
            for one, other in (("1.0.0", None), ("draft", "1.0.0"), ("1.0.0", "draft")):
                with pytest.raises(AgentAccessDenied):
                    await app.comparing.compare(bob, agent, before=one, after=other)
            return await app.comparing.compare(bob, agent, before="1.0.0", after="1.1.0")

    assert run(story()).ids("added") == ["cell-1"]


@pytest.mark.parametrize(
    ("before", "refusal"), [("9.0.0", NotFound), ("latest", InvalidRequest), ("", IllegalMove)]
)
def test_what_is_no_state_is_refused(desk, run, ada, notebook, before, refusal):
    async def story():
        async with desk() as (app, _):
            agent = await app.authoring.create(ada, Proposal(name="a", notebook=notebook("1")))
            with pytest.raises(refusal):
                await app.comparing.compare(ada, agent, before=before)

    run(story())
