"""Our cells under papermill's own front, for `papermill --engine workbench in.ipynb out.ipynb -p name value`.

The notebook runs in papermill's current folder, on the kernel it names, with the caller's
environment. What differs from papermill's own engine is that a run which times out, or whose kernel
dies, fails.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO, TypeVar

from papermill.engines import NotebookExecutionManager
from papermill.log import logger

from workbench.domain.events import EventType
from workbench.domain.limits import BOUNDLESS, Limits
from workbench.errors import KernelLost
from workbench.kernels import Kernel, Wanted
from workbench.kernels.cells import Cells, Ending
from workbench.kernels.environment import at_home
from workbench.kernels.front import Step
from workbench.kernels.metering import Gauge, Meter
from workbench.kernels.ordinary import OrdinaryKernels
from workbench.kernels.outputs import Outputs
from workbench.notebook.tags import INJECTED, runs

T = TypeVar("T")

_FOR_EVER = 10 * 365 * 86400.0
_UNBOUNDED = 2**40


def carry_out(
    manager: NotebookExecutionManager,
    kernel_name: str,
    *,
    listener: Listener,
    start_seconds: float,
    seconds: float | None,
) -> None:
    """Execute the notebook that *manager* keeps.

    Raises:
        KernelLost: There is no such kernel, or it was lost between two cells.
    """
    limits = replace(BOUNDLESS, seconds=seconds or _FOR_EVER, start_seconds=start_seconds)
    ending = _run(lambda: _execute(manager, kernel_name, limits, listener))
    if ending.error is not None and "cell" not in ending.error:
        raise KernelLost(str(ending.error["message"]))


class Listener:
    """Passes on what papermill was asked to show while a notebook runs."""

    def __init__(
        self,
        manager: NotebookExecutionManager,
        log_output: bool,
        stdout_file: TextIO | None,
        stderr_file: TextIO | None,
    ) -> None:
        self._manager = manager
        self._log = {"stdout": logger.info, "stderr": logger.warning} if log_output else {}
        self._files = {"stdout": stdout_file, "stderr": stderr_file}

    def __call__(self, type: EventType, data: Mapping[str, Any]) -> None:
        """Show what there is to show of one event."""
        self._manager.autosave_cell()
        if type is not EventType.OUTPUT:
            return
        if data["kind"] == "stream":
            self._stream(data["name"], data["text"])
        elif self._log and "text/plain" in data.get("data", {}):
            logger.info("".join(data["data"]["text/plain"] or ""))

    def _stream(self, name: str, text: str) -> None:
        if self._log:
            self._log[name](text)
        file = self._files[name]
        if file is not None:
            file.write(text)
            file.flush()


async def _execute(
    manager: NotebookExecutionManager, kernel_name: str, limits: Limits, listener: Listener
) -> Ending:
    # The kernel that papermill would have started, not our own: its user may have chosen it.
    source = OrdinaryKernels(
        housing=at_home(folder=Path.cwd(), inherited=os.environ),
        own=frozenset(),
        frame_bytes=_UNBOUNDED,
    )
    try:
        kernel = await source.start(Wanted(kernel=kernel_name), seconds=limits.start_seconds)
        try:
            return await _carry_out(manager, kernel, limits, listener)
        finally:
            await asyncio.shield(kernel.end())
    finally:
        await source.close()


async def _carry_out(
    manager: NotebookExecutionManager, kernel: Kernel, limits: Limits, listener: Listener
) -> Ending:
    nb = manager.nb
    test = bool(nb.metadata.papermill.get("parameters", {}).get("test", False))
    steps = [
        Step(
            cell=cell, position=position, index=None if INJECTED in cell.metadata.tags else position
        )
        for position, cell in enumerate(nb.cells)
        if runs(cell, test=test)
    ]
    outputs = Outputs(nb, limits=limits, connection=kernel.connection)
    meter = Meter()
    cells = Cells(
        kernel=kernel,
        steps=steps,
        manager=manager,
        outputs=outputs,
        limits=limits,
        meter=meter,
        gauge=Gauge(kernel.root, limits=limits),
        report=listener,
        run={"run_id": uuid.uuid4().hex, "test": test},
    )
    try:
        return await cells.carry_out(asyncio.Event())
    finally:
        meter.close()
        outputs.close()


def _run(work: Callable[[], Coroutine[None, None, T]]) -> T:
    """What *work* gives, also where a loop is running already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(lambda: asyncio.run(work())).result()
