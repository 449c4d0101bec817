"""A kernel that starts in a third of the time: shell and kernel are built before the fork.

Everything that leans on ipykernel's insides is here and in `publishing`, and is used with the
versions in `TESTED` alone. What a run has no use for is left out: the heartbeat (whether a process
lives is known from its pidfd), the debugger, the thread of the control channel and that of the shell
channel, and with it subshells. Their absence was checked with ipykernel's own tests; see
tests/kernels/ipykernel_suite.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import os
import pdb  # noqa: F401, T100 - a cell that fails would import it
import sys
import threading
import uuid
from collections.abc import Callable, Sequence
from typing import Any

# What kernels would otherwise import one by one, after the fork.
import IPython.core.completerlib
import IPython.core.debugger
import IPython.extensions.storemagic  # noqa: F401
import zmq
from ipykernel import ipkernel
from ipykernel.displayhook import ZMQDisplayHook
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel as KernelBase
from ipykernel.thread import make_selector_io_loop
from traitlets.config import Config
from zmq.eventloop.zmqstream import ZMQStream

from workbench.kernels.inside.listening import take_over
from workbench.kernels.inside.orders import CHANNELS, Order
from workbench.kernels.inside.publishing import Publisher, Stream

TESTED = frozenset({"7.4.0"})
"""The versions of ipykernel that this was tested with."""

_WARMING = (
    "_wb = 1",
    "print('x', end='')",
    "_wb",
    "await __import__('asyncio').sleep(0)",
    "1/0",  # the first traceback imports forty modules
)


_TURNS_UNTIL_IN_LINE = 4
"""How many turns of the loop a request that has arrived needs to stand in line for the kernel."""

_UNHEARD = 64
"""How many messages may lie on their way to the workbench; the next one waits."""


class _Nowhere:
    """A socket that swallows what is published while nobody listens."""

    def send_multipart(self, *args: object, **options: object) -> None:
        """Swallow it."""


def _once(transform: Callable[[str], str]) -> Callable[[str], str]:
    """*transform*, which is asked twice in a row for every cell, asked once."""
    last: tuple[str, str] | None = None

    def transform_cell(source: str) -> str:
        nonlocal last
        if last is None or last[0] is not source:
            last = source, transform(source)
        return last[1]

    return transform_cell


def _remembered(accepts: Callable[..., dict[str, bool]]) -> Callable[..., dict[str, bool]]:
    """*accepts*, which looks up the same functions' parameters for every cell, looking once."""
    known: dict[object, dict[str, bool]] = {}

    def accepts_parameters(method: Any, names: Sequence[str]) -> dict[str, bool]:
        key = (getattr(method, "__func__", method), *names)
        if key not in known:
            known[key] = accepts(method, names)
        return known[key]

    return accepts_parameters


class _NoThread:
    """Stands where ipykernel looks for the thread of its shell channel, which there is not."""

    # Asked for before every cell that awaits.
    parent_thread = threading.main_thread()

    def __bool__(self) -> bool:
        return False


class _Kernel(IPythonKernel):
    """ipykernel's own, but for the channels' threads."""

    _supports_kernel_subshells = False

    def start(self) -> None:
        """Listen; IPythonKernel would warn of the missing debugger in the first cell's outputs."""
        if self.shell:
            self.shell.exit_now = False
        KernelBase.start(self)

    def _abort_queues(self, subshell_id: str | None = None) -> None:
        # ipykernel's own way of doing this without the thread forgets those who wait for the lock.
        self._aborting = True
        stream = self.shell_stream
        assert stream is not None
        turns = _TURNS_UNTIL_IN_LINE if stream.socket.poll(0) else 0
        stream.flush()

        async def stop_aborting() -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            async with self._main_asyncio_lock:
                self._aborting = False

        self.io_loop.add_callback(stop_aborting)


