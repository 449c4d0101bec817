"""The events of runs: one append-only file for each run, followed while it grows.

The file is the truth. What was said last also stays in memory for those who follow closely;
whoever falls behind reads the file and costs no memory.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from workbench.domain.events import Event, EventType
from workbench.errors import IllegalMove, Unavailable
from workbench.store.bells import Bells
from workbench.store.disk import make_folder, sync_folder
from workbench.store.papers import Papers

T = TypeVar("T")

RING_BYTES = 256 * 1024
"""How much of a live stream is kept in memory."""
_READ_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class _Place:
    """Somewhere between two lines of a file: behind event *seq*, *offset* bytes in."""

    seq: int = 0
    offset: int = 0


class Stream:
    """The events of one run while they happen; `Events.open` makes it.

    What is said is kept through a power cut by `keep` and `close`. A last event needs no keeping: it
    says nothing that the run's record does not, and is said again if it was lost.
    """

    def __init__(
        self, run_id: str, path: Path, *, clock: Callable[[], datetime], events: Events, new: bool
    ) -> None:
        self.run_id = run_id
        self._clock = clock
        self._events = events
        self._path = path
        self._new = new
        self._place, self.ended = _Place(), False
        if not new:
            make_folder(path.parent)
            _, self._place, self.ended = _read(path, _Place(), after=0)
        self._kept = self._place.seq
        self._ring: deque[tuple[_Place, Event]] = deque()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        # Half a line is what a crash leaves of an event nobody was told of.
        os.ftruncate(self._descriptor, self._place.offset)

    @property
    def seq(self) -> int:
        """The number of the event that happened last; 0 before the first."""
        return self._place.seq

    def append(
        self,
        type: EventType,
        data: Mapping[str, object] | None = None,
        *,
        at: datetime | None = None,
    ) -> Event:
        """The event that has happened now or *at*: numbered, written down, told to all followers.

        Raises:
            IllegalMove: The stream is closed, or its last event has happened.
            Unavailable: The disk does not take it; it is as if it had not happened.
        """
        if self._descriptor < 0 or self.ended:
            raise IllegalMove(f"Nothing more can happen to run {self.run_id}.", run_id=self.run_id)
        event = Event(seq=self.seq + 1, type=type, at=at or self._clock(), data=data or {})
        line = _line(event)
        self._write(line)
        self._place = _Place(event.seq, self._place.offset + len(line))
        self.ended = type.last
        self._ring.append((self._place, event))
        while self._place.offset - self._ring[0][0].offset > RING_BYTES:
            self._ring.popleft()
        self._events.tell(self.run_id)
        return event

    def behind(self, seq: int) -> list[tuple[_Place, Event]] | None:
        """The events behind number *seq*; None if memory does not go back that far."""
        if seq >= self.seq:
            return []
        if not self._ring or self._ring[0][1].seq > seq + 1:
            return None
        first = self._ring[0][1].seq
        return [self._ring[i] for i in range(seq + 1 - first, len(self._ring))]

    async def keep(self) -> None:
        """Make what was said so far outlive a power cut.

        Raises:
            Unavailable: The disk failed; what was said may not outlive a power cut.
        """
        descriptor, seq, folder = self._descriptor, self.seq, self._path.parent

        def sync() -> None:
            os.fsync(descriptor)
            if self._new:
                sync_folder(folder)
                sync_folder(folder.parent)

        try:
            await self._events.off_loop(sync)
        except OSError as error:
            raise Unavailable(f"The disk failed: {error.strerror}.") from error
        self._kept, self._new = seq, False

    async def close(self) -> None:
        """Make what was said outlive a power cut, and take no more.

        Raises:
            Unavailable: The disk failed; what was said may not outlive a power cut.
        """
        if self._descriptor < 0:
            return
        try:
            if self._kept < self.seq - self.ended:
                await self.keep()
        finally:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)
            self._events.forget(self)

    def _write(self, line: bytes) -> None:
        try:
            written = os.write(self._descriptor, line)
            if written != len(line):
                written += os.write(self._descriptor, line[written:])
            if written != len(line):
                raise OSError(0, "it is full")
        except OSError as error:
            os.ftruncate(self._descriptor, self._place.offset)
            raise Unavailable(f"The disk does not take it: {error.strerror}.") from error


class Events:
    """The streams of all runs."""

    def __init__(self, papers: Papers, *, clock: Callable[[], datetime], threads: Executor) -> None:
        self._papers = papers
        self._clock = clock
        self._threads = threads
        self._live: dict[str, Stream] = {}
        self._opening: set[str] = set()
        self._bells = Bells()
        self._closed = False

    async def open(self, run_id: str) -> Stream:
        """The stream of the run, going on where an earlier one ended.

        Raises:
            IllegalMove: It is open already.
            NotFound: *run_id* is no id of a run.
            Unavailable: The disk does not take it.
        """
        path = self._papers.events_path(run_id)
        if run_id in self._live or run_id in self._opening:
            raise IllegalMove(f"The events of run {run_id} are being written.", run_id=run_id)
        self._opening.add(run_id)
        make = partial(Stream, run_id, path, clock=self._clock, events=self)
        try:
            # A folder in that of its day takes less time to make than a thread to be woken.
            new = _make_folder_of_today(path.parent)
            stream = make(new=True) if new else await self.off_loop(partial(make, new=False))
        except OSError as error:
            raise Unavailable(f"The disk does not take it: {error.strerror}.") from error
        finally:
            self._opening.discard(run_id)
        self._live[run_id] = stream
        self.tell(run_id)
        return stream

    async def read(self, run_id: str) -> list[Event]:
        """All events of the run so far.

        Raises:
            NotFound: *run_id* is no id of a run.
        """
        path = self._papers.events_path(run_id)
        events, _, _ = await self.off_loop(lambda: _read(path, _Place(), after=0))
        return events

    async def follow(self, run_id: str, *, after: int = 0) -> AsyncIterator[Event]:
        """The events of the run behind number *after*, as they happen, up to the last one.

        Waits for a run whose first event has not happened yet; ends early only when the store
        is closed.

        Raises:
            NotFound: *run_id* is no id of a run.
        """
        path = self._papers.events_path(run_id)
        bell = self._bells.hold(run_id)
        place = _Place()
        seen = after
        try:
            while not self._closed:
                rung = bell.rung
                stream = self._live.get(run_id)
                news = stream.behind(seen) if stream else None
                if stream is not None and news is not None:
                    begun, ended = place, stream.ended
                    events = [event for _, event in news]
                    place = news[-1][0] if news else place
                else:
                    begun = place
                    events, place, ended = await self.off_loop(
                        partial(_read, path, place, after=seen, most=_READ_BYTES)
                    )
                for event in events:
                    yield event
                    seen = event.seq
                if ended:
                    return
                if place == begun:
                    await bell.heard(rung)
        finally:
            self._bells.let_go(run_id)

    def tell(self, run_id: str) -> None:
        """Wake those who follow the run."""
        self._bells.ring(run_id)

    def forget(self, stream: Stream) -> None:
        """Take note that *stream* is closed."""
        self._live.pop(stream.run_id, None)
        self.tell(stream.run_id)

    async def off_loop(self, work: Callable[[], T]) -> T:
        """What *work* gives back, done in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def close(self) -> None:
        """Close all streams and send all followers home."""
        self._closed = True
        for stream in list(self._live.values()):
            await stream.close()
        self._bells.ring_all()


