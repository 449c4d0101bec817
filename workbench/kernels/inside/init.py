"""The first process of a run's namespace: it starts the kernel and is there as long as the run is.

It reaps what the kernel's code leaves behind, and carries what comes in on a port of the run's own
loopback to a socket of the workbench's. Nothing in the namespace can signal or trace it. When the
kernel ends so does it, and with it everything that is left.
"""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from workbench.kernels.inside import orders
from workbench.kernels.inside.confinement import confine, settle
from workbench.kernels.inside.kernel import Prepared, become
from workbench.kernels.inside.orders import CHANNELS, Order
from workbench.kernels.inside.relaying import Relaying


def serve(order: Order, channel: socket.socket, fds: Sequence[int], prepared: Prepared) -> NoReturn:
    """Start the kernel of *order* and stay.

    *fds* are the kernel's sockets and, opened, those that its ports lead to.
    """
    listening, reached = fds[: len(CHANNELS)], fds[len(CHANNELS) :]
    try:
        settle(order.confinement)
        relaying = Relaying(dict(zip(order.ports, reached, strict=True)))
        kernel = os.fork()
        if not kernel:
            relaying.close()
            for fd in reached:
                os.close(fd)
            _become_kernel(order, channel, listening, prepared)
        for fd in listening:
            os.close(fd)
        pidfd = os.pidfd_open(kernel)
        socket.send_fds(channel, [orders.say({"born": kernel})], [pidfd])
        os.close(pidfd)
        channel.close()
        os.chdir("/")
        os._exit(_stay(kernel, relaying))
    except BaseException as error:  # noqa: BLE001 - whatever it is, nothing may return from here
        _fail(channel, error)


def _become_kernel(
    order: Order, channel: socket.socket, listening: Sequence[int], prepared: Prepared
) -> NoReturn:
    try:
        os.setsid()
        os.environ.update(order.environment)
        os.chdir(order.folder)
        confine(order.confinement)
        become(order, channel, listening, prepared)
    except BaseException as error:  # noqa: BLE001 - whatever it is, nothing may return from here
        _fail(channel, error)


def _stay(kernel: int, relaying: Relaying) -> int:
    """What *kernel* ended with, after everything in between has been reaped and carried."""
    if not relaying:
        while True:
            pid, status = os.wait()
            if pid == kernel:
                return _code(status)
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    relaying.poll.register(woken, select.POLLIN)
    while True:
        # The kernel may have ended before anybody was woken by it.
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == kernel:
                return _code(status)
            if not pid:
                break
        if woken in relaying.carry():
            with suppress(BlockingIOError):
                os.read(woken, 4096)


def _code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _fail(channel: socket.socket, error: BaseException) -> NoReturn:
    with suppress(OSError):
        channel.send(orders.say({"failed": f"{type(error).__name__}: {error}"}))
    os._exit(1)
