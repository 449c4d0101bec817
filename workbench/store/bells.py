"""Waking those who wait for something to happen to one run."""

from __future__ import annotations

import asyncio


class Bell:
    """Rung when something happened; who has not heard it since they last looked is woken."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()
        self.rung = 0

    def ring(self) -> None:
        """Wake all who wait."""
        self.rung += 1
        waiting, self._waiting = self._waiting, set()
        for one in waiting:
            if not one.done():
                one.set_result(None)

    async def heard(self, since: int) -> None:
        """Return once the bell has been rung more than *since* times."""
        if self.rung > since:
            return
        one = asyncio.get_running_loop().create_future()
        self._waiting.add(one)
        try:
            await one
        finally:
            self._waiting.discard(one)


class Bells:
    """A bell for each name, there as long as somebody holds it."""

    def __init__(self) -> None:
        self._bells: dict[str, tuple[Bell, int]] = {}

    def hold(self, name: str) -> Bell:
        """The bell called *name*; `let_go` when it is no longer needed."""
        bell, holders = self._bells.get(name) or (Bell(), 0)
        self._bells[name] = bell, holders + 1
        return bell

    def let_go(self, name: str) -> None:
        """One who held the bell called *name* no longer does."""
        bell, holders = self._bells[name]
        if holders == 1:
            del self._bells[name]
        else:
            self._bells[name] = bell, holders - 1

    def ring(self, name: str) -> None:
        """Ring the bell called *name*, if anybody holds it."""
        if name in self._bells:
            self._bells[name][0].ring()

    def ring_all(self) -> None:
        """Ring every bell."""
        for bell, _ in self._bells.values():
            bell.ring()
