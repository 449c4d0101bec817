"""Trying the walls: agents' code that attacks its host and another run, and what it got.

The attacks run as any notebook does, through the executor, beside a second run and with bait laid
out on the host: files, processes, sockets and memory that agents' code must not get at.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import getpass
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench.domain.events import EventType
from workbench.domain.isolation import Isolation
from workbench.domain.limits import Limits
from workbench.domain.runs import RunStatus
from workbench.kernels import Kernel, KernelSource, Task
from workbench.kernels.attacks import ALONE, ATTACKS, cells
from workbench.kernels.executor import NotebookExecutor

LIMITS = Limits(
    seconds=120.0,
    processes=64,
    memory_bytes=1 << 30,
    scratch_bytes=16 << 20,
    shared_memory_bytes=16 << 20,
    file_bytes=32 << 20,
)
"""What the attacks may take, small enough to be tried out."""

_PAST_LANDLOCK = frozenset(
    {
        "learn the size of a file in the home folder",
        "make a file in the home folder executable",
        "hold another process by a descriptor",
        "tie another process to one processor",
        "read which connections the machine has",
        "fill the folder for temporary files",
    }
)

KNOWN: Mapping[Isolation, frozenset[str]] = {
    Isolation.NONE: frozenset(ATTACKS),
    Isolation.LANDLOCK: _PAST_LANDLOCK,
    Isolation.NAMESPACES: frozenset(),
    Isolation.NAMESPACES_CGROUP: frozenset(),
}
"""What each level is known not to deny."""

_READY = "bait is ready"

_OTHER_RUN = f"""
import contextlib, os, signal, socket, threading
from workbench import agent
open("secret.txt", "w").write("of the other run")
made = {{}}
def answer(listening):
    while True:
        asking, _ = listening.accept()
        with contextlib.suppress(OSError), asking:
            asking.recv(1)
            asking.send(b"!")
def serve(family, address):
    with contextlib.suppress(OSError):
        listening = socket.socket(family)
        listening.bind(address)
        listening.listen()
        threading.Thread(target=answer, args=(listening,), daemon=True).start()
        return listening.getsockname()
