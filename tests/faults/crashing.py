"""A process that accepts and carries out runs until it is killed, and says what it was told.

    python -m tests.faults.crashing HOME MARKS SEED [POINT NTH]

Every line it prints is something that was acknowledged: `accepted RUN`, `ended RUN STATUS`. At the
NTH passing of POINT it kills itself.
"""

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

from tests.faults.marking import open_marking
from workbench.domain.access import Principal, Role
from workbench.services.running import Idempotency, Order
from workbench.settings import Settings

ADA = Principal(user="ada", role=Role.AUTHOR)
AGENTS = ("once", "again")


def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


async def ask(app, worker, life):
    for n in range(10_000):
        agent = await app.authoring.get(ADA, "ada", random.choice(AGENTS))
        key = Idempotency(key=f"{life}-{worker}-{n}", fingerprint="x")
        order = Order(key=key if random.random() < 0.3 else None)
        run = await app.running.accept(ADA, agent, order)
        say("accepted", run.id)
        if random.random() < 0.2:
            await app.running.cancel(ADA, run.id)
        ended = await app.running.get(ADA, run.id, wait_seconds=None)
        say("ended", run.id, ended.status)


async def live(home, marks, life, at):
    settings = Settings(home=home, runs_at_once=4)
    app = await open_marking(settings, marks, at=at)
    say("open")
    await asyncio.gather(*(ask(app, worker, life) for worker in range(8)))


def main(home, marks, seed, what="", count="0"):
    random.seed(seed)
    left = int(count)

    def at(point):
        nonlocal left
        if point == what:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(live(Path(home), Path(marks), f"{seed}{what}{count}", at))


if __name__ == "__main__":
    main(*sys.argv[1:])
