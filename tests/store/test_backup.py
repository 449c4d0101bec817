"""A backup holds all of a home, and a home made from it says what the first one said."""

import asyncio
import io
import json
import subprocess
import sys
import tarfile

import pytest

from tests.store.samples import ADA, ROOT, a_run, a_user, an_agent, begun, completed
from workbench.domain.events import EventType
from workbench.errors import HomeInUse, HomeUnreadable, InvalidRequest, NotFound, Unavailable
from workbench.store.backup import backup, restore
from workbench.store.store import Store


async def fill(store):
    await store.access.put_user(ROOT, a_user("ada"))
    await store.agents.create(ADA, an_agent())
    await store.objects.put(b"a notebook")
    run = a_run()
    await store.runs.accept(run)
    await store.runs.record(begun(run))
    await store.runs.record(completed(begun(run), result="x" * 50_000))
    stream = await store.events.open(run.id)
    stream.append(EventType.RUN_COMPLETED)
    await stream.close()
    await store.papers.write_notebook(run.id, b"{}")
    folder = await store.papers.make_files_folder(run.id)
    (folder / "deep").mkdir()
    (folder / "deep" / "a.csv").write_bytes(b"1,2")
    (folder / "link").symlink_to("/etc/passwd")
    return await everything(store)


async def everything(store):
    told = [await store.dump()]
    for run in await runs(store):
        told.append([run, await store.events.read(run.id), await store.papers.notebook(run.id)])
        told.append(await store.papers.files(run.id))
    return told


async def runs(store):
    sql = "SELECT id FROM runs ORDER BY id"
    ids = await store._catalog.read(lambda ask: [row[0] for row in ask(sql)])
    return [await store.runs.get(ROOT, run_id) for run_id in ids]


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "backup.tar"


@pytest.fixture
def elsewhere(tmp_path):
    return tmp_path / "elsewhere"


def reopened(path, clock):
    async def story():
        async with await Store.open(path, clock=clock) as store:
            told = await everything(store)
            await store.rebuild()
            assert await everything(store) == told
            return told

    return asyncio.run(story())


def test_a_restored_home_says_what_the_first_one_said(with_store, home, archive, elsewhere, clock):
    before = with_store(fill)

    backup(home, archive)
    restore(archive, elsewhere, clock=clock)

    assert reopened(elsewhere, clock) == before
    assert archive.stat().st_mode & 0o777 == 0o600
    modes = {p.stat().st_mode & 0o777 for p in (elsewhere / "objects").rglob("*") if p.is_file()}
    assert modes == {0o400}
    assert [p for p in elsewhere.rglob("*") if p.is_symlink()] == []


def test_a_backup_of_a_home_in_use_is_whole(with_store, archive, elsewhere, clock):
    async def story(store):
        await fill(store)
        told = await store.dump()

        async def on_and_on():
            for n in range(30):
                await store.runs.accept(a_run(parameters={"x": "y" * 20_000, "n": n}))

        working = asyncio.create_task(on_and_on())
        await store.backup(archive)
        await working
        return told

    before = with_store(story)
    restore(archive, elsewhere, clock=clock)

    async def read():
        async with await Store.open(elsewhere, clock=clock) as store:
            await runs(store)  # every large value is there
            return await store.dump()

    assert set(before) <= set(asyncio.run(read()))


_OWN = """
import pathlib, sys
from workbench.store.home import Home
Home(pathlib.Path(sys.argv[1])).claim()
print("claimed", flush=True)
sys.stdin.read()
"""


def test_a_home_of_somebody_else_is_neither_backed_up_nor_overwritten(
    with_store, home, archive, tmp_path, clock
):
    with_store(fill)
    backup(home, tmp_path / "earlier.tar")
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "keep = 1\n"
            + _OWN.replace("Home(path", "h = Home(path").replace(".claim()", "\nh.claim()"),
            str(home),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "claimed\n"

    with pytest.raises(HomeInUse, match=str(process.pid)):
        backup(home, archive)
    with pytest.raises(HomeInUse, match=str(process.pid)):
        restore(tmp_path / "earlier.tar", home, clock=clock)

    process.communicate("")
    assert not archive.exists()


