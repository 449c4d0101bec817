"""Ports of a run's own loopback that lead to unix sockets outside it.

A run without a network reaches the workbench by these and nothing else: the models' broker, and
the proxy that knows the hosts it may speak to. The sockets are held as descriptors that were opened
outside, because their paths mean nothing in here.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Mapping
from contextlib import suppress

_CHUNK = 64 * 1024
_AT_ONCE = 128
_BACKLOG = 64


class _Side:
    """One end of a connection that is carried.

    Attributes:
        other: The other end.
        unsent: What is to be written here.
        ended: Whether nothing more will be read here.
    """

    other: _Side

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self.socket = end
        self.unsent = b""
        self.ended = False

    @property
    def events(self) -> int:
        reads = 0 if self.ended or self.other.unsent else select.POLLIN
        return reads | (select.POLLOUT if self.unsent else 0)

    @property
    def done(self) -> bool:
        return self.ended and not self.other.unsent

    def read(self) -> None:
        with suppress(BlockingIOError):
            chunk = self.socket.recv(_CHUNK)
            self.ended = not chunk
            self.other.unsent += chunk
            self.other.write()

    def write(self) -> None:
        with suppress(BlockingIOError):
            while self.unsent:
                self.unsent = self.unsent[self.socket.send(self.unsent) :]
        if self.other.ended and not self.unsent:
            self.socket.shutdown(socket.SHUT_WR)


class Relaying:
    """Listens on ports and carries what comes."""

    def __init__(self, reached: Mapping[int, int]) -> None:
        """Let every port lead to the unix socket that a descriptor was opened on.

        Raises:
            OSError: A port is taken.
        """
        self.poll = select.poll()
        self._listening: dict[int, tuple[socket.socket, str]] = {}
        self._sides: dict[int, _Side] = {}
        for port, fd in reached.items():
            listening = socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
            listening.setblocking(False)
            self._listening[listening.fileno()] = (listening, f"/proc/self/fd/{fd}")
            self.poll.register(listening, select.POLLIN)

    def __bool__(self) -> bool:
        """Whether there is a port at all."""
        return bool(self._listening)

    def close(self) -> None:
        """Let go of the ports."""
        for listening, _ in self._listening.values():
            listening.close()

    def carry(self) -> set[int]:
        """Wait for something and carry it; what else was polled for and has come."""
        others = set()
        for fd, event in self.poll.poll():
            if fd in self._listening:
                self._accept(*self._listening[fd])
            elif fd in self._sides:
                self._serve(self._sides[fd], event)
            else:
                others.add(fd)
        return others

    def _accept(self, listening: socket.socket, path: str) -> None:
        try:
            inner, _ = listening.accept()
        except OSError:  # whoever called has gone again, or there are no descriptors left
            return
        outer = socket.socket(socket.AF_UNIX)
        try:
            if len(self._sides) >= 2 * _AT_ONCE:
                raise ConnectionRefusedError
            outer.connect(path)
        except OSError:
            inner.close()
            outer.close()
            return
        sides = _Side(inner), _Side(outer)
        sides[0].other, sides[1].other = sides[1], sides[0]
        for side in sides:
            self._sides[side.socket.fileno()] = side
            self._watch(side)

    def _watch(self, side: _Side) -> None:
        # An end that was hung up would be reported for ever, whatever it is watched for.
        if side.events:
            self.poll.register(side.socket, side.events)
        else:
            self._forget(side)

    def _forget(self, side: _Side) -> None:
        with suppress(KeyError):
            self.poll.unregister(side.socket)

    def _serve(self, side: _Side, event: int) -> None:
        try:
            if side.unsent:
                side.write()
            if side.events & select.POLLIN and event != select.POLLOUT:
                side.read()
        except OSError:
            self._drop(side)
            return
        if side.done and side.other.done:
            self._drop(side)
            return
        self._watch(side)
        self._watch(side.other)

    def _drop(self, side: _Side) -> None:
        for end in (side, side.other):
            del self._sides[end.socket.fileno()]
            self._forget(end)
            end.socket.close()
