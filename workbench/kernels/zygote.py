"""The life of one template, as the workbench sees it: started, spoken to, watched and ended.

A template is spoken to by a pair of sockets that lie nowhere on the disk. What is said to it and by
it is in `inside.orders`. All it has forked dies with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import KernelLost
from workbench.kernels.inside import orders
from workbench.kernels.inside.orders import Order, Recipe

_BOOT_SECONDS = 120.0
_UNCLAIMED = 1_000
_WORDS = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What the system says of a namespace that has ended: all that ran in it.

    Attributes:
        code: The exit code of its first process; below zero the signal that ended it.
    """

    code: int
    cpu_ms: int
    peak_memory_bytes: int


Launch = Callable[[int], Sequence[str]]
"""The command that starts a template which is spoken to by the given descriptor."""


class Zygote:
    """One template.

    Attributes:
        dead: Done as soon as its process is gone; with what it said last.
        how: `lean` or `stock`: how its kernels start.
    """

    def __init__(self, launch: Launch, *, environment: Mapping[str, str]) -> None:
        """Start its process; nothing is prepared before `boot`.

        Raises:
            OSError: The command is not there.
        """
        self._loop = asyncio.get_running_loop()
        self.dead: asyncio.Future[str] = self._loop.create_future()
        self.how = ""
        self._said: asyncio.Future[Mapping[str, Any]] = self._loop.create_future()
        self._kernels: set[asyncio.Future[None]] = set()
        self._waiting: dict[int, asyncio.Future[Gone]] = {}
        self._unclaimed: OrderedDict[int, Gone] = OrderedDict()
        self._words = b""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = ours
        ours.setblocking(False)
        try:
            self._process = subprocess.Popen(
                launch(theirs.fileno()),
                env=dict(environment),
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        assert self._process.stderr is not None
        self._stderr = self._process.stderr
        os.set_blocking(self._stderr.fileno(), False)
        self._pidfd = os.pidfd_open(self._process.pid)
        self._loop.add_reader(self._stderr, self._overhear)
        self._loop.add_reader(self._control, self._hear)
        self._loop.add_reader(self._pidfd, self._ended)

    @property
    def pid(self) -> int:
        """The number of its process, or of the wall's around it."""
        return self._process.pid

    @property
    def children(self) -> int:
        """How many kernels it has been asked for that have not ended."""
        return len(self._kernels)

    async def boot(self, recipe: Recipe) -> None:
        """Return when it is prepared.

        Raises:
            KernelLost: It could not be prepared, or took too long.
        """
        try:
            self._control.send(orders.say(recipe))
            either: set[asyncio.Future[Any]] = {self._said, self.dead}
            await asyncio.wait(either, timeout=_BOOT_SECONDS, return_when="FIRST_COMPLETED")
        except OSError:
            await asyncio.wait({self.dead}, timeout=_BOOT_SECONDS)
        if not self._said.done():
            why = self.dead.result() if self.dead.done() else "it took too long"
            raise KernelLost(f"No kernels can be forked: {why}.")
        said = self._said.result()
        if "failed" in said:
            raise KernelLost(f"No kernels can be forked: {said['failed']}")
        self.how = str(said["prepared"])

    def fork(self, order: Order, fds: Sequence[int], *, dead: asyncio.Future[None]) -> None:
        """Ask for a kernel; *fds* are its channel, its sockets and what its ports lead to.

        It counts as a child from now until it is *dead*.

        Raises:
            KernelLost: Nobody is there to fork it.
        """
        try:
            socket.send_fds(self._control, [orders.say(order)], list(fds))
        except OSError as error:
            raise KernelLost(f"No kernel can be forked: {error}.") from None
        self._kernels.add(dead)
        dead.add_done_callback(self._kernels.discard)

    def gone(self, pid: int) -> asyncio.Future[Gone]:
        """Done when the namespace with that first process has ended, or the template has."""
        future: asyncio.Future[Gone] = self._loop.create_future()
        found = self._unclaimed.pop(pid, None)
        if found is not None or self.dead.done():
            future.set_result(found or _lost())
        else:
            self._waiting[pid] = future
        return future

    async def childless(self) -> None:
        """Return when the last kernel it has been asked for has ended."""
        while self._kernels:
            await asyncio.wait(set(self._kernels))

    async def close(self) -> None:
        """End it and everything it has forked."""
        if not self.dead.done():
            # The whole group: a wall that is killed while it is put up leaves half of itself behind.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await asyncio.wait({self.dead})

    def _overhear(self) -> None:
        chunk = self._stderr.read(4096)
        if chunk:
            self._words = (self._words + chunk)[-_WORDS:]
        elif chunk == b"":
            self._loop.remove_reader(self._stderr)

    def _hear(self) -> None:
        while True:
            try:
                datagram = self._control.recv(orders.LONGEST)
            except BlockingIOError:
                return
            except OSError:
                datagram = b""
            if not datagram:
                self._loop.remove_reader(self._control)
                return
            said = json.loads(datagram)
            if "gone" in said:
                self._settle(said.pop("gone"), Gone(**said))
            elif not self._said.done():
                self._said.set_result(said)

    def _settle(self, pid: int, gone: Gone) -> None:
        waiting = self._waiting.pop(pid, None)
        if waiting is not None:
            waiting.set_result(gone)
            return
        self._unclaimed[pid] = gone
        if len(self._unclaimed) > _UNCLAIMED:
            self._unclaimed.popitem(last=False)

    def _ended(self) -> None:
        code = self._process.wait()
        self._overhear()
        self._hear()
        for descriptor in (self._stderr, self._control, self._pidfd):
            self._loop.remove_reader(descriptor)
        os.close(self._pidfd)
        self._control.close()
        self._stderr.close()
        words = self._words.decode(errors="replace").strip()
        self.dead.set_result(words or f"the template ended with {code}")
        for waiting in self._waiting.values():
            waiting.set_result(_lost())
        self._waiting.clear()


def _lost() -> Gone:
    return Gone(code=-9, cpu_ms=0, peak_memory_bytes=0)
