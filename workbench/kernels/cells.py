"""The cells of one run, carried out one after another.

A cell has run to its end when the kernel has said so twice: `idle` on the channel of outputs, and
`execute_reply` on the other. Idle alone is no success; an error in the kernel's own code looks just
like it.

A run is called off by a ladder: an interrupt, as Ctrl-C would send it, with a request behind it
that wakes a cell which waits for something; some seconds of grace, in which what the cell still has
to say is heard; and then the kernel is killed, which needs no one's consent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from workbench.domain.events import EventType
from workbench.domain.limits import Limits
from workbench.domain.runs import Reason, RunStatus
from workbench.kernels import Kernel, Report
from workbench.kernels.channel import receive
from workbench.kernels.connection import Message
from workbench.kernels.faults import Fault, broken
from workbench.kernels.front import Step
from workbench.kernels.metering import Gauge, Meter, cpu_fault, memory_fault
from workbench.kernels.outputs import Outputs
from workbench.kernels.verdicts import Verdict, limit_behind

PATIENCE_SECONDS = 10.0
"""How long the second of the two ends of a cell may be behind the first."""
_DRAIN_SECONDS = 0.05
_DOUBT_SECONDS = 1.0
"""How long it may take to notice that a process has let go of a connection."""
_FAREWELL_SECONDS = 10.0
"""How long a process may take to be gone, once its end of a connection is."""
_BREATH = 16
"""After how many messages the loop is let go: sockets that are full never wait by themselves."""
_EVALUE = 10_000

_MESSAGES = {
    "StdinNotImplementedError": "input() was called, and in a run nobody is there to answer;"
    " declare a parameter instead.",
    "SystemExit": "The notebook left by exit() or sys.exit().",
}


class Manager(Protocol):
    """What papermill is told of each cell."""

    def cell_start(self, cell: Any, cell_index: int | None = None) -> None:
        """It begins."""

    def cell_exception(self, cell: Any, cell_index: int | None = None) -> None:
        """It failed."""

    def cell_complete(self, cell: Any, cell_index: int | None = None) -> None:
        """It has ended, failed or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How the cells ended.

    Attributes:
        error: As `Outcome.error` has it; None if they are completed or cancelled.
    """

    status: RunStatus
    reason: Reason | None = None
    error: dict[str, object] | None = None


@dataclass(frozen=True, slots=True)
class _Raised:
    """The error a cell ended with."""

    ename: str
    evalue: str


class Cells:
    """The cells of one run on one kernel."""

    def __init__(
        self,
        *,
        kernel: Kernel,
        steps: Sequence[Step],
        manager: Manager,
        outputs: Outputs,
        limits: Limits,
        meter: Meter,
        gauge: Gauge,
        report: Report,
        run: Mapping[str, object],
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """The cells in *steps*; *run* is what `workbench.agent` in the kernel is told of the run.

        *meter* looks at what they take while they are carried out; *gauge* measures it.
        """
        self._patience = patience_seconds
        self._kernel = kernel
        self._connection = kernel.connection
        self._steps = steps
        self._manager = manager
        self._outputs = outputs
        self._limits = limits
        self._meter = meter
        self._gauge = gauge
        self._report = report
        self._run = run
        self._asked: dict[str, Step] = {}
        self._raised: _Raised | None = None
        self._heard = 0
        self._of = sum(step.status == "pending" for step in steps)
        self._severed = False

    async def carry_out(self, cancel: asyncio.Event) -> Ending:
        """How they ended: every cell that was to run has, or the first that did not is to blame."""
        loop = asyncio.get_running_loop()
        self._halt: asyncio.Future[Fault] = loop.create_future()
        seconds = self._limits.seconds
        late = Fault(
            Reason.TIMEOUT, f"The run was stopped because its {seconds:g} seconds were up."
        )
        called_off = Fault(Reason.CANCELLED_BY_USER, "The run was cancelled.")
        if cancel.is_set():
            self._stop(called_off)
        deadline = loop.call_later(seconds, self._stop, late)
        watchers = [
            asyncio.ensure_future(self._stop_after(cancel.wait, called_off)),
            asyncio.ensure_future(self._cut_off()),
            asyncio.ensure_future(self._death()),
        ]

        def exceeded(fault: Fault) -> None:
            loop.call_soon_threadsafe(self._stop, fault)

        try:
            with self._meter.watching(self._gauge, exceeded):
                return await self._walk()
        finally:
            deadline.cancel()
            for watcher in watchers:
                watcher.cancel()
            await asyncio.wait(watchers)

    async def _walk(self) -> Ending:
        for step in self._steps:
            if step.status != "pending":
                continue
            if self._halt.done():
                return _ended_by(self._halt.result(), None)
            ending = await self._perform(step)
            if ending is not None:
                return ending
        return Ending(status=RunStatus.COMPLETED)

    async def _perform(self, step: Step) -> Ending | None:
        """How the run ends if it ends with *step*."""
        began, said = time.monotonic(), self._outputs.output_bytes
        step.status = "running"
        self._outputs.begin_cell(step.cell)
        self._manager.cell_start(step.cell, step.position)
        self._report(EventType.CELL_STARTED, {**step.place, "of": self._of})
        try:
            error = await self._execute(step)
        except Fault as fault:
            self._outputs.add_error(step.cell, str(fault.reason), str(fault))
            ending: Ending | None = _ended_by(fault, step)
        else:
            ending = self._failed(error, step) if error and not _may_raise(step) else None
        step.ms = round((time.monotonic() - began) * 1000, 3)
        step.resource_usage = {
            **asdict(self._gauge.lap()),
            "output_bytes": self._outputs.output_bytes - said,
        }
        step.note(resource_usage=step.resource_usage)
        step.status = "failed" if ending else "completed"
        if ending:
            self._manager.cell_exception(step.cell, step.position)
        self._manager.cell_complete(step.cell, step.position)
        finished = {"status": step.status, "ms": step.ms, "resource_usage": step.resource_usage}
        self._report(EventType.CELL_FINISHED, {**step.place, **finished})
        return ending

    async def _execute(self, step: Step) -> _Raised | None:
        """The error that *step* ended with.

        Raises:
            Fault: The run cannot go on.
        """
        self._raised = None
        request = await self._connection.execute(
            step.cell.source,
            stop_on_error=not _may_raise(step),
            metadata={"cellId": step.cell.id, "workbench": self._run},
        )
        self._asked[request] = step
        reply: dict[str, Any] | None = None
        while True:
            frames = await receive(self._connection.iopub, self._halt, seconds=self._patience)
            if frames is not None:
                if await self._hear(frames, request):
                    break
            elif self._halt.done():
                await self._give_up(request, self._halt.result())
                break
            elif reply is not None:
                raise broken("a cell was answered and its outputs never ended")
            else:  # a long silence: the cell works, or its `idle` has been lost
                reply = await self._reply(request, seconds=0.0)
        reply = reply or await self._reply(request, seconds=self._patience)
        if reply is None and self._kernel.dead.done():
            raise await self._halt  # the answer died with it
        if reply is None:
            raise broken("a cell ended without an answer to its request")
        return self._judge(reply)

    async def _hear(self, frames: list[bytes], request: str) -> bool:
        """Whether *frames* say `idle` of *request*; whatever else they say is taken in."""
        self._heard += 1
        if not self._heard % _BREATH:
            await asyncio.sleep(0)
        self._outputs.charge(sum(map(len, frames)))
        message = self._connection.read(frames)
        step = self._asked.get(message.parent)
        if step is None:
            if message.type == "status":  # of a request of ours that is no cell's
                self._outputs.refund(message)
            return False
        for type, data in self._outputs.take(message, step.cell, step.position):
            self._report(type, {**step.place, **data})
        if message.parent != request:
            return False
        if message.type == "error":
            self._raised = _said_error(message)
        return message.type == "status" and message.content.get("execution_state") == "idle"

    async def _reply(self, request: str, *, seconds: float) -> dict[str, Any] | None:
        """The answer to *request*, if it comes in time."""
        until = time.monotonic() + seconds
        shell, dead = self._connection.shell, self._kernel.dead
        while True:
            frames = await receive(shell, dead, seconds=max(0.0, until - time.monotonic()))
            # What a kernel said before it died is there, or as good as.
            if frames is None and dead.done():
                frames = await receive(shell, seconds=_DRAIN_SECONDS)
            if frames is None:
                return None
            self._outputs.charge(sum(map(len, frames)))
            message = self._connection.read(frames)
            self._outputs.refund(message)
            if message.type == "execute_reply" and message.parent == request:
                return message.content

    async def _give_up(self, request: str, fault: Fault) -> None:
        """Return if *request* had come to its end after all.

        Raises:
            Fault: It had not.
        """
        if fault.reason in (Reason.TIMEOUT, Reason.CANCELLED_BY_USER):
            await self._kernel.interrupt()
            # An interrupt alone does not wake a cell that awaits something.
            await self._connection.request("comm_info_request", {})
            await self._hear_out(request, self._limits.grace_seconds, self._kernel.dead)
            raise fault
        if fault.reason is Reason.MEMORY_LIMIT and self._severed:
            raise _cut_off_fault()  # what it could not get rid of is what filled its memory
        if self._kernel.dead.done() and await self._hear_out(request, _DRAIN_SECONDS):
            return
        raise fault

    async def _hear_out(self, request: str, seconds: float, *until: asyncio.Future[None]) -> bool:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            frames = await receive(self._connection.iopub, *until, seconds=left)
            if frames is None:
                return False
            if await self._hear(frames, request):
                return True
        return False

    def _judge(self, reply: dict[str, Any]) -> _Raised | None:
        status = reply.get("status")
        if status not in ("ok", "error", "aborted"):
            raise broken("an answer without a status")
        payload = reply.get("payload")
        if isinstance(payload, list) and any(
            isinstance(item, dict) and item.get("source") == "ask_exit" for item in payload
        ):
            return _Raised("SystemExit", "exit() was called")
        if status == "error" and isinstance(reply.get("ename"), str):
            return _Raised(reply["ename"], str(reply.get("evalue", "")))
        if self._raised is None and status != "ok":
            return _Raised("Aborted", "the kernel did not execute the cell")
        return self._raised

    def _failed(self, error: _Raised, step: Step) -> Ending:
        """How the run ends with *error*, which may be how a limit showed."""
        verdict = limit_behind(error.ename, error.evalue, self._limits)
        # These two are also what sockets say that have nothing to say yet.
        busy = verdict is not None and verdict.reason is Reason.PROCESS_LIMIT
        if busy and not self._gauge.hit(Reason.PROCESS_LIMIT):
            verdict = None
        return _raised(error, step, verdict)

    def _stop(self, fault: Fault) -> None:
        if not self._halt.done():
            self._halt.set_result(fault)

    async def _stop_after(self, event: Callable[[], Awaitable[object]], fault: Fault) -> None:
        await event()
        self._stop(fault)

    async def _death(self) -> None:
        await asyncio.wait({self._kernel.dead})
        if self._kernel.overran or self._gauge.hit(Reason.MEMORY_LIMIT):
            self._stop(memory_fault(self._limits))
        elif self._gauge.hit(Reason.CPU_LIMIT):
            self._stop(cpu_fault(self._limits))
        else:
            self._stop(Fault(Reason.KERNEL_DIED, "The kernel died."))

    async def _cut_off(self) -> None:
        await self._connection.cut_off()
        self._severed = True
        lost = asyncio.ensure_future(self._connection.lost())
        dead = self._kernel.dead
        try:
            await asyncio.wait(
                {dead, lost}, timeout=_DOUBT_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if lost.done():  # a kernel that dies lets go of its sockets too
                await asyncio.wait({dead}, timeout=_FAREWELL_SECONDS)
        finally:
            lost.cancel()
        if not dead.done():
            self._stop(_cut_off_fault())


def _may_raise(step: Step) -> bool:
    return "raises-exception" in step.cell.metadata.get("tags", ())


def _said_error(message: Message) -> _Raised:
    return _Raised(str(message.content["ename"]), str(message.content["evalue"]))


def _cut_off_fault() -> Fault:
    return Fault(
        Reason.OUTPUT_LIMIT,
        "The kernel sent more in one piece than is taken in, or closed its connection.",
    )


def _blamed(step: Step) -> dict[str, object]:
    return {"id": step.cell.id, "index": step.index, "source": step.cell.source}


def _ended_by(fault: Fault, step: Step | None) -> Ending:
    if fault.reason is Reason.CANCELLED_BY_USER:
        return Ending(status=RunStatus.CANCELLED, reason=fault.reason)
    error: dict[str, object] = {"message": str(fault)}
    if step is not None:
        error["cell"] = _blamed(step)
    return Ending(status=RunStatus.FAILED, reason=fault.reason, error=error)


def _raised(error: _Raised, step: Step, verdict: Verdict | None) -> Ending:
    reason = Reason.INVALID_OUTPUT if error.ename == "InvalidResult" else Reason.AGENT_ERROR
    ename, evalue = error.ename[:200], error.evalue[:_EVALUE]
    said = f"{ename}: {evalue}" if evalue else ename
    if verdict is not None:
        reason, said = verdict.reason, f"{said} ({verdict.hint})"
    described: dict[str, object] = {
        "message": _MESSAGES.get(ename, said),
        "ename": ename,
        "evalue": evalue,
        "cell": _blamed(step),
    }
    return Ending(status=RunStatus.FAILED, reason=reason, error=described)
