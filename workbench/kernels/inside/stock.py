"""A kernel as ipykernel starts it: for every ipykernel that `lean` was not tested with."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ipykernel.kernelapp import IPKernelApp
from traitlets.config import Config

from workbench.kernels.inside.listening import take_over
from workbench.kernels.inside.orders import CHANNELS, Order

_IMPORTED_LATER = (
    "ipykernel.control",
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.extensions.storemagic",
)


class _App(IPKernelApp):
    """ipykernel's application on sockets that listen already."""

    listening: Mapping[int, int] = {}

    def _try_bind_socket(self, s: Any, port: int) -> int:
        return take_over(s, port, self.listening)

    def init_connection_file(self) -> None:
        """There is none."""

    def init_heartbeat(self) -> None:
        """Whether this process lives is known from its pidfd."""

    def write_connection_file(self, **kwargs: Any) -> None:
        """Nobody needs one."""


class Stock:
    """What ipykernel needs is imported; it does the rest itself."""

    how = "stock"

    def start(self, order: Order, listening: Sequence[int], ready: Callable[[], None]) -> None:
        """Serve as the kernel of *order* until it ends; *ready* is called when it answers."""
        app = _App.instance(parent_handle=0, log_level="CRITICAL")
        config = Config()
        config.HistoryManager.enabled = False
        config.Kernel._execute_sleep = 0.0
        app.update_config(config)
        app.listening = dict(enumerate(listening, start=1))
        app.transport = "ipc"
        for port, channel in enumerate(CHANNELS, start=1):
            setattr(app, f"{channel}_port", port)
        app.session.key = order.key.encode()
        app.initialize([])
        app.kernel.start()
        app.io_loop = app.kernel.io_loop
        app.io_loop.add_callback(lambda: app.iopub_thread.schedule(ready))
        app.io_loop.start()


def prepare(*, scratch: str) -> Stock:
    """A kernel that starts as any other, with everything it imports already there."""
    os.environ.setdefault("IPYTHONDIR", scratch)
    for name in _IMPORTED_LATER:
        importlib.import_module(name)
    return Stock()
