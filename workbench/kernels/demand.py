"""How often something is asked for, of late."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

_MEMORY_SECONDS = 10.0
"""After so long without another, what was asked for counts a third (1/e)."""

_FIRST_SECONDS = 0.1
"""How long the first kernel is believed to take, before one was seen."""


class Demand:
    """Arrivals, forgotten exponentially, and how long it takes to serve one."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._weight = 0.0
        self._weighed_at = clock()
        self._seconds = _FIRST_SECONDS

    @property
    def per_second(self) -> float:
        """How many come in a second."""
        return self._faded() / _MEMORY_SECONDS

    @property
    def stock(self) -> int:
        """How many must be ready for the next to find one.

        As many as come while one is made, and what chance adds to that: twice the deviation of a
        Poisson process.
        """
        meanwhile = self.per_second * self._seconds
        return round(meanwhile + 2 * math.sqrt(meanwhile))

    def came(self) -> None:
        """One was asked for."""
        self._weight = self._faded() + 1.0
        self._weighed_at = self._clock()

    def took(self, seconds: float) -> None:
        """One was made in *seconds*."""
        self._seconds += (seconds - self._seconds) / 4

    def _faded(self) -> float:
        return self._weight * math.exp((self._weighed_at - self._clock()) / _MEMORY_SECONDS)
