"""A draft becomes a version only when its own cases pass."""

from __future__ import annotations

import json

import pytest

from workbench.domain.agents import Visibility
from workbench.domain.queries import AgentQuery, RunQuery
from workbench.errors import (
    AgentAccessDenied,
    AgentNotFound,
    ChecksFailed,
    IllegalMove,
    InvalidAgentConfig,
    InvalidRequest,
    NotFound,
    PreconditionFailed,
    VersionConflict,
)
from workbench.services.authoring import Changes, Proposal
from workbench.services.running import Order
from workbench.services.views import version_view
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


async def published_twice(app, who, notebook):
    agent = await app.authoring.create(who, Proposal(name="a", notebook=notebook("'first'")))
    await app.publishing.publish(who, agent)
    agent = await app.authoring.by_id(who, agent.id)
    later = json.dumps(notebook("'second'")).encode()
    agent = await app.authoring.save(who, agent, later, seen="*")
    await app.publishing.publish(who, agent)
    return await app.authoring.by_id(who, agent.id)


def test_rolling_back_gives_callers_an_earlier_version_and_keeps_the_draft(
    desk, run, ada, notebook
):
    async def story():
        async with desk() as (app, executor):
            agent = await published_twice(app, ada, notebook)
            back = await app.publishing.roll_back(ada, agent, "1.0.0")
            accepted = await app.running.accept(ada, back, Order())
            await app.running.get(ada, accepted.id, wait_seconds=None)
            found = [
                len((await app.authoring.list(ada, AgentQuery(text=text))).items)
                for text in ("first", "second", "neither")
            ]
            again = await app.publishing.roll_back(ada, back, "1.1.0")
            return agent, back, accepted, executor.asked[-1], found, again

    agent, back, accepted, asked, found, again = run(story())

    assert (back.current_version, accepted.version) == ("1.0.0", "1.0.0")
    assert "first" in asked.notebook.decode()
    assert back.draft == agent.draft
    # The owner finds both: the draft still is the second.
    assert found == [1, 1, 0]
    assert again.published == agent.published


def test_an_archived_version_is_read_but_neither_run_nor_rolled_back_to(desk, run, ada, notebook):
    async def story():
        async with desk() as (app, _):
            agent = await published_twice(app, ada, notebook)
            with pytest.raises(IllegalMove, match="what callers"):
                await app.publishing.archive(ada, agent, "1.1.0")
            archived = await app.publishing.archive(ada, agent, "1.0.0")
            with pytest.raises(IllegalMove):
                await app.publishing.roll_back(ada, agent, "1.0.0")
            with pytest.raises(IllegalMove):
                await app.running.accept(ada, agent, Order(version="1.0.0"))
            with pytest.raises(IllegalMove):
                await app.publishing.deprecate(ada, agent, "1.0.0")
            content, _ = await app.authoring.notebook(ada, agent, "1.0.0")
            for strange, refusal in (("9.0.0", NotFound), ("draft", InvalidRequest)):
                with pytest.raises(refusal):
                    await app.publishing.roll_back(ada, agent, strange)
                with pytest.raises(refusal):
                    await app.publishing.archive(ada, agent, strange)
            return archived, content

    archived, content = run(story())

    assert version_view(archived)["stage"] == "archived"
    assert version_view(archived)["archived_at"]
    assert b"first" in content


@pytest.mark.parametrize("current", [True, False], ids=["current", "earlier"])
def test_who_runs_a_deprecated_version_is_warned_first(desk, run, ada, notebook, current):
    async def story():
        async with desk() as (app, _):
            agent = await published_twice(app, ada, notebook)
            number = "1.1.0" if current else "1.0.0"
            await app.publishing.deprecate(ada, agent, number, note="Use another.")
            order = Order(version=None if current else number)
            accepted = await app.running.accept(ada, agent, order)
            warned = [e async for e in await app.running.events(ada, accepted.id)]
            other = await app.running.accept(
                ada, agent, Order(version="1.0.0" if current else "1.1.0")
            )
            quiet = [e async for e in await app.running.events(ada, other.id)]
            version = await app.publishing.version(ada, agent, number)
            return number, warned, quiet, version_view(version)

    number, warned, quiet, view = run(story())

    assert [str(event.type) for event in warned[:2]] == ["run.started", "log"]
    assert warned[1].data == {
        "level": "warning",
        "message": f"Version {number} is deprecated. Use another.",
        "fields": {},
    }
    assert all(str(event.type) != "log" for event in quiet)
    assert (view["deprecated"], view["deprecation_note"]) == (True, "Use another.")
    assert view["deprecated_at"]


def test_a_run_that_waited_for_the_next_life_is_warned_as_well(desk, run, ada, notebook):
    async def first():
        async with desk(runs_at_once=1) as (app, executor):
            agent = await published_twice(app, ada, notebook)
            await app.publishing.deprecate(ada, agent, "1.1.0")
            executor.hold.clear()
            begun, waits = [await app.running.accept(ada, agent, Order()) for _ in range(2)]
            await app.dispatching.stop()
            return begun.id, waits.id

    async def second(waits):
        async with desk() as (app, _):
            return [e async for e in await app.running.events(ada, waits)]

    _, waits = run(first())
    events = run(second(waits))

    assert events[1].data["message"] == "Version 1.1.0 is deprecated."


def test_only_the_owner_moves_versions(desk, run, ada, bob, notebook):
    async def story():
        async with desk() as (app, _):
            agent = await published_twice(app, ada, notebook)
            agent = await app.authoring.change(ada, agent, Changes(visibility=Visibility.PUBLIC))
            for refused in (
                app.publishing.deprecate(bob, agent, "1.0.0"),
                app.publishing.archive(bob, agent, "1.0.0"),
                app.publishing.roll_back(bob, agent, "1.0.0"),
            ):
                with pytest.raises(AgentAccessDenied):
                    await refused

    run(story())


def test_an_archived_agent_is_not_rolled_back(desk, run, ada, notebook):
    async def story():
        async with desk() as (app, _):
            agent = await published_twice(app, ada, notebook)
            agent = await app.authoring.archive(ada, agent)
            with pytest.raises(IllegalMove):
                await app.publishing.roll_back(ada, agent, "1.0.0")

    run(story())


def test_a_secret_may_stand_in_a_draft_but_is_not_published(desk, run, ada, notebook):
    key = "sk-proj-" + "a1" * 20

    async def story():
        async with desk() as (app, executor):
            agent = await app.authoring.create(
                ada, Proposal(name="leaky", notebook=notebook((f"x = 1\nkey = '{key}'", "mine")))
            )
            with pytest.raises(InvalidAgentConfig) as refused:
                await app.publishing.publish(ada, agent)
            asked = len(executor.asked)
            version = await app.publishing.publish(ada, agent, force=True)
            return refused.value, asked, version

    error, asked, version = run(story())

    assert error.details["problem"] == "SecretInSource"
    assert (error.details["cell"], error.details["line"]) == (0, 2)
    assert key not in str(error) + str(error.details)
    assert (asked, version.number) == (0, "1.0.0")
