"""Ten thousand wait, sixty-four call at once, the gateway dies again and again: it answers for all."""

import asyncio
import random
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.crashing import ADA
from tests.faults.test_followers import memory
from workbench.app import App, utc_now
from workbench.services.running import Order
from workbench.settings import Settings
from workbench.store.store import Store
from workbench.testing import InstantExecutor

MANY = 10_000


async def an_app(home, executor, **settings):
    store = await Store.open(home, clock=utc_now)
    return App(Settings(home=home, **settings), store=store, executor=executor)


def queued_then_restarted(home, many):
    """The ids of runs accepted in one life, and of those another life carried out, in order."""

    async def accept():
        executor = InstantExecutor()
        executor.hold.clear()
        async with await an_app(home, executor, runs_at_once=1, queue_limit=many) as app:
            agent = await app.authoring.get(ADA, "ada", "again")
            asked = [await app.running.accept(ADA, agent, Order()) for _ in range(many)]
            await app.dispatching.stop()
            return [run.id for run in asked]

    async def carry_out():
        executor = InstantExecutor()
        executor.hold.clear()
        async with await an_app(home, executor, runs_at_once=1, queue_limit=many) as app:
            await app.recover()
            executor.hold.set()
            for run in await app.store.runs.unsettled():
                await app.running.get(ADA, run.id, wait_seconds=None)
            return [task.run_id for task in executor.asked]

    return asyncio.run(accept()), asyncio.run(carry_out())


def test_what_waits_is_carried_out_after_a_restart_in_its_order(home):
    accepted, executed = queued_then_restarted(home, 300)

    # The first had begun when the gateway stopped; its agent lets it begin again.
    assert sorted(executed) == sorted(accepted)
    rest = [run for run in executed if run != accepted[0]]
    assert rest == accepted[1:]


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_ten_thousand_waiting_runs_outlive_a_restart(home, record_property):
    accepted, executed = queued_then_restarted(home, MANY)

    assert sorted(executed) == sorted(accepted)
    assert [run for run in executed if run != accepted[0]] == accepted[1:]
    record_property("queued_runs", len(accepted))


@pytest.mark.gateway
def test_of_sixty_four_callers_at_two_places_nobody_waits_for_one_users_hundreds(gateway_on):
    gateway = gateway_on(WORKBENCH_RUNS_AT_ONCE="2")
    tokens = {user: gateway.newcomer(user) for user in ("ada", "bob", "eve")}
    assert gateway.ask("PATCH", "/agents/ada/once", {"visibility": "public"}).status == 200
    order, lock = [], threading.Lock()

    def call(user):
        said = gateway.ask("POST", "/agents/ada/once", {}, token=tokens[user], timeout=100)
        with lock:
            order.append(user)
        return said.status

    wishes = ["ada"] * 200
    for _ in wishes:
        assert gateway.ask("POST", "/agents/ada/once/runs", {}, token=tokens["ada"]).status == 202
    with ThreadPoolExecutor(64) as callers:
        users = ["ada"] * 32 + ["bob"] * 16 + ["eve"] * 16
        assert set(callers.map(call, users)) == {200}

    # Bob and Eve came last and have long gone when Ada's hundreds are through.
    last_of_others = max(place for place, user in enumerate(order) if user != "ada")
    first_of_ada = order.index("ada")
    assert last_of_others < 64 and first_of_ada > 16


@pytest.mark.soak
@pytest.mark.gateway
@pytest.mark.timeout(1800)
def test_a_gateway_killed_again_and_again_answers_for_every_run(
    gateway_on, reckon, record_property
):
    rounds, told = 25, []
    for number in range(rounds):
        gateway = gateway_on()
        assert gateway.ask("GET", "/healthz").status == 200
        until = time.monotonic() + random.Random(number).uniform(0.1, 1.5)

        def ask(gateway=gateway, until=until):
            while time.monotonic() < until + 0.5:
                try:
                    name = random.choice(("once", "again"))
                    said = gateway.ask("POST", f"/agents/ada/{name}/runs", {}, timeout=10)
                except OSError:
                    return
                if said.status == 202:
                    told.append(["accepted", said.json["id"]])

        callers = [threading.Thread(target=ask) for _ in range(8)]
        for caller in callers:
            caller.start()
        time.sleep(max(0.0, until - time.monotonic()))
        gateway.stop(signal.SIGKILL)
        for caller in callers:
            caller.join()

    toll = reckon(told)

    assert toll.runs >= len(Counter(run for _, run in told))
    record_property("kill_rounds", rounds)
    record_property("kill_runs", toll.runs)


@pytest.mark.soak
def test_ten_thousand_waiting_runs_fit_into_memory(home, record_property):
    async def story():
        executor = InstantExecutor()
        executor.hold.clear()
        async with await an_app(home, executor, runs_at_once=1, queue_limit=MANY) as app:
            agent = await app.authoring.get(ADA, "ada", "once")
            for _ in range(500):
                await app.running.accept(ADA, agent, Order())
            before = memory("self")
            for _ in range(MANY - 500):
                await app.running.accept(ADA, agent, Order())
            grown = (memory("self") - before) / (MANY - 500)
            await app.dispatching.stop()
            return grown

    grown = asyncio.run(story())

    assert grown < 10_000
    record_property("bytes_per_queued_run", round(grown))
