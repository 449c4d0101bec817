"""A home is opened by one, closed whole, and says the same however it is opened."""

import asyncio
import subprocess
import sys

import pytest

from tests.store.samples import ADA, Clock, a_run, begun
from workbench.errors import HomeInUse
from workbench.store.home import owner
from workbench.store.store import Store


def test_a_second_store_is_refused_until_the_first_is_closed(home, clock):
    async def story():
        store = await Store.open(home, clock=clock)
        with pytest.raises(HomeInUse):
            await Store.open(home, clock=clock)
        await store.close()
        await (await Store.open(home, clock=clock)).close()

    asyncio.run(story())
    assert owner(home) is None


def test_a_home_holds_what_the_plan_says(with_store, home):
    async def story(store):
        run = a_run()
        await store.runs.accept(run)
        await (await store.events.open(run.id)).close()
        await store.papers.write_notebook(run.id, b"{}")
        mark = await store.objects.put(b"x")
        return run.id, mark

    run_id, mark = with_store(story)

    assert {p.relative_to(home).as_posix() for p in home.rglob("*") if p.is_file()} == {
        "owner.lock",
        "index.duckdb",
        "journal/00000001.ndjson",
        f"objects/{mark[:2]}/{mark}",
        f"runs/2026/11/20/{run_id}/events.ndjson",
        f"runs/2026/11/20/{run_id}/notebook.ipynb",
    }
    everything = [home, *home.rglob("*")]
    assert not [p for p in everything if p.is_dir() and p.stat().st_mode & 0o077]


def test_closing_loses_nothing_that_lingers(with_store, clock):
    run = a_run()

    async def leave(store):
        await store.runs.accept(run)
        await store.runs.record(begun(run))

    async def come_back(store):
        return await store.runs.get(ADA, run.id), store._index.applied == store._journal.last

    with_store(leave, linger_seconds=3600)
    assert with_store(come_back) == (begun(run), True)


def test_two_stores_of_two_homes_do_not_meet(tmp_path):
    async def story():
        async with (
            await Store.open(tmp_path / "a", clock=Clock()) as a,
            await Store.open(tmp_path / "b", clock=Clock()) as b,
        ):
            run = a_run()
            await a.runs.accept(run)
            return await a.dump(), await b.dump()

    a, b = asyncio.run(story())
    assert (len(a), len(b)) == (1, 0)


def test_a_process_that_forgets_to_close_ends_as_it_meant_to(home):

    forgetful = """
import asyncio, pathlib, sys
from tests.store.samples import Clock, a_run
from workbench.store.store import Store

async def story():
    store = await Store.open(pathlib.Path(sys.argv[1]), clock=Clock())
    await store.runs.accept(a_run())
    raise SystemExit(3)

asyncio.run(story())
"""
    ended = subprocess.run(
        [sys.executable, "-c", forgetful, str(home)], capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stderr) == (3, "")
