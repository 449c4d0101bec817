"""A workbench on a disk that is full for a while.

    python -m tests.faults.filling FOLDER BYTES

FOLDER is a file system of BYTES. Prints one line of JSON: what was refused, what became of the
runs that were under way, whether the index is what the journal says.
"""

import asyncio
import json
import sys
from pathlib import Path

from tests.faults.conftest import furnished
from tests.faults.crashing import ADA
from tests.faults.marking import open_marking
from workbench.errors import Unavailable
from workbench.services.running import Order
from workbench.settings import Settings


def fill(path):
    """Take all the room there is."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1 << 6, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


async def live(home, marks, ballast):
    said = {"refused": 0, "accepted": 0}
    async with await open_marking(Settings(home=home, runs_at_once=2), marks) as app:
        agent = await app.authoring.get(ADA, "ada", "once")
        app._executor.hold.clear()
        under_way = [await app.running.accept(ADA, agent, Order()) for _ in range(4)]
        while app.store.behind or len(list(marks.iterdir())) < 2:
            await asyncio.sleep(0.01)
        fill(ballast)
        for _ in range(20):
            try:
                await app.running.accept(ADA, agent, Order())
                said["accepted"] += 1
            except Unavailable:
                said["refused"] += 1
        app._executor.hold.set()
        await asyncio.sleep(1)  # the ended runs ask the full disk in vain
        standing = [await app.running.get(ADA, run.id) for run in under_way]
        said["waiting_for_the_disk"] = sum(not run.status.settled for run in standing)
        ballast.unlink()
        ended = [await app.running.get(ADA, run.id, wait_seconds=None) for run in under_way]
        said["ended"] = [[str(run.status), run.reason] for run in ended]
        more = await app.running.accept(ADA, agent, Order())
        said["afterwards"] = str((await app.running.get(ADA, more.id, wait_seconds=None)).status)
        kept = await app.store.dump()
        await app.store.rebuild()
        said["index"] = kept == await app.store.dump()
    return said


def main(folder):
    marks = Path(folder) / "marks"
    marks.mkdir()
    home = furnished(Path(folder) / "home", marks)
    print(json.dumps(asyncio.run(live(home, marks, Path(folder) / "ballast"))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
