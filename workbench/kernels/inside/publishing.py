"""How a lean kernel says what it has to say: at once, from the thread that says it.

ipykernel hands every message over to a thread of its own, and lets two more wait for what is written
to the descriptors of the standard streams. Handing over costs more than sending, and threads cost
time at the start of every kernel and memory as long as it waits. Here one plain thread is left, for
what nobody else can do while a cell works: to send what has been printed for some time, to read what
other programs write to the standard streams, and to hear the kernel's own children.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import codecs
import math
import os
import select
import signal
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import zmq
from ipykernel.iostream import BackgroundSocket, IOPubThread, OutStream

_FLUSH_SECONDS = OutStream.flush_interval
_PIECE = 256 * 1024
"""How many characters are sent before more are taken in."""

# Signals that Python programs commonly handle, by an exception at any moment.
_DISTURBING = (
    *(signal.SIGINT, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGHUP),
)

_PART = struct.Struct("<QQH?")
"""Who says it, which message of theirs it is of, how long it is, and if it is the last of that."""
_PART_BYTES = select.PIPE_BUF - _PART.size
_LENGTH = struct.Struct("<Q")


@contextmanager
def undisturbed() -> Iterator[None]:
    """Signals that are handled in Python wait until what is inside is done.

    A message is sent in several pieces: an exception between them would leave half a message there,
    and the next one would be taken for its other half.
    """
    if threading.get_ident() != threading.main_thread().ident:
        yield
        return
    # `signal` itself makes an enum of every answer, which takes ten times as long.
    handlers: dict[int, Any] = {
        number: handler for number in _DISTURBING if callable(handler := _signal.getsignal(number))
    }
    came: list[tuple[int, Any]] = []
    try:
        for number in handlers:
            _signal.signal(number, lambda number, frame: came.append((number, frame)))
        yield
    finally:
        for number, handler in handlers.items():
            _signal.signal(number, handler)
    for number, frame in came:
        handlers[number](number, frame)


class Publisher(IOPubThread):
    """Stands where ipykernel looks for its thread that publishes.

    Attributes:
        turn: Held by whoever sends, so that messages and what was printed before them keep order.
    """

    def __init__(self, socket: zmq.Socket[bytes], session: Any) -> None:
        """Publish on *socket*; nothing of ipykernel's own is made: no sockets, no loop."""
        self.socket = socket
        self.session = session
        self.io_loop = None  # type: ignore[assignment]
        self.background_socket = BackgroundSocket(self)  # type: ignore[no-untyped-call]
        self.turn = threading.RLock()
        self._master_pid = os.getpid()
        self._pipe_flag = True
        self._stopped = self._heard = False
        self._due = math.inf
        self._streams: dict[int, Stream] = {}
        self._woken, self._wake = _pipe()
        self._brought, self._bring = os.pipe()
        os.set_blocking(self._brought, False)
        self._children = _Children()
        self._sent = 0
        self.thread = threading.Thread(target=self._look_after, name="IOPub", daemon=True)

    def start(self) -> None:
        """Begin to look after the streams."""
        # A child that is forked while another thread sends would find the lock held for ever.
        os.register_at_fork(
            before=self.turn.acquire,
            after_in_parent=self.turn.release,
            after_in_child=self.turn.release,
        )
        self.thread.start()

    def stop(self) -> None:
        """Look after nothing any more."""
        self._stopped = True
        if self.thread.is_alive():
            self._rouse()
            self.thread.join()

    def watch(self, stream: Stream) -> None:
        """Look after *stream*; before `start`."""
        self._streams[stream.written] = stream

    def soon(self) -> None:
        """Send before long what is in the streams."""
        if self._due == math.inf:
            self._due = time.monotonic() + _FLUSH_SECONDS
            self._rouse()

    def schedule(self, f: Callable[[], Any]) -> None:
        """Do *f*, now."""
        with self.turn:
            f()

    def send_multipart(self, msg: Sequence[Any], *args: Any, **options: Any) -> None:
        """Publish *msg*, or have the kernel publish it if this is a child of its."""
        if self.closed:
            return
        if os.getpid() == self._master_pid:
            self._publish(msg, *args, **options)
        else:
            self._hand_up(msg)

    def _publish(self, msg: Sequence[Any], *args: Any, **options: Any) -> None:
        with self.turn, undisturbed():
            # Who subscribes is only noticed by those who ask; the first one is waited for here.
            if not self._heard:
                self._heard = bool(self.socket.events & zmq.POLLIN)
            with suppress(zmq.ZMQError):  # it has been closed by another thread
                self.socket.send_multipart(msg, *args, **options)

    def _hand_up(self, msg: Sequence[Any]) -> None:
        with self.turn, suppress(OSError):  # the kernel is gone, and with it everybody who listens
            self._sent += 1
            packed = b"".join(
                piece for part in map(bytes, msg) for piece in (_LENGTH.pack(len(part)), part)
            )
            for at in range(0, len(packed), _PART_BYTES):
                piece = packed[at : at + _PART_BYTES]
                last = at + _PART_BYTES >= len(packed)
                # So short a piece is written whole, whoever else writes at the same time.
                os.write(self._bring, _PART.pack(os.getpid(), self._sent, len(piece), last) + piece)

    def _rouse(self) -> None:
        with suppress(OSError):  # it has not even seen that it was woken before
            os.write(self._wake, b"\0")

    def _look_after(self) -> None:
        poll = select.poll()
        for descriptor in (self._woken, self._brought, *self._streams):
            poll.register(descriptor, select.POLLIN)
        while not self._stopped:
            left = self._due - time.monotonic()
            found = poll.poll(None if left == math.inf else max(0.0, left * 1000))
            # What a cell has broken must not keep others from being heard.
            with suppress(Exception):
                for descriptor, event in found:
                    if event & ~select.POLLIN:  # whoever closed it has nothing more to say
                        poll.unregister(descriptor)
                    self._heed(descriptor)
                if self._due <= time.monotonic():
                    self._due = math.inf
                    for stream in self._streams.values():
                        stream.flush()

    def _heed(self, descriptor: int) -> None:
        if descriptor == self._woken:
            _drained(self._woken)
        elif descriptor == self._brought:
            self._publish_for_children()
        else:
            self._streams[descriptor].take_in()

    def _publish_for_children(self) -> None:
        for message in self._children.heard(_drained(self._brought)):
            self._publish(message)


