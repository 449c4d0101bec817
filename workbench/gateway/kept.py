"""What was written lately, to be sent again: whole answers and the single items of lists.

Nothing here is ever shown to anybody but the one it was written for, nor once anything that it
could tell of has changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from workbench.domain.access import Principal
from workbench.domain.agents import Agent
from workbench.gateway.responses import Answer, encode
from workbench.services.views import agent_view, may_write

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

ANSWERS_BYTES = 64 * 1024 * 1024
"""How much memory whole answers may take."""
ITEMS_BYTES = 32 * 1024 * 1024
"""How much memory the items of lists may take."""
_LARGEST_SHARE = 8
_BESIDES_BYTES = 500


class Shelf(Generic[K, V]):
    """Values by key, as many as there is room for; who was not asked for longest goes first."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._values: dict[K, tuple[V, int]] = {}
        self._taken = 0

    def get(self, key: K) -> V | None:
        """The value under *key*, if it is still there."""
        found = self._values.pop(key, None)
        if found is None:
            return None
        self._values[key] = found
        return found[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Have *value*, which takes *size* bytes, under *key*."""
        before = self._values.pop(key, None)
        if before is not None:
            self._taken -= before[1]
        if size > self._room // _LARGEST_SHARE:
            return
        self._values[key] = value, size
        self._taken += size
        while self._taken > self._room:
            oldest = next(iter(self._values))
            self._taken -= self._values.pop(oldest)[1]


Asked = tuple[Principal, str, str]
"""Who asks, the path and the query: where nothing else makes a difference to the answer."""


@dataclass(frozen=True, slots=True)
class _Writing:
    epoch: Hashable
    answer: asyncio.Task[Answer]


class Kept:
    """What one gateway has written lately, and what it is writing."""

    def __init__(
        self, *, answers_bytes: int = ANSWERS_BYTES, items_bytes: int = ITEMS_BYTES
    ) -> None:
        self._answers: Shelf[Asked, tuple[Hashable, Answer]] = Shelf(answers_bytes)
        self._writing: dict[Asked, _Writing] = {}
        self._items: Shelf[tuple[str, bool], tuple[Agent, bytes]] = Shelf(items_bytes)

    async def answer(
        self, asked: Asked, epoch: Hashable, write: Callable[[], Coroutine[None, None, Answer]]
    ) -> Answer:
        """What *write* answers to *asked*, which may be what it answered to another call.

        It is not called again as long as *epoch*, taken now, is the same; nor while it is at it,
        however many ask for the same meanwhile.
        """
        before = self._answers.get(asked)
        if before is not None and before[0] == epoch:
            return before[1]
        writing = self._writing.get(asked)
        if writing is None or writing.epoch != epoch:
            writing = _Writing(epoch, asyncio.create_task(self._write(asked, epoch, write)))
            self._writing[asked] = writing
            writing.answer.add_done_callback(lambda _: self._written(asked, writing))
        # Who goes away does not take the answer from the others.
        return await asyncio.shield(writing.answer)

    async def _write(
        self, asked: Asked, epoch: Hashable, write: Callable[[], Coroutine[None, None, Answer]]
    ) -> Answer:
        answer = await write()
        size = len(answer.body) + len(asked[1]) + len(asked[2]) + _BESIDES_BYTES
        self._answers.put(asked, (epoch, answer), size)
        return answer

    def _written(self, asked: Asked, writing: _Writing) -> None:
        if not writing.answer.cancelled():
            # Those who asked may all have gone before they could be told of it.
            writing.answer.exception()
        if self._writing.get(asked) is writing:
            del self._writing[asked]

    def agent(self, agent: Agent, principal: Principal) -> bytes:
        """The view of *agent* that *principal* has, written."""
        key = agent.id, may_write(principal, agent)
        before = self._items.get(key)
        if before is not None and before[0] is agent:
            return before[1]
        written = encode(agent_view(agent, principal))
        self._items.put(key, (agent, written), len(written) + _BESIDES_BYTES)
        return written
