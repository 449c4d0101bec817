"""Nobody's run begins with less isolation than it needs, and none waits for ever for it."""

import pytest

from workbench.domain.isolation import Isolation, Protection
from workbench.domain.runs import Reason, RunStatus
from workbench.errors import Unavailable
from workbench.services.authoring import Proposal
from workbench.services.running import Order

LANDLOCK = Protection(level=Isolation.LANDLOCK, cure="Allow namespaces.")
NAMESPACES = Protection(level=Isolation.NAMESPACES)


async def added(app, admin, notebook, **said):
    proposal = Proposal(name="careful", notebook=notebook("1", **said))
    return await app.authoring.create(admin, proposal)


def test_a_run_that_needs_more_is_refused_with_what_to_do(desk, run, admin, notebook):
    async def story():
        async with desk(protection=LANDLOCK) as (app, executor):
            agent = await added(app, admin, notebook, isolation="namespaces")
            with pytest.raises(Unavailable, match="namespaces.* landlock.* Allow namespaces"):
                await app.running.accept(admin, agent, Order(test=True))
            assert executor.asked == []

    run(story())


def test_a_run_that_needs_no_more_begins(desk, run, admin, notebook):
    async def story():
        async with desk(protection=LANDLOCK) as (app, _):
            agent = await added(app, admin, notebook, isolation="landlock")
            accepted = await app.running.accept(admin, agent, Order(test=True))
            settled = await app.running.get(admin, accepted.id, wait_seconds=None)
            assert settled.status is RunStatus.COMPLETED

    run(story())


def test_a_waiting_run_whose_machine_has_changed_is_settled_with_the_reason(
    desk, run, admin, notebook
):
    async def story():
        async with desk(protection=NAMESPACES, runs_at_once=1) as (app, executor):
            agent = await added(app, admin, notebook, isolation="namespaces")
            executor.hold.clear()
            await app.running.accept(admin, agent, Order(test=True))
            waiting = await app.running.accept(admin, agent, Order(test=True))
            await app.dispatching.stop()
        async with desk(protection=LANDLOCK) as (app, executor):
            settled = await app.running.get(admin, waiting.id, wait_seconds=None)
            assert settled.status is RunStatus.FAILED
            assert settled.reason is Reason.ISOLATION_UNAVAILABLE
            assert "Allow namespaces" in settled.error["message"]
            assert executor.asked == []

    run(story())
