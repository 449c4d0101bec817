"""An executor whose attempts leave a mark, so that nobody can begin twice without a trace."""

import asyncio
import random
import uuid
from dataclasses import replace

from workbench.app import App, utc_now
from workbench.store.store import Store
from workbench.testing import InstantExecutor


class Marking(InstantExecutor):
    """Does nothing but leave the file `RUN-ATTEMPT-SOMETHING` once an attempt has begun."""

    def __init__(self, marks, *, seconds=0.01):
        super().__init__()
        self._marks = marks
        self._seconds = seconds

    async def execute(self, task, *, report, cancel, started=None):
        async def begun(isolation):
            await started(isolation)
            number = task.leave.parent.name if task.leave.parent.parent.name == "attempts" else "1"
            (self._marks / f"{task.run_id}-{number}-{uuid.uuid4().hex}").touch()

        await asyncio.sleep(random.random() * self._seconds)
        outcome = await super().execute(task, report=report, cancel=cancel, started=begun)
        await asyncio.sleep(random.random() * self._seconds)
        self.asked.clear()
        return replace(outcome, notebook=b'{"executed": true}')


async def open_marking(settings, marks, *, at=lambda point: None, seconds=0.01, **more):
    """The app on its home, with runs that leave marks and nothing else."""
    store = await Store.open(settings.home, clock=utc_now, at=at)
    app = App(settings, store=store, executor=Marking(marks, seconds=seconds), at=at, **more)
    await app.recover()
    return app
