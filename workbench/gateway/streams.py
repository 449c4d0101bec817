"""Events as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator

from workbench.domain.events import Event
from workbench.services.views import event_view

KEEP_ALIVE_SECONDS = 15.0
MEDIA = "text/event-stream"
HEADERS = {
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",  # nginx would keep events until it has a page of them
}


def as_sse(event: Event) -> bytes:
    """One event as the lines of a stream."""
    data = json.dumps(event_view(event), allow_nan=False)
    return f"id: {event.seq}\nevent: {event.type}\ndata: {data}\n\n".encode()


async def sse(
    events: AsyncIterator[Event],
    *,
    ends: asyncio.Event,
    keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
) -> AsyncGenerator[bytes, None]:
    """*events* as the pieces of a stream, until the last one, or until *ends* is set.

    Whenever nothing happens for a while, a comment tells both sides that the line still holds.
    """
    ended = asyncio.ensure_future(ends.wait())
    coming = asyncio.ensure_future(anext(events, None))
    try:
        while True:
            done, _ = await asyncio.wait(
                {ended, coming},
                timeout=keep_alive_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if coming in done:
                event = coming.result()
                if event is None:
                    return
                yield as_sse(event)
                coming = asyncio.ensure_future(anext(events, None))
            elif ended in done:
                return
            else:
                yield b": still here\n\n"
    finally:
        ended.cancel()
        coming.cancel()
        await asyncio.gather(ended, coming, return_exceptions=True)
        if isinstance(events, AsyncGenerator):
            await events.aclose()
