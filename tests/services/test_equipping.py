"""What an agent uses of others is there when it runs, and stays with the version."""

from __future__ import annotations

import pytest

from workbench.domain.agents import Visibility
from workbench.errors import InvalidAgentConfig
from workbench.services.authoring import Changes, Proposal
from workbench.services.running import Order


async def keeps(app, who, notebook, name, *uses, visibility=Visibility.PRIVATE, **files):
    """A published agent with *files*, whose names have a dot and a slash written as words."""
    kept = {f"{path.replace('__', '/')}.md": text.encode() for path, text in files.items()}
    nb = notebook("1", **({"uses": list(uses)} if uses else {}))
    proposal = Proposal(name=name, notebook=nb, files=kept, visibility=visibility)
    agent = await app.authoring.create(who, proposal)
    await app.publishing.publish(who, agent, force=True)
    return await app.authoring.get(who, who.user, name)


async def given(app, executor, who, agent, **order):
    """What lies in the folder of a run, by name."""
    run = await app.running.accept(who, agent, Order(**order))
    await app.running.get(who, run.id, wait_seconds=None)
    return {name: path.read_text() for name, path in executor.asked[-1].files.items()}


def test_a_version_keeps_what_it_was_published_with(desk, run, ada, notebook):
    async def story():
        async with desk() as (app, executor):
            style = await keeps(
                app, ada, notebook, "style", personas__brief="Brief.", notes="Mine.",
                skills__report__SKILL="Report.",
            )  # fmt: skip
            await keeps(app, ada, notebook, "other", personas__brief="Other.", personas__b="B.")
            user = await keeps(
                app, ada, notebook, "user", "ada/style", "ada/other@1.0.0", personas__b="My own."
            )
            same = user.draft == user.published
            first = await given(app, executor, ada, user)
            await app.authoring.attach(ada, style, "personas/brief.md", b"Briefer.")
            unpublished = await given(app, executor, ada, user, test=True, version="draft")
            style = await app.authoring.get(ada, "ada", "style")
            await app.publishing.publish(ada, style, force=True)
            later = await given(app, executor, ada, user)
            draft = await given(app, executor, ada, user, test=True, version="draft")
            await app.publishing.publish(ada, user, force=True)
            user = await app.authoring.get(ada, "ada", "user")
            return same, first, unpublished, later, draft, await given(app, executor, ada, user)

    same, first, unpublished, later, draft, again = run(story())

    assert same
    assert first == {
        "personas/brief.md": "Brief.",
        "personas/b.md": "My own.",
        "skills/report/SKILL.md": "Report.",
    }
    assert unpublished == later == first
    assert draft == again == {**first, "personas/brief.md": "Briefer."}


def test_what_it_uses_must_be_there_for_its_owner(desk, run, ada, bob, notebook):
    async def story():
        async with desk() as (app, executor):
            style = await keeps(app, ada, notebook, "style", personas__brief="Brief.")
            nb = notebook("1", uses=["ada/style"])
            user = await app.authoring.create(bob, Proposal(name="user", notebook=nb))
            with pytest.raises(InvalidAgentConfig, match="ada/style, which does not exist"):
                await app.publishing.publish(bob, user, force=True)
            with pytest.raises(InvalidAgentConfig):
                await app.running.accept(bob, user, Order(test=True))
            await app.authoring.change(ada, style, Changes(visibility=Visibility.PUBLIC))
            return await given(app, executor, bob, user, test=True)

    assert run(story()) == {"personas/brief.md": "Brief."}


@pytest.mark.parametrize("uses", ["ada/style", ["style"], ["ada/style@1"], ["a/b/c"], [1]])
def test_what_is_no_address_is_refused(desk, run, ada, notebook, uses):
    async def story():
        async with desk() as (app, _):
            with pytest.raises(InvalidAgentConfig, match=r"metadata\.workbench\.uses"):
                await app.authoring.create(
                    ada, Proposal(name="a", notebook=notebook("1", uses=uses))
                )

    run(story())


def test_a_shell_is_asked_for_within_the_cap(desk, run, ada, notebook):
    async def story(allowed):
        async with desk(shell=allowed) as (app, executor):
            name = "allowed" if allowed else "refused"
            proposal = Proposal(name=name, notebook=notebook("1", shell=True))
            agent = await app.authoring.create(ada, proposal)
            await given(app, executor, ada, agent, test=True)
            return executor.asked[-1].environment

    assert run(story(True))["WORKBENCH_RUN_SHELL"] == "1"
    with pytest.raises(InvalidAgentConfig, match="administrator allows none"):
        run(story(False))
