"""Two ways in, one journal: nothing is told before it is durable, nothing refused leaves a trace."""

import asyncio
import threading

import duckdb
import pytest

from tests.store.samples import ADA, ROOT, a_run, a_user, an_agent, begun
from workbench.domain.queries import RunQuery
from workbench.errors import DuplicateAgentName, InvalidRequest, Unavailable
from workbench.store.catalog import Catalog
from workbench.store.tables import RUNS, USERS


def a_row(name, role="author"):
    return {"name": name, "role": role, "created_at": "2026-11-20T12:00:00"}


def catalog(store) -> Catalog:
    return store._catalog


def journaled(store):
    return [c.key[0] for record in store._journal.records() for c in record.changes]


def test_a_refused_change_is_neither_journaled_nor_indexed(with_store):
    async def story(store):
        def change(rows):
            rows.put(USERS, a_row("ada"))
            raise DuplicateAgentName("after all, no")

        with pytest.raises(DuplicateAgentName):
            await catalog(store).transact(change)
        assert journaled(store) == []
        assert await store.dump() == []

    with_store(story)


def test_a_row_the_index_refuses_is_not_journaled(with_store):
    async def story(store):
        with pytest.raises(Unavailable):
            await catalog(store).transact(lambda rows: rows.put(USERS, a_row("ada", "king")))
        assert journaled(store) == []
        await store.access.put_user(ROOT, a_user("ada"))

    with_store(story)


def test_a_change_sees_all_progress_and_what_it_did_itself(with_store):
    async def story(store):
        run = a_run()
        await store.runs.accept(run)

        def change(rows):
            rows.put(USERS, a_row("ada"))
            return rows.row(RUNS, run.id)["status"], rows.row(USERS, "ada")["role"]

        assert await catalog(store).transact(change) == ("pending", "author")

    with_store(story, linger_seconds=3600)


def test_progress_reaches_the_index_by_itself(with_store):
    async def story(store):
        run = a_run()
        await store.runs.accept(run)
        while catalog(store).overlay(RUNS, run.id) is not None:
            await asyncio.sleep(0.005)
        sql = "SELECT count(*) FROM runs WHERE id = $1"
        assert await catalog(store).read(lambda ask: ask(sql, run.id)) == [(1,)]

    with_store(story, linger_seconds=0.01)


def test_progress_and_changes_at_once_leave_what_a_rebuild_leaves(with_store):
    async def one(store, n):
        run = a_run()
        await store.runs.accept(run)
        await store.access.put_user(ROOT, a_user(f"u{n % 7}"))
        await store.runs.record(begun(run))
        await store.agents.create(ADA, an_agent(name=f"a{n}"))

    async def story(store):
        await asyncio.gather(*(one(store, n) for n in range(40)))
        return await store.dump()

    async def rebuilt(store):
        opened = await store.dump()
        await store.rebuild()
        return opened, await store.dump()

    before = with_store(story, linger_seconds=0.001)
    assert len(before) == 40 + 7 + 40
    assert with_store(rebuilt) == (before, before)


def test_the_index_never_claims_more_than_it_holds(with_store):
    """The number it notes is what a later opening replays from."""
    seen = []

    async def story(store):
        async def watch():
            for _ in range(30):

                def change(rows):
                    noted = int(rows.query("SELECT value FROM meta WHERE name = 'applied'")[0][0])
                    for record in store._journal.records():
                        if record.n <= noted:
                            for c in record.changes:
                                assert rows.row(c.table, *c.key) is not None
                    seen.append(noted)

                await catalog(store).transact(change)
                await asyncio.sleep(0)

        async def work(n):
            for i in range(10):
                await store.runs.accept(a_run())
                await store.access.put_user(ROOT, a_user(f"u{n}-{i}"))

        await asyncio.gather(watch(), *(work(n) for n in range(4)))

    with_store(story, linger_seconds=0.002)
    assert seen == sorted(seen)


