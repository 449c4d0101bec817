"""Accepted means durable, and every accepted run ends exactly once."""

from __future__ import annotations

import asyncio

import pytest

from workbench.domain.events import EventType
from workbench.domain.models import Mode
from workbench.domain.queries import RunQuery
from workbench.domain.runs import Reason, RunStatus
from workbench.errors import (
    IdempotencyMismatch,
    IllegalMove,
    InvalidInput,
    NotFound,
    ResourceExhausted,
    Unavailable,
)
from workbench.services.authoring import Proposal
from workbench.services.running import Order
from workbench.store.runs import Idempotency
from workbench.testing import InstantExecutor


async def published(app, who, notebook, *cells, **metadata):
    agent = await app.authoring.create(
        who, Proposal(name="greeter", notebook=notebook(*cells, **metadata))
    )
    await app.publishing.publish(who, agent, force=True)
    return await app.authoring.get(who, who.user, "greeter")


async def finished(app, who, run):
    return await app.running.get(who, run.id, wait_seconds=None)


async def types_of(app, who, run):
    return [e.type async for e in await app.running.events(who, run.id)]


def test_a_run_gets_its_parameters_and_gives_its_result(desk, run, ada, notebook):
    async def story():
        async with desk() as (app, executor):
            agent = await published(
                app, ada, notebook, ("n: int = 1\nword: str = 'a'", "parameters")
            )
            asked = await app.running.accept(
                ada, agent, Order(texts={"n": "4"}, parameters={"word": "b"})
            )
            settled = await finished(app, ada, asked)
            return executor.asked[0], settled, await types_of(app, ada, asked)

    task, settled, types = run(story())

    assert dict(task.parameters) == {"n": 4, "word": "b"}
    assert (settled.status, settled.version, settled.attempt) == (RunStatus.COMPLETED, "1.0.0", 1)
    assert settled.result == {"n": 4, "word": "b"}
    assert types == [EventType.RUN_STARTED, EventType.RESULT, EventType.RUN_COMPLETED]


@pytest.mark.parametrize(
    ("order", "about"),
    [
        (Order(parameters={"m": 1}), "m"),
        (Order(parameters={"test": True}), "test"),
        (Order(texts={"test": "true"}), "test"),
        (Order(parameters={"n": "four"}), "n"),
        (Order(texts={"n": "four"}), "n"),
        (Order(parameters={}), "n"),
        (Order(parameters={"n = 1; import os; n": 1}), "import os"),
    ],
)
def test_parameters_that_are_not_declared_never_reach_a_kernel(
    desk, run, ada, notebook, order, about
):
    async def story():
        async with desk() as (app, executor):
            agent = await published(app, ada, notebook, ("n: int", "parameters"))
            with pytest.raises(InvalidInput, match=about):
                await app.running.accept(ada, agent, order)
            return executor.asked, (await app.running.list(ada, RunQuery())).items

    assert run(story()) == ([], [])


def test_a_draft_runs_as_a_test_run_only(desk, run, ada, notebook):
    async def story():
        async with desk() as (app, _):
            agent = await app.authoring.create(ada, Proposal(name="a", notebook=notebook("1")))
            with pytest.raises(IllegalMove, match="test run"):
                await app.running.accept(ada, agent, Order())
            asked = await app.running.accept(ada, agent, Order(test=True))
            return await finished(app, ada, asked)

    settled = run(story())

    assert (settled.version, settled.test, settled.status) == ("draft", True, RunStatus.COMPLETED)


def test_a_result_that_breaks_the_declared_schema_fails_the_run(desk, run, ada, notebook):
    async def story():
        async with desk(InstantExecutor(lambda task: {"n": "many"})) as (app, _):
            schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
            agent = await published(app, ada, notebook, "1", output_schema=schema)
            asked = await app.running.accept(ada, agent, Order())
            return await finished(app, ada, asked), await types_of(app, ada, asked)

    settled, types = run(story())

    assert (settled.status, settled.reason) == (RunStatus.FAILED, Reason.INVALID_OUTPUT)
    assert settled.result is None
    assert types[-1] is EventType.RUN_FAILED


