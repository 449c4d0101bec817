"""What was asked for lately, so that the index need not be asked again."""

from __future__ import annotations

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """A bounded memory of values by key, for one event loop.

    Whoever reads a value elsewhere to remember it here takes `epoch` before and hands it back:
    what was read before somebody wrote is then not remembered over what was written.
    """

    def __init__(self, *, limit: int = 4096) -> None:
        self._values: dict[K, V] = {}
        self._limit = limit
        self.epoch = 0

    def get(self, key: K) -> V | None:
        """The value remembered under *key*, if any."""
        return self._values.get(key)

    def learn(self, key: K, value: V, *, epoch: int) -> None:
        """Remember what was read, unless somebody wrote since *epoch*."""
        if epoch == self.epoch:
            self._keep(key, value)

    def write(self, key: K, value: V) -> None:
        """Remember what was written."""
        self.epoch += 1
        self._keep(key, value)

    def drop(self, key: K) -> None:
        """Forget what is remembered under *key*."""
        self.epoch += 1
        self._values.pop(key, None)

    def _keep(self, key: K, value: V) -> None:
        self._values.pop(key, None)
        if len(self._values) >= self._limit:
            del self._values[next(iter(self._values))]
        self._values[key] = value
