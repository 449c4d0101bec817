"""What a panel has under way, so that nothing it does makes the page wait."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from workbench.errors import WorkbenchError

_log = logging.getLogger(__name__)


class Errands:
    """Coroutines on the loop of the kernel; one that fails says so."""

    def __init__(self, failed: Callable[[Exception], None]) -> None:
        """Errands whose failures *failed* is told of."""
        self._failed = failed
        self._tasks: set[asyncio.Task[None]] = set()

    def go(self, errand: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin *errand*."""
        task = asyncio.get_running_loop().create_task(self._watched(errand))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # One that is given up before it began is never awaited.
        task.add_done_callback(lambda _: errand.close())
        return task

    async def done(self) -> None:
        """Wait until nothing is under way any more."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def close(self) -> None:
        """Give up what is under way."""
        for task in self._tasks:
            task.cancel()

    async def _watched(self, errand: Coroutine[Any, Any, None]) -> None:
        try:
            await errand
        except WorkbenchError as error:
            self._failed(error)
        except Exception as error:  # noqa: BLE001 - nobody else would hear of it
            # A page that says nothing would look as if it were still at it.
            _log.exception("an errand of a panel failed")
            self._failed(error)