def test_waiting_users_are_served_turn_by_turn(desk, run, ada, bob, notebook, admin):
    async def story():
        async with desk(runs_at_once=1) as (app, executor):
            executor.hold.clear()
            agent = await published(app, ada, notebook, "1")
            own = await app.authoring.create(bob, Proposal(name="b", notebook=notebook("1")))
            asked = [await app.running.accept(ada, agent, Order()) for _ in range(4)]
            asked += [await app.running.accept(bob, own, Order(test=True)) for _ in range(2)]
            executor.hold.set()
            for accepted in asked:
                await finished(app, admin, accepted)
            owners = {accepted.id: accepted.user for accepted in asked}
            return [owners[task.run_id] for task in executor.asked]

    assert run(story()) == ["ada", "ada", "bob", "ada", "bob", "ada"]


def test_no_more_run_at_once_than_allowed(desk, run, ada, notebook):
    async def story():
        async with desk(runs_at_once=2) as (app, executor):
            executor.hold.clear()
            agent = await published(app, ada, notebook, "1")
            asked = [await app.running.accept(ada, agent, Order()) for _ in range(5)]
            await asyncio.sleep(0)
            seen = (app.dispatching.running, app.dispatching.waiting)
            executor.hold.set()
            ended = [(await finished(app, ada, accepted)).status for accepted in asked]
            return seen, ended

    assert run(story()) == ((2, 3), [RunStatus.COMPLETED] * 5)


def test_a_full_line_refuses_the_next(desk, run, ada, notebook):
    async def story():
        async with desk(runs_at_once=1, queue_limit=2) as (app, executor):
            executor.hold.clear()
            agent = await published(app, ada, notebook, "1")
            for _ in range(3):
                await app.running.accept(ada, agent, Order())
            with pytest.raises(ResourceExhausted):
                await app.running.accept(ada, agent, Order())

    run(story())


def test_cancelling_a_waiting_run_and_a_running_one(desk, run, ada, notebook):
    async def story():
        async with desk(runs_at_once=1) as (app, executor):
            executor.hold.clear()
            agent = await published(app, ada, notebook, "1")
            first = await app.running.accept(ada, agent, Order())
            second = await app.running.accept(ada, agent, Order())
            waiting = await app.running.cancel(ada, second.id)
            await app.running.cancel(ada, first.id)
            running = await finished(app, ada, first)
            again = await app.running.cancel(ada, first.id)
            return waiting, running, again, await types_of(app, ada, second), executor.asked

    waiting, running, again, types, asked = run(story())

    for cancelled in (waiting, running, again):
        assert (cancelled.status, cancelled.reason) == (
            RunStatus.CANCELLED,
            Reason.CANCELLED_BY_USER,
        )
    assert waiting.started_at is None
    assert types == [EventType.RUN_CANCELLED]
    assert len(asked) == 1


def test_a_waiting_run_is_called_off_once_however_many_ask(desk, run, ada, notebook):
    async def story():
        async with desk(runs_at_once=1) as (app, executor):
            executor.hold.clear()
            agent = await published(app, ada, notebook, "1")
            await app.running.accept(ada, agent, Order())
            waiting = await app.running.accept(ada, agent, Order())
            asked = await asyncio.gather(*(app.running.cancel(ada, waiting.id) for _ in range(5)))
            return {r.status for r in asked}, await types_of(app, ada, waiting)

    assert run(story()) == ({RunStatus.CANCELLED}, [EventType.RUN_CANCELLED])


def test_a_run_that_waits_for_the_next_life_can_be_called_off(desk, run, ada, notebook):
    async def story():
        async with desk(runs_at_once=1) as (app, executor):
            executor.hold.clear()
            agent = await published(app, ada, notebook, "1")
            await app.running.accept(ada, agent, Order())
            waiting = await app.running.accept(ada, agent, Order())
            drained = asyncio.ensure_future(app.dispatching.drain(5))
            await asyncio.sleep(0)
            cancelled = await app.running.cancel(ada, waiting.id)
            executor.hold.set()
            await drained
            return cancelled

    assert run(story()).status is RunStatus.CANCELLED


