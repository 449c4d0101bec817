"""A process that works on a home until it is killed, and says what it was told.

    python -m tests.store.crashing HOME SEED [POINT NTH | full BYTES]

Every line it prints is something the store has acknowledged. At the NTH passing of POINT it kills
itself; with `full` no file may grow beyond BYTES.
"""

import asyncio
import os
import random
import resource
import signal
import sys
from dataclasses import replace
from pathlib import Path

from tests.store.samples import (
    ADA,
    NOON,
    ROOT,
    Clock,
    a_run,
    a_user,
    a_version,
    an_agent,
    begun,
    completed,
    published,
)
from workbench.errors import Unavailable
from workbench.store.runs import Idempotency
from workbench.store.store import Store


def say(*words):
    os.write(1, (" ".join(words) + "\n").encode())


async def a_whole_run(store, name):
    run = a_run()
    key = Idempotency(key=name, fingerprint="x") if random.random() < 0.3 else None
    await store.runs.accept(run, key=key)
    say("run", run.id, "pending")
    await store.runs.record(begun(run))
    say("run", run.id, "running")
    await store.runs.record(completed(begun(run), result={"n": "x" * random.choice((1, 20_000))}))
    say("run", run.id, "completed")


async def a_whole_agent(store, name):
    agent = an_agent(name=name)
    await store.agents.create(ADA, agent)
    say("agent", agent.id, agent.description)
    better = replace(agent, description="better")
    await store.agents.replace(ADA, agent, better)
    say("agent", agent.id, "better")
    await store.versions.publish(ADA, better, published(better), a_version(better))
    say("version", agent.id, "1.0.0")


async def work(store, worker, life):
    for n in range(10_000):
        name = f"{life}-{worker}-{n}"
        try:
            await random.choice((a_whole_run, a_whole_run, a_whole_agent))(store, name)
            await store.access.put_user(ROOT, a_user(f"u{worker}"))
        except Unavailable:
            say("refused", name)
            await asyncio.sleep(0.01)


async def live(home, life, at):
    store = await Store.open(
        home, clock=Clock(NOON), at=at, linger_seconds=0.01, snapshot_bytes=100_000
    )
    say("open", life)
    await asyncio.gather(*(work(store, worker, life) for worker in range(4)))


def main(home, seed, what="", count="0"):
    random.seed(seed)
    left = int(count)

    def at(point):
        nonlocal left
        if point == what:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    if what == "full":
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(count), resource.RLIM_INFINITY))
    asyncio.run(live(Path(home), f"life{seed}{what}".replace(".", ""), at))


if __name__ == "__main__":
    main(*sys.argv[1:])
