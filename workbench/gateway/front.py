"""What every request meets: the app that answers it, who may come in, and whether we are leaving."""

from __future__ import annotations

import asyncio

from workbench.app import App
from workbench.gateway.identity import Identity
from workbench.gateway.kept import Kept
from workbench.gateway.metering import Metering


class Front:
    """What all requests to one gateway share.

    Attributes:
        app: What answers them.
        identity: Who may come in.
        metering: What is counted.
        kept: What was written lately.
        url: Where we answer, once we do.
    """

    def __init__(self, *, app: App, identity: Identity, metering: Metering) -> None:
        self.app = app
        self.identity = identity
        self.metering = metering
        self.kept = Kept()
        self.url = ""
        self._open: set[asyncio.Event] = set()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._leaving = False

    def enter(self, ends: asyncio.Event) -> None:
        """Take note of a request that waits for an answer; *ends* tells it to wait no longer."""
        self._open.add(ends)
        self._quiet.clear()
        if self._leaving:
            ends.set()

    def leave(self, ends: asyncio.Event) -> None:
        """Take note that it has been answered or given up; twice is once."""
        self._open.discard(ends)
        if not self._open:
            self._quiet.set()

    def dismiss(self) -> None:
        """End all streams and all waiting, now and from now on."""
        self._leaving = True
        for ends in self._open:
            ends.set()

    async def empty(self, *, seconds: float) -> bool:
        """Whether every request has been answered, at the latest after that time."""
        try:
            async with asyncio.timeout(seconds):
                await self._quiet.wait()
        except TimeoutError:
            return False
        return True
