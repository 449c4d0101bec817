"""The services on a real store and kernels that answer at once."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import asynccontextmanager

import pytest

from tests.llm.upstream import COMPLETION, answer, misbehaving
from tests.services.asking import a_notebook
from workbench.app import TRUSTED, App
from workbench.errors import BudgetExceeded, Unauthenticated
from workbench.services.authoring import Proposal
from workbench.services.lending import Door
from workbench.services.running import Order
from workbench.settings import Settings
from workbench.store.store import Store
from workbench.testing import InstantExecutor, SteppingClock


@pytest.fixture
def desk(tmp_path):
    """Opens an app on one home, as often as asked: `async with desk() as (app, executor)`."""

    @asynccontextmanager
    async def open_app(executor=None, door=None, protection=TRUSTED, **settings):
        executor = executor or InstantExecutor()
        clock = SteppingClock()
        store = await Store.open(tmp_path / "home", clock=clock)
        chosen = {"runs_at_once": 2, **settings}
        app = App(
            Settings(home=tmp_path / "home", **chosen),
            store=store,
            executor=executor,
            door=door,
            protection=protection,
            clock=clock,
        )
        await app.recover()
        try:
            yield app, executor
        finally:
            executor.hold.set()
            await app.close(drain_seconds=5)

    return open_app


@pytest.fixture
def run():
    """Carries a coroutine function out to its end."""
    return asyncio.run


@pytest.fixture
def broker(desk):
    """Opens an app whose models are those of a misbehaving upstream."""

    @asynccontextmanager
    async def open_app(**budgets):
        async with misbehaving() as server:
            server.will(answer(COMPLETION))
            models = {
                "upstreams": {"openai": {"kind": "openai", "url": server.url, "models": ["gpt-*"]}},
                "budgets": budgets,
            }
            async with desk(models=models) as (app, executor):
                yield app, server, executor

    return open_app


@pytest.fixture
def carried_out(desk, notebook, ada):
    """Carries out a run whose notebook is a coroutine function that is given the app and itself."""

    numbers = itertools.count()

    async def carry_out(work, *, files=(), budgets=None, model=None, **metadata):
        door = Door(port=9, socket="/nowhere")
        async with misbehaving() as server:
            server.will(answer(COMPLETION))
            upstreams = {"openai": {"kind": "openai", "url": server.url}}
            given = {"upstreams": upstreams, "budgets": budgets or {}}
            async with desk(door=door, models=given) as (app, executor):
                executor.hold.clear()
                agent = await app.authoring.create(
                    ada,
                    Proposal(
                        name=f"asker-{next(numbers)}", notebook=a_notebook(notebook, **metadata)
                    ),
                )
                for path, content in files:
                    agent = await app.authoring.attach(ada, agent, path, content)
                order = Order(test=True, model=model)
                accepted = await app.running.accept(ada, agent, order)
                while not executor.asked:
                    await asyncio.sleep(0)
                token = executor.asked[0].environment["OPENAI_API_KEY"]
                principal = app.lending.borrower(token)
                failed = None
                try:
                    await work(app, principal, server)
                except BudgetExceeded as error:
                    failed = error
                if failed is not None:
                    executor._answer = lambda task: 1 / 0
                executor.hold.set()
                settled = await app.running.get(ada, accepted.id, wait_seconds=None)
                with pytest.raises(Unauthenticated):
                    app.lending.borrower(token)
                events = [e async for e in await app.running.events(ada, accepted.id)]
                left = [file.path for file in await app.running.files(ada, accepted.id)]
                tape = None
                if left:
                    with await app.running.file(ada, accepted.id, left[0]) as file:
                        tape = file.read()
                return settled, events, tape, server

    return carry_out