class _Children:
    """What the kernel's children say, put together again."""

    def __init__(self) -> None:
        self._rest = b""
        self._pieces: defaultdict[tuple[int, int], bytes] = defaultdict(bytes)

    def heard(self, data: bytes) -> Iterator[list[bytes]]:
        """The messages that *data* completes."""
        self._rest += data
        while len(self._rest) >= _PART.size:
            child, number, length, last = _PART.unpack_from(self._rest)
            end = _PART.size + length
            if len(self._rest) < end:
                return
            self._pieces[child, number] += self._rest[_PART.size : end]
            self._rest = self._rest[end:]
            if last:
                yield _unpacked(self._pieces.pop((child, number)))


def _unpacked(packed: bytes) -> list[bytes]:
    parts: list[bytes] = []
    at = 0
    while at < len(packed):
        (length,) = _LENGTH.unpack_from(packed, at)
        at += _LENGTH.size + length
        parts.append(packed[at - length : at])
    return parts


class Stream(OutStream):
    """A standard stream, with what other programs write to its descriptor.

    It is sent when it is flushed, after a while, and before there is too much: what a fifth of a
    second can print would be one message, larger than anybody takes in.

    Attributes:
        written: From where that is read.
    """

    _unsent = 0

    def __init__(self, session: Any, publisher: Publisher, name: str, *, descriptor: int) -> None:
        """The stream *name*, in the place of *descriptor*."""
        super().__init__(session, publisher, name, watchfd=False)  # type: ignore[no-untyped-call]
        self._publisher = publisher
        self._original_stdstream_copy = os.dup(descriptor)
        self.written, write = _pipe()
        os.set_blocking(write, True)
        os.dup2(write, descriptor)
        os.close(write)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        publisher.watch(self)

    def write(self, string: str) -> int | None:  # type: ignore[override]
        """Take *string* in."""
        written = super().write(string)
        self._unsent += len(string)
        if self._unsent > _PIECE:
            self.flush()
        return written

    def take_in(self) -> None:
        """Take in what other programs have written by now."""
        with self._publisher.turn:
            if text := self._decode(_drained(self.written)):
                self.write(text)

    def flush(self) -> None:
        """Send what is there."""
        if self.closed:
            return
        with self._publisher.turn:
            if os.getpid() == self._master_pid:
                self.take_in()
            buffers = self._buffers
            if buffers and any(buffer.tell() for buffer in buffers.values()):
                self._unsent = 0
                with undisturbed():
                    self._flush()  # type: ignore[no-untyped-call]

    def _schedule_flush(self) -> None:
        self._publisher.soon()

    def _flush_buffers(self) -> Iterator[tuple[dict[str, Any], str]]:
        for parent, text in super()._flush_buffers():  # type: ignore[no-untyped-call]
            # Half a character can be printed, but not sent.
            yield parent, text if text.isascii() else _sendable(text)


def _sendable(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _pipe() -> tuple[int, int]:
    read, write = os.pipe()
    for end in (read, write):
        os.set_blocking(end, False)
    return read, write


def _drained(descriptor: int) -> bytes:
    """What there is to be read, up to a piece; nothing if a cell has closed *descriptor*."""
    try:
        return os.read(descriptor, _PIECE)
    except OSError:
        return b""
