"""What the journal was said to keep is there in order, and never behind something broken."""

import json
import os
import subprocess
import sys

import pytest

from tests.store.samples import Clock
from workbench.errors import HomeUnreadable, Unavailable
from workbench.store.journal import Journal
from workbench.store.segments import sealed
from workbench.store.tables import USERS, delete, put


def a_change(name="ada"):
    return put(USERS, {"name": name, "role": "author", "created_at": "2026-11-20T12:00:00"})


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "journal"
    path.mkdir()
    return path


@pytest.fixture
def opened(folder):
    """Opens the journal; all are closed in the end."""
    journals = []

    def open_it(**options):
        journals.append(Journal(folder, clock=Clock(), **options))
        return journals[-1]

    yield open_it
    for journal in journals:
        journal.close()


def names(journal, after=0):
    return [(r.n, [c.key[0] for c in r.changes]) for r in journal.records(after=after)]


def test_records_come_back_in_order_and_from_anywhere(opened):
    journal = opened()
    numbers = [journal.append([a_change(f"u{i}")]).result() for i in range(5)]
    journal.append([delete(USERS, ("u0",)), a_change("u9")]).result()

    assert numbers == [1, 2, 3, 4, 5]
    assert names(journal, after=4) == [(5, ["u4"]), (6, ["u0", "u9"])]


def test_every_line_is_json_with_a_checksum_of_itself(opened, folder):
    opened().append([a_change()]).result()

    header, record = (folder / "00000001.ndjson").read_text().splitlines()
    assert json.loads(header)["journal"] == 1
    assert json.loads(record)["changes"][0][:2] == ["put", "users"]
    assert (json.dumps(json.loads(record), separators=(",", ":")) + "\n").encode() == sealed(
        json.dumps(
            {k: v for k, v in json.loads(record).items() if k != "crc"}, separators=(",", ":")
        )
    )


def test_many_who_wait_share_a_flush_and_keep_their_order(opened):
    flushed, landed = [], []
    journal = opened(at=lambda point: flushed.append(point) if point == "journal.flushed" else 0)

    waiting = [journal.append([a_change(f"u{i}")], landed=landed.append) for i in range(500)]
    numbers = [one.result() for one in waiting]

    assert numbers == landed == list(range(1, 501))
    assert len(flushed) < 500


@pytest.mark.parametrize(
    "tail",
    [b'{"n":4', b'{"n":4,"at":"","changes":[],"crc":"00000000"}\n', b"\0" * 4096, b"x\ny\nz\n"],
)
def test_a_torn_tail_is_dropped_and_said(opened, folder, caplog, tail):
    journal = opened()
    for i in range(3):
        journal.append([a_change(f"u{i}")]).result()
    path = folder / "00000001.ndjson"
    whole = path.read_bytes()
    path.write_bytes(whole + tail)

    again = opened()

    assert path.read_bytes() == whole
    assert [r.message for r in caplog.records] == [
        "Dropped the torn tail of 00000001.ndjson, from line 5 on."
    ]
    assert again.append([a_change("next")]).result() == 4
    assert [n for n, _ in names(again)] == [1, 2, 3, 4]


def test_every_way_to_cut_the_last_line_loses_that_line_only(opened, folder):
    journal = opened()
    for i in range(2):
        journal.append([a_change(f"u{i}")]).result()
    path = folder / "00000001.ndjson"
    whole = path.read_bytes()
    last = len(whole.splitlines(keepends=True)[-1])

    for cut in range(1, last + 1):
        path.write_bytes(whole[:-cut])
        again = Journal(folder, clock=Clock())
        assert again.last == 1
        again.close()


def test_a_damaged_line_in_the_middle_is_named(opened, folder):
    journal = opened()
    for i in range(3):
        journal.append([a_change(f"user{i}")]).result()
    path = folder / "00000001.ndjson"
    path.write_bytes(path.read_bytes().replace(b"user1", b"user7"))

    with pytest.raises(HomeUnreadable) as refusal:
        opened()

    assert refusal.value.details == {"file": "00000001.ndjson", "line": 3}


