"""What agents ask for reaches their runs, and no further than the administrator lets it."""

from __future__ import annotations

import pytest

from workbench.domain.network import NOWHERE, Network
from workbench.errors import InvalidAgentConfig
from workbench.services.authoring import Proposal
from workbench.services.running import Order
from workbench.services.views import agent_view

ASKING = {
    "timeout_seconds": 90,
    "limits": {"memory_bytes": 2**31, "processes": 500},
    "network": ["api.example.org"],
}


def test_a_run_gets_what_its_agent_asks_for(desk, run, ada, notebook):
    async def story():
        async with desk() as (app, executor):
            proposal = Proposal(name="a", notebook=notebook("1", **ASKING))
            agent = await app.authoring.create(ada, proposal)
            await app.publishing.publish(ada, agent)
            agent = await app.authoring.get(ada, "ada", "a")
            accepted = await app.running.accept(ada, agent, Order())
            await app.running.get(ada, accepted.id, wait_seconds=None)
            return executor.asked, agent_view(agent, ada)

    (tested, task), view = run(story())

    assert (task.limits.seconds, task.limits.cpu_seconds) == (90, 120)
    assert (task.limits.memory_bytes, task.limits.processes) == (2**31, 500)
    assert [host.name for host in task.reach.hosts] == ["api.example.org"]
    assert tested.test and tested.reach == NOWHERE
    assert view["limits"] == ASKING["limits"]
    assert view["network"] == ["api.example.org"]


@pytest.mark.parametrize(
    ("asked", "settings", "said"),
    [
        ({"timeout_seconds": 3601}, {}, "longest_run_seconds"),
        ({"limits": {"memory_bytes": 2**33}}, {}, "most_memory_bytes"),
        ({"limits": {"result_bytes": 2**24}}, {"most_result_bytes": 2**23}, "most_result_bytes"),
        ({"network": "open"}, {}, r"\(network\)"),
        ({"network": ["a.org"]}, {"network": "none"}, r"\(network\)"),
    ],
)
def test_an_agent_that_asks_for_more_is_not_saved(desk, run, ada, notebook, asked, settings, said):
    async def story():
        async with desk(**settings) as (app, _):
            await app.authoring.create(ada, Proposal(name="a", notebook=notebook("1", **asked)))

    with pytest.raises(InvalidAgentConfig, match=said):
        run(story())


def test_a_cap_that_was_lowered_since_holds_for_drafts_and_for_versions(desk, run, ada, notebook):
    async def story():
        async with desk() as (app, _):
            proposal = Proposal(name="a", notebook=notebook("1", **ASKING))
            agent = await app.authoring.create(ada, proposal)
            await app.publishing.publish(ada, agent)
        lowered = {"longest_run_seconds": 70, "network": str(Network.NONE)}
        async with desk(**lowered) as (app, executor):
            agent = await app.authoring.get(ada, "ada", "a")
            with pytest.raises(InvalidAgentConfig, match="longest_run_seconds"):
                await app.publishing.publish(ada, agent)
            accepted = await app.running.accept(ada, agent, Order())
            await app.running.get(ada, accepted.id, wait_seconds=None)
            return executor.asked[-1]

    task = run(story())

    assert (task.limits.seconds, task.reach) == (70, NOWHERE)


def test_what_everybody_gets_can_be_asked_for_whatever_the_cap(desk, run, ada, notebook):
    asked = {"limits": {"memory_bytes": 2**33}}

    async def story():
        async with desk(memory_bytes=2**33, most_memory_bytes=2**30) as (app, _):
            await app.authoring.create(ada, Proposal(name="a", notebook=notebook("1", **asked)))

    run(story())
