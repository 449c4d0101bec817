"""The way from a panel to the workbench, found again when it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from workbench.client.workbench import AsyncWorkbench
from workbench.errors import Unauthenticated, WorkbenchError
from workbench.panels import wording
from workbench.panels.errands import Errands

RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 10.0
PATIENCE_SECONDS = 5.0
"""How long a workbench that comes back may take to say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkState:
    """How the way stands.

    Attributes:
        trouble: What is wrong with it, in words for people; empty if nothing is.
        ended: Whether it will not come back by itself.
    """

    trouble: str = ""
    ended: bool = False


class Link:
    """The way to one workbench, shared by the panels of a page.

    Attributes:
        wb: The workbench.
        state: How the way stands.
    """

    def __init__(self, find: Callable[[], AsyncWorkbench]) -> None:
        """The way that *find* finds; it is asked again after the way was lost.

        Raises:
            Unavailable: There is none now.
            Unauthenticated: It does not know which token to send.
        """
        self._find = find
        self.wb = find()
        self.state = LinkState()
        self._changed: list[Callable[[], None]] = []
        self._back: list[Callable[[], None]] = []
        self._errands = Errands(lambda _: None)

    def watch(
        self, *, changed: Callable[[], None] | None = None, back: Callable[[], None] | None = None
    ) -> None:
        """Tell *changed* whenever the way stands otherwise, and *back* when it is there again."""
        if changed is not None:
            self._changed.append(changed)
        if back is not None:
            self._back.append(back)

    def lose(self, error: WorkbenchError) -> None:
        """Take note that the workbench did not answer, or not to us; look for it if it may."""
        if self.state.trouble:
            return
        ended = isinstance(error, Unauthenticated)
        trouble = wording.SIGNED_OUT if ended else wording.LOST
        self._set(LinkState(trouble=trouble, ended=ended))
        # A gateway that was started anew knows the old local token no more: look in either case.
        self._errands.go(self._return())

    async def close(self) -> None:
        """Stop looking, and let go of the connections."""
        self._errands.close()
        await self.wb.close()

    async def _return(self) -> None:
        pause = RETRY_SECONDS
        while True:
            await asyncio.sleep(pause)
            pause = min(1.3 * pause, LONGEST_RETRY_SECONDS)
            wb = await self._found()
            if wb is None:
                continue
            await self.wb.close()
            self.wb = wb
            self._set(LinkState())
            for back in self._back:
                back()
            return

    async def _found(self) -> AsyncWorkbench | None:
        """A workbench that knows us; None if there is none yet."""
        try:
            wb = self._find()
        except WorkbenchError:
            return None
        known = False
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await wb.me()
            known = True
        except (WorkbenchError, TimeoutError):
            return None
        finally:
            # Even a refusal leaves a connection open.
            if not known:
                await wb.close()
        return wb

    def _set(self, state: LinkState) -> None:
        self.state = state
        for changed in self._changed:
            changed()