def test_answers_come_in_order_even_to_nobody(with_store):
    async def story(store):
        told = []
        tasks = [
            asyncio.create_task(
                catalog(store).transact(
                    lambda rows, n=n: rows.put(USERS, a_row(f"u{n}")) or n, then=told.append
                )
            )
            for n in range(10)
        ]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await store.flush()
        assert told == list(range(10))

    with_store(story)


def test_a_text_that_is_none_is_refused_by_questions_too(with_store):
    async def story(store):
        with pytest.raises(InvalidRequest):
            await catalog(store).read(lambda ask: ask("SELECT $1", "\ud800"))

    with_store(story)


def test_a_question_that_takes_too_long_is_given_up(with_store):
    async def story(store):
        store._index._read_ms = 50
        store._index.reopen()  # what is set counts for cursors yet to be made
        endless = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range < b.range"
        with pytest.raises(Unavailable, match="too long"):
            await catalog(store).read(lambda ask: ask(endless))

    with_store(story)


def test_a_closed_store_takes_nothing_and_leaves_no_thread(with_store):
    before = threading.active_count()

    async def story(store):
        await store.runs.accept(a_run())
        return store

    store = with_store(story)

    async def late():
        with pytest.raises(Unavailable):
            await store.runs.accept(a_run())
        with pytest.raises(Unavailable):
            await store.access.put_user(ROOT, a_user("ada"))

    asyncio.run(late())
    assert threading.active_count() == before


def test_what_the_disk_refuses_is_refused_and_stands_as_before(with_store):
    failing = []

    def at(point):
        if failing and point == "journal.written":
            raise OSError(28, "No space left on device")

    async def story(store):
        run = a_run()
        await store.runs.accept(run)
        failing.append(True)
        with pytest.raises(Unavailable):
            await store.runs.record(begun(run))
        with pytest.raises(Unavailable):
            await store.runs.accept(a_run())
        with pytest.raises(Unavailable):
            await store.agents.create(ADA, an_agent())
        assert await store.runs.get(ADA, run.id) == run
        assert await store.runs.unsettled() == [run]
        return await store.dump()

    async def read(store):
        return await store.dump()

    assert with_store(story, at=at) == with_store(read)


def test_a_journaled_change_the_index_did_not_take_has_happened(with_store):
    struck = []

    def at(point):
        if point == "index.journaled" and not struck:
            struck.append(point)
            raise duckdb.FatalException("the index is past saving")

    async def story(store):
        agent = await store.agents.create(ADA, an_agent())
        assert await store.agents.by_id(ADA, agent.id) == agent
        dumped = await store.dump()
        assert len(dumped) == 1
        return dumped

    async def read(store):
        return await store.dump()

    assert with_store(story, at=at) == with_store(read)
    assert struck


def test_progress_the_index_cannot_take_yet_is_not_lost(with_store):
    strikes = []

    def at(point):
        if point == "index.applied" and len(strikes) < 2:
            strikes.append(point)
            raise duckdb.TransactionException("No space left on device")

    async def story(store):
        run = a_run()
        await store.runs.accept(run)
        with pytest.raises(Unavailable):
            await store.flush()
        with pytest.raises(Unavailable):
            await store.runs.list(ADA, RunQuery())
        assert await store.runs.get(ADA, run.id) == run
        assert (await store.runs.list(ADA, RunQuery())).items == [run]

    with_store(story, at=at, linger_seconds=3600)
    assert len(strikes) == 2


def test_an_index_that_dies_twice_is_made_anew(with_store, caplog):
    strikes = []

    def at(point):
        if point == "index.applied" and len(strikes) < 2:
            strikes.append(point)
            raise duckdb.FatalException("database has been invalidated")

    async def story(store):
        await store.access.put_user(ROOT, a_user("ada"))
        return await store.dump()

    assert len(with_store(story, at=at)) == 1
    assert "failed again" in caplog.text
