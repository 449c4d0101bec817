"""One socket of a kernel, on the event loop.

pyzmq's own sockets for asyncio make several futures of every message, and there are some thirty
messages to a run of four cells: that was a tenth of what a run takes of the gateway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import zmq

_COMING = int(zmq.POLLIN)


class Channel:
    """A socket that is written to at once, and tells when there is something to read."""

    def __init__(self, socket: zmq.Socket[bytes]) -> None:
        """Speak and listen on *socket*, which nobody else uses."""
        self._socket = socket
        self._descriptor = int(socket.getsockopt(zmq.FD))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tell: Callable[[], None] | None = None

    def send(self, frames: Sequence[bytes]) -> None:
        """Send *frames* as one message; nobody waits until it is read."""
        self._socket.send_multipart(frames, zmq.NOBLOCK)
        self._stir()

    def take(self) -> list[bytes] | None:
        """The frames of the next message, if there is one."""
        try:
            return self._socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None

    def listen(self, tell: Callable[[], None] | None) -> None:
        """Call *tell* when there may be a message, until somebody else is to be called."""
        self._tell = tell
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(self._descriptor, self._stir)

    def close(self) -> None:
        """Hear nothing any more, and drop what was not sent."""
        if not self._socket.closed:
            if self._loop is not None:
                # First, or the next socket of that number would never be heard.
                self._loop.remove_reader(self._descriptor)
            self._socket.close(0)

    def _stir(self) -> None:
        # Asked in any case: the descriptor says that something has happened until somebody does.
        events = int(self._socket.getsockopt(zmq.EVENTS))
        if self._tell is not None and events & _COMING:
            self._tell()


async def receive(
    channel: Channel, *until: asyncio.Future[Any], seconds: float | None = None
) -> list[bytes] | None:
    """The next message's frames; None if one of *until* is done or the time is up before."""
    if any(future.done() for future in until):
        return None
    frames = channel.take()
    if frames is not None:
        return frames
    loop = asyncio.get_running_loop()
    woken: asyncio.Future[None] = loop.create_future()

    def wake(_: object = None) -> None:
        if not woken.done():
            woken.set_result(None)

    alarm = loop.call_later(seconds, wake) if seconds is not None else None
    channel.listen(wake)
    for future in until:
        future.add_done_callback(wake)
    try:
        await woken
        return channel.take()
    finally:
        channel.listen(None)
        if alarm is not None:
            alarm.cancel()
        for future in until:
            future.remove_done_callback(wake)
