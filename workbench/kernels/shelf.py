"""Ready kernels of one kind, and whoever waits for one."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable

from workbench.errors import KernelLost
from workbench.kernels import Kernel, KernelSource, Wanted
from workbench.kernels.demand import Demand

_log = logging.getLogger(__name__)

_STARTING_AT_ONCE = 2
_START_SECONDS = 60.0
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0


class Shelf:
    """Ready kernels that all serve for the same.

    Attributes:
        least: How many are kept whether they are asked for or not.
        demand: How many are asked for.
    """

    def __init__(
        self,
        source: KernelSource,
        wanted: Wanted,
        *,
        least: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Kernels for *wanted*, from *source*."""
        self.least = least
        self.demand = Demand(clock=clock)
        self._clock = clock
        self._source = source
        self._wanted = wanted
        self._most = least
        self._ready: deque[Kernel] = deque()
        self._waiting: deque[asyncio.Future[Kernel]] = deque()
        self._starting: set[asyncio.Task[None]] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Semaphore(_STARTING_AT_ONCE)
        self._failures = 0
        self._pause_until = 0.0
        self._closed = False

    def __len__(self) -> int:
        """How many wait for a run."""
        return len(self._ready)

    @property
    def bare(self) -> bool:
        """Whether nothing is ready, on its way, waited for or being ended."""
        return not (self._ready or self._starting or self._waiting or self._ending)

    def fill(self, *, most: int) -> int:
        """Begin to start as many as are missing; how many there will be, *most* at the most."""
        self._most = most
        self._begin()
        return self._target

    def shed(self) -> None:
        """Let go of those that nobody asks for any more, or should get."""
        for kernel in [kernel for kernel in self._ready if kernel.stale]:
            self._ready.remove(kernel)
            self._end(kernel)
        while len(self._ready) > self._target:
            self._end(self._ready.popleft())

    async def take(self, *, seconds: float) -> Kernel:
        """One that nobody has used, as soon as there is one.

        Raises:
            KernelLost: None could be started, or none in time.
        """
        self.demand.came()
        while self._ready:
            kernel = self._ready.popleft()
            if not (kernel.dead.done() or kernel.stale):
                return kernel
            self._end(kernel)
        waiting: asyncio.Future[Kernel] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        self._begin()
        try:
            return await asyncio.wait_for(waiting, seconds)
        except TimeoutError:
            raise KernelLost(f"No kernel was ready after {seconds:g} seconds.") from None

    @property
    def _target(self) -> int:
        return min(max(self.least, self.demand.stock), self._most)

    def _begin(self) -> None:
        if self._closed:
            return
        self._waiting = deque(waiting for waiting in self._waiting if not waiting.done())
        missing = len(self._waiting) - len(self._starting)
        if self._clock() >= self._pause_until:
            missing += self._target - len(self._ready)
        for _ in range(missing):
            task = asyncio.ensure_future(self._add())
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)

    async def _add(self) -> None:
        """Start one, for whoever has waited longest or for the next to come."""
        try:
            async with self._turn:
                began = self._clock()
                kernel = await self._source.start(self._wanted, seconds=_START_SECONDS)
                self.demand.took(self._clock() - began)
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
        self._pause_until = self._clock() + seconds
        asyncio.get_running_loop().call_later(seconds, self._begin)

    def _end(self, kernel: Kernel) -> None:
        task = asyncio.ensure_future(_ended(kernel))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """End every kernel that waits, and whatever is on its way."""
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


async def _ended(kernel: Kernel) -> None:
    await kernel.end()
    await asyncio.to_thread(kernel.clear)
