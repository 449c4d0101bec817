"""Whatever is saved over a draft, the draft before can be brought back."""

from __future__ import annotations

import json

import pytest

from workbench.domain.agents import Visibility
from workbench.errors import AgentAccessDenied, NotFound, PreconditionFailed
from workbench.services.authoring import Changes, Proposal, entity_tag


def as_bytes(document):
    return json.dumps(document).encode()


def source_of(content):
    return json.loads(content)["cells"][0]["source"]


async def saved(app, who, agent, document):
    return await app.authoring.save(who, agent, as_bytes(document), seen=entity_tag(agent.draft))


def test_each_save_leaves_the_draft_before_it(desk, run, ada, notebook):
    async def story():
        async with desk() as (app, _):
            agent = await app.authoring.create(ada, Proposal(name="a", notebook=notebook("1")))
            created_at = agent.created_at
            agent = await saved(app, ada, agent, notebook("2"))
            second_at = agent.updated_at
            agent = await app.authoring.change(ada, agent, Changes(description="other"))
            agent = await app.authoring.attach(ada, agent, "x.csv", b"x")
            agent = await app.authoring.detach(ada, agent, "x.csv")
            page = await app.revising.list(ada, agent)
            sources = [
                source_of((await app.revising.notebook(ada, agent, r.id))[1]) for r in page.items
            ]
            return created_at, second_at, page.items, sources

    created_at, second_at, revisions, sources = run(story())

    assert [revision.id for revision in revisions] == ["3", "2", "1"]
    assert sources == ["2", "2", "1"]
    assert [len(revision.definition.files) for revision in revisions] == [1, 0, 0]
    assert [revision.saved_at for revision in revisions][1:] == [second_at, created_at]
    assert all(revision.saved_by == "ada" and revision.size > 100 for revision in revisions)


def test_the_same_notebook_again_makes_no_revision(desk, run, ada, notebook):
    async def story():
        async with desk() as (app, _):
            agent = await app.authoring.create(
                ada, Proposal(name="a", notebook=notebook("1"), files={"x": b"x"})
            )
            assert await saved(app, ada, agent, notebook("1")) == agent
            assert await app.authoring.attach(ada, agent, "x", b"x") == agent
            return (await app.revising.list(ada, agent)).items

    assert run(story()) == []


def test_the_same_notebook_over_somebody_elses_save_is_refused(desk, run, ada, notebook):
    async def story():
        async with desk() as (app, _):
            agent = await app.authoring.create(ada, Proposal(name="a", notebook=notebook("1")))
            await saved(app, ada, agent, notebook("2"))
            with pytest.raises(PreconditionFailed):
                await saved(app, ada, agent, notebook("1"))

    run(story())


def test_a_revision_comes_back_with_its_files_and_its_words(desk, run, ada, notebook):
    async def story():
        async with desk() as (app, _):
            agent = await app.authoring.create(
                ada, Proposal(name="a", notebook=notebook("'early'"), files={"x": b"x"})
            )
            first = agent.draft
            agent = await saved(app, ada, agent, notebook("'late'"))
            agent = await app.authoring.detach(ada, agent, "x")
            agent = await app.revising.bring_back(ada, agent, "1")
            assert agent.draft == first
            kept = await app.authoring.notebook(ada, agent, None)
            assert source_of(kept[0]) == "'early'"
            return [r.id for r in (await app.revising.list(ada, agent)).items]

    assert run(story()) == ["3", "2", "1"]


def test_drafts_are_the_owners_alone(desk, run, ada, bob, notebook):
    async def story():
        async with desk() as (app, _):
            agent = await app.authoring.create(
                ada, Proposal(name="a", notebook=notebook("1"), visibility=Visibility.PUBLIC)
            )
            agent = await saved(app, ada, agent, notebook("2"))
            await app.publishing.publish(ada, agent)
            agent = await app.authoring.get(bob, "ada", "a")
            for refused in (
                app.revising.list(bob, agent),
                app.revising.notebook(bob, agent, "1"),
                app.revising.bring_back(bob, agent, "1"),
            ):
                with pytest.raises(AgentAccessDenied):
                    await refused
            with pytest.raises(NotFound):
                await app.revising.bring_back(ada, agent, "7")

    run(story())
