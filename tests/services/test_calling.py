"""A run calls another agent in its own place, for its own user, and nothing outlives it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from workbench.domain.agents import Visibility
from workbench.domain.events import EventType
from workbench.domain.models import Mode
from workbench.domain.runs import Reason, RunStatus
from workbench.errors import (
    AgentNotFound,
    IllegalMove,
    InsufficientPermissions,
    InvalidInput,
    ResourceExhausted,
    Unauthenticated,
    WorkbenchError,
)
from workbench.kernels import Outcome
from workbench.services.authoring import Proposal
from workbench.services.calling import MOST_DEEP, Errand
from workbench.services.lending import Door
from workbench.services.queueing import MOST_CALLED, Errands
from workbench.services.running import Order
from workbench.store.store import Store
from workbench.testing import InstantExecutor, SteppingClock

DOOR = Door(port=8890, socket="/run/models")


class Callers(InstantExecutor):
    """Each run calls the agents that its parameter `plan` lists, and answers what they answered."""

    app = None

    async def execute(self, task, *, report, cancel, started=None):
        self.asked.append(task)
        await started("none")
        ends = asyncio.Event()
        calls = [
            asyncio.ensure_future(self.call(task, p, ends)) for p in task.parameters.get("plan", [])
        ]
        answers = asyncio.gather(*calls, self.hold.wait())
        over = asyncio.ensure_future(cancel.wait())
        await asyncio.wait({answers, over}, return_when=asyncio.FIRST_COMPLETED)
        ends.set()
        over.cancel()
        if task.test:
            said = {"tool": "t", "simulated": True, "text": "would", "cell": "c", "more": 1}
            report(EventType.TOOL_RESULT, said)
        status = RunStatus.CANCELLED if cancel.is_set() else RunStatus.COMPLETED
        result = [self.plain(each) for each in (await answers)[:-1]] if answers.done() else None
        if not answers.done():
            answers.cancel()
        return Outcome(status=status, result=result, notebook=task.notebook, isolation="none")

    async def call(self, task, planned, ends):
        address, plan = planned
        owner, name = address.split("/")
        who = self.app.lending.borrower(task.environment["WORKBENCH_RUN_TOKEN"])
        errand = Errand(owner=owner, name=name, parameters={"plan": plan})
        try:
            return await self.app.calling.call(who, task.run_id, errand, ends=ends)
        except WorkbenchError as error:
            return error

    def plain(self, answer):
        if isinstance(answer, WorkbenchError):
            return type(answer).__name__
        return answer.result if answer.status is RunStatus.COMPLETED else str(answer.reason)


@pytest.fixture
def agents(desk, notebook):
    """Opens an app with published agents: `async with agents(who, "a", "b") as (app, executor)`."""
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def open_app(who, *names, **settings):
        executor = Callers()
        async with desk(executor, door=DOOR, **settings) as (app, _):
            executor.app = app
            for name in names:
                await make(app, notebook, who, name)
            yield app, executor

    return open_app


async def make(app, notebook, who, name, *, visibility=Visibility.PRIVATE, publish=True):
    nb = notebook(("plan: list = []", "parameters"), "1")
    agent = await app.authoring.create(who, Proposal(name=name, notebook=nb, visibility=visibility))
    if publish:
        await app.publishing.publish(who, agent, force=True)
    return agent


async def ask(app, who, name, plan, *, owner="", **order):
    agent = await app.authoring.get(who, owner or who.user, name)
    return await app.running.accept(who, agent, Order(parameters={"plan": plan}, **order))


async def end(app, who, run):
    return await app.running.get(who, run.id, wait_seconds=None)


async def until(condition):
    while not condition():
        await asyncio.sleep(0)


async def runs_of(app, who, name):
    from workbench.domain.queries import RunQuery

    agent = await app.authoring.get(who, who.user, name)
    query = [RunQuery(agent_id=agent.id, test=test) for test in (False, True)]
    return [run for each in query for run in (await app.running.list(who, each)).items]


def test_one_place_is_enough_for_any_chain_of_calls(agents, run, ada):
    async def story():
        async with agents(ada, "a", "b", "c", runs_at_once=1) as (app, _):
            plan = [["ada/b", [["ada/c", []], ["ada/c", []]]], ["ada/c", []]]
            many = [await ask(app, ada, "a", plan) for _ in range(3)]
            ended = [await end(app, ada, each) for each in many]
            called = [await runs_of(app, ada, name) for name in ("b", "c")]
            events = [e async for e in await app.running.events(ada, ended[0].id)]
            return ended, called, events, app.dispatching.running

    ended, [b, c], events, running = run(story())

    assert [each.result for each in ended] == [[[[], []], []]] * 3
    assert {each.parent_id for each in b} == {each.id for each in ended}
    assert len(c) == 9 and {each.parent_id for each in c} == {e.id for e in [*ended, *b]}
    assert {each.user for each in [*b, *c]} == {"ada"}
    told = [e.data["fields"]["run_id"] for e in events if e.type is EventType.LOG]
    assert set(told) <= {each.id for each in [*b, *c]} and len(told) == 2
    assert running == 0


def test_of_the_runs_that_one_has_called_one_is_under_way_at_a_time(agents, run, ada):
    async def story():
        async with agents(ada, "a", "b", runs_at_once=2) as (app, executor):
            executor.hold.clear()
            first = await ask(app, ada, "a", [["ada/b", []]] * 3)
            await until(lambda: len(executor.asked) == 2)
            await ask(app, ada, "b", [])
            await until(lambda: len(executor.asked) == 3)
            await ask(app, ada, "b", [])
            for _ in range(50):
                await asyncio.sleep(0)
            busy = len(executor.asked), app.dispatching.running, app.dispatching.waiting
            executor.hold.set()
            return busy, (await end(app, ada, first)).result

    # a, one b in its place, and one b of its own; the other waits.
    assert run(story()) == ((3, 3, 1), [[], [], []])


def test_nobody_waits_for_themselves_nor_too_deep(agents, run, ada):
    async def story():
        names = [f"d{n}" for n in range(MOST_DEEP + 1)]
        async with agents(ada, *names) as (app, _):
            deep = []
            for name in reversed(names[1:]):
                deep = [[f"ada/{name}", deep]]
            circle = await end(app, ada, await ask(app, ada, "d0", [["ada/d1", [["ada/d0", []]]]]))
            itself = await end(app, ada, await ask(app, ada, "d0", [["ada/d0", []]]))
            far = await end(app, ada, await ask(app, ada, "d0", deep))
            return circle.result, itself.result, far.result

    circle, itself, far = run(story())

    assert circle == [[IllegalMove.__name__]]
    assert itself == [IllegalMove.__name__]
    for _ in range(MOST_DEEP - 1):
        [far] = far
    assert far == [ResourceExhausted.__name__]


def test_what_is_called_must_be_seen_by_the_user_and_by_the_author(agents, notebook, run, ada, bob):
    async def story():
        async with agents(ada, "hidden") as (app, _):
            await make(app, notebook, ada, "shared", visibility=Visibility.PUBLIC)
            await make(app, notebook, ada, "open", visibility=Visibility.PUBLIC)
            await make(app, notebook, bob, "diary")
            plan = [["ada/hidden", []], ["bob/diary", []], ["ada/open", []], ["x/y", []]]
            mine = await end(app, bob, await ask(app, bob, "shared", plan, owner="ada"))
            return mine.result

    missing = AgentNotFound.__name__
    assert run(story()) == [missing, missing, [], missing]


def test_what_is_called_ends_with_its_caller(agents, run, ada):
    async def story():
        async with agents(ada, "a", "b", "c") as (app, executor):
            executor.hold.clear()
            first = await ask(app, ada, "a", [["ada/b", [["ada/c", []]]], ["ada/c", []]])
            await until(lambda: len(executor.asked) == 3)
            await app.running.cancel(ada, first.id)
            ended = await end(app, ada, first)
            called = [*await runs_of(app, ada, "b"), *await runs_of(app, ada, "c")]
            return ended, called, (app.dispatching.running, app.dispatching.waiting)

    ended, called, left = run(story())

    assert ended.reason is Reason.CANCELLED_BY_USER
    assert [each.status for each in called] == [RunStatus.CANCELLED] * len(called)
    assert {each.reason for each in called} == {Reason.CALLER_ENDED}
    assert len(called) == 3 and left == (0, 0)


def test_nothing_that_was_called_outlives_its_caller_whoever_still_waits(agents, run, ada):
    async def story():
        async with agents(ada, "a", "b") as (app, executor):
            executor.hold.clear()
            caller = await ask(app, ada, "a", [])
            await until(lambda: executor.asked)
            called = [await ask(app, ada, "b", [], caller=caller.id) for _ in range(2)]
            await until(lambda: len(executor.asked) == 2)
            await app.running.cancel(ada, caller.id)
            await end(app, ada, caller)
            return [await app.running.get(ada, each.id) for each in called]

    ended = run(story())

    assert [each.reason for each in ended] == [Reason.CALLER_ENDED] * 2


def test_what_nobody_waits_for_any_more_ends(agents, run, ada):
    async def story():
        async with agents(ada, "a", "b") as (app, executor):
            executor.hold.clear()
            await ask(app, ada, "a", [])
            await until(lambda: executor.asked)
            [task] = executor.asked
            who = app.lending.borrower(task.environment["WORKBENCH_RUN_TOKEN"])
            ends = asyncio.Event()
            errand = Errand(owner="ada", name="b")
            calling = asyncio.ensure_future(app.calling.call(who, task.run_id, errand, ends=ends))
            await until(lambda: len(executor.asked) == 2)
            ends.set()
            called = await calling
            for stranger, wrong in ((ada, InsufficientPermissions), (who, InsufficientPermissions)):
                with pytest.raises(wrong):
                    await app.calling.call(stranger, called.id, errand, ends=ends)
            with pytest.raises(InvalidInput):
                odd = Errand(owner="ada", name="b", parameters={"plan": 1})
                await app.calling.call(who, task.run_id, odd, ends=ends)
            gone = replace(who, run_id="f" * 32)
            with pytest.raises(Unauthenticated):
                await app.calling.call(gone, gone.run_id, errand, ends=ends)
            return called

    called = run(story())

    assert (called.status, called.reason) == (RunStatus.CANCELLED, Reason.CALLER_ENDED)


def test_a_test_run_calls_test_runs_and_tells_what_they_would_have_done(agents, notebook, run, ada):
    async def story():
        async with agents(ada, "a") as (app, _):
            await make(app, notebook, ada, "draft", publish=False)
            order = {"test": True, "model": Mode.LIVE}
            tried = await end(app, ada, await ask(app, ada, "a", [["ada/draft", []]], **order))
            [called] = await runs_of(app, ada, "draft")
            real = await end(app, ada, await ask(app, ada, "a", [["ada/draft", []]]))
            return tried, called, real

    tried, called, real = run(story())

    assert (called.test, called.model, called.version) == (True, Mode.LIVE, "draft")
    effect = {"tool": "t", "text": "would", "cell": "c"}
    assert called.effects == [effect]
    assert tried.effects == [{**effect, "run_id": called.id}, effect]
    assert real.result == [IllegalMove.__name__]


def test_what_is_called_spends_what_its_caller_may(agents, run, ada):
    async def story():
        budgets = {"budgets": {"run": {"calls": 2}}}
        async with agents(ada, "a", "b", models=budgets) as (app, executor):
            executor.hold.clear()
            first = await ask(app, ada, "a", [["ada/b", []]])
            await until(lambda: len(executor.asked) == 2)
            tokens = [task.environment["WORKBENCH_RUN_TOKEN"] for task in executor.asked]
            caller, called = map(app.lending.borrower, tokens)
            said = [await question(app, who) for who in (called, caller, called, caller)]
            executor.hold.set()
            return said, (await end(app, ada, first)).usage["calls"]

    said, calls = run(story())

    assert said == [200, 200, "BudgetExceeded", "BudgetExceeded"]
    assert calls == 2


async def question(app, who):
    from workbench.domain.models import Api

    body = {"messages": [{"role": "user", "content": "2+2"}]}
    try:
        reply = await app.brokering.ask(who, Api.CHAT, body, ends=asyncio.Event())
    except WorkbenchError as error:
        return type(error).__name__
    return reply.status


def test_a_new_life_carries_out_nothing_that_an_old_one_has_called(
    desk, notebook, tmp_path, run, ada
):
    async def story():
        async with desk() as (app, _):
            agent = await make(app, notebook, ada, "a")
            agent = await app.authoring.get(ada, "ada", "a")
            caller = await end(app, ada, await ask(app, ada, "a", []))
        store = await Store.open(tmp_path / "home", clock=SteppingClock())
        left = []
        for number, begun in enumerate((False, True)):
            one = replace(
                caller,
                id=f"{number:032x}",
                parent_id=caller.id,
                status=RunStatus.PENDING,
                result=None,
                completed_at=None,
                started_at=None,
                attempt=0,
            )
            await store.runs.accept(one)
            if begun:
                one = one.begin(at=one.created_at, isolation="none", boot="before")
                await store.runs.record(one)
            left.append(one)
        await store.close()
        async with desk() as (app, executor):
            assert agent.id == caller.agent_id
            return [await end(app, ada, each) for each in left], executor.asked

    [waited, begun], asked = run(story())

    assert (waited.status, waited.reason) == (RunStatus.CANCELLED, Reason.CALLER_ENDED)
    assert (begun.status, begun.reason) == (RunStatus.FAILED, Reason.GATEWAY_RESTARTED)
    assert waited.parent_id and asked == []


def test_errands_are_bounded_and_forgotten():
    errands = Errands()
    for n in range(MOST_CALLED + 1):
        errands.check("caller")
        errands.join("caller", f"run {n}")
        errands.next("caller")
    with pytest.raises(ResourceExhausted):
        errands.check("caller")
    errands.check("another")

    assert errands.under_way == 1
    errands.rested("caller")
    assert errands.next("caller") == "run 1"
    errands.leave("caller", "run 2")
    errands.rested("caller")
    assert errands.next("caller") == "run 3"
    for n in range(MOST_CALLED + 1):
        errands.leave("caller", f"run {n}")
        errands.ended("caller", f"run {n}")
    assert errands.called("caller") == ()
    assert errands.next("caller") is None


def test_an_archived_agent_is_not_called(agents, run, ada):
    async def story():
        async with agents(ada, "a", "b") as (app, _):
            agent = await app.authoring.get(ada, "ada", "b")
            await app.authoring.archive(ada, agent)
            return (await end(app, ada, await ask(app, ada, "a", [["ada/b", []]]))).result

    [refused] = run(story())
    assert refused in (AgentNotFound.__name__, IllegalMove.__name__)
