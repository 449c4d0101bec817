"""Everybody calls everything off at once, in every state; each run still ends once."""

import asyncio
import random

from tests.faults.conftest import check_run, furnished
from tests.faults.crashing import ADA
from tests.faults.marking import open_marking
from workbench.domain.runs import RunStatus
from workbench.services.running import Order
from workbench.settings import Settings


def test_a_storm_of_cancels_ends_every_run_once(tmp_path, marks):
    home = furnished(tmp_path / "home", marks)
    chance = random.Random(3)

    async def story():
        async with await open_marking(Settings(home=home, runs_at_once=4), marks) as app:
            agents = [await app.authoring.get(ADA, "ada", name) for name in ("once", "again")]
            runs = []

            async def ask(n):
                runs.append(await app.running.accept(ADA, agents[n % 2], Order()))

            async def call_off(n):
                await asyncio.sleep(chance.random() * 0.2)
                if runs:
                    await app.running.cancel(ADA, chance.choice(runs).id)

            await asyncio.gather(*(ask(n) for n in range(200)), *(call_off(n) for n in range(600)))
            for run in runs:
                await app.running.cancel(ADA, run.id)
            ended = [await app.running.get(ADA, run.id, wait_seconds=None) for run in runs]
            streams = [[e async for e in await app.running.events(ADA, run.id)] for run in runs]
            return ended, streams, app.dispatching.waiting, app.dispatching.running

    ended, streams, waiting, _ = asyncio.run(story())

    begun = [mark.name.split("-")[:2] for mark in marks.iterdir()]
    for run, events in zip(ended, streams, strict=True):
        check_run(run, events, [number for of, number in begun if of == run.id])
    statuses = {run.status for run in ended}
    assert RunStatus.CANCELLED in statuses and RunStatus.FAILED not in statuses
    assert waiting == 0
