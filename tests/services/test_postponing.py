"""Who does not wait for a version to be published is told of it when they ask, for good or ill."""

import asyncio

import pytest

from workbench.errors import (
    AgentAccessDenied,
    InvalidAgentConfig,
    InvalidRequest,
    NotFound,
    ResourceExhausted,
)
from workbench.services import postponing as module
from workbench.services.authoring import Proposal
from workbench.testing import InstantExecutor

SOURCE = '# %% tags=["parameters"]\nyear: int = 2020\n'


def needs(name):
    return f'# %% tags=["parameters"]\n{name}: int\n'


async def ended(app, principal, agent, begun):
    while (found := app.postponing.get(principal, agent, begun.id)).status == "pending":
        await asyncio.sleep(0)
    return found


def test_what_passes_becomes_a_version(desk, run, ada):
    async def story():
        async with desk() as (app, executor):
            agent = await app.authoring.create(ada, Proposal(name="a", source=SOURCE))
            executor.hold.clear()
            begun = app.postponing.publish(ada, agent, changelog="first")
            while not executor.asked:
                await asyncio.sleep(0)
            meanwhile = app.postponing.get(ada, agent, begun.id)
            executor.hold.set()
            after = await ended(app, ada, agent, begun)
            return begun, meanwhile, after, await app.publishing.version(ada, agent, "1.0.0")

    begun, meanwhile, after, version = run(story())

    assert begun.status == meanwhile.status == "pending"
    assert (after.status, after.version, after.error) == ("published", version, None)
    assert version.changelog == "first"


def test_what_fails_says_why(desk, run, ada):
    def broken(task):
        raise ValueError("no")

    async def story():
        async with desk(InstantExecutor(broken)) as (app, _):
            agent = await app.authoring.create(ada, Proposal(name="a", source=SOURCE))
            return await ended(app, ada, agent, app.postponing.publish(ada, agent))

    after = run(story())

    assert (after.status, after.version, after.error.code) == ("failed", None, "ChecksFailed")


def test_a_number_that_is_taken_is_told_at_the_end(desk, run, ada):
    async def story():
        async with desk() as (app, _):
            agent = await app.authoring.create(ada, Proposal(name="a", source=SOURCE))
            await app.publishing.publish(ada, agent, number="1.0.0")
            agent = await app.authoring.by_id(ada, agent.id)
            begun = app.postponing.publish(ada, agent, number="1.0.0", force=True)
            return await ended(app, ada, agent, begun)

    assert run(story()).error.code == "VersionConflict"


def test_what_cannot_be_is_refused_at_once(desk, run, ada, bob):
    async def story():
        async with desk() as (app, _):
            agent = await app.authoring.create(ada, Proposal(name="a", source=needs("year")))
            with pytest.raises(AgentAccessDenied):
                app.postponing.publish(bob, agent)
            with pytest.raises(InvalidAgentConfig):
                app.postponing.publish(ada, agent)
            with pytest.raises(InvalidRequest):
                app.postponing.publish(ada, agent, number="one", force=True)

    run(story())


def test_only_the_owner_is_told_and_only_of_that_agent(desk, run, ada, bob):
    async def story():
        async with desk() as (app, _):
            one = await app.authoring.create(ada, Proposal(name="a", source=SOURCE))
            two = await app.authoring.create(ada, Proposal(name="b", source=SOURCE))
            begun = app.postponing.publish(ada, one)
            with pytest.raises(AgentAccessDenied):
                app.postponing.get(bob, one, begun.id)
            for agent, id in ((two, begun.id), (one, "nothing")):
                with pytest.raises(NotFound):
                    app.postponing.get(ada, agent, id)

    run(story())


def test_there_is_an_end_to_what_is_begun_and_to_what_is_remembered(desk, run, ada, monkeypatch):
    monkeypatch.setattr(module, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(module, "MOST_REMEMBERED", 3)

    async def story():
        async with desk() as (app, executor):
            agent = await app.authoring.create(ada, Proposal(name="a", source=SOURCE))
            executor.hold.clear()
            first, second = (app.postponing.publish(ada, agent) for _ in range(2))
            with pytest.raises(ResourceExhausted):
                app.postponing.publish(ada, agent)
            executor.hold.set()
            for begun in (first, second):
                await ended(app, ada, agent, begun)
            later = []
            for _ in range(3):
                agent = await app.authoring.by_id(ada, agent.id)
                later.append(app.postponing.publish(ada, agent, force=True))
                await ended(app, ada, agent, later[-1])
            with pytest.raises(NotFound):
                app.postponing.get(ada, agent, first.id)
            assert app.postponing.get(ada, agent, later[-1].id).status == "published"

    run(story())


def test_a_workbench_that_stops_does_not_wait_for_it(desk, run, ada):
    async def story():
        async with desk() as (app, executor):
            agent = await app.authoring.create(ada, Proposal(name="a", source=SOURCE))
            executor.hold.clear()
            app.postponing.publish(ada, agent)
            while not executor.asked:
                await asyncio.sleep(0)

    run(story())
