"""Putting one notebook through one kernel, from the empty folder to the outcome."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

from workbench.domain.isolation import Isolation
from workbench.domain.network import Network
from workbench.domain.runs import Reason, RunStatus
from workbench.errors import KernelLost
from workbench.kernels import (
    Kernel,
    KernelSource,
    Outcome,
    Relay,
    Report,
    Started,
    Task,
    Usage,
    Wanted,
)
from workbench.kernels.cells import PATIENCE_SECONDS, Cells, Ending
from workbench.kernels.egress import ENVIRONMENT, Egress
from workbench.kernels.faults import Fault
from workbench.kernels.folder import Placed, harvest, place
from workbench.kernels.front import Front
from workbench.kernels.metering import Gauge, Meter
from workbench.kernels.outputs import Outputs
from workbench.notebook.document import dump

_PEACE_SECONDS = 0.02
"""How long a kernel that has nothing more to do is left alone: its end takes both processors from
what is still to be written of its run."""


class NotebookExecutor:
    """Executes notebooks on the kernels of one source."""

    def __init__(
        self,
        *,
        kernels: KernelSource,
        egress: Egress | None = None,
        relays: tuple[Relay, ...] = (),
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Kernels come from *kernels*; one that says half an end is given *patience_seconds*.

        *egress* leads runs with an allow-list to their hosts; *relays* are there for every run that
        has no network of this machine's.
        """
        self._kernels = kernels
        self._patience = patience_seconds
        self._egress = egress or Egress()
        self._relays = relays
        self._meter = Meter()
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def isolation(self) -> str:
        """The level its kernels have."""
        return self._kernels.isolation

    @property
    def ready(self) -> int:
        """How many kernels wait for a run."""
        return self._kernels.ready

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
        try:
            front = Front(task)
        except ValueError as error:
            return Outcome(
                status=RunStatus.FAILED,
                reason=Reason.AGENT_ERROR,
                error={"message": str(error)},
                notebook=task.notebook,
            )
        async with AsyncExitStack() as ways_out:
            try:
                kernel = await self._kernel(await self._wanted(task, ways_out), task, cancel)
            except KernelLost as error:
                return _not_begun(front, Reason.KERNEL_START_FAILED, str(error))
            if kernel is None:
                return _not_begun(front, Reason.CANCELLED_BY_USER, "")
            peace = 0.0
            try:
                outcome = await self._carry_out(kernel, front, task, report, cancel, started)
                peace = _PEACE_SECONDS
                return outcome
            finally:
                # What goes wrong on our side leaves nothing behind either.
                self._let_go(kernel, after=peace)

    def _let_go(self, kernel: Kernel, *, after: float) -> None:
        """See *kernel* and its folder off; whoever waits for the outcome need not."""
        task = asyncio.ensure_future(_discard(kernel, after=after))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def close(self) -> None:
        """Let go of every kernel that waits for a run."""
        if self._leaving:
            await asyncio.wait(self._leaving)
        await asyncio.to_thread(self._meter.close)
        await self._kernels.close()
        self._egress.close()

    async def _wanted(self, task: Task, ways_out: AsyncExitStack) -> Wanted:
        """The kernel that *task* needs; its way out, if it has one, goes with *ways_out*.

        Raises:
            KernelLost: At this level nothing keeps a run to some hosts.
        """
        wanted = Wanted(
            kernel=task.kernel,
            limits=task.limits,
            network=task.reach.network,
            relays=() if task.reach.network is Network.OPEN else self._relays,
        )
        if task.reach.network is not Network.ALLOW_LIST or self.isolation == Isolation.NONE:
            return wanted
        if self.isolation == Isolation.LANDLOCK:
            raise KernelLost(
                f"At isolation level {self.isolation} a run cannot be kept to some hosts; run"
                " `workbench doctor`, or ask for network none or open."
            )
        door = await ways_out.enter_async_context(self._egress.door(task.reach.hosts))
        relays = (*self._relays, door.relay)
        return replace(wanted, network=Network.NONE, relays=relays, environment=ENVIRONMENT)

    async def _kernel(self, wanted: Wanted, task: Task, cancel: asyncio.Event) -> Kernel | None:
        """The kernel *wanted* for *task*; None if it was cancelled while there was none.

        Raises:
            KernelLost: None could be had.
        """
        starting = asyncio.ensure_future(self._start(wanted, task))
        cancelled = asyncio.ensure_future(cancel.wait())
        try:
            await asyncio.wait({starting, cancelled}, return_when="FIRST_COMPLETED")
            if starting.done():
                return starting.result()
            return None
        finally:
            cancelled.cancel()
            if not starting.done():
                await asyncio.shield(_never_mind(starting))

    async def _start(self, wanted: Wanted, task: Task) -> Kernel:
        """A kernel that is told what *task* has been lent, and nothing of it was executed yet.

        Raises:
            KernelLost: None could be had.
        """
        seconds = task.limits.start_seconds
        kernel = await self._kernels.start(wanted, seconds=seconds)
        if not (task.environment and kernel.own):
            return kernel
        # Kernels were there before their run; what is executed so leaves no trace in them. Nobody
        # waits for it: a kernel executes what it is sent in the order in which it was.
        code = f"__import__('os').environ.update({dict(task.environment)!r})"
        try:
            await kernel.connection.execute(code, silent=True, kept=False)
        except BaseException:
            await asyncio.shield(_discard(kernel))
            raise
        return kernel

    async def _carry_out(
        self,
        kernel: Kernel,
        front: Front,
        task: Task,
        report: Report,
        cancel: asyncio.Event,
        started: Started | None,
    ) -> Outcome:
        placed: Placed = {}
        if task.files and kernel.fleeting:
            placed = await asyncio.to_thread(place, task.files, kernel.folder)
        # While the disk takes in that it begins, everything is made ready.
        telling = started(self._kernels.isolation) if started is not None else asyncio.sleep(0)
        _, stage = await asyncio.gather(telling, self._set(kernel, front, task, report, placed))
        kernel.take()
        ending = await stage.cells.carry_out(cancel)
        return await self._conclude(kernel, front, task, stage, placed, ending)

    async def _set(
        self, kernel: Kernel, front: Front, task: Task, report: Report, placed: Placed
    ) -> _Stage:
        """The stage for the cells of *task*, which is to be carried out at once."""
        front.begin()
        gauge = Gauge(
            kernel.root,
            limits=task.limits,
            room=kernel.room,
            placed_bytes=sum(size for _, size, _ in placed.values()),
        )
        outputs = Outputs(front.nb, limits=task.limits, connection=kernel.connection)
        cells = Cells(
            kernel=kernel,
            steps=front.steps,
            manager=front.manager,
            outputs=outputs,
            limits=task.limits,
            meter=self._meter,
            gauge=gauge,
            report=report,
            run={"run_id": task.run_id, "test": task.test},
            patience_seconds=self._patience,
        )
        return _Stage(gauge=gauge, outputs=outputs, cells=cells)

    async def _conclude(
        self,
        kernel: Kernel,
        front: Front,
        task: Task,
        stage: _Stage,
        placed: Placed,
        ending: Ending,
    ) -> Outcome:
        """What became of *task*, whose cells have come to *ending*."""
        idle = ending.status is RunStatus.COMPLETED and not kernel.dead.done()
        spent = idle and not placed and _is_empty(kernel)
        if not spent:
            kernel.kill()  # and while it dies the notebook is completed
        stage.outputs.close()
        front.complete()
        notebook = dump(front.nb)
        usage, files = Usage(), list[str]()
        if not spent:
            usage = await kernel.end()
            files, ending = await asyncio.to_thread(_take_in, kernel, task, placed, ending)
        return Outcome(
            status=ending.status,
            reason=ending.reason,
            result=stage.outputs.result,
            error=ending.error,
            notebook=notebook,
            resource_usage=_together(stage.gauge, usage, stage.outputs),
            isolation=self._kernels.isolation,
            cells=[step.record for step in front.steps],
            files=files,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """What the cells of one run are carried out with."""

    gauge: Gauge
    outputs: Outputs
    cells: Cells


def _together(gauge: Gauge, usage: Usage, outputs: Outputs) -> dict[str, object]:
    """What the run took: what was seen of all its processes, or said of the first when it ended."""
    return {
        "cpu_ms": max(gauge.cpu_ms, usage.cpu_ms),
        "peak_memory_bytes": max(gauge.peak_memory_bytes, usage.peak_memory_bytes),
        "output_bytes": outputs.output_bytes,
    }


def _is_empty(kernel: Kernel) -> bool:
    """Whether a run that has ended has nothing in its folder that would be kept."""
    try:
        return kernel.fleeting and all(name.startswith(".") for name in os.listdir(kernel.folder))
    except OSError:
        return False


def _take_in(
    kernel: Kernel, task: Task, placed: Placed, ending: Ending
) -> tuple[list[str], Ending]:
    """The files that were left, and how the run ended in view of them."""
    files: list[str] = []
    try:
        if task.leave is not None and kernel.fleeting:
            files = harvest(kernel.folder, task.leave, placed=placed, limits=task.limits)
    except Fault as fault:
        if ending.status is RunStatus.COMPLETED:
            error: dict[str, Any] = {"message": str(fault)}
            ending = replace(ending, status=RunStatus.FAILED, reason=fault.reason, error=error)
    kernel.clear()
    return files, ending


async def _never_mind(starting: asyncio.Future[Kernel]) -> None:
    starting.cancel()
    await asyncio.wait({starting})
    if not starting.cancelled() and starting.exception() is None:
        await _discard(starting.result())  # it was ready in the same moment


async def _discard(kernel: Kernel, *, after: float = 0.0) -> None:
    if after and not kernel.dead.done():
        await asyncio.sleep(after)
    await kernel.end()
    await asyncio.to_thread(kernel.clear)


def _not_begun(front: Front, reason: Reason, message: str) -> Outcome:
    cancelled = reason is Reason.CANCELLED_BY_USER
    error: Mapping[str, object] | None = None if cancelled else {"message": message}
    return Outcome(
        status=RunStatus.CANCELLED if cancelled else RunStatus.FAILED,
        reason=reason,
        error=error,
        notebook=dump(front.nb),
        cells=[step.record for step in front.steps],
    )