def test_a_missing_line_is_noticed(opened, folder):
    journal = opened()
    for i in range(3):
        journal.append([a_change(f"u{i}")]).result()
    path = folder / "00000001.ndjson"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2] + lines[3:]))

    with pytest.raises(HomeUnreadable):
        list(opened().records())


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (sealed('{"journal":2,"of":"tomorrow"}'), "newer"),
        (b'{"journal":3,"framed":"otherwise"}\n', "newer"),
        (b"{}\n", "no segment"),
        (b"", "no segment"),
        (b'{"journal":1,"id":"x","after":0,"snapshot":false}\n', "damaged"),
    ],
)
def test_a_journal_that_is_not_ours_is_refused_and_left_alone(opened, folder, line, says):
    path = folder / "00000001.ndjson"
    path.write_bytes(line)

    with pytest.raises(HomeUnreadable, match=says):
        opened()

    assert path.read_bytes() == line


def test_a_snapshot_begins_from_nothing_and_goes_on(opened, folder):
    journal = opened()
    for i in range(10):
        journal.append([a_change("ada")]).result()
    identity = journal.id

    journal.snapshot([[a_change("ada")], [a_change("bob")]])
    journal.append([a_change("eve")]).result()

    told = [(11, ["ada"]), (12, ["bob"]), (13, ["eve"])]
    assert names(journal) == told
    assert sorted(p.name for p in folder.iterdir()) == ["00000002.ndjson", "00000003.ndjson"]
    again = opened()
    assert (names(again), again.id, again.base) == (told, identity, 10)


def test_a_snapshot_cut_short_before_the_old_is_dropped_still_counts(opened, folder):
    journal = opened()
    journal.append([a_change("ada")]).result()
    old = (folder / "00000001.ndjson").read_bytes()
    journal.snapshot([[a_change("bob")]])
    (folder / "00000001.ndjson").write_bytes(old)
    (folder / "00000003.ndjson").unlink()

    again = opened()

    assert names(again) == [(2, ["bob"])]
    assert again.append([a_change("eve")]).result() == 3
    assert sorted(p.name for p in folder.iterdir()) == ["00000002.ndjson", "00000003.ndjson"]


def test_a_missing_segment_is_noticed(opened, folder):
    journal = opened()
    journal.append([a_change("ada")]).result()
    journal.snapshot([[a_change("bob")]])
    journal.append([a_change("eve")]).result()
    (folder / "00000002.ndjson").unlink()

    with pytest.raises(HomeUnreadable):
        opened()


_FULL = """
import pathlib, resource, sys
from tests.store.samples import Clock
from tests.store.test_journal import a_change
from workbench.errors import Unavailable
from workbench.store.journal import Journal
journal = Journal(pathlib.Path(sys.argv[1]), clock=Clock())
limit = 20_000
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
kept = refused = 0
for i in range(300):
    try:
        kept = journal.append([a_change("u" * (i % 200 + 1))]).result()
    except Unavailable:
        refused += 1
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
after = journal.append([a_change("room again")]).result()
print(kept, refused, after, len(list(journal.records())))
"""


def test_a_full_disk_refuses_leaves_no_half_line_and_recovers(folder):
    told = subprocess.run(
        [sys.executable, "-c", _FULL, str(folder)], capture_output=True, text=True, check=True
    )
    kept, refused, after, read = map(int, told.stdout.split())

    assert refused > 0
    assert after == kept + 1 == read
    journal = Journal(folder, clock=Clock())
    assert [n for n, _ in names(journal)] == list(range(1, after + 1))
    journal.close()


def test_after_a_failed_flush_nothing_more_is_taken(opened):
    def fail(point):
        if point == "journal.written":
            raise OSError(5, "Input/output error")

    journal = opened(at=fail)

    for _ in range(2):
        with pytest.raises(Unavailable, match="restart"):
            journal.append([a_change()]).result()
    assert names(journal) == []
    assert names(opened()) == []


def test_a_closed_journal_takes_nothing(folder):
    journal = Journal(folder, clock=Clock())
    journal.close()

    with pytest.raises(Unavailable):
        journal.append([a_change()])


def test_no_descriptor_is_left_open(folder):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        journal = Journal(folder, clock=Clock())
        journal.snapshot([[a_change()]])
        journal.close()

    assert len(os.listdir("/proc/self/fd")) == before