class Lean(IPKernelApp):
    """ipykernel's application in two halves: `before_fork`, once, and `start`, in every child."""

    how = "lean"
    shell: Any

    def before_fork(self, scratch: str) -> None:
        """Build everything that needs neither a socket nor a thread."""
        config = Config()
        config.HistoryManager.enabled = False
        config.Kernel._execute_sleep = 0.0
        # orjson, where an agent's packages bring it, crashes when memory is refused to it.
        config.Session.packer = config.Session.unpacker = "json"
        profile = os.path.join(scratch, "profile_default")
        os.makedirs(profile, exist_ok=True)
        config.ProfileDir.location = profile
        self.update_config(config)
        self.parent_handle = 0
        self.init_profile_dir()
        self.init_pdb()
        self.init_path()
        self.patch_io()
        self.configure_tornado_logger()
        # Traitlets lets every message be made and drops it afterwards, some forty for each cell.
        self.log.setLevel(logging.WARNING)
        os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
        self._build()
        self.init_extensions()
        self.init_code()
        self._execute(_WARMING)
        make_selector_io_loop().close(all_fds=True)  # what such loops need is imported by the first

    def _build(self) -> None:
        kernel = _Kernel.instance(
            parent=self,
            session=self.session,
            log=self.log,
            profile_dir=self.profile_dir,
            user_ns=None,
        )
        self.kernel = kernel
        self.shell = kernel.shell
        self.shell.transform_cell = _once(self.shell.transform_cell)
        name = "_accepts_parameters"
        setattr(ipkernel, name, _remembered(getattr(ipkernel, name)))
        self.shell.configurables.append(self)
        self.displayhook = ZMQDisplayHook(self.session, None)
        self.displayhook.get_execution_count = lambda: kernel.execution_count

    def configure_tornado_logger(self) -> None:
        """Do it once, not again in each child."""
        if self.iopub_socket is None:
            super().configure_tornado_logger()

    def _execute(self, cells: Sequence[str]) -> None:
        """Execute *cells* without a trace, to have all made that only the first of them need."""
        shell = self.shell

        async def execute() -> None:
            for source in cells:
                await shell.run_cell_async(
                    source,
                    store_history=False,
                    silent=False,
                    transformed_cell=shell.transform_cell(source),
                )

        self._publish_on(_Nowhere())
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            asyncio.run(execute())
        for name in ("_wb", "_"):
            shell.user_ns.pop(name, None)
        shell.execution_count = 1
        shell.last_execution_result = None
        shell.last_execution_succeeded = True
        self._publish_on(None)

    def _publish_on(self, socket: object) -> None:
        self.shell.displayhook.pub_socket = socket
        self.shell.display_pub.pub_socket = socket

    def start(  # type: ignore[override]
        self, order: Order, listening: Sequence[int], ready: Callable[[], None]
    ) -> None:
        """Serve as the kernel of *order* until it ends; *ready* is called when it answers."""
        self._listening = dict(enumerate(listening, start=1))
        self._identify(order)
        self.init_sockets()
        self.init_io()
        self.init_signal()
        self.init_kernel()
        self.io_loop = self.kernel.io_loop
        self.iopub_thread.start()
        self.io_loop.add_callback(ready)
        self.io_loop.start()

    def _identify(self, order: Order) -> None:
        self.transport = "ipc"
        for port, channel in enumerate(CHANNELS, start=1):
            setattr(self, f"{channel}_port", port)
        self.session.key = order.key.encode()
        self.session.session = uuid.uuid4().hex
        self.session.pid = os.getpid()
        self.kernel.ident = str(uuid.uuid4())
        self.shell.displayhook.topic = self.kernel._topic("execute_result")
        self.shell.starting_dir = os.getcwd()
        self.shell.user_ns["_dh"][:] = [os.getcwd()]

    def _try_bind_socket(self, s: Any, port: int) -> int:
        if s.type == zmq.XPUB:
            # Otherwise what is sent faster than it is taken in piles up, and then is dropped.
            s.sndhwm = _UNHEARD
            s.setsockopt(zmq.XPUB_NODROP, 1)
        return take_over(s, port, self._listening)

    def init_control(self, context: Any) -> None:
        """Bind the control channel; the main loop serves it."""
        self.control_socket = context.socket(zmq.ROUTER)
        self.control_socket.linger = 1000
        self.control_port = self._bind_socket(self.control_socket, self.control_port)
        self.control_socket.router_handover = 1

    def init_iopub(self, context: Any) -> None:
        """Bind the channel of outputs."""
        socket = context.socket(zmq.XPUB)
        socket.linger = 1000
        self.iopub_port = self._bind_socket(socket, self.iopub_port)
        self.iopub_thread = Publisher(socket, self.session)
        self.iopub_socket = self.iopub_thread.background_socket

    def init_io(self) -> None:
        """Publish what is written to the standard streams and displayed."""
        for descriptor, name in ((1, "stdout"), (2, "stderr")):
            stream = Stream(self.session, self.iopub_thread, name, descriptor=descriptor)
            setattr(sys, name, stream)
        self.displayhook.pub_socket = self.iopub_socket
        sys.displayhook = self.displayhook

    def init_kernel(self) -> None:
        """Give the kernel its channels and let it listen."""
        kernel = self.kernel
        kernel.shell_channel_thread = _NoThread()
        kernel.control_stream = ZMQStream(self.control_socket)
        kernel.shell_stream = ZMQStream(self.shell_socket)
        kernel.iopub_thread = self.iopub_thread
        kernel.iopub_socket = self.iopub_socket
        kernel.stdin_socket = self.stdin_socket
        kernel._stdout, kernel._stderr = sys.stdout, sys.stderr
        kernel.record_ports({f"{c}_port": getattr(self, f"{c}_port") for c in CHANNELS})
        self._publish_on(self.iopub_socket)
        kernel.start()


def prepare(*, scratch: str) -> Lean:
    """A kernel that has everything but its sockets; *scratch* is where its profile lies."""
    app = Lean.instance()
    app.before_fork(scratch)
    return app
