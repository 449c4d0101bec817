"""A Python in which everything is imported that pages need, and which forks their kernels.

    python -P -m workbench.gallery.prepared DESCRIPTOR MODULE…

Each datagram on the socket DESCRIPTOR is an order for a kernel; the answer is its number, with a
handle on its process. It has run no page and has no thread, so a kernel begins where it stands. It
ends when nobody is left to give orders, and its kernels end with it.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import random
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any

from ipykernel.kernelapp import IPKernelApp

ORDER_BYTES = 200_000
_END_WITH_PARENT = 1
"""`PR_SET_PDEATHSIG` of prctl(2)."""


def main(control: socket.socket, modules: Sequence[str]) -> None:
    """Import *modules*, and fork a kernel for each order that comes on *control*."""
    for name in modules:
        importlib.import_module(name)
    # Who ends is reaped by the system; whoever ordered it holds its handle.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    own = os.getpid()
    prctl = ctypes.CDLL(None).prctl
    while order := control.recv(ORDER_BYTES):
        pid = os.fork()
        if not pid:
            control.close()
            prctl(_END_WITH_PARENT, signal.SIGKILL)
            if os.getppid() == own:
                _become(json.loads(order), parent=own)
            os._exit(1)
        handle = os.pidfd_open(pid)
        socket.send_fds(control, [str(pid).encode()], [handle])
        os.close(handle)


def _become(order: dict[str, Any], *, parent: int) -> None:
    """Be the kernel that *order* asks for: its `arguments`, its `env` and nothing else."""
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ.clear()
        os.environ.update(order["env"])
        random.seed()
        sys.argv[1:] = [*order["arguments"], f"--IPKernelApp.parent_handle={parent}"]
        IPKernelApp.launch_instance(sys.argv[1:])
    finally:
        os._exit(0)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as orders:
        main(orders, sys.argv[2:])
