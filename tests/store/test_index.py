"""The index can be lost or spoiled in any way: it is set aside, made anew, and said so once."""

import asyncio
import json
import logging
import os
import shutil

import duckdb
import pytest

from tests.store.samples import (
    ADA,
    BOB,
    ROOT,
    a_run,
    a_user,
    a_version,
    an_agent,
    begun,
    completed,
    published,
)
from workbench.domain.queries import RunQuery
from workbench.errors import HomeUnreadable
from workbench.store.connection import connect
from workbench.store.store import Store


async def some_of_everything(store):
    await store.access.put_user(ROOT, a_user("ada"))
    agent = await store.agents.create(ADA, an_agent())
    await store.versions.publish(ADA, agent, published(agent), a_version(agent))
    for _ in range(20):
        run = a_run()
        await store.runs.accept(run)
        await store.runs.record(begun(run))
        await store.runs.record(completed(begun(run), result=[1]))
    return await store.dump()


async def dump(store):
    return await store.dump()


def another_database(path):
    path.unlink()
    with duckdb.connect(path) as other:
        other.execute("CREATE TABLE customers (name TEXT)")


def a_wrong_schema(path):
    with duckdb.connect(path) as index:
        index.execute("INSERT INTO schema_migrations VALUES (9999, 'of tomorrow')")


def a_changed_migration(path):
    with duckdb.connect(path) as index:
        index.execute("UPDATE schema_migrations SET checksum = 'x'")


def another_journal(path):
    with duckdb.connect(path) as index:
        index.execute("UPDATE meta SET value = 'x' WHERE name = 'journal'")


def ahead_of_the_journal(path):
    with duckdb.connect(path) as index:
        index.execute("UPDATE meta SET value = '100000' WHERE name = 'applied'")


def a_lost_table(path):
    with duckdb.connect(path) as index:
        index.execute("DROP TABLE meta")


