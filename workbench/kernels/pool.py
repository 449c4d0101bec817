"""Kernels that are ready before anybody asks.

Each serves one run; none comes back. How many there are follows what is asked for, kind by kind.
A kernel that starts takes half a processor from the run that is under way, so its successor is
started when that run has ended, or a moment later if it goes on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable

from workbench.kernels import Kernel, KernelSource, Wanted
from workbench.kernels.shelf import Shelf

_REFILL_SECONDS = 0.05
_END_SECONDS = 0.02
"""How long a run goes on after its kernel has died: its files are taken in, its folder removed."""
_LOOK_SECONDS = 5.0
"""How often it is looked for kernels that nobody asks for any more, or should have."""


class Pool:
    """Ready kernels of one source.

    Attributes:
        isolation: The level its kernels have.
    """

    def __init__(
        self,
        source: KernelSource,
        *,
        size: int,
        wanted: Wanted,
        most: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep *size* kernels ready for *wanted*, and up to *most* of what is asked for more."""
        self.isolation = source.isolation
        self._source = source
        self._most = max(size, most)
        self._clock = clock
        self._usual = Shelf(source, wanted, least=size, clock=clock)
        self._shelves: dict[Hashable, Shelf] = {source.kind(wanted): self._usual}
        self._looking: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def ready(self) -> int:
        """How many kernels wait for a run."""
        return sum(map(len, self._shelves.values()))

    def fill(self) -> None:
        """Begin to start as many kernels as are missing."""
        if self._closed:
            return
        spare = self._most - self._usual.least
        for shelf in sorted(self._shelves.values(), key=lambda s: -s.demand.per_second):
            spare -= shelf.fill(most=shelf.least + spare) - shelf.least
        if self.ready > self._most:  # of what was asked for more than now
            for shelf in self._shelves.values():
                shelf.shed()
        if self._looking is None:
            self._looking = asyncio.get_running_loop().call_later(_LOOK_SECONDS, self.look)

    def kind(self, wanted: Wanted) -> Hashable:
        """What kernels have in common of which any serves for *wanted*."""
        return self._source.kind(wanted)

    async def start(self, wanted: Wanted, *, seconds: float) -> Kernel:
        """A kernel that nobody has used, ready for its first cell.

        Raises:
            KernelLost: There is no kernelspec of that name, or it was not ready in time.
        """
        # Made for one run and no other?
        if wanted.environment or any(relay.needed for relay in wanted.relays):
            return await self._source.start(wanted, seconds=seconds)
        kernel = await self._shelf(wanted).take(seconds=seconds)
        loop = asyncio.get_running_loop()
        loop.call_later(_REFILL_SECONDS, self.fill)
        kernel.dead.add_done_callback(lambda _: loop.call_later(_END_SECONDS, self.fill))
        return kernel

    def _shelf(self, wanted: Wanted) -> Shelf:
        kind = self._source.kind(wanted)
        if kind not in self._shelves:
            self._shelves[kind] = Shelf(self._source, wanted, least=0, clock=self._clock)
        return self._shelves[kind]

    def look(self) -> None:
        """Let go of what nobody asks for any more, or should get, and begin to start the rest."""
        if self._looking is not None:
            self._looking.cancel()
        self._looking = None
        for kind, shelf in list(self._shelves.items()):
            shelf.shed()
            if shelf is not self._usual and shelf.bare:
                del self._shelves[kind]
        self.fill()

    async def close(self) -> None:
        """End every kernel that waits for a run, and the source."""
        self._closed = True
        if self._looking is not None:
            self._looking.cancel()
        for shelf in self._shelves.values():
            await shelf.close()
        await self._source.close()
