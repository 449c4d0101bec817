"""Whatever dies, and whenever: what was acknowledged is there, and a rebuild says the same."""

import asyncio
import json
import random
import subprocess
import sys

import pytest

from workbench.store.store import Store

_ORDER = ["pending", "running", "completed"]
POINTS = [
    ("journal.written", 1),
    ("journal.written", 17),
    ("journal.flushed", 1),
    ("journal.flushed", 18),
    ("index.applied", 1),
    ("index.applied", 19),
    ("index.journaled", 1),
    ("index.journaled", 12),
    ("index.committed", 1),
    ("index.committed", 11),
]


def a_life(home, seed, *how, lines):
    """Let a process work on the home; kill it after so many lines if it does not do so itself."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store.crashing", str(home), str(seed), *map(str, how)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    told = []
    for line in process.stdout:
        told.append(line.split(" ", 2))
        if len(told) == lines:
            process.kill()
    _, complaints = process.communicate()
    assert process.returncode == -9, complaints
    return [[kind, *(word.strip() for word in rest)] for kind, *rest in told]


def rows_of(dump):
    return [tuple(json.loads(line)) for line in dump]


def check(home, clock, told):
    async def look():
        async with await Store.open(home, clock=clock) as store:
            opened = await store.dump()
            unsettled = {run.id for run in await store.runs.unsettled()}
            await store.rebuild()
            return opened, await store.dump(), unsettled

    opened, rebuilt, unsettled = asyncio.run(look())
    assert opened == rebuilt
    rows = rows_of(opened)
    runs = {row["id"]: row["status"] for table, row in rows if table == "runs"}
    agents = {row["id"]: row["description"] for table, row in rows if table == "agents"}
    versions = {row["agent_id"] for table, row in rows if table == "versions"}
    for kind, *what in told:
        if kind == "run":
            assert _ORDER.index(runs[what[0]]) >= _ORDER.index(what[1])
        elif kind == "agent":
            assert agents[what[0]] in (what[1], "better")
        elif kind == "version":
            assert what[0] in versions
    assert unsettled == {run for run, status in runs.items() if status != "completed"}
    keys = [row["run_id"] for table, row in rows if table == "idempotency_keys"]
    assert set(keys) <= set(runs)
    names = [(row["owner"], row["name"]) for table, row in rows if table == "agents"]
    assert len(names) == len(set(names))
    return len(rows)


@pytest.mark.parametrize(("point", "nth"), POINTS)
def test_killed_at_a_chosen_point(home, clock, point, nth):
    told = a_life(home, 1, point, nth, lines=100_000)
    assert check(home, clock, told) >= (0 if nth == 1 else 5)

    # It goes on where it was, and is killed there once more.
    told += a_life(home, 2, point, nth, lines=100_000)
    check(home, clock, told)


def test_killed_at_random_again_and_again(home, clock):
    told = []
    for life in range(4):
        told += a_life(home, life, lines=random.Random(life).randrange(5, 250))
        check(home, clock, told)


@pytest.mark.parametrize("point", ["snapshot.written"])
def test_killed_while_a_snapshot_takes_the_journals_place(home, clock, point):
    told = a_life(home, 1, lines=400)
    told += a_life(home, 2, point, 1, lines=100_000)

    assert ["open"] not in [line[:1] for line in told[400:]]
    check(home, clock, told)


def test_a_full_disk_loses_nothing_that_was_acknowledged(home, clock):
    told = a_life(home, 1, "full", 600_000, lines=700)

    assert not list(home.glob("*set-aside*"))
    assert any(kind == "refused" for kind, *_ in told)
    assert any(kind == "run" for kind, *_ in told)
    check(home, clock, told)
