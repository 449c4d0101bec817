"""Waiting for a run, as long as there is somebody who waits."""

from __future__ import annotations

import asyncio

from workbench.domain.runs import Run
from workbench.gateway.requests import Call


async def settled(call: Call, run_id: str, *, seconds: float | None = None) -> Run:
    """The run when it has settled, or as it stands when waiting has no sense any more.

    Raises:
        NotFound: There is none the caller may know of.
    """
    run = asyncio.ensure_future(call.app.running.get(call.principal, run_id, wait_seconds=seconds))
    ends = asyncio.ensure_future(call.ends.wait())
    try:
        await asyncio.wait({run, ends}, return_when=asyncio.FIRST_COMPLETED)
        if run.done():
            return run.result()
    finally:
        run.cancel()
        ends.cancel()
    return await call.app.running.get(call.principal, run_id)
