"""An index damaged in any way says what the journal says, or is made anew; never something else."""

import asyncio
import gzip
import os
import random
import shutil
import sqlite3

import duckdb
import pytest

from tests.faults.conftest import furnished
from tests.faults.test_crashes import a_life
from workbench.app import utc_now
from workbench.store.store import Store


def cut(share):
    def damage(index, wal):
        os.truncate(index, int(index.stat().st_size * share))

    return damage


def cut_log(share):
    def damage(index, wal):
        os.truncate(wal, int(wal.stat().st_size * share))

    return damage


def flipped(seed, bits=1, *, log=False):
    def damage(index, wal):
        path = wal if log else index
        chance = random.Random(seed)
        data = bytearray(path.read_bytes())
        for _ in range(bits):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)

    return damage


def zeroed(at, length):
    def damage(index, wal):
        with index.open("rb+") as file:
            file.seek(int(index.stat().st_size * at))
            file.write(b"\0" * length)

    return damage


def written(data, *, log=False):
    def damage(index, wal):
        (wal if log else index).write_bytes(data)

    return damage


def grown(data, *, log=False):
    def damage(index, wal):
        with (wal if log else index).open("ab") as file:
            file.write(data)

    return damage


def missing(*which):
    def damage(index, wal):
        for path in (index, wal):
            if path.suffix in which:
                path.unlink()

    return damage


def another_format(index, wal):
    index.unlink()
    wal.unlink()
    with sqlite3.connect(index) as other:
        other.execute("CREATE TABLE runs (id TEXT)")
    other.close()


def said(*statements):
    def damage(index, wal):
        with duckdb.connect(index) as connection:
            for statement in statements:
                connection.execute(statement)

    return damage


def swapped(index, wal):
    data = index.read_bytes()
    index.write_bytes(wal.read_bytes())
    wal.write_bytes(data)


CHANCE = random.Random(0).randbytes(50_000)
KINDS = {
    **{f"cut to {share:.0%}": cut(share) for share in (0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.99)},
    **{f"log cut to {s:.0%}": cut_log(s) for s in (0, 0.001, 0.1, 0.33, 0.5, 0.75, 0.9, 0.999)},
    **{f"a bit flipped, {n}": flipped(n) for n in range(8)},
    **{f"a hundred bits flipped, {n}": flipped(n, 100) for n in range(4)},
    **{f"a bit of the log flipped, {n}": flipped(n, log=True) for n in range(8)},
    **{f"twenty bits of the log flipped, {n}": flipped(n, 20, log=True) for n in range(4)},
    **{f"4 KiB of zeros at {at:.0%}": zeroed(at, 4096) for at in (0, 0.1, 0.5, 0.9)},
    "zeros": written(b"\0" * 300_000),
    "chance": written(CHANCE),
    "a text": written(b"This is no database.\n" * 1000),
    "a notebook": written(b'{"cells": [], "nbformat": 4}'),
    "compressed": written(gzip.compress(CHANCE)),
    "sqlite": another_format,
    "a log of zeros": written(b"\0" * 10_000, log=True),
    "a log of chance": written(CHANCE, log=True),
    "a log of text": written(b"no log\n" * 100, log=True),
    "chance behind it": grown(CHANCE),
    "zeros behind it": grown(b"\0" * 10_000),
    "chance behind the log": grown(CHANCE[:5000], log=True),
    "half a page behind the log": grown(b"\0" * 2048, log=True),
    "no index": missing(".duckdb"),
    "no log": missing(".wal"),
    "neither": missing(".duckdb", ".wal"),
    "the two exchanged": swapped,
    "no tables": said("DROP TABLE runs", "DROP TABLE meta"),
    "another journal's": said("UPDATE meta SET value = 'x' WHERE name = 'journal'"),
    "ahead of the journal": said("UPDATE meta SET value = '99999' WHERE name = 'applied'"),
    "behind the journal": said("UPDATE meta SET value = '1' WHERE name = 'applied'"),
    "never filled": said("DELETE FROM meta"),
    "of a later schema": said("INSERT INTO schema_migrations VALUES (999, 'x')"),
}


@pytest.fixture(scope="module")
def crashed(tmp_path_factory):
    """A home whose index has a log beside it, as a kill leaves it, and all its rows."""
    folder = tmp_path_factory.mktemp("crashed")
    marks = folder / "marks"
    marks.mkdir()
    home = furnished(folder / "home", marks)
    a_life(home, marks, 5, lines=120)
    assert (home / "index.duckdb.wal").stat().st_size > 1_000
    shutil.copytree(home, folder / "pristine")
    return home, rows(folder / "pristine")


def rows(home):
    async def dump():
        async with await Store.open(home, clock=utc_now) as store:
            return await store.dump()

    return asyncio.run(dump())


def test_there_are_sixty_kinds():
    assert len(KINDS) >= 60


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_index_says_what_the_journal_says(tmp_path, crashed, kind):
    source, expected = crashed
    home = shutil.copytree(source, tmp_path / "home")
    KINDS[kind](home / "index.duckdb", home / "index.duckdb.wal")

    assert rows(home) == expected
