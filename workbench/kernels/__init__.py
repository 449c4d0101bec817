"""A kernel of its own for every run, and nothing of ours within reach.

Here a notebook is carried out. What comes back is an `Outcome`, and that is all: this floor keeps
no record and knows no database, no user and no agent. Nothing that a notebook or its kernel does,
however hostile, leaves here as an exception or as memory, a process or a folder left behind.

A kernel serves one run and is killed. What it says is the word of a stranger: checked, counted and
cut before it is believed. Nothing of the agent's ever runs in this process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from workbench import notebook as notebook  # its cure for slow imports, before papermill's
from workbench.domain.events import EventType
from workbench.domain.limits import Limits
from workbench.domain.network import NOWHERE, Reach
from workbench.domain.runs import Reason, RunStatus

if TYPE_CHECKING:
    from workbench.kernels.connection import Connection

Report = Callable[[EventType, Mapping[str, object]], None]
"""Told at once of whatever happens during a run; never of the run's own beginning and end."""

Started = Callable[[str], Awaitable[None]]
"""Awaited with the isolation level when the kernel is there and nothing has been executed yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """A way out of a kernel that has no network: a port of its own that leads to a socket of ours.

    Attributes:
        port: The port on the kernel's loopback.
        socket: The path of the listening unix socket that it leads to.
        needed: Whether a kernel would be of no use without it; the others are the same for all.
    """

    port: int
    socket: str
    needed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One run, as an executor needs to know it.

    Attributes:
        run_id: What `agent.run_id` will say.
        notebook: The notebook as it is kept: valid nbformat 4.5.
        parameters: Checked against what the notebook declares; `test` is not among them.
        test: Whether it is a test run.
        files: What lies read-only in the working folder: relative name to where it is kept.
        kernel: The kernelspec to use; empty for the workbench's own kernel.
        limits: What it may take.
        reach: What it may reach.
        leave: A folder, on the file system of the working folders, that receives the files the run
            leaves; None keeps none.
        environment: What a kernel of the workbench's own finds in its environment besides.
    """

    run_id: str
    notebook: bytes
    parameters: Mapping[str, object] = field(default_factory=dict)
    test: bool = False
    files: Mapping[str, Path] = field(default_factory=dict)
    kernel: str = ""
    limits: Limits = field(default_factory=Limits)
    reach: Reach = NOWHERE
    leave: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRecord:
    """How one cell fared.

    Attributes:
        id: The cell's id.
        index: Its place in the notebook as it is kept; None for the injected parameters.
        status: `completed`, `failed`, `skipped` or `pending`.
        ms: How long it took; None if it did not run.
        resource_usage: `cpu_ms`, `peak_memory_bytes`, `output_bytes`; empty if it did not run.
    """

    id: str
    index: int | None
    status: str
    ms: float | None = None
    resource_usage: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The record as one flat object of plain values."""
        place = {"id": self.id, "index": self.index, "status": self.status, "ms": self.ms}
        return {**place, **self.resource_usage}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a kernel made of a notebook.

    Attributes:
        status: `completed`, `failed` or `cancelled`.
        reason: Why, unless it is completed.
        result: What the agent handed back.
        error: For a failed run `message`, and `ename`, `evalue` and `cell` (`id`, `index`,
            `source`) where a cell did it.
        notebook: The executed notebook.
        resource_usage: `cpu_ms`, `peak_memory_bytes`, `output_bytes`.
        isolation: The level the run had; empty if it never began.
        cells: Every code cell, in order.
        files: Names of the files that were left, in order.
    """

    status: RunStatus
    reason: Reason | None = None
    result: object = None
    error: Mapping[str, object] | None = None
    notebook: bytes
    resource_usage: Mapping[str, object] = field(default_factory=dict)
    isolation: str = ""
    cells: Sequence[CellRecord] = ()
    files: Sequence[str] = ()


class Executor(Protocol):
    """Puts notebooks through kernels, any number at a time."""

    @property
    def isolation(self) -> str:
        """The level its kernels have."""
        ...

    @property
    def ready(self) -> int:
        """How many kernels wait for a run."""
        ...

    async def execute(
        self,
        task: Task,
        *,
        report: Report,
        cancel: asyncio.Event,
        started: Started | None = None,
    ) -> Outcome:
        """What became of *task*, once its files are taken in; its kernel ends at once.

        Whatever the notebook or its kernel did is an outcome, not an error. Setting *cancel* calls
        the run off at any moment. An exception from *report* or *started* ends the run and is
        passed on.
        """
        ...

    async def close(self) -> None:
        """Let go of every kernel that waits for a run."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a kernel has taken since it was handed over."""

    cpu_ms: int = 0
    peak_memory_bytes: int = 0


class Kernel(Protocol):
    """A process that executes cells for one run.

    Attributes:
        connection: How to talk to it; it has answered once already.
        folder: Its current folder.
        root: The number of its topmost process, as this process sees it.
        room: Folders of its own that fill a disk of ours.
        fleeting: Whether the folder is the run's own and goes with the kernel.
        own: Whether it is the workbench's own kernel, which knows `workbench.agent`.
        dead: Done as soon as the process is gone.
    """

    connection: Connection
    folder: Path
    root: int
    room: Sequence[Path]
    fleeting: bool
    own: bool
    dead: asyncio.Future[None]

    @property
    def stale(self) -> bool:
        """Whether one that was started now would be another: the packages have changed."""
        ...

    @property
    def overran(self) -> bool:
        """Whether the system is known to have ended a process of it for want of memory."""
        ...

    def take(self) -> None:
        """Mark the moment from which its use is counted."""
        ...

    async def interrupt(self) -> None:
        """Ask what it is executing to stop; it may not heed."""
        ...

    def kill(self) -> None:
        """End it and its children at once."""
        ...

    async def end(self) -> Usage:
        """What it took, once it has been killed and reaped; its folders stay."""
        ...

    def clear(self) -> None:
        """Remove every folder that was made for it; may take long, never fails."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The kernel that a run asks for.

    Attributes:
        kernel: The kernelspec to use; empty for the workbench's own kernel.
        limits: What it may take.
        network: `none`, or `open` for the network of this machine.
        relays: What it reaches without one.
        environment: What it finds in its environment besides its own.
    """

    kernel: str = ""
    limits: Limits = field(default_factory=Limits)
    network: str = "none"
    relays: tuple[Relay, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()


class KernelSource(Protocol):
    """Where kernels come from.

    Attributes:
        isolation: The level its kernels have.
    """

    isolation: str

    @property
    def ready(self) -> int:
        """How many kernels wait for a run."""
        ...

    def kind(self, wanted: Wanted) -> Hashable:
        """What kernels have in common of which any serves for *wanted*."""
        ...

    async def start(self, wanted: Wanted, *, seconds: float) -> Kernel:
        """A kernel that nobody has used, ready for its first cell.

        Raises:
            KernelLost: There is no kernelspec of that name, or it was not ready in time.
        """
        ...

    async def close(self) -> None:
        """Let go of everything it holds."""
        ...
