"""Streams on their way to somebody: heard from even while nothing comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

KEEP_ALIVE_SECONDS = 15.0
"""How long a stream is silent before it says that it still holds."""
_AHEAD = 32
"""How many frames may wait for an asker who reads slowly; those that wait are sent as one piece."""


async def alive(frames: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """*frames*, with a comment in between whenever nothing comes for a while."""
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(_AHEAD)
    spoken = asyncio.Event()

    async def pump() -> None:
        try:
            async with aclosing(frames):
                async for frame in frames:
                    await queue.put(frame)
                    if not spoken.is_set():
                        # The first word goes out before the others are even looked at.
                        spoken.set()
                        await asyncio.sleep(0)
        except Exception:
            await queue.put(None)
            raise
        await queue.put(None)

    pumping = asyncio.ensure_future(pump())
    try:
        while True:
            try:
                async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                    frame = await queue.get()
            except TimeoutError:
                yield b": still here\n\n"
                continue
            pieces = []
            while frame is not None:
                pieces.append(frame)
                if queue.empty():
                    break
                frame = queue.get_nowait()
            if pieces:
                yield b"".join(pieces)
            if frame is None:
                await pumping
                return
    finally:
        pumping.cancel()
        await asyncio.gather(pumping, return_exceptions=True)
