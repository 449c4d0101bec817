"""The first words exchanged with a kernel: after them it is ready, and we hear all that it says.

A subscription takes effect some time after it was asked for, and what a kernel says before that is
lost. A kernel may greet its first subscriber (`iopub_welcome`), older ones and other languages do
not. So a request of our own is sent that executes nothing; when the whole answer to it has been
heard, on both channels, nothing later can be missed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from workbench.errors import KernelLost
from workbench.kernels.channel import Channel, receive
from workbench.kernels.connection import Connection, Message
from workbench.kernels.faults import Fault

_NUDGE_SECONDS = (0.25, 0.5, 1.0)
"""How long an answer is waited for before the request is sent again; the last one repeats."""


async def hello(
    connection: Connection,
    *,
    dead: asyncio.Future[None],
    seconds: float,
    code: str = "",
    silent: bool = True,
) -> None:
    """Return when the kernel behind *connection* is ready for its first cell.

    *code* is executed and leaves no trace in the history; some that does what cells do, *silent*
    or not, warms the path of the first one.

    Raises:
        KernelLost: It died, or was not ready after *seconds*.
    """
    until = time.monotonic() + seconds
    asked: set[str] = set()
    try:
        while time.monotonic() < until and not dead.done():
            asked.add(await connection.execute(code, silent=silent, kept=False))
            pause = _NUDGE_SECONDS[min(len(asked), len(_NUDGE_SECONDS)) - 1]
            patience = min(until, time.monotonic() + pause)
            async for message in _messages(connection.iopub, connection, dead, patience):
                if message.parent in asked and message.content.get("execution_state") == "idle":
                    await _reply(connection, asked, dead, until)
                    return
    except Fault as fault:
        raise KernelLost(str(fault)) from None
    if dead.done():
        raise KernelLost("The kernel died before it was ready.")
    raise KernelLost(f"The kernel was not ready after {seconds:g} seconds.")


async def _reply(
    connection: Connection, asked: set[str], dead: asyncio.Future[None], until: float
) -> None:
    async for message in _messages(connection.shell, connection, dead, until):
        if message.type == "execute_reply" and message.parent in asked:
            return
    raise KernelLost("The kernel announced that it was ready and never answered.")


async def _messages(
    channel: Channel,
    connection: Connection,
    dead: asyncio.Future[Any],
    until: float,
) -> AsyncIterator[Message]:
    while (left := until - time.monotonic()) > 0:
        frames = await receive(channel, dead, seconds=left)
        if frames is None:
            return
        yield connection.read(frames)