def test_nothing_is_restored_over_something(with_store, home, archive, tmp_path, clock):
    before = with_store(fill)
    backup(home, archive)
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("precious")
    a_file = tmp_path / "file"
    a_file.write_text("precious")

    for taken in (home, other, a_file):
        with pytest.raises(InvalidRequest):
            restore(archive, taken, clock=clock)

    assert reopened(home, clock) == before
    assert (other / "thesis.txt").read_text() == "precious"
    empty = tmp_path / "empty"
    empty.mkdir()
    restore(archive, empty, clock=clock)
    assert reopened(empty, clock) == before


def test_what_is_not_there_is_neither_backed_up_nor_restored(tmp_path, archive, home, clock):
    with pytest.raises(NotFound):
        backup(home, archive)
    with pytest.raises(NotFound):
        restore(archive, home, clock=clock)
    assert not home.exists()


def test_an_archive_in_the_home_itself_is_refused(with_store, home):
    with_store(fill)
    with pytest.raises(InvalidRequest):
        backup(home, home / "runs" / "backup.tar")


def test_an_archive_that_cannot_be_written_is_said(with_store, home, tmp_path):
    with_store(fill)
    with pytest.raises(Unavailable):
        backup(home, tmp_path / "no" / "such" / "folder.tar")


def test_a_damaged_home_makes_no_archive(with_store, home, archive):
    with_store(fill)
    damaged = next(p for p in (home / "objects").rglob("*") if p.is_file())
    damaged.chmod(0o600)
    damaged.write_bytes(b"damaged")

    with pytest.raises(HomeUnreadable):
        backup(home, archive)
    assert not archive.exists()


def a_member(name, data=b"", **what):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in what.items():
        setattr(info, key, value)
    return info, data


CARD = a_member("backup.json", json.dumps({"backup": 1}).encode())
HOSTILE = {
    "empty": [],
    "no card": [a_member("journal/00000001.ndjson", b"{}\n")],
    "newer": [a_member("backup.json", b'{"backup": 2}')],
    "strange card": [a_member("backup.json", b"[")],
    "climbing": [CARD, a_member("runs/../../escaped", b"x")],
    "absolute": [CARD, a_member("/runs/escaped", b"x")],
    "elsewhere": [CARD, a_member("owner.lock", b"x")],
    "index": [CARD, a_member("index.duckdb", b"x")],
    "link": [CARD, a_member("runs/a", type=tarfile.SYMTYPE, linkname="/etc")],
    "hard link": [CARD, a_member("runs/a", type=tarfile.LNKTYPE, linkname="/etc/passwd")],
    "pipe": [CARD, a_member("runs/a", type=tarfile.FIFOTYPE)],
    "wrong object": [CARD, a_member("objects/00/" + "0" * 64, b"x")],
    "damaged journal": [CARD, a_member("journal/00000001.ndjson", b'{"journal":1}\n')],
    "root itself": [CARD, a_member("runs", b"x"), a_member("runs/a", b"x")],
}


@pytest.mark.parametrize("members", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_archive_makes_nothing(tmp_path, archive, elsewhere, clock, members):
    with tarfile.open(archive, "w") as file:
        for info, data in members:
            file.addfile(info, io.BytesIO(data))
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises((HomeUnreadable, Unavailable)):
        restore(archive, elsewhere, clock=clock)

    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("cut", [10, 600, 2000, 11_000])
def test_a_cut_archive_makes_nothing(with_store, home, archive, elsewhere, clock, cut):
    with_store(fill)
    backup(home, archive)
    whole = archive.read_bytes()
    archive.write_bytes(whole[:cut])

    with pytest.raises((HomeUnreadable, Unavailable)):
        restore(archive, elsewhere, clock=clock)

    assert not elsewhere.exists()
    archive.write_bytes(whole)
    restore(archive, elsewhere, clock=clock)
