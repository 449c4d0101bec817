"""Showing a run as a page that a browser may open without fear."""

from __future__ import annotations

import asyncio
import json

from workbench.domain.access import Principal
from workbench.domain.runs import Run
from workbench.notebook.document import thaw
from workbench.services.running import Running
from workbench.services.views import moment

_AT_ONCE = 2
"""How many pages are made at the same time: each keeps a core busy."""


class Showing:
    """Executed notebooks as pages."""

    def __init__(self, *, running: Running) -> None:
        self._running = running
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def page(self, principal: Principal, run_id: str, *, attempt: int | None = None) -> str:
        """The executed notebook as HTML; only the agent's owner meets its own HTML uncleaned.

        Raises:
            NotFound: There is no run the asker may know of, or it left no notebook.
        """
        run = await self._running.get(principal, run_id)
        content = await self._running.notebook(principal, run_id, attempt=attempt)
        trusted = principal.user == run.owner
        async with self._places:
            return await asyncio.to_thread(_page, run, content, trusted=trusted)


def _page(run: Run, content: bytes, *, trusted: bool) -> str:
    # Weight: nbconvert and Pygments, for one page in a thousand requests.
    from workbench.notebook.rendering import Heading, render

    heading = Heading(
        title=run.address,
        status=str(run.status),
        facts=_facts(run),
        result=run.result,
        trouble=str((run.error or {}).get("message", "")),
    )
    return render(thaw(content), heading, trusted=trusted)


def _facts(run: Run) -> list[tuple[str, str]]:
    given = {**run.parameters, **({"test": True} if run.test else {})}
    named = [
        ("version", run.version),
        ("run", run.id),
        ("by", run.user),
        ("begun", moment(run.started_at) or ""),
        ("took", "" if run.seconds is None else f"{run.seconds:.2f} s"),
        ("reason", "" if run.reason is None else str(run.reason)),
        *((name, json.dumps(value, ensure_ascii=False)[:200]) for name, value in given.items()),
    ]
    return [(name, value) for name, value in named if value]
