"""A draft becomes a version only when its own cases pass."""

from __future__ import annotations

import pytest

from workbench.domain.agents import Visibility
from workbench.domain.queries import RunQuery
from workbench.errors import (
    AgentAccessDenied,
    AgentNotFound,
    ChecksFailed,
    IllegalMove,
    InvalidAgentConfig,
    PreconditionFailed,
    VersionConflict,
)
from workbench.services.authoring import Changes, Proposal
from workbench.services.running import Order
from workbench.testing import InstantExecutor


def test_publishing_runs_every_case_as_a_test_run(desk, run, ada, notebook):
    cases = [
        {"name": "small", "parameters": {"n": 1}, "expect": {"n": 1}},
        {"name": "large", "parameters": {"n": 9}},
    ]

    async def story():
        async with desk() as (app, executor):
            agent = await app.authoring.create(
                ada,
                Proposal(name="twice", notebook=notebook(("n: int", "parameters"), cases=cases)),
            )
            version = await app.publishing.publish(ada, agent)
            agent = await app.authoring.get(ada, "ada", "twice")
            tests = await app.running.list(ada, RunQuery(test=True))
            others = await app.running.list(ada, RunQuery())
            return executor.asked, version, agent, tests.items, others.items

    asked, version, agent, tests, others = run(story())

    given = sorted((t.parameters["n"], t.test) for t in asked)
    assert given == [(1, True), (9, True)]
    assert version.number == agent.current_version == "1.0.0"
    assert agent.published == agent.draft
    assert len(tests) == 2
    assert others == []


@pytest.mark.parametrize(
    ("expect", "answer"),
    [({"n": 2}, lambda task: {"n": 1}), (None, lambda task: 1 / 0)],
    ids=["another result", "a cell that raises"],
)
def test_a_failing_case_keeps_it_a_draft(desk, run, ada, notebook, expect, answer):
    case = {"name": "only", "parameters": {}} | ({"expect": expect} if expect else {})

    async def story():
        async with desk(InstantExecutor(answer)) as (app, _):
            agent = await app.authoring.create(
                ada, Proposal(name="a", notebook=notebook("1", cases=[case]))
            )
            with pytest.raises(ChecksFailed) as failed:
                await app.publishing.publish(ada, agent)
            return failed.value, await app.authoring.get(ada, "ada", "a")

    failed, agent = run(story())

    assert failed.details["cases"][0]["case"] == "only"
    assert failed.details["cases"][0]["run_id"]
    assert agent.current_version is None


def test_required_parameters_want_a_case(desk, run, ada, notebook):
    async def story():
        async with desk() as (app, executor):
            agent = await app.authoring.create(
                ada, Proposal(name="a", notebook=notebook(("n: int", "parameters")))
            )
            with pytest.raises(InvalidAgentConfig, match="no case"):
                await app.publishing.publish(ada, agent)
            forced = await app.publishing.publish(ada, agent, force=True)
            return executor.asked, forced.number

    assert run(story()) == ([], "1.0.0")


def test_numbers_go_up_and_are_taken_once(desk, run, ada, notebook):
    async def story():
        async with desk() as (app, _):
            made = []
            agent = await app.authoring.create(ada, Proposal(name="a", notebook=notebook("1")))
            for number in (None, None, "3.1.4", None):
                agent = await app.authoring.get(ada, "ada", "a")
                made.append((await app.publishing.publish(ada, agent, number=number)).number)
            agent = await app.authoring.get(ada, "ada", "a")
            with pytest.raises(VersionConflict):
                await app.publishing.publish(ada, agent, number="1.1.0")
            listed = [v.number for v in await app.publishing.versions(ada, agent)]
            return made, listed

    made, listed = run(story())

    assert made == ["1.0.0", "1.1.0", "3.1.4", "3.2.0"]
    assert listed == ["3.2.0", "3.1.4", "1.1.0", "1.0.0"]


def test_a_draft_changed_while_its_cases_ran_is_not_published(desk, run, ada, notebook):
    async def story():
        async with desk() as (app, _):
            agent = await app.authoring.create(ada, Proposal(name="a", notebook=notebook("1")))
            await app.authoring.change(ada, agent, Changes(description="other"))
            with pytest.raises(PreconditionFailed):
                await app.publishing.publish(ada, agent)

    run(story())


def test_others_cannot_publish_and_cannot_tell_that_it_exists(desk, run, ada, bob, notebook):
    async def story():
        async with desk() as (app, _):
            agent = await app.authoring.create(ada, Proposal(name="a", notebook=notebook("1")))
            with pytest.raises(AgentNotFound):
                await app.authoring.get(bob, "ada", "a")
            await app.publishing.publish(ada, agent)
            agent = await app.authoring.get(ada, "ada", "a")
            await app.authoring.change(ada, agent, Changes(visibility=Visibility.PUBLIC))
            seen = await app.authoring.get(bob, "ada", "a")
            with pytest.raises(AgentAccessDenied):
                await app.publishing.publish(bob, seen)
            with pytest.raises(AgentAccessDenied):
                await app.running.accept(bob, seen, Order(test=True, version="draft"))
            return (await app.running.accept(bob, seen, Order())).user

    assert run(story()) == "bob"


def test_an_archived_agent_is_neither_published_nor_run(desk, run, ada, notebook):
    async def story():
        async with desk() as (app, _):
            agent = await app.authoring.create(ada, Proposal(name="a", notebook=notebook("1")))
            await app.publishing.publish(ada, agent)
            agent = await app.authoring.archive(ada, await app.authoring.get(ada, "ada", "a"))
            for move in (
                app.publishing.publish(ada, agent),
                app.running.accept(ada, agent, Order()),
            ):
                with pytest.raises(IllegalMove, match="archived"):
                    await move

    run(story())
