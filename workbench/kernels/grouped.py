"""Kernels in control groups: what a run takes as a whole is bounded and counted by the system."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence
from pathlib import Path

from workbench.domain.isolation import Isolation
from workbench.errors import KernelLost
from workbench.kernels import Kernel, KernelSource, Usage, Wanted, proc
from workbench.kernels.cgroups import Cgroup, Cgroups

_MOST_AT_THE_START = 64


class GroupedKernel:
    """A kernel and the group that all its processes are in."""

    def __init__(self, kernel: Kernel, group: Cgroup) -> None:
        """*kernel* has been admitted to *group* before it did anything."""
        self.connection = kernel.connection
        self.folder: Path = kernel.folder
        self.room: Sequence[Path] = kernel.room
        self.fleeting = kernel.fleeting
        self.own = kernel.own
        self.dead: asyncio.Future[None] = kernel.dead
        self.root = kernel.root
        self._kernel = kernel
        self._group = group
        self._before = Usage()

    @property
    def stale(self) -> bool:
        """Whether one that was started now would find other packages."""
        return self._kernel.stale

    @property
    def overran(self) -> bool:
        """Whether the system ended one of its processes because memory had run out."""
        return self._group.overran

    def take(self) -> None:
        """Mark the moment from which its use is counted."""
        self._kernel.take()
        self._before = self._group.usage()

    async def interrupt(self) -> None:
        """Ask what it is executing to stop; it may not heed."""
        await self._kernel.interrupt()

    def kill(self) -> None:
        """End it and its children at once."""
        self._kernel.kill()

    async def end(self) -> Usage:
        """What all its processes took, once it has been killed and reaped; its folders stay."""
        alone = await self._kernel.end()
        used = self._group.usage()
        await asyncio.to_thread(self._group.remove)
        return Usage(
            cpu_ms=used.cpu_ms - self._before.cpu_ms,
            peak_memory_bytes=max(used.peak_memory_bytes, alone.peak_memory_bytes),
        )

    def clear(self) -> None:
        """Remove every folder that was made for it; may take long, never fails."""
        self._kernel.clear()


class GroupedKernels:
    """The kernels of another source, each in a group of its own."""

    def __init__(self, source: KernelSource, cgroups: Cgroups) -> None:
        """Every kernel of *source* gets a group of *cgroups*."""
        self.isolation = str(Isolation.NAMESPACES_CGROUP)
        self._source = source
        self._cgroups = cgroups

    @property
    def ready(self) -> int:
        """How many kernels wait for a run."""
        return self._source.ready

    def kind(self, wanted: Wanted) -> Hashable:
        """What kernels have in common of which any serves for *wanted*."""
        return self._source.kind(wanted)

    async def start(self, wanted: Wanted, *, seconds: float) -> GroupedKernel:
        """A kernel that nobody has used, ready for its first cell.

        Raises:
            KernelLost: None was ready in time, or none could be put into a group.
        """
        kernel = await self._source.start(wanted, seconds=seconds)
        try:
            group = self._cgroups.make(
                memory_bytes=wanted.limits.memory_bytes, processes=wanted.limits.processes
            )
            # It idles: nothing of an agent's has run yet that could start others meanwhile.
            group.admit(proc.family(kernel.root, most=_MOST_AT_THE_START))
        except OSError as error:
            await kernel.end()
            await asyncio.to_thread(kernel.clear)
            raise KernelLost(f"A kernel could not be put into a control group: {error}.") from error
        return GroupedKernel(kernel, group)

    async def close(self) -> None:
        """Let go of everything it holds."""
        await self._source.close()
        self._cgroups.close()
