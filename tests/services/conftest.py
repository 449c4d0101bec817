"""The services on a real store and kernels that answer at once."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from workbench.app import TRUSTED, App
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