def _make_folder_of_today(path: Path) -> bool:
    """Whether *path* is new, in a folder that was there; who writes to it makes it last."""
    try:
        path.mkdir(mode=0o700)
    except (FileNotFoundError, FileExistsError):
        return False
    path.chmod(0o700)  # whatever the umask
    return True


def _read(
    path: Path, place: _Place, *, after: int, most: int | None = None
) -> tuple[list[Event], _Place, bool]:
    """The events behind *place* with numbers above *after*, where they end, and if for good.

    Stops before half a line, and behind the line that fills *most* bytes.
    """
    events: list[Event] = []
    seq, offset, last = place.seq, place.offset, b""
    with suppress(FileNotFoundError, NotADirectoryError), path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                break
            seq, offset, last = seq + 1, offset + len(line), line
            if seq > after:
                events.append(_event(line))
            if most is not None and offset - place.offset >= most:
                break
    return events, _Place(seq, offset), bool(last) and _event(last).type.last


def _line(event: Event) -> bytes:
    said = {
        "seq": event.seq,
        "type": str(event.type),
        "at": event.at.isoformat(),
        "data": event.data,
    }
    try:
        text = json.dumps(said, allow_nan=False, separators=(",", ":"))
    except ValueError:
        # Kernels may say NaN, which Python reads as JSON but nobody else does.
        said["data"] = _finite(event.data)
        text = json.dumps(said, allow_nan=False, separators=(",", ":"))
    return text.encode("ascii") + b"\n"


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value


def _event(line: bytes) -> Event:
    said = json.loads(line)
    return Event(
        seq=said["seq"],
        type=EventType(said["type"]),
        at=datetime.fromisoformat(said["at"]),
        data=said["data"],
    )
