"""The journal: every change in order, on disk before anybody is told.

One thread writes. Whatever waits is written with one call and made durable with one more, so
that many who wait share the cost. Nothing good is ever written behind something broken: a failed
write is cut off again, and after a failed flush the journal takes no more.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from workbench.errors import HomeUnreadable, Unavailable
from workbench.store.disk import sync_folder
from workbench.store.segments import (
    Record,
    Segment,
    changes_text,
    create_segment,
    list_segments,
    mend,
    read_records,
    record_line,
)
from workbench.store.tables import Change

Landed = Callable[[int], None]

_log = logging.getLogger("workbench.store")


@dataclass(slots=True, kw_only=True)
class _Waiting:
    text: str
    landed: Landed | None
    done: Future[int] = field(default_factory=Future)


class Journal:
    """The journal of one home, open for appending."""

    def __init__(
        self,
        folder: Path,
        *,
        clock: Callable[[], datetime],
        at: Callable[[str], None] = lambda point: None,
    ) -> None:
        """Open the journal in *folder*, or begin one; *at* is told each point it passes.

        Raises:
            HomeUnreadable: It is damaged in the middle, or of a newer format.
        """
        self._folder = folder
        self._clock = clock
        self._at = at
        self._segments = self._open_segments()
        self._descriptor, self._length, self._last = self._open_last()
        self._refusal: str | None = None
        self._queue: list[_Waiting] = []
        self._closing = False
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._write_on, name="journal", daemon=True)
        self._thread.start()
        # A thread still running while Python goes down would take the process down with a crash.
        atexit.register(self._stop)

    @property
    def id(self) -> str:
        """What tells this journal from every other."""
        return self._segments[0].journal

    @property
    def last(self) -> int:
        """The number of the last durable record; 0 if there is none."""
        return self._last

    @property
    def base(self) -> int:
        """The number of the last record that a snapshot has made superfluous."""
        return self._segments[0].after

    @property
    def tail_bytes(self) -> int:
        """How long the journal is behind its snapshot."""
        return sum(s.path.stat().st_size for s in self._segments if not s.snapshot)

    @property
    def snapshot_bytes(self) -> int:
        """How long its snapshot is; 0 if it has none."""
        return sum(s.path.stat().st_size for s in self._segments if s.snapshot)

    def append(self, changes: Sequence[Change], *, landed: Landed | None = None) -> Future[int]:
        """The number of a new record with *changes*, once it is durable.

        *landed* is given that number, in the order of the records, before anybody is told.
        The future raises `Unavailable` if the record was not kept.
        """
        waiting = _Waiting(text=changes_text(changes), landed=landed)
        with self._wake:
            if self._closing:
                raise Unavailable("The workbench is shutting down.")
            self._queue.append(waiting)
            self._wake.notify()
        return waiting.done

    def records(self, *, after: int = 0) -> Iterator[Record]:
        """The durable records behind number *after*, in order.

        Raises:
            HomeUnreadable: A line among them is damaged.
        """
        last, length = self._last, self._length  # in this order: see where they are set
        for segment, behind in zip(self._segments, [*self._segments[1:], None], strict=True):
            if behind is not None and behind.after <= after:
                continue
            until = length if behind is None else None
            for record in read_records(segment, until=until):
                if after < record.n <= last:
                    yield record

    def snapshot(self, changes: Iterable[Sequence[Change]]) -> None:
        """Begin anew with *changes*, which say all that the journal says, and drop the rest.

        Only for a journal nobody is appending to.

        Raises:
            Unavailable: The disk does not take it; the journal is as it was.
        """
        before, newest = list(self._segments), self._segments[-1]
        n = self._last

        def lines() -> Iterator[bytes]:
            nonlocal n
            for some in changes:
                n += 1
                yield record_line(n, self._now(), changes_text(some))

        try:
            first = create_segment(
                self._folder,
                number=newest.number + 1,
                journal=newest.journal,
                after=self._last,
                snapshot=True,
                lines=lines(),
            )
            self._at("snapshot.written")
            second = create_segment(
                self._folder, number=first.number + 1, journal=first.journal, after=n
            )
        except OSError as error:
            raise Unavailable(f"The disk does not take it: {error.strerror}.") from error
        os.close(self._descriptor)
        self._segments = [first, second]
        self._descriptor, self._length, self._last = self._open_last()
        self._drop(before)

    def close(self) -> None:
        """Write what waits and stop."""
        self._stop()
        atexit.unregister(self._stop)
        os.close(self._descriptor)

    def _stop(self) -> None:
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _open_segments(self) -> list[Segment]:
        found = list_segments(self._folder)
        if not found:
            return [create_segment(self._folder, number=1, journal=uuid.uuid4().hex, after=0)]
        begins = max((i for i, s in enumerate(found) if s.snapshot), default=0)
        if begins == 0 and not found[0].snapshot and found[0].after != 0:
            raise HomeUnreadable(f"The journal does not begin with {found[0].path.name}.")
        self._drop(found[:begins])
        kept = found[begins:]
        if kept[-1].snapshot:
            _, last = mend(kept[-1])
            newest = kept[-1]
            kept.append(
                create_segment(
                    self._folder, number=newest.number + 1, journal=newest.journal, after=last
                )
            )
        return kept

    def _open_last(self) -> tuple[int, int, int]:
        segment = self._segments[-1]
        length, last = mend(segment)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        return os.open(segment.path, flags), length, last

    def _drop(self, segments: Iterable[Segment]) -> None:
        for segment in segments:
            segment.path.unlink(missing_ok=True)
        sync_folder(self._folder)

    def _now(self) -> str:
        return self._clock().isoformat()

    def _write_on(self) -> None:
        while True:
            with self._wake:
                while not self._queue and not self._closing:
                    self._wake.wait()
                batch, self._queue = self._queue, []
            if not batch:
                return
            self._write(batch)

    def _write(self, batch: list[_Waiting]) -> None:
        try:
            at = self._now()
            lines = [record_line(n, at, w.text) for n, w in enumerate(batch, self._last + 1)]
            self._put_down(b"".join(lines))
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            for waiting in batch:
                waiting.done.set_exception(error)
            return
        first = self._last + 1
        # The length first: who reads the number must find what it counts.
        self._length += sum(map(len, lines))
        self._last += len(batch)
        for n, waiting in enumerate(batch, first):
            if waiting.landed is not None:
                waiting.landed(n)
        for n, waiting in enumerate(batch, first):
            waiting.done.set_result(n)

    def _put_down(self, data: bytes) -> None:
        if self._refusal is not None:
            raise Unavailable(self._refusal)
        try:
            _write_all(self._descriptor, data)
        except OSError as error:
            _log.error("The journal could not be written: %s.", error)
            self._cut_back()
            raise Unavailable(f"The disk does not take it: {error.strerror}.") from error
        try:
            self._at("journal.written")
            os.fdatasync(self._descriptor)
        except OSError as error:
            # What the kernel still holds of the file is unknown after a failed flush: no second try.
            self._refusal = f"The disk failed ({error.strerror}); restart the workbench."
            _log.critical("The journal could not be flushed: %s. It takes no more.", error)
            self._cut_back()
            raise Unavailable(self._refusal) from error
        self._at("journal.flushed")

    def _cut_back(self) -> None:
        try:
            os.ftruncate(self._descriptor, self._length)
        except OSError as error:
            self._refusal = f"The disk failed ({error.strerror}); restart the workbench."
            _log.critical("The journal could not be cut back: %s. It takes no more.", error)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
