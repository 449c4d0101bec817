"""Sockets that a kernel is given instead of a folder to make them in."""

from __future__ import annotations

from collections.abc import Mapping

import zmq


def take_over(socket: zmq.Socket[bytes], port: int, listening: Mapping[int, int]) -> int:
    """Let *socket* accept on the descriptor that *listening* has for *port*."""
    socket.setsockopt(zmq.USE_FD, listening[port])
    # The name is not used; it only has to be one.
    socket.bind(f"ipc:///tmp/k-{port}")
    return port