def halved(path):
    os.truncate(path, path.stat().st_size // 2)


def emptied(path):
    os.truncate(path, 0)


def garbage(path):
    path.write_bytes(os.urandom(200_000))


def a_foreign_log(path):
    path.with_name("index.duckdb.wal").write_bytes(os.urandom(5000))


def a_spoiled_header(path):
    with path.open("rb+") as file:
        file.seek(0)
        file.write(os.urandom(12_288))


SPOILERS = [
    another_database,
    a_wrong_schema,
    a_changed_migration,
    another_journal,
    ahead_of_the_journal,
    a_lost_table,
    halved,
    emptied,
    garbage,
    a_spoiled_header,
]


@pytest.mark.parametrize("spoil", SPOILERS, ids=lambda spoil: spoil.__name__)
def test_a_spoiled_index_is_set_aside_and_made_anew(with_store, home, caplog, spoil):
    before = with_store(some_of_everything)
    spoil(home / "index.duckdb")
    caplog.clear()

    assert with_store(dump) == before

    assert [r.name for r in caplog.records] == ["workbench.store"]
    assert "made anew from 63 journal records" in caplog.text
    aside = [p.name for p in home.iterdir() if "set-aside" in p.name]
    assert len(aside) == 1
    assert aside[0] in caplog.text
    caplog.clear()
    assert with_store(dump) == before
    assert caplog.records == []


def test_a_log_that_is_not_the_indexs_own_does_no_harm(with_store, home):
    before = with_store(some_of_everything)
    a_foreign_log(home / "index.duckdb")

    assert with_store(dump) == before


def test_a_deleted_index_is_made_anew(with_store, home, caplog):
    before = with_store(some_of_everything)
    (home / "index.duckdb").unlink()
    caplog.clear()

    assert with_store(dump) == before
    assert [r.message.split(" in ")[0] for r in caplog.records] == [
        "The index was made anew from 63 journal records"
    ]


def test_a_new_home_says_nothing(with_store, caplog):
    with caplog.at_level(logging.DEBUG, "workbench.store"):
        with_store(dump)

    assert caplog.records == []


def test_an_older_index_catches_up(with_store, home):
    with_store(some_of_everything)
    shutil.copy(home / "index.duckdb", home.parent / "older")

    async def more(store):
        await store.runs.accept(a_run())
        return await store.dump()

    after = with_store(more)
    shutil.copy(home.parent / "older", home / "index.duckdb")

    assert with_store(dump) == after


def test_an_index_older_than_the_snapshot_is_made_anew(with_store, home):
    with_store(some_of_everything)
    shutil.copy(home / "index.duckdb", home.parent / "older")

    async def more(store):
        await store.access.put_user(ROOT, a_user("bob"))
        return await store.dump()

    after = with_store(more)
    assert with_store(dump, snapshot_bytes=100) == after
    shutil.copy(home.parent / "older", home / "index.duckdb")

    assert with_store(dump) == after


def test_an_index_spoiled_while_in_use_is_made_anew(with_store, home, caplog):
    async def story(store):
        before = await some_of_everything(store)
        index = home / "index.duckdb"
        # What is spoiled is what a checkpoint has written and memory no longer holds.
        await store.rebuild()
        store._index.query("CHECKPOINT")
        store._index.reopen()
        with index.open("rb+") as file:
            file.seek(12_288)
            file.write(os.urandom(index.stat().st_size - 12_288))
        listed = (await store.runs.list(ADA, RunQuery())).items
        agent = await store.agents.create(BOB, an_agent(owner="bob"))
        await store.agents.by_id(BOB, agent.id)
        return before, listed, await store.dump()

    before, listed, after = with_store(story)

    assert "set-aside" in caplog.text
    assert len(listed) == 20
    assert set(before) < set(after)
    assert len(after) == len(before) + 1
    assert with_store(dump) == after


def test_a_rebuilt_index_says_what_it_said(with_store):
    async def story(store):
        before = await some_of_everything(store)
        await store.rebuild()
        assert await store.dump() == before
        await store.runs.accept(a_run())
        assert len(await store.dump()) == len(before) + 1

    with_store(story)


def test_a_snapshot_takes_the_place_of_a_long_journal_once(with_store, home):
    before = with_store(some_of_everything)

    assert with_store(dump, snapshot_bytes=100) == before
    segments = sorted((home / "journal").iterdir())
    assert [s.name for s in segments] == ["00000002.ndjson", "00000003.ndjson"]
    assert with_store(dump, snapshot_bytes=100) == before
    assert sorted((home / "journal").iterdir()) == segments
    (home / "index.duckdb").unlink()
    assert with_store(dump) == before


def test_an_index_left_half_made_is_finished(with_store, home, caplog):
    before = with_store(some_of_everything)
    with_store(dump, snapshot_bytes=100)
    header = json.loads((home / "journal" / "00000002.ndjson").read_text().splitlines()[0])
    with duckdb.connect(home / "index.duckdb") as index:
        # As if it had been killed behind the snapshot's second record: users and agents.
        index.execute("DELETE FROM versions")
        index.execute("DELETE FROM runs")
        index.execute("UPDATE meta SET value = $1 WHERE name = 'applied'", [header["after"] + 2])
    caplog.clear()

    assert with_store(dump) == before
    assert caplog.records == []


def test_a_damaged_journal_is_not_papered_over(home, clock, with_store):
    with_store(some_of_everything)
    (home / "index.duckdb").unlink()
    path = home / "journal" / "00000001.ndjson"
    path.write_bytes(path.read_bytes().replace(b'"ada"', b'"eve"', 1))

    async def story():
        await Store.open(home, clock=clock)

    for _ in range(2):  # the refusal leaves nothing claimed
        with pytest.raises(HomeUnreadable, match="line 2"):
            asyncio.run(story())


def test_the_index_can_reach_nothing_but_itself(tmp_path):
    connection = connect(tmp_path / "index.duckdb")
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    for sql in (
        f"SELECT * FROM '{secret}'",
        f"SELECT * FROM read_text('{secret}')",
        f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
        f"ATTACH '{tmp_path}/other.duckdb'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "SELECT * FROM secret",
    ):
        with pytest.raises(duckdb.Error):
            connection.execute(sql)
    assert (tmp_path / "index.duckdb").stat().st_mode & 0o777 == 0o600
    connection.close()
