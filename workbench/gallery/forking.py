"""Kernels of pages in the time of a fork, from a template that has their imports done.

It is a template of pages alone: what agents run in is made elsewhere and in another way. Where there
is nothing to fork, kernels start as they always do.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_server.services.kernels.kernelmanager import ServerKernelManager
from traitlets import Any as Whatever
from traitlets import DottedObjectName, Type, default

_LAUNCHER = "ipykernel_launcher"
_REPLY_BYTES = 64


class Template:
    """A process that forks kernels for others; it begins with the first order."""

    def __init__(self, modules: Sequence[str], environment: Mapping[str, str]) -> None:
        """One that imports *modules*, in *environment*."""
        self._modules = modules
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None
        self._turn = asyncio.Lock()

    async def fork(self, arguments: Sequence[str], env: Mapping[str, str]) -> Forked | None:
        """A kernel with those *arguments* and that *env*; None if there can be none from here."""
        if not hasattr(os, "pidfd_open"):
            return None
        order = json.dumps({"arguments": list(arguments), "env": dict(env)}).encode()
        async with self._turn:
            try:
                return await self._forked(order)
            except OSError:
                self.close()
                return None

    def close(self) -> None:
        """End it; the kernels that it forked end as well."""
        if self._orders is not None:
            self._orders.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._orders = self._process = None

    async def _forked(self, order: bytes) -> Forked:
        orders = self._orders or self._begin()
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(orders, order)
        answered = asyncio.Event()
        loop.add_reader(orders, answered.set)
        try:
            await answered.wait()
        finally:
            loop.remove_reader(orders)
        said, handles, _, _ = socket.recv_fds(orders, _REPLY_BYTES, 1)
        if not said:
            raise ConnectionError("The template has ended.")
        return Forked(int(said), handles[0])

    def _begin(self) -> socket.socket:
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-P", "-m", "workbench.gallery.prepared", str(its.fileno())]
        with its:
            self._process = subprocess.Popen(
                [*command, *self._modules],
                env=dict(self._environment),
                pass_fds=[its.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        ours.setblocking(False)
        self._orders = ours
        return ours


class Forked:
    """A process that the template has forked, in the words of `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, handle: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._handle = handle

    def poll(self) -> int | None:
        """0 once it has ended; how is not known."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """The same, when it has ended.

        Raises:
            subprocess.TimeoutExpired: It goes on after *timeout* seconds.
        """
        code = self._ended(None if timeout is None else timeout * 1000)
        if code is None:
            raise subprocess.TimeoutExpired(_LAUNCHER, timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it is still there."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, milliseconds: float | None) -> int | None:
        if self.returncode is None:
            waiting = select.poll()
            waiting.register(self._handle, select.POLLIN)
            if waiting.poll(milliseconds):
                os.close(self._handle)
                self.returncode = 0
        return self.returncode


class ForkedProvisioner(LocalProvisioner):
    """What starts a kernel for Jupyter: the template if it can, a new process otherwise."""

    template: Any = Whatever()

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start what *cmd* says."""
        forked = None
        if _LAUNCHER in cmd and cmd[0] == sys.executable:
            arguments = cmd[cmd.index(_LAUNCHER) + 1 :]
            forked = await self.template.fork(arguments, kwargs.get("env", {}))
        if forked is None:
            return await super().launch_kernel(cmd, **kwargs)
        self.process, self.pid, self.pgid = forked, forked.pid, forked.pid
        return self.connection_info


class PageClient(AsyncKernelClient):
    """What speaks with a kernel; it does not wait for what nobody is going to say."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers and is heard on every channel.

        Jupyter's own listens for another 0.2 s, in case something is left over.

        Raises:
            TimeoutError: It does not within *timeout* seconds.
            RuntimeError: It has ended.
        """
        async with asyncio.timeout(timeout):
            while not await self._heard(self.kernel_info()):
                if not await self.is_alive():
                    raise RuntimeError("The kernel has ended.")

    async def _heard(self, asked: str) -> bool:
        with suppress(Empty):
            reply: dict[str, Any] = {"parent_header": {}}
            while reply["parent_header"].get("msg_id") != asked:
                reply = await self.get_shell_msg(timeout=1.0)
            self._handle_kernel_info_reply(reply)
            while True:
                said = await self.get_iopub_msg(timeout=0.2)
                of_it = said["parent_header"].get("msg_id") == asked
                if of_it and said["content"].get("execution_state") == "idle":
                    return True
        return False


class PageKernel(ServerKernelManager):
    """One kernel of a page; where it comes from, its `parent` has unless it is told."""

    client_class = DottedObjectName(f"{__name__}.PageClient")
    client_factory = Type(klass=AsyncKernelClient, default_value=PageClient)
    template: Any = Whatever()

    @default("template")
    def _shared_template(self) -> Any:
        return None if self.parent is None else self.parent.template

    async def _async_pre_start_kernel(self, **how: Any) -> tuple[list[str], dict[str, Any]]:
        if self.provisioner is None:
            self.provisioner = ForkedProvisioner(
                template=self.template,
                kernel_id=self.kernel_id,
                kernel_spec=self.kernel_spec,
                parent=self,
            )
        return await super()._async_pre_start_kernel(**how)
