"""A purged agent is gone with all that was its own, unless one of its runs is under way."""

from __future__ import annotations

import pytest

from workbench.domain.queries import RunQuery
from workbench.errors import AgentAccessDenied, AgentNotFound, IllegalMove, NotFound
from workbench.services.authoring import Proposal
from workbench.services.running import Order


async def published(app, who, name, document):
    agent = await app.authoring.create(who, Proposal(name=name, notebook=document))
    await app.publishing.publish(who, agent)
    return await app.authoring.by_id(who, agent.id)


def test_the_agent_goes_with_its_runs_and_its_name_is_free(desk, run, ada, notebook):
    async def story():
        async with desk() as (app, _):
            agent = await published(app, ada, "gone", notebook("1"))
            other = await published(app, ada, "stays", notebook("1"))
            mine = await app.running.accept(ada, agent, Order())
            theirs = await app.running.accept(ada, other, Order())
            for one in (mine, theirs):
                await app.running.get(ada, one.id, wait_seconds=None)
            # Settled is told before the last event is: whoever follows to the end waits for both.
            await app.dispatching.settled(mine.id)

            await app.purging.purge(ada, agent)

            with pytest.raises(AgentNotFound):
                await app.authoring.get(ada, "ada", "gone")
            with pytest.raises(NotFound):
                await app.running.get(ada, mine.id)
            with pytest.raises(NotFound):
                await app.running.notebook(ada, mine.id)
            with pytest.raises(AgentNotFound):
                await app.running.accept(ada, agent, Order())
            kept = await app.running.list(ada, RunQuery())
            assert [one.id for one in kept.items] == [theirs.id]
            assert await app.running.notebook(ada, theirs.id)
            assert (await app.authoring.notebook(ada, other, None))[0]
            return await published(app, ada, "gone", notebook("2"))

    assert run(story()).name == "gone"


def test_a_run_under_way_keeps_the_agent(desk, run, ada, notebook):
    async def story():
        async with desk() as (app, executor):
            agent = await published(app, ada, "busy", notebook("1"))
            executor.hold.clear()
            under_way = await app.running.accept(ada, agent, Order())
            with pytest.raises(IllegalMove):
                await app.purging.purge(ada, agent)
            executor.hold.set()
            await app.running.get(ada, under_way.id, wait_seconds=None)
            await app.dispatching.settled(under_way.id)
            await app.purging.purge(ada, agent)

    run(story())


def test_a_run_that_waits_for_the_next_life_keeps_the_agent(desk, run, ada, notebook):
    async def story():
        async with desk(runs_at_once=1) as (app, executor):
            agent = await published(app, ada, "busy", notebook("1"))
            executor.hold.clear()
            runs = [await app.running.accept(ada, agent, Order()) for _ in range(2)]
            await app.dispatching.stop()
            with pytest.raises(IllegalMove):
                await app.purging.purge(ada, agent)
            return runs

    assert len(run(story())) == 2


def test_nobody_purges_somebody_elses_agent(desk, run, ada, bob, notebook):
    async def story():
        async with desk() as (app, _):
            agent = await published(app, ada, "mine", notebook("1"))
            with pytest.raises(AgentAccessDenied):
                await app.purging.purge(bob, agent)
            return await app.authoring.get(ada, "ada", "mine")

    assert run(story()).name == "mine"
