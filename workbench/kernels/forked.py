"""Forked kernels: ready in the time of a fork, each in a system of its own.

What a kernel has in common with all others was done once, in a template behind the wall. Kernels
that cannot be forked, of another language or in an environment without ipykernel, come from another
source; who asks need not know.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import time
from collections.abc import Collection, Hashable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from workbench.domain.network import Network
from workbench.errors import KernelLost
from workbench.kernels import Kernel, KernelSource, Usage, Wanted, proc
from workbench.kernels.connection import Connection, make_context
from workbench.kernels.environment import House
from workbench.kernels.environments import Interpreter, executable_of, interpreter, own_interpreter
from workbench.kernels.hello import hello
from workbench.kernels.inside import orders
from workbench.kernels.inside.orders import CHANNELS, Order
from workbench.kernels.ordinary import FRAME_BYTES, OWN
from workbench.kernels.places import Places
from workbench.kernels.processes import stop_family
from workbench.kernels.sockets import SocketFolders, listen
from workbench.kernels.templates import Template, Templates
from workbench.kernels.zygote import Gone

_log = logging.getLogger(__name__)

_END_SECONDS = 10.0
_UNUSED_SECONDS = 900.0
"""How long the template of an environment is kept for nobody."""
_USUAL = ("", False)
_WARMING = """\
from IPython.display import display as _wb
_wb({"text/plain": ""}, raw=True)
print()
del _wb
"""
"""What every cell needs of a kernel, so that no page of memory is first written by a run's own."""
_WHOLE_GROUP = 4
"""`PIDFD_SIGNAL_PROCESS_GROUP` of Linux 6.9."""


class ForkedKernel:
    """A kernel that a template has forked.

    Attributes:
        root: The number of the first process of its system; 0 before it is there.
        room: Its folders on our disk.
        ready: Done when the kernel answers, or never will.
    """

    fleeting = True
    own = True

    def __init__(
        self,
        *,
        dead: asyncio.Future[None],
        template: Template,
        templates: Templates,
        channel: socket.socket,
        house: House,
        sockets: Path,
        connection: Connection,
    ) -> None:
        """The kernel that will be heard of on *channel*; *dead* is to be done when it has ended."""
        self._loop = asyncio.get_running_loop()
        self.connection = connection
        self.folder = house.folder
        self.room: Sequence[Path] = (house.root or house.folder,)
        self.dead = dead
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self.root = self.pid = 0
        self._template = template
        self._templates = templates
        self._house = house
        self._sockets = sockets
        self._gone: asyncio.Future[Gone] | None = None
        self._root_fd = self._kernel_fd = -1
        self._cpu_before = 0
        self._killed = False
        self._channel = channel
        channel.setblocking(False)
        self._loop.add_reader(channel, self._hear)

    overran = False  # nobody counts for it as a whole

    @property
    def stale(self) -> bool:
        """Whether one that was started now would be forked from another template."""
        return not self._templates.is_current(self._template)

    def take(self) -> None:
        """Mark the moment from which its use is counted."""
        self._cpu_before = proc.cpu_ms(self.root) + proc.cpu_ms(self.pid)

    async def interrupt(self) -> None:
        """Ask what it is executing to stop; it may not heed."""
        with suppress(ProcessLookupError):
            try:
                signal.pidfd_send_signal(self._kernel_fd, signal.SIGINT, None, _WHOLE_GROUP)
            except OSError as error:
                if isinstance(error, ProcessLookupError):
                    raise
                signal.pidfd_send_signal(self._kernel_fd, signal.SIGINT)

    def kill(self) -> None:
        """End it and everything in its system at once, or as soon as it is there."""
        if self.dead.done():
            return
        self._killed = True
        if self._root_fd < 0:
            return
        family = () if self._templates.walled else stop_family(self.root)
        # The kernel takes longer to end than its init, which ends it too: so they end side by side.
        for fd in (self._kernel_fd, self._root_fd):
            if fd >= 0:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(fd, signal.SIGKILL)
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def end(self) -> Usage:
        """What it took, once it has been killed and reaped; its folders stay."""
        self.connection.close()
        self.kill()
        try:
            await asyncio.wait_for(asyncio.shield(self.dead), _END_SECONDS)
            # Whoever is killed has been measured; what one used that ended by itself is told now.
            if self._gone is None or self._killed:
                return Usage()
            gone = await asyncio.wait_for(asyncio.shield(self._gone), _END_SECONDS)
        except TimeoutError:
            _log.warning("Process %d does not end, although it was killed.", self.root)
            return Usage()
        finally:
            self._hang_up()
            shutil.rmtree(self._sockets, ignore_errors=True)
        return Usage(
            cpu_ms=max(0, gone.cpu_ms - self._cpu_before),
            peak_memory_bytes=gone.peak_memory_bytes,
        )

    def clear(self) -> None:
        """Remove every folder that was made for it; may take long, never fails."""
        self._house.clear()

    def _hear(self) -> None:
        while True:
            try:
                datagram, fds, _, _ = socket.recv_fds(self._channel, orders.LONGEST, 1)
            except BlockingIOError:
                return
            except OSError:
                datagram, fds = b"", []
            if not datagram:
                self._fall_silent()
                return
            self._heed(json.loads(datagram), fds)

    def _heed(self, said: dict[str, Any], fds: Sequence[int]) -> None:
        if "parted" in said:
            self._root_fd = fds[0]
            self.root = proc.number(fds[0])
            self._gone = self._template.zygote.gone(said["parted"])
            self._loop.add_reader(fds[0], self._died)
            if self._killed:  # before anybody knew of it
                self.kill()
        elif "born" in said:
            self._kernel_fd = fds[0]
            self.pid = proc.number(fds[0])
        elif not self.ready.done():
            if "failed" in said:
                self._lose(f"No kernel could be forked: {said['failed']}")
            else:
                self.ready.set_result(None)

    def _fall_silent(self) -> None:
        """Nothing more will be heard: all is said, or all who could say it are gone."""
        self._hang_up()
        if self._root_fd < 0 and not self.dead.done():
            self.dead.set_result(None)
        if not self.ready.done():
            self._lose("The kernel died before it was ready.")

    def _hang_up(self) -> None:
        if self._channel.fileno() >= 0:
            self._loop.remove_reader(self._channel)
            self._channel.close()

    def _lose(self, why: str) -> None:
        if not self.ready.done():
            self.ready.set_exception(KernelLost(why))
            self.ready.exception()  # who gave up waiting need not be told

    def _died(self) -> None:
        self._loop.remove_reader(self._root_fd)
        for fd in (self._root_fd, self._kernel_fd):
            if fd >= 0:
                os.close(fd)
        self._root_fd = self._kernel_fd = -1
        self.dead.set_result(None)
        if self._channel.fileno() >= 0:
            self._hear()


