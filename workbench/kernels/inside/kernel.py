"""Becoming a kernel: what the template prepares for it, and what the forked process does then.

How fast that is depends on the ipykernel that is installed: `lean` for those it was tested with,
ipykernel's own way for every other.
"""

from __future__ import annotations

import atexit
import importlib
import os
import socket
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import NoReturn, Protocol

from workbench.kernels.inside import orders
from workbench.kernels.inside.orders import Order


class Prepared(Protocol):
    """A kernel that lacks nothing but a process of its own.

    Attributes:
        how: `lean` or `stock`.
    """

    how: str

    def start(self, order: Order, listening: Sequence[int], ready: Callable[[], None]) -> None:
        """Serve as the kernel of *order*, on sockets that listen, until it ends.

        *ready* is called when it answers.
        """
        ...


def prepare(*, scratch: str) -> Prepared:
    """What any number of kernels can be forked from.

    Raises:
        ImportError: ipykernel is not installed here.
    """
    # Its import takes longer than everything else a kernel needs, and nobody debugs a run.
    absent = sys.modules.setdefault("debugpy", None)  # type: ignore[arg-type]
    try:
        importlib.import_module("workbench.agent")
        way = importlib.import_module(f"workbench.kernels.inside.{_way()}")
        return way.prepare(scratch=scratch)  # type: ignore[no-any-return]
    finally:
        if absent is None:
            del sys.modules["debugpy"]


def _way() -> str:
    from workbench.kernels.inside import lean

    try:
        found = version("ipykernel")
    except PackageNotFoundError:
        raise ImportError("ipykernel is not installed") from None
    return "lean" if found in lean.TESTED else "stock"


def become(
    order: Order, channel: socket.socket, listening: Sequence[int], prepared: Prepared
) -> NoReturn:
    """Serve as the kernel of *order* to the end of this process."""
    _differ()

    def ready() -> None:
        channel.send(orders.say({"ready": os.getpid()}))
        channel.close()

    code = 0
    try:
        prepared.start(order, listening, ready)
    except SystemExit as left:
        if channel.fileno() >= 0:
            raise RuntimeError(f"it left with {left.code}") from None
        code = left.code if isinstance(left.code, int) else 1
    atexit._run_exitfuncs()
    os._exit(code)


def _differ() -> None:
    """Let nothing be the same in all forks that would differ in processes of their own."""
    # Python sees to its own `random`.
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
    sys.modules["workbench.agent.speech"].arrive()
