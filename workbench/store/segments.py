"""The journal's files: one checked line of JSON for each record, after a header line.

A segment either goes on where the one before it ended or, being a snapshot, begins from nothing.
Every line carries a checksum of itself, so that a torn or damaged one is known for what it is.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

from workbench.errors import HomeUnreadable
from workbench.store.disk import whole_file
from workbench.store.tables import Change, change_from_json

FORMAT = 1

_SEAL = len(b',"crc":"00000000"}\n')
_log = logging.getLogger("workbench.store")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One set of changes that happened at once.

    Attributes:
        n: 1 for the first of a journal, then without gaps.
        changes: In order.
        first: Whether no record before it says anything of its rows.
    """

    n: int
    changes: tuple[Change, ...]
    first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One file of the journal, as its header describes it.

    Attributes:
        number: What orders the files.
        journal: The id of the journal it belongs to.
        after: The number of the last record before its first.
        snapshot: Whether it begins from nothing.
    """

    path: Path
    number: int
    journal: str
    after: int
    snapshot: bool


def sealed(text: str) -> bytes:
    """The line that says *text*, which must be a JSON object, with its checksum."""
    body = text[:-1].encode("ascii")
    return b'%s,"crc":"%08x"}\n' % (body, zlib.crc32(body))


def record_line(n: int, at: str, changes: str) -> bytes:
    """The line of record *n*; *changes* is what `changes_text` gave."""
    return sealed(f'{{"n":{n},"at":"{at}","changes":{changes}}}')


def changes_text(changes: Iterable[Change]) -> str:
    """*changes*, as a record holds them."""
    return json.dumps([change.as_json() for change in changes], separators=(",", ":"))


def create_segment(
    folder: Path,
    *,
    number: int,
    journal: str,
    after: int,
    snapshot: bool = False,
    lines: Iterable[bytes] = (),
) -> Segment:
    """A new segment with the records *lines* in it, whole and for good.

    Raises:
        OSError: The disk does not take it.
    """
    path = folder / f"{number:08}.ndjson"
    header = {"journal": FORMAT, "id": journal, "after": after, "snapshot": snapshot}
    with whole_file(path) as file:
        file.write(sealed(json.dumps(header, separators=(",", ":"))))
        file.writelines(lines)
    return Segment(path=path, number=number, journal=journal, after=after, snapshot=snapshot)


def list_segments(folder: Path) -> list[Segment]:
    """The segments in *folder*, in order.

    Raises:
        HomeUnreadable: One is of a newer format, or no segment at all, or one is missing.
    """
    found = [_open_segment(path) for path in sorted(folder.glob("*.ndjson"))]
    for before, behind in pairwise(found):
        if behind.number != before.number + 1 or behind.journal != before.journal:
            raise HomeUnreadable(f"The journal has a gap before {behind.path.name}.")
    return found


def read_records(segment: Segment, *, until: int | None = None) -> Iterator[Record]:
    """The records of *segment* in order; *until* is an offset in the file to stop at.

    Raises:
        HomeUnreadable: A line is damaged or missing; the message says which.
    """
    n = segment.after
    with segment.path.open("rb") as file:
        for number, line in enumerate(_lines(file, until), start=1):
            if not is_whole(line):
                raise _damaged(segment, number)
            if number == 1:
                continue
            n += 1
            said = json.loads(line)
            if said.get("n") != n:
                raise _damaged(segment, number)
            changes = tuple(map(change_from_json, said["changes"]))
            yield Record(n=n, changes=changes, first=segment.snapshot)


def mend(segment: Segment) -> tuple[int, int]:
    """The length of *segment* and the number of its last record, its torn tail cut off.

    A tail is torn if no whole line follows: the writer died, or the power went, before anybody
    was told of what it says.

    Raises:
        HomeUnreadable: A damaged line stands before whole ones.
    """
    good, n, torn_at = 0, segment.after - 1, 0
    with segment.path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not is_whole(line):
                torn_at = torn_at or number
            elif torn_at:
                raise _damaged(segment, torn_at)
            else:
                good += len(line)
                n += 1
    if torn_at:
        _log.warning("Dropped the torn tail of %s, from line %d on.", segment.path.name, torn_at)
        with segment.path.open("rb+") as file:
            file.truncate(good)
    return good, n


def _lines(file: BinaryIO, until: int | None) -> Iterator[bytes]:
    offset = 0
    for line in file:
        offset += len(line)
        if until is not None and offset > until:
            return
        yield line


def is_whole(line: bytes) -> bool:
    """Whether *line* is as it was sealed."""
    body, seal = line[:-_SEAL], line[-_SEAL:]
    return seal == b',"crc":"%08x"}\n' % zlib.crc32(body)


def _open_segment(path: Path) -> Segment:
    with path.open("rb") as file:
        line = file.readline()
    header = _header(line)
    if not path.stem.isdecimal() or header is None:
        raise HomeUnreadable(f"{path.name}, line 1: this is no segment of a journal.")
    if header["journal"] > FORMAT:
        raise HomeUnreadable(
            f"The journal is of format {header['journal']}, written by a newer workbench; "
            f"this one reads up to {FORMAT}.",
            format=header["journal"],
        )
    if not is_whole(line):
        raise HomeUnreadable(f"{path.name}, line 1 is damaged.", file=path.name, line=1)
    return Segment(
        path=path,
        number=int(path.stem),
        journal=header["id"],
        after=header["after"],
        snapshot=header["snapshot"],
    )


def _header(line: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(line)
    except ValueError:
        return None
    return said if isinstance(said, dict) and isinstance(said.get("journal"), int) else None


def _damaged(segment: Segment, line: int) -> HomeUnreadable:
    name = segment.path.name
    return HomeUnreadable(f"{name}, line {line} is damaged.", file=name, line=line)