class ForkedKernels:
    """Forks kernels, from a template for each environment."""

    ready = 0

    def __init__(
        self,
        *,
        places: Places,
        others: KernelSource,
        preload: Sequence[str] = (),
        own: Collection[str] = OWN,
        frame_bytes: int = FRAME_BYTES,
    ) -> None:
        """Kernels that live in *places*; those that cannot be forked come from *others*."""
        self.isolation: str = places.wall.level.value
        self._places = places
        self._others = others
        self._preload = preload
        self._own = own
        self._context = make_context(frame_bytes=frame_bytes)
        self._sockets = SocketFolders()
        self._interpreters: dict[str, Interpreter | None] = {"": own_interpreter()}
        self._templates: dict[tuple[str, bool], Templates] = {}
        self._looking: asyncio.TimerHandle | None = None
        self._going: set[asyncio.Task[None]] = set()

    def kind(self, wanted: Wanted) -> Hashable:
        """What kernels have in common of which any serves for *wanted*."""
        name = self._name(wanted)
        if self._interpreters.get(name, ...) is None:
            return self._others.kind(wanted)
        return (name, self._places.held(wanted), wanted.relays, wanted.environment)

    async def start(self, wanted: Wanted, *, seconds: float) -> Kernel:
        """A kernel that nobody has used, ready for its first cell.

        Raises:
            KernelLost: There is no kernelspec of that name, or it was not ready in time.
        """
        until = time.monotonic() + seconds
        found = await self._interpreter(self._name(wanted))
        if found is None:
            return await self._others.start(wanted, seconds=seconds)
        templates = self._templates_of(wanted, found)
        try:
            async with asyncio.timeout_at(self._loop_time(until)):
                template = await templates.current()
        except TimeoutError:
            raise KernelLost(f"No kernel was ready after {seconds:g} seconds.") from None
        kernel = self._order(wanted, found, template, templates)
        try:
            await asyncio.wait({kernel.ready}, timeout=max(0.0, until - time.monotonic()))
            if not kernel.ready.done():
                raise KernelLost(f"The kernel was not ready after {seconds:g} seconds.")
            kernel.ready.result()
            left = until - time.monotonic()
            await hello(
                kernel.connection, dead=kernel.dead, seconds=left, code=_WARMING, silent=False
            )
        except BaseException:
            await asyncio.shield(_discard(kernel))
            raise
        return kernel

    async def close(self) -> None:
        """Let go of everything it holds; kernels that are out must have been ended."""
        if self._looking is not None:
            self._looking.cancel()
        closing = (templates.close() for templates in self._templates.values())
        await asyncio.gather(*self._going, *closing)
        self._context.destroy(linger=0)
        self._sockets.close()
        await self._others.close()

    def _name(self, wanted: Wanted) -> str:
        return "" if wanted.kernel in self._own else wanted.kernel

    @staticmethod
    def _loop_time(until: float) -> float:
        return asyncio.get_running_loop().time() + until - time.monotonic()

    async def _interpreter(self, name: str) -> Interpreter | None:
        if name not in self._interpreters:
            executable = executable_of(name)
            self._interpreters[name] = (
                await asyncio.to_thread(interpreter, executable) if executable else None
            )
        return self._interpreters[name]

    def _templates_of(self, wanted: Wanted, found: Interpreter) -> Templates:
        network = wanted.network == Network.OPEN
        key = (self._name(wanted), network)
        if key not in self._templates:
            making = self._places.making(found, network=network, preload=self._preload)
            self._templates[key] = Templates(making, walled=self._places.walled)
            self._look_later()
        return self._templates[key]

    def _look_later(self) -> None:
        if self._looking is None and len(self._templates) > 1:
            loop = asyncio.get_running_loop()
            self._looking = loop.call_later(_UNUSED_SECONDS / 4, self._look)

    def _look(self) -> None:
        """Let go of the templates of environments that nobody has asked for in a long time."""
        self._looking = None
        for key, templates in list(self._templates.items()):
            if key != _USUAL and templates.idle_seconds > _UNUSED_SECONDS:
                del self._templates[key]
                going = asyncio.ensure_future(templates.close())
                self._going.add(going)
                going.add_done_callback(self._going.discard)
        self._look_later()

    def _order(
        self, wanted: Wanted, found: Interpreter, template: Template, templates: Templates
    ) -> ForkedKernel:
        """A kernel that has been asked for and is on its way.

        Raises:
            KernelLost: Nothing could be made for it, or nobody is there to fork it.
        """
        with ExitStack() as undo, ExitStack() as ours:
            try:
                place = self._places.place(wanted, found)
                undo.callback(place.house.clear)
                sockets = self._sockets.new()
                undo.callback(shutil.rmtree, sockets, ignore_errors=True)
                stem = str(sockets / "k")
                heard, told = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                ours.callback(told.close)
                undo.callback(heard.close)
                sent = [told.fileno()]
                for one in listen(stem, len(CHANNELS)):
                    ours.callback(one.close)
                    sent.append(one.fileno())
                for relay in wanted.relays:
                    reached = os.open(relay.socket, os.O_PATH | os.O_CLOEXEC)
                    ours.callback(os.close, reached)
                    sent.append(reached)
            except OSError as error:
                raise KernelLost(f"Nothing could be made for a kernel: {error}.") from None
            key = secrets.token_hex(32)
            order = Order(
                confinement=place.confinement,
                folder=place.folder,
                key=key,
                environment=place.environment,
                ports=[relay.port for relay in wanted.relays],
            )
            dead: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            template.zygote.fork(order, sent, dead=dead)
            undo.pop_all()
        return ForkedKernel(
            dead=dead,
            template=template,
            templates=templates,
            channel=heard,
            house=place.house,
            sockets=sockets,
            connection=Connection(
                stem, key, context=self._context, patient=template.zygote.how == "lean"
            ),
        )


async def _discard(kernel: ForkedKernel) -> None:
    await kernel.end()
    kernel.clear()