port = serve(socket.AF_INET, ("127.0.0.1", 0))
serve(socket.AF_UNIX, "s")
serve(socket.AF_UNIX, "\\0" + os.environ.get("NAME", "wb-other-run"))
agent.log("info", "{_READY}", port=port[1] if port else 9)
signal.pause()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What became of one attack.

    Attributes:
        attack: What was tried.
        got: What it got, or how the run ended that it was made in; empty if it was denied.
    """

    attack: str
    got: str

    @property
    def denied(self) -> bool:
        """Whether it got nothing."""
        return not self.got


async def assail(source: KernelSource, *, secret: str) -> list[Finding]:
    """What every attack gets on kernels of *source*, which is closed.

    *secret* is in the environment that kernels must not have inherited.

    Raises:
        RuntimeError: The attacks could not be made.
    """
    seen = _Seen(source)
    executor = NotebookExecutor(kernels=seen)
    try:
        async with _laid_out(secret) as bait, _other_run(executor, seen) as other:
            given = {**bait, **other}
            together = [name for name in ATTACKS if name not in ALONE]
            got = await _attacks(executor, given, together)
            for name in ATTACKS:
                if name in ALONE:
                    got |= await _attacks(executor, given, [name])
    finally:
        await executor.close()
    return [Finding(attack=name, got=got[name]) for name in ATTACKS]


async def _attacks(
    executor: NotebookExecutor, bait: Mapping[str, Any], names: Sequence[str]
) -> dict[str, str]:
    last = f"agent.result(assail(json.loads({json.dumps(json.dumps(bait))}), {list(names)!r}))"
    task = _task(*cells(), f"import json\nfrom workbench import agent\n{last}")
    outcome = await executor.execute(task, report=lambda *_: None, cancel=asyncio.Event())
    if outcome.status is RunStatus.COMPLETED and isinstance(outcome.result, dict):
        return {name: str(outcome.result[name]) for name in names}
    if len(names) == 1:
        return {names[0]: ""}  # the run was ended for it
    raise RuntimeError(f"The attacks ended {outcome.status}: {outcome.error}")


class _Seen:
    """A source of kernels, of which each is remembered."""

    def __init__(self, source: KernelSource) -> None:
        self.isolation = source.isolation
        self.kind = source.kind
        self.close = source.close
        self.ready = 0
        self.kernels: list[Kernel] = []
        self._source = source

    async def start(self, wanted: Any, *, seconds: float) -> Kernel:
        kernel = await self._source.start(wanted, seconds=seconds)
        self.kernels.append(kernel)
        return kernel


@asynccontextmanager
async def _other_run(executor: NotebookExecutor, seen: _Seen) -> AsyncIterator[dict[str, Any]]:
    """Another run, which goes on while the block does."""
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    cancel = asyncio.Event()

    def report(type: EventType, data: Mapping[str, Any]) -> None:
        if data.get("message") == _READY and not ready.done():
            ready.set_result(int(data["fields"]["port"]))

    going: asyncio.Future[Any] = asyncio.ensure_future(
        executor.execute(_task(_OTHER_RUN), report=report, cancel=cancel)
    )
    try:
        both: set[asyncio.Future[Any]] = {ready, going}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            raise RuntimeError(f"The other run ended: {going.result().error}")
        kernel = seen.kernels[-1]
        sockets = next(Path(tempfile.gettempdir()).glob(f"wb-{os.getpid()}-*/*/k-1"), Path("/k"))
        yield {
            "other_folder": str(kernel.folder),
            "other_process": _deepest(kernel.root),
            "other_port": ready.result(),
            "other_abstract": "wb-other-run",
            "other_kernel": str(sockets),
            "other_connection": str(sockets.with_name("c.json")),
            "runs": str(kernel.folder.parents[1]),
        }
    finally:
        cancel.set()
        await going


def _deepest(pid: int) -> int:
    """The last descendant of *pid*: behind a wall that is the kernel."""
    while True:
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            return pid
        if not children:
            return pid
        pid = int(children[0])


@asynccontextmanager
async def _laid_out(secret: str) -> AsyncIterator[dict[str, Any]]:
    """Bait of every kind on this machine, and where it is."""
    folder = Path(tempfile.mkdtemp(prefix="bait-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        bait = {**_files(folder, secret), **_memory(stack, secret), **_process(stack, secret)}
        async with _sockets(folder) as sockets:
            yield {
                **bait,
                **sockets,
                "secret": secret,
                "gateway": os.getpid(),
                "account": getpass.getuser(),
                "disks": [f"/dev/{name}" for name, _, _ in _disks()],
                "disk_numbers": [(major, minor) for _, major, minor in _disks()],
                "processes": LIMITS.processes,
                "memory_bytes": LIMITS.memory_bytes,
                "scratch_bytes": LIMITS.scratch_bytes,
                "file_bytes": LIMITS.file_bytes,
            }


def _files(folder: Path, secret: str) -> dict[str, Any]:
    home, workbench = folder / "home", folder / "workbench"
    (home / ".ssh").mkdir(parents=True)
    workbench.mkdir()
    for path in ("changed", "deleted", ".ssh/id_ed25519"):
        (home / path).write_text(secret)
        (home / path).chmod(0o600)
    named = {}
    for name in ("journal", "index", "object", "token"):
        (workbench / name).write_text(secret)
        named[name] = str(workbench / name)
    (folder / "letter.txt").write_text(secret)
    return {"home": str(home), "temporary": str(folder / "letter.txt"), **named}


def _process(stack: ExitStack, secret: str) -> dict[str, Any]:
    marker = f"bait-{secrets.token_hex(4)}"
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", "import signal; signal.pause()", marker],
        env={"SECRET": secret},
        start_new_session=True,
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    return {"process": process.pid, "marker": marker}


def _memory(stack: ExitStack, secret: str) -> dict[str, Any]:
    named = Path("/dev/shm") / f"bait-{secrets.token_hex(4)}"
    with contextlib.suppress(OSError):
        named.write_text(secret)
        stack.callback(named.unlink)
    libc = ctypes.CDLL(None)
    segment = libc.shmget(0, 4096, 0o1600)  # IPC_PRIVATE, IPC_CREAT
    stack.callback(libc.shmctl, segment, 0, None)  # IPC_RMID
    return {"named_memory": str(named), "shared_memory": segment}


def _disks() -> list[tuple[str, int, int]]:
    try:
        lines = Path("/proc/partitions").read_text().splitlines()[2:]
    except OSError:
        return []
    return [(name, int(a), int(b)) for a, b, _, name in map(str.split, lines)]


@asynccontextmanager
async def _sockets(folder: Path) -> AsyncIterator[dict[str, Any]]:
    """Sockets that answer whoever finds them."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read(1)
            writer.write(b"!")
            await writer.drain()
        writer.close()

    loop, path, name = asyncio.get_running_loop(), folder / "s", f"bait-{secrets.token_hex(4)}"
    tcp = await asyncio.start_server(answer, "127.0.0.1", 0)
    unix = await asyncio.start_unix_server(answer, path)
    abstract = await asyncio.start_unix_server(answer, f"\0{name}")
    udp, _ = await loop.create_datagram_endpoint(_Echo, ("127.0.0.1", 0))
    datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    datagrams.bind(f"{path}d")
    try:
        yield {
            "port": tcp.sockets[0].getsockname()[1],
            "datagram_port": udp.get_extra_info("sockname")[1],
            "socket": str(path),
            "datagram_socket": f"{path}d",
            "abstract": name,
        }
    finally:
        datagrams.close()
        udp.close()
        for server in (tcp, unix, abstract):
            server.close()


class _Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        self._transport.sendto(data, address)


def _task(*cells: str) -> Task:
    notebook = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "metadata": {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for number, source in enumerate(cells)
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    task = Task(run_id=secrets.token_hex(8), notebook=json.dumps(notebook).encode())
    return replace(task, limits=LIMITS)
