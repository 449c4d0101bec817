"""The template: a Python in which everything is prepared that kernels have in common.

It has one thread, no socket but the one it is spoken to by, and nobody's data. For each order it
forks; the child walls itself in and forks pid 1 of the new namespace, which forks the kernel. No
process stays between the template and pid 1: the template, to which orphans below it fall, hears
of its end from the system, with what it and all below it have used.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Sequence

from workbench.kernels.inside import init, orders, system
from workbench.kernels.inside.confinement import part
from workbench.kernels.inside.kernel import Prepared, prepare
from workbench.kernels.inside.orders import Recipe

_FDS = 16


def serve(control: socket.socket, parent: int) -> None:
    """Prepare what the first datagram on *control* asks for, then fork a kernel for every other."""
    _tie_to(parent)
    try:
        recipe = orders.recipe(control.recv(orders.LONGEST))
        prepared, missing = _prepare(recipe)
    except Exception:  # noqa: BLE001 - anything may be wrong with what is installed
        control.send(orders.say({"failed": traceback.format_exc()[-4000:]}))
        return
    threads = len(os.listdir("/proc/self/task"))
    _silence()
    said = {"prepared": prepared.how, "missing": missing, "threads": threads}
    control.send(orders.say(said))
    _Template(control, prepared).serve()


def _tie_to(parent: int) -> None:
    """Die with *parent*; 0 where something else sees to it."""
    system.prctl(system.PR_SET_CHILD_SUBREAPER, 1)
    if parent:
        system.die_with_parent(signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _prepare(recipe: Recipe) -> tuple[Prepared, list[str]]:
    os.environ.clear()
    os.environ.update(recipe.environment)
    # Read by matplotlib when it is imported, which may be here: without it figures are shown to nobody.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    # What an environment says of other folders of packages may name them as they are outside.
    sys.path += [folder for folder in recipe.path if folder not in sys.path]
    missing = []
    for name in recipe.preload:
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001 - it is not there, or broken: the cell that needs it will say so
            missing.append(name)
    prepared = prepare(scratch=recipe.scratch)
    # The threads that some libraries keep, as OpenBLAS does, end at a fork and come back at need.
    if child := os.fork():
        os.waitpid(child, 0)
    else:
        os._exit(0)
    gc.collect()
    gc.freeze()
    return prepared, missing


def _silence() -> None:
    """Let nothing of what kernels write reach the workbench but through their sockets."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    os.close(nowhere)


class _Template:
    """A prepared template that serves orders until nobody is there to send them."""

    def __init__(self, control: socket.socket, prepared: Prepared) -> None:
        self._control = control
        self._prepared = prepared
        self._middle: set[int] = set()
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)

    def serve(self) -> None:
        """Serve until the workbench has closed its end."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd == self._woken:
                    with contextlib.suppress(BlockingIOError):
                        os.read(fd, 4096)
                    self._reap()
                elif not self._obey():
                    return

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status, used = os.wait4(-1, os.WNOHANG)
                if not pid:
                    return
                if pid in self._middle:
                    self._middle.remove(pid)
                    continue
                gone = {
                    "gone": pid,
                    "code": os.waitstatus_to_exitcode(status),
                    "cpu_ms": round((used.ru_utime + used.ru_stime) * 1000),
                    "peak_memory_bytes": used.ru_maxrss * 1024,
                }
                self._control.send(orders.say(gone))

    def _obey(self) -> bool:
        datagram, fds, _, _ = socket.recv_fds(self._control, orders.LONGEST, _FDS)
        if not datagram:
            return False
        if not fds:  # there was no room for a single one: who asked finds that out by itself
            return True
        try:
            pid = os.fork()
            if not pid:
                _become_middle(datagram, fds, self)
            self._middle.add(pid)
        except OSError as error:  # another run has eaten up what there is; this one is told
            _refuse(fds[0], error)
        finally:
            for fd in fds:
                os.close(fd)
        return True

    def leave(self) -> Prepared:
        """Drop, in a child, what only the template may have."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # As the first process of a namespace one is only reached by the signals one handles.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.close(self._woken)
        os.close(self._wake)
        self._control.close()
        return self._prepared


def _become_middle(datagram: bytes, fds: Sequence[int], template: _Template) -> None:
    channel = socket.socket(fileno=fds[0])
    try:
        prepared = template.leave()
        order = orders.order(datagram)
        part(order.confinement)
        pid = os.fork()
        if not pid:
            init.serve(order, channel, fds[1:], prepared)
        pidfd = os.pidfd_open(pid)
        socket.send_fds(channel, [orders.say({"parted": pid})], [pidfd])
    except BaseException as error:  # noqa: BLE001 - whatever it is, nothing may return from here
        with contextlib.suppress(OSError):
            channel.send(orders.say({"failed": f"{type(error).__name__}: {error}"}))
        os._exit(1)
    os._exit(0)


def _refuse(channel: int, error: OSError) -> None:
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(channel)) as told:
        told.send(orders.say({"failed": f"{type(error).__name__}: {error}"}))
