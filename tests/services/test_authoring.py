"""Drafts: made, edited without overwriting anybody, and never half kept."""

from __future__ import annotations

import asyncio
import json

import pytest

from workbench.domain.access import Principal, Role
from workbench.domain.queries import AgentQuery
from workbench.errors import (
    DuplicateAgentName,
    InsufficientPermissions,
    InvalidAgentConfig,
    InvalidRequest,
    PreconditionFailed,
    PreconditionRequired,
)
from workbench.services.authoring import Changes, Proposal, entity_tag


@pytest.fixture
def authored(desk, run):
    """Carries a story out on the authoring service of a fresh home."""

    def tell(story):
        async def on_a_desk():
            async with desk() as (app, _):
                return await story(app.authoring)

        return run(on_a_desk())

    return tell


def test_an_agent_declares_what_its_notebook_declares(authored, ada, notebook):
    async def story(authoring):
        return await authoring.create(
            ada, Proposal(name="a", notebook=notebook(("n: int = 3  # how many", "parameters")))
        )

    agent = authored(story)

    (parameter,) = agent.draft.parameters
    assert (parameter.name, parameter.type, parameter.default, parameter.help) == (
        "n",
        "int",
        3,
        "how many",
    )
    assert (agent.address, agent.stage) == ("ada/a", "draft")


def test_source_becomes_a_notebook(authored, ada):
    async def story(authoring):
        agent = await authoring.create(
            ada, Proposal(name="a", source="def agent_main():\n    return {'message': 'hi'}\n")
        )
        return (await authoring.notebook(ada, agent, None))[0]

    cells = json.loads(authored(story))["cells"]

    assert "agent_main" in cells[0]["source"]
    assert "agent.result(agent_main())" in cells[-1]["source"]


def test_an_agent_from_nothing_is_a_starter_that_can_be_one(authored, ada):
    async def story(authoring):
        return await authoring.create(ada, Proposal(name="a", description="Greets."))

    agent = authored(story)

    assert agent.description == "Greets."
    assert [p.name for p in agent.draft.parameters] == ["name"]


@pytest.mark.parametrize(
    "name", ["", "A", "-a", "a b", "a/b", "..", "a" * 64, "execute", "validate", None, 7, "ä"]
)
def test_bad_names_are_refused(authored, ada, name):
    async def story(authoring):
        with pytest.raises(InvalidAgentConfig, match="agent_name"):
            await authoring.create(ada, Proposal(name=name))
        return (await authoring.list(ada, AgentQuery())).items

    assert authored(story) == []


def test_of_fifty_at_once_one_gets_the_name(authored, ada):
    async def story(authoring):
        return await asyncio.gather(
            *(authoring.create(ada, Proposal(name="a")) for _ in range(50)), return_exceptions=True
        )

    answers = authored(story)

    refused = [a for a in answers if isinstance(a, DuplicateAgentName)]
    assert len(refused) == 49


def test_viewers_have_no_agents(authored):
    viewer = Principal(user="vi", role=Role.VIEWER)

    async def story(authoring):
        with pytest.raises(InsufficientPermissions):
            await authoring.create(viewer, Proposal(name="a"))

    authored(story)


def test_saving_wants_the_state_that_was_edited(authored, ada, notebook):
    async def story(authoring):
        agent = await authoring.create(ada, Proposal(name="a", notebook=notebook("1")))
        seen = entity_tag(agent.draft)
        later = json.dumps(notebook("2")).encode()
        with pytest.raises(PreconditionRequired):
            await authoring.save(ada, agent, later, seen=None)
        saved = await authoring.save(ada, agent, later, seen=seen)
        with pytest.raises(PreconditionFailed):
            await authoring.save(ada, saved, json.dumps(notebook("3")).encode(), seen=seen)
        return (await authoring.notebook(ada, saved, None))[0]

    assert json.loads(authored(story))["cells"][0]["source"] == "2"


def test_of_two_who_save_at_once_one_is_told(authored, ada, notebook):
    async def story(authoring):
        agent = await authoring.create(ada, Proposal(name="a", notebook=notebook("1")))
        seen = entity_tag(agent.draft)
        return await asyncio.gather(
            *(
                authoring.save(ada, agent, json.dumps(notebook(text)).encode(), seen=seen)
                for text in ("2", "3")
            ),
            return_exceptions=True,
        )

    assert sorted(isinstance(a, PreconditionFailed) for a in authored(story)) == [False, True]


def test_a_notebook_of_another_language_needs_an_allowed_kernel(authored, ada, notebook):
    julia = notebook("1")
    julia["metadata"]["kernelspec"] = {
        "name": "julia-1.10",
        "display_name": "J",
        "language": "julia",
    }
    julia["metadata"]["language_info"] = {"name": "julia"}

    async def story(authoring):
        with pytest.raises(InvalidAgentConfig, match="julia"):
            await authoring.create(ada, Proposal(name="a", notebook=julia))

    authored(story)


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../up", "a/../b", ".hidden", "a//b", "a\\b", "a\0"]
)
def test_files_cannot_lie_outside_the_working_folder(authored, ada, notebook, path):
    async def story(authoring):
        agent = await authoring.create(ada, Proposal(name="a", notebook=notebook("1")))
        with pytest.raises(InvalidRequest):
            await authoring.attach(ada, agent, path, b"x")
        with pytest.raises(InvalidRequest):
            await authoring.create(
                ada, Proposal(name="b", notebook=notebook("1"), files={path: b"x"})
            )

    authored(story)


def test_an_archived_agent_is_gone_from_lists_and_keeps_its_name(authored, ada, notebook):
    async def story(authoring):
        agent = await authoring.create(ada, Proposal(name="a", notebook=notebook("1")))
        await authoring.archive(ada, agent)
        with pytest.raises(DuplicateAgentName):
            await authoring.create(ada, Proposal(name="a"))
        return (await authoring.list(ada, AgentQuery())).items

    assert authored(story) == []


def test_a_renamed_agent_answers_to_its_new_name(authored, ada, notebook):
    async def story(authoring):
        agent = await authoring.create(ada, Proposal(name="a", notebook=notebook("1")))
        await authoring.create(ada, Proposal(name="b"))
        with pytest.raises(DuplicateAgentName):
            await authoring.change(ada, agent, Changes(name="b"))
        await authoring.change(ada, agent, Changes(name="c", description="new"))
        return await authoring.get(ada, "ada", "c")

    assert authored(story).description == "new"


def test_a_former_address_leads_those_who_may_see_the_agent(authored, ada, bob, notebook):
    async def story(authoring):
        agent = await authoring.create(ada, Proposal(name="a", notebook=notebook("1")))
        assert await authoring.moved(ada, "ada", "a") is None
        renamed = await authoring.change(ada, agent, Changes(name="b"))
        assert await authoring.moved(bob, "ada", "a") is None
        assert await authoring.moved(ada, "ada", "a") == renamed

    authored(story)


def test_the_words_of_a_draft_are_found_by_its_owner_alone(authored, ada, bob, notebook):
    async def story(authoring):
        agent = await authoring.create(
            ada, Proposal(name="a", notebook=notebook("'Early'", ("2", "check")))
        )
        await authoring.save(ada, agent, json.dumps(notebook("'Late'")).encode(), seen="*")
        return [
            [len((await authoring.list(who, AgentQuery(text=text))).items) for who in (ada, bob)]
            for text in ("early", "late")
        ]

    assert authored(story) == [[0, 0], [1, 0]]
