"""What every panel is: a state, and what is drawn from it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, Generic, TypeVar

from workbench.errors import Unauthenticated, Unavailable
from workbench.panels import wording
from workbench.panels.errands import Errands
from workbench.panels.link import Link

S = TypeVar("S")

DRAW_SECONDS = 0.1
"""How far apart drawings are that nobody asked for, such as those of a run under way."""


class Panel(Generic[S]):
    """A state, drawn anew whenever it changes.

    Attributes:
        state: What is shown, as a frozen value with a `problem` for what went wrong.
        view: The widget.
    """

    view: Any

    def __init__(self, link: Link, state: S) -> None:
        self.state = state
        self._link = link
        self._errands = Errands(self._failed)
        self._drawing: asyncio.TimerHandle | None = None

    def draw(self) -> None:
        """Show the state as it is."""
        raise NotImplementedError

    async def done(self) -> None:
        """Wait until nothing is under way any more."""
        await self._errands.done()

    def close(self) -> None:
        """Give up what is under way; runs go on."""
        self._errands.close()
        if self._drawing is not None:
            self._drawing.cancel()

    def change(self, **what: Any) -> None:
        """Let the state be *what*, and show it."""
        self.state = replace(self.state, **what)  # type: ignore[type-var]
        self.draw()

    def _go(self, errand: Coroutine[Any, Any, None]) -> None:
        self._errands.go(errand)

    def _change_soon(self, **what: Any) -> None:
        """As `change`, for what may come many times in a moment."""
        self.state = replace(self.state, **what)  # type: ignore[type-var]
        if self._drawing is None:
            self._drawing = asyncio.get_running_loop().call_later(DRAW_SECONDS, self._drawn_late)

    def _drawn_late(self) -> None:
        self._drawing = None
        self.draw()

    def _failed(self, error: Exception) -> None:
        if isinstance(error, Unavailable | Unauthenticated):
            self._link.lose(error)
        else:
            said = str(error) if hasattr(error, "code") else wording.BROKEN
            self.change(problem=said)
