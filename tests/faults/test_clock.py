"""Clocks jump: forth, back, over leap days, to the end of time. Runs end and say nothing absurd."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.conftest import FAST_RETRY
from tests.faults.crashing import ADA
from workbench.app import App
from workbench.domain.queries import RunQuery
from workbench.domain.runs import RunStatus
from workbench.services.authoring import Proposal
from workbench.services.running import Idempotency, Order
from workbench.settings import Settings
from workbench.store.store import Store
from workbench.testing import InstantExecutor

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
JUMPS = {
    "three hours forth": NOON + timedelta(hours=3),
    "three hours back": NOON - timedelta(hours=3),
    "into the night when clocks go forth": datetime(2026, 3, 29, 1, 59, 59, tzinfo=UTC),
    "into the night when clocks go back": datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC),
    "to a leap day": datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC),
    "to the beginning": datetime(1970, 1, 1, tzinfo=UTC),
    "to the last year": datetime(9999, 12, 31, 12, tzinfo=UTC),
}


class Jumping:
    """A clock that shows *first* until it is set."""

    def __init__(self, first):
        self.now = first

    def __call__(self):
        self.now += timedelta(microseconds=1)
        return self.now


@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_jumps_under_a_run_does_it_no_harm(tmp_path, notebook, jump):
    clock = Jumping(NOON)

    async def story():
        store = await Store.open(tmp_path / "home", clock=clock)
        settings = Settings(home=tmp_path / "home", runs_at_once=1)
        executor = InstantExecutor()
        async with App(settings, store=store, executor=executor, clock=clock) as app:
            content = notebook("1", retry={**FAST_RETRY, "on": ["agent_error"]})
            agent = await app.authoring.create(ADA, Proposal(name="a", notebook=content))
            await app.publishing.publish(ADA, agent, force=True)
            agent = await app.authoring.get(ADA, "ada", "a")
            executor.hold.clear()
            key = Idempotency(key="k", fingerprint="x")
            runs = [
                await app.running.accept(ADA, agent, Order(key=key if n else None)) for n in (0, 1)
            ]
            while not executor.asked:
                await asyncio.sleep(0)
            clock.now = JUMPS[jump]
            executor.hold.set()
            ended = [await app.running.get(ADA, run.id, wait_seconds=None) for run in runs]
            later = await app.running.accept(ADA, agent, Order())
            ended.append(await app.running.get(ADA, later.id, wait_seconds=None))
            events = [[e async for e in await app.running.events(ADA, r.id)] for r in ended]
            listed = (await app.running.list(ADA, RunQuery())).items
            kept = await store.dump()
            await store.rebuild()
            assert kept == await store.dump()
            return ended, events, listed

    ended, events, listed = asyncio.run(story())

    assert [run.status for run in ended] == [RunStatus.COMPLETED] * 3
    assert all(run.seconds is not None and run.seconds >= 0 for run in ended)
    assert [of[-1].type.last for of in events] == [True] * 3
    assert {run.id for run in listed} == {run.id for run in ended}
