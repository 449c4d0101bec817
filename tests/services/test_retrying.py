"""At least once for those who ask for it, at most once for all others, and no ghost has a say."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.services.test_recovering import accepted
from workbench.domain.events import EventType
from workbench.domain.runs import Reason, RunStatus
from workbench.errors import IllegalMove, NotFound
from workbench.kernels import Outcome
from workbench.services.authoring import Proposal
from workbench.services.running import Order
from workbench.store.store import Store
from workbench.testing import InstantExecutor, SteppingClock

SOON = {"max": 2, "backoff_seconds": 0}
LATE = {"max": 2, "backoff_seconds": 600}


class Losing(InstantExecutor):
    """Loses the first attempts of every run for *reason*."""

    def __init__(self, times=1, reason=Reason.KERNEL_DIED, begins=True):
        super().__init__()
        self._times, self._reason, self._begins = times, reason, begins
        self.reports = []

    async def execute(self, task, *, report, cancel, started=None):
        self.reports.append(report)
        if len(self.asked) >= self._times:
            task_ = replace(task, notebook=f"attempt {len(self.asked) + 1}".encode())
            return await super().execute(task_, report=report, cancel=cancel, started=started)
        self.asked.append(task)
        if self._begins:
            await started("none")
        await self.hold.wait()
        return Outcome(
            status=RunStatus.FAILED,
            reason=self._reason,
            error={"message": "gone"},
            notebook=f"attempt {len(self.asked)}".encode(),
            resource_usage={"cpu_ms": len(self.asked)},
        )


async def published(app, who, notebook, **metadata):
    agent = await app.authoring.create(who, Proposal(name="a", notebook=notebook("1", **metadata)))
    await app.publishing.publish(who, agent, force=True)
    return await app.authoring.get(who, who.user, "a")


async def asked_and_ended(app, who, agent, **order):
    run = await app.running.accept(who, agent, Order(**order))
    return await app.running.get(who, run.id, wait_seconds=None)


async def until(condition):
    while not await condition():
        await asyncio.sleep(0)


@pytest.mark.parametrize("begins", [True, False])
def test_a_lost_attempt_is_followed_by_another(desk, run, ada, notebook, begins):
    reason = Reason.KERNEL_DIED if begins else Reason.KERNEL_START_FAILED

    async def story():
        async with desk(Losing(2, reason, begins=begins)) as (app, executor):
            agent = await published(app, ada, notebook, retry=SOON)
            ended = await asked_and_ended(app, ada, agent)
            events = [e async for e in await app.running.events(ada, ended.id)]
            notebooks = [
                await app.running.notebook(ada, ended.id, attempt=n) for n in (1, 2, 3, None)
            ]
            with pytest.raises(NotFound):
                await app.running.notebook(ada, ended.id, attempt=4)
            leaves = {task.leave for task in executor.asked}
            return ended, events, notebooks, leaves

    ended, events, notebooks, leaves = run(story())

    assert (ended.status, ended.attempt) == (RunStatus.COMPLETED, 3)
    assert [(a.number, a.reason) for a in ended.attempts] == [(1, reason), (2, reason)]
    assert [a.resource_usage for a in ended.attempts] == [{"cpu_ms": 1}, {"cpu_ms": 2}]
    types = [event.type for event in events]
    assert types.count(EventType.RUN_RETRYING) == 2
    assert [t for t in types if t.last] == [EventType.RUN_COMPLETED] and types[-1].last
    begun = [e.data["attempt"] for e in events if e.type is EventType.RUN_STARTED]
    assert begun == ([1, 2, 3] if begins else [3])
    assert [n.decode() for n in notebooks] == [
        "attempt 1", "attempt 2", "attempt 3", "attempt 3",
    ]  # fmt: skip
    assert len(leaves) == 3


def test_who_did_not_ask_is_not_begun_again(desk, run, ada, notebook):
    async def story():
        async with desk(Losing(1)) as (app, executor):
            agent = await published(app, ada, notebook)
            return await asked_and_ended(app, ada, agent), len(executor.asked)

    ended, times = run(story())

    assert (ended.status, ended.reason, times) == (RunStatus.FAILED, Reason.KERNEL_DIED, 1)


@pytest.mark.parametrize(("test", "times"), [(False, 1), (True, 2)])
def test_a_test_run_is_begun_again_only_if_the_agent_says_so(desk, run, ada, notebook, test, times):
    async def story():
        async with desk(Losing(1)) as (app, executor):
            agent = await published(app, ada, notebook, retry={**SOON, "test": test})
            ended = await asked_and_ended(app, ada, agent, test=True)
            return ended.status, len(executor.asked)

    assert run(story()) == (RunStatus.COMPLETED if test else RunStatus.FAILED, times)


def test_an_error_of_the_agent_counts_only_if_it_is_named(desk, run, ada, notebook):
    async def story(on):
        async with desk(Losing(1, Reason.AGENT_ERROR)) as (app, executor):
            name = f"a{len(on)}"
            wish = {**SOON, "on": on}
            agent = await app.authoring.create(
                ada, Proposal(name=name, notebook=notebook("1", retry=wish))
            )
            await app.publishing.publish(ada, agent, force=True)
            agent = await app.authoring.get(ada, "ada", name)
            return (await asked_and_ended(app, ada, agent)).status, len(executor.asked)

    assert run(story(["timeout", "kernel_died"])) == (RunStatus.FAILED, 1)
    assert run(story(["agent_error"])) == (RunStatus.COMPLETED, 2)


def test_there_is_an_end_to_it(desk, run, ada, notebook):
    async def story():
        async with desk(Losing(99)) as (app, executor):
            agent = await published(app, ada, notebook, retry=SOON)
            return await asked_and_ended(app, ada, agent), len(executor.asked)

    ended, times = run(story())

    assert (ended.status, ended.reason, ended.attempt) == (RunStatus.FAILED, "kernel_died", 3)
    assert (len(ended.attempts), times) == (2, 3)


def test_while_it_pauses_others_run_and_it_can_be_called_off(desk, run, ada, notebook):
    async def story():
        async with desk(Losing(1), runs_at_once=1) as (app, executor):
            agent = await published(app, ada, notebook, retry=LATE)
            lost = await app.running.accept(ada, agent, Order())

            async def pauses():
                return app.dispatching.waiting == 1

            await until(pauses)
            waiting = app.dispatching.waiting
            other = await asked_and_ended(app, ada, agent)
            called_off = [await app.running.cancel(ada, lost.id) for _ in "ab"]
            events = [e.type async for e in await app.running.events(ada, lost.id)]
            return waiting, other, called_off, events, len(executor.asked), app.dispatching.waiting

    waiting, other, called_off, events, times, left = run(story())

    assert (waiting, other.status, times, left) == (1, RunStatus.COMPLETED, 2, 0)
    assert {r.status for r in called_off} == {RunStatus.CANCELLED}
    assert [(a.number, a.reason) for a in called_off[0].attempts] == [(1, Reason.KERNEL_DIED)]
    assert events == [EventType.RUN_STARTED, EventType.RUN_RETRYING, EventType.RUN_CANCELLED]


def test_a_run_called_off_while_its_attempt_is_lost_does_not_begin_again(desk, run, ada, notebook):
    async def story():
        executor = Losing(1)
        executor.hold.clear()
        async with desk(executor) as (app, executor):
            agent = await published(app, ada, notebook, retry=SOON)
            asked = await app.running.accept(ada, agent, Order())

            async def begun():
                return (await app.running.get(ada, asked.id)).status is RunStatus.RUNNING

            await until(begun)
            await app.running.cancel(ada, asked.id)
            executor.hold.set()
            ended = await app.running.get(ada, asked.id, wait_seconds=None)
            return ended.status, len(executor.asked)

    assert run(story()) == (RunStatus.FAILED, 1)


def test_what_waits_for_its_next_attempt_outlives_a_stop_and_is_not_lost(desk, run, ada, notebook):
    async def first():
        executor = InstantExecutor()
        executor.hold.clear()
        async with desk(executor) as (app, _):
            agent = await published(app, ada, notebook, retry=SOON)
            asked = await app.running.accept(ada, agent, Order())

            async def begun():
                return (await app.running.get(ada, asked.id)).status is RunStatus.RUNNING

            await until(begun)
            await app.dispatching.stop()
            return asked.id, await app.running.get(ada, asked.id)

    async def second(run_id):
        async with desk() as (app, executor):
            return await app.running.get(ada, run_id, wait_seconds=None), len(executor.asked)

    run_id, stopped = run(first())
    ended, times = run(second(run_id))

    assert (stopped.status, stopped.attempt) == (RunStatus.PENDING, 2)
    assert (ended.status, ended.attempt, times) == (RunStatus.COMPLETED, 2, 1)
    assert [a.reason for a in ended.attempts] == [Reason.GATEWAY_RESTARTED]


def test_after_a_crash_those_who_asked_begin_again_and_no_others(
    desk, run, ada, notebook, tmp_path
):
    async def earlier(**metadata):
        executor = InstantExecutor()
        executor.hold.clear()
        async with desk(executor) as (app, _):
            agent = await published(app, ada, notebook, **metadata)
        clock = SteppingClock()
        begun = accepted(agent, clock())
        async with await Store.open(tmp_path / "home", clock=clock) as store:
            await store.runs.accept(begun)
            await store.runs.record(begun.begin(at=clock(), isolation="none", boot="earlier"))
            stream = await store.events.open(begun.id)
            stream.append(EventType.RUN_STARTED, {})
            await stream.close()
        return begun.id

    async def later(run_id):
        async with desk() as (app, executor):
            ended = await app.running.get(ada, run_id, wait_seconds=None)
            types = [e.type async for e in await app.running.events(ada, run_id)]
            return ended, types, len(executor.asked)

    ended, types, times = run(later(run(earlier(retry=SOON))))

    assert (ended.status, ended.attempt, times) == (RunStatus.COMPLETED, 2, 1)
    assert [a.reason for a in ended.attempts] == [Reason.GATEWAY_RESTARTED]
    assert types[:2] == [EventType.RUN_STARTED, EventType.RUN_RETRYING]
    assert [t for t in types if t.last] == [EventType.RUN_COMPLETED]


def test_a_clock_that_was_set_back_makes_nobody_wait_for_ever(desk, run, ada, notebook, tmp_path):
    async def earlier():
        async with desk() as (app, _):
            agent = await published(app, ada, notebook, retry=SOON)
        clock = SteppingClock()
        one = accepted(agent, clock())
        async with await Store.open(tmp_path / "home", clock=clock) as store:
            await store.runs.accept(one)
            begun = one.begin(at=clock(), isolation="none")
            await store.runs.record(begun)
            year = clock().replace(year=9999)
            await store.runs.record(begun.again(at=year, due_at=year, reason=Reason.KERNEL_DIED))
        return one.id

    async def later(run_id):
        async with desk() as (app, _):
            return await app.running.get(ada, run_id, wait_seconds=None)

    assert run(later(run(earlier()))).status is RunStatus.COMPLETED


def test_a_ghost_of_a_lost_attempt_can_neither_settle_nor_tell_nor_write(desk, run, ada, notebook):
    async def story():
        async with desk(Losing(1)) as (app, executor):
            agent = await published(app, ada, notebook, retry=LATE)
            asked = await app.running.accept(ada, agent, Order())

            async def pauses():
                return app.dispatching.waiting == 1

            await until(pauses)
            with pytest.raises(IllegalMove):
                executor.reports[0](EventType.LOG, {"message": "boo"})
            ghost = replace(asked, attempt=1, status=RunStatus.RUNNING, attempts=())
            with pytest.raises(IllegalMove, match="attempt 2"):
                await app.store.runs.record(ghost.settle(RunStatus.COMPLETED, at=asked.created_at))
            places = {app.store.papers.files_path(asked.id, attempt=n) for n in (1, 2)}
            await app.running.cancel(ada, asked.id)
            with pytest.raises(IllegalMove):
                executor.reports[0](EventType.LOG, {"message": "boo"})
            return [e.data for e in await app.store.events.read(asked.id)], places

    told, places = run(story())

    assert "boo" not in str(told)
    assert len(places) == 2


class Doing(InstantExecutor):
    """Would do something in every attempt, and loses the first."""

    async def execute(self, task, *, report, cancel, started=None):
        await started("none")
        self.asked.append(task)
        did = {"tool": f"attempt {len(self.asked)}", "simulated": True, "text": "", "cell": "c"}
        report(EventType.TOOL_RESULT, did)
        lost = len(self.asked) == 1
        return Outcome(
            status=RunStatus.FAILED if lost else RunStatus.COMPLETED,
            reason=Reason.KERNEL_DIED if lost else None,
            notebook=b"",
        )


def test_what_a_lost_attempt_would_have_done_is_not_told_of_the_next(desk, run, ada, notebook):
    async def story():
        async with desk(Doing()) as (app, _):
            agent = await published(app, ada, notebook, retry={**SOON, "test": True})
            return await asked_and_ended(app, ada, agent, test=True)

    ended = run(story())

    assert (ended.status, ended.attempt) == (RunStatus.COMPLETED, 2)
    assert [effect["tool"] for effect in ended.effects] == ["attempt 2"]
