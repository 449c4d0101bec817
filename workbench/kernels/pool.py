"""A few kernels that are ready before anybody asks.

Each serves one run; none comes back. A kernel that starts takes half a processor from the run that
is under way, so its successor is started when that run has ended, or a moment later if it goes on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Hashable

from workbench.errors import KernelLost
from workbench.kernels import Kernel, KernelSource, Wanted

_log = logging.getLogger(__name__)

_REFILL_SECONDS = 0.05
_END_SECONDS = 0.02
"""How long a run goes on after its kernel has died: its files are taken in, its folder removed."""
_STARTING_AT_ONCE = 2
_START_SECONDS = 60.0
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0


class Pool:
    """Ready kernels of one source; those it does not keep ready are started when they are asked for.

    Attributes:
        isolation: The level its kernels have.
    """

    def __init__(self, source: KernelSource, *, size: int, wanted: Wanted) -> None:
        """Keep *size* kernels ready that serve for *wanted*, and for whatever is of that kind."""
        self.isolation = source.isolation
        self._source = source
        self._size = size
        self._wanted = wanted
        self._kind = source.kind(wanted)
        self._ready: deque[Kernel] = deque()
        self._waiting: deque[asyncio.Future[Kernel]] = deque()
        self._starting: set[asyncio.Task[None]] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Semaphore(_STARTING_AT_ONCE)
        self._failures = 0
        self._pause_until = 0.0
        self._closed = False

    @property
    def ready(self) -> int:
        """How many kernels wait for a run."""
        return len(self._ready)

    def fill(self) -> None:
        """Begin to start as many kernels as are missing."""
        if self._closed:
            return
        self._waiting = deque(waiting for waiting in self._waiting if not waiting.done())
        missing = len(self._waiting) - len(self._starting)
        if time.monotonic() >= self._pause_until:
            missing += self._size - len(self._ready)
        for _ in range(missing):
            task = asyncio.ensure_future(self._add())
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)

    def kind(self, wanted: Wanted) -> Hashable:
        """What kernels have in common of which any serves for *wanted*."""
        return self._source.kind(wanted)

    async def start(self, wanted: Wanted, *, seconds: float) -> Kernel:
        """A kernel that nobody has used, ready for its first cell.

        Raises:
            KernelLost: There is no kernelspec of that name, or it was not ready in time.
        """
        if self.kind(wanted) != self._kind:
            return await self._source.start(wanted, seconds=seconds)
        while self._ready:
            kernel = self._ready.popleft()
            if not kernel.dead.done():
                return self._hand_over(kernel)
            self._end(kernel)
        waiting: asyncio.Future[Kernel] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        self.fill()
        try:
            return self._hand_over(await asyncio.wait_for(waiting, seconds))
        except TimeoutError:
            raise KernelLost(f"No kernel was ready after {seconds:g} seconds.") from None

    async def close(self) -> None:
        """End every kernel that waits for a run, and the source."""
        self._closed = True
        for task in self._starting:
            task.cancel()
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_exception(KernelLost("The workbench is closing."))
        while self._ready:
            self._end(self._ready.popleft())
        left = self._starting | self._ending
        if left:
            await asyncio.wait(left)
        await self._source.close()

    def _hand_over(self, kernel: Kernel) -> Kernel:
        loop = asyncio.get_running_loop()
        loop.call_later(_REFILL_SECONDS, self.fill)
        kernel.dead.add_done_callback(lambda _: loop.call_later(_END_SECONDS, self.fill))
        return kernel

    async def _add(self) -> None:
        """Start one kernel, for whoever has waited longest or for the next to come."""
        try:
            async with self._turn:
                kernel = await self._source.start(self._wanted, seconds=_START_SECONDS)
        except KernelLost as error:
            self._failed(error)
            return
        self._failures, self._pause_until = 0, 0.0
        waiting = self._next()
        if waiting is not None:
            waiting.set_result(kernel)
            return
        kernel.dead.add_done_callback(lambda _: self._lost(kernel))
        self._ready.append(kernel)

    def _next(self) -> asyncio.Future[Kernel] | None:
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                return waiting
        return None

    def _failed(self, error: KernelLost) -> None:
        _log.warning("A kernel could not be started: %s", error)
        waiting = self._next()
        if waiting is not None:
            waiting.set_exception(error)
        self._pause()

    def _lost(self, kernel: Kernel) -> None:
        """Heed that a kernel died while it waited; one that died in a run is nothing to us."""
        if kernel in self._ready:
            self._ready.remove(kernel)
            self._end(kernel)
            self._pause()

    def _pause(self) -> None:
        # What has just failed would most likely fail again at once, and for ever.
        seconds = min(_FIRST_PAUSE_SECONDS * 2**self._failures, _LONGEST_PAUSE_SECONDS)
        self._failures = min(self._failures + 1, 10)
        self._pause_until = time.monotonic() + seconds
        asyncio.get_running_loop().call_later(seconds, self.fill)

    def _end(self, kernel: Kernel) -> None:
        task = asyncio.ensure_future(_ended(kernel))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


async def _ended(kernel: Kernel) -> None:
    await kernel.end()
    await asyncio.to_thread(kernel.clear)