def test_one_key_makes_one_run(desk, run, ada, bob, notebook):
    async def story():
        async with desk() as (app, executor):
            agent = await published(app, ada, notebook, ("n: int = 1", "parameters"))
            key = Idempotency(key="k1", fingerprint="f1")
            asked = await asyncio.gather(
                *(app.running.accept(ada, agent, Order(key=key)) for _ in range(20))
            )
            with pytest.raises(IdempotencyMismatch):
                await app.running.accept(
                    ada, agent, Order(key=Idempotency(key="k1", fingerprint="f2"))
                )
            await finished(app, ada, asked[0])
            return {accepted.id for accepted in asked}, len(executor.asked)

    ids, executed = run(story())

    assert len(ids) == executed == 1


def test_a_caller_who_goes_away_leaves_no_run_that_nobody_runs(desk, run, ada, notebook):
    async def story():
        async with desk() as (app, executor):
            agent = await published(app, ada, notebook, "1")
            before = app.journaled
            asking = asyncio.ensure_future(app.running.accept(ada, agent, Order()))
            while app.journaled == before:
                await asyncio.sleep(0)
            asking.cancel()
            while not executor.asked:
                await asyncio.sleep(0)
            return asking.cancelled() or asking.done(), await finished(
                app, ada, (await app.running.list(ada, RunQuery())).items[0]
            )

    gone, settled = run(story())

    assert gone and settled.status is RunStatus.COMPLETED


def test_somebody_elses_run_does_not_exist(desk, run, ada, bob, notebook):
    async def story():
        async with desk() as (app, _):
            agent = await published(app, ada, notebook, "1")
            asked = await app.running.accept(ada, agent, Order())
            await finished(app, ada, asked)
            for question in (
                app.running.get(bob, asked.id),
                app.running.cancel(bob, asked.id),
                app.running.notebook(bob, asked.id),
                app.running.events(bob, asked.id),
                app.running.files(bob, asked.id),
            ):
                with pytest.raises(NotFound):
                    await question
            return (await app.running.list(bob, RunQuery())).items

    assert run(story()) == []


def test_draining_refuses_new_runs_keeps_waiting_ones_and_stops_the_running(
    desk, run, ada, notebook
):
    async def first_life():
        async with desk(runs_at_once=1) as (app, executor):
            executor.hold.clear()
            agent = await published(app, ada, notebook, "1")
            asked = [await app.running.accept(ada, agent, Order()) for _ in range(2)]
            await app.dispatching.drain(0.05)
            with pytest.raises(Unavailable):
                await app.running.accept(ada, agent, Order())
            return asked, await app.running.get(ada, asked[0].id)

    async def second_life(waiting):
        async with desk() as (app, executor):
            return await finished(app, ada, waiting), len(executor.asked)

    (_, waiting), seen = run(first_life())
    taken_up, executed = run(second_life(waiting))

    assert (seen.status, seen.reason) == (RunStatus.FAILED, Reason.GATEWAY_RESTARTED)
    assert taken_up.status is RunStatus.COMPLETED
    assert executed == 1


def test_a_notebook_in_another_language_is_refused_a_model(desk, ada, run, notebook):
    in_r = notebook("1")
    in_r["metadata"] |= {
        "kernelspec": {"name": "ir", "display_name": "R", "language": "R"},
        "language_info": {"name": "R"},
    }

    async def play():
        async with desk(kernels=("ir",)) as (app, _):
            agent = await app.authoring.create(ada, Proposal(name="in-r", notebook=in_r))
            with pytest.raises(InvalidInput, match="only kernels of Python"):
                await app.running.accept(ada, agent, Order(test=True, model=Mode.SCRIPTED))
            plain = await app.running.accept(ada, agent, Order(test=True))
            return await app.running.get(ada, plain.id, wait_seconds=None)

    assert run(play()).status is RunStatus.COMPLETED
