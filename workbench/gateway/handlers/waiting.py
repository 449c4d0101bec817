"""Waiting for what takes a while, as long as there is somebody who waits."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from workbench.domain.runs import Run
from workbench.gateway.requests import Call

T = TypeVar("T")


async def settled(call: Call, run_id: str, *, seconds: float | None = None) -> Run:
    """The run when it has settled, or as it stands when waiting has no sense any more.

    Raises:
        NotFound: There is none the caller may know of.
    """
    running = call.app.running
    run = await awaited(call, running.get(call.principal, run_id, wait_seconds=seconds))
    return run if run is not None else await running.get(call.principal, run_id)


async def awaited(call: Call, work: Coroutine[Any, Any, T]) -> T | None:
    """What comes of *work*; None if nobody waits for it any more."""
    task = asyncio.ensure_future(work)
    ends = asyncio.ensure_future(call.ends.wait())
    try:
        await asyncio.wait({task, ends}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        task.cancel()
        ends.cancel()
