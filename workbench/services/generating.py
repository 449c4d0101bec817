"""Generating agents from descriptions: begun here, told of when they are asked after.

What is under way is kept in memory only; a workbench that stops has given it up. What became an
agent by then stays, as a draft.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from workbench.domain.access import Principal, require_author
from workbench.domain.generations import MOST_REPAIRS, Generation, Standing
from workbench.domain.names import check_name
from workbench.errors import (
    AgentNotFound,
    DuplicateAgentName,
    InvalidRequest,
    NotFound,
    ResourceExhausted,
    WorkbenchError,
)
from workbench.services.authoring import LONGEST_DESCRIPTION, Authoring
from workbench.services.consulting import Consulting
from workbench.services.drafting import Draft, Drafting, Wish
from workbench.services.underway import Underway

log = logging.getLogger("workbench.generating")

MOST_AT_ONCE = 20
MOST_OF_ONE = 3
MOST_REMEMBERED = 500
LONGEST_SECONDS = 3_600.0
"""How long one may take altogether."""


@dataclass(slots=True)
class _Known:
    """A generation as it stands, and what is behind it."""

    now: Generation
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Generating:
    """The generations under way, and the latest that have ended."""

    def __init__(
        self,
        *,
        drafting: Drafting,
        authoring: Authoring,
        consulting: Consulting,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._drafting = drafting
        self._authoring = authoring
        self._consulting = consulting
        self._clock = clock
        self._new_id = new_id
        self._known: dict[str, _Known] = {}
        self._underway = Underway()

    async def begin(self, principal: Principal, wish: Wish) -> Generation:
        """A generation, begun; what it comes to is seen by asking `get`.

        Raises:
            InsufficientPermissions: The asker may not have agents.
            InvalidAgentConfig: Nothing can be called that.
            InvalidRequest: There is nothing to go by, or too much, or too many repairs.
            DuplicateAgentName: The asker has an agent of that name.
            ModelNotFound: There is no such model.
            ResourceExhausted: Too many are under way.
        """
        require_author(principal)
        _check(wish)
        self._consulting.check(wish.model)
        if not wish.plan_only:
            await self._check_free(principal, wish.agent_name)
        self._check_room(principal)
        begun = Generation(
            id=self._new_id(),
            user=principal.user,
            agent_name=wish.agent_name,
            description=wish.description,
            source=self._drafting.source,
            model=wish.model,
            plan=wish.plan,
            created_at=self._clock(),
        )
        known = self._known[begun.id] = _Known(begun)
        self._forget()

        def note(**changes: object) -> None:
            known.now = replace(known.now, **changes)  # type: ignore[arg-type]

        draft = self._drafting.begun(principal, wish, note)
        known.task = self._underway.begin(
            self._carry_out(known, draft), name=f"generation {begun.id}"
        )
        return begun

    async def get(
        self, principal: Principal, generation_id: str, *, wait_seconds: float = 0.0
    ) -> Generation:
        """The generation, at once or when it has settled, but not later than *wait_seconds*.

        Raises:
            NotFound: There is none the asker may know of, or it ended long ago.
        """
        known = self._of(principal, generation_id)
        if wait_seconds:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_seconds):
                    await known.settled.wait()
        return known.now

    async def cancel(self, principal: Principal, generation_id: str) -> Generation:
        """The generation, given up unless it has settled; a draft that is there stays.

        Raises:
            NotFound: There is none the asker may know of.
        """
        known = self._of(principal, generation_id)
        if known.task is not None and not known.settled.is_set():
            known.task.cancel()
            await known.settled.wait()
        return known.now

    async def close(self) -> None:
        """Give up those under way."""
        await self._underway.close()

    async def _carry_out(self, known: _Known, draft: Draft) -> None:
        status, error = Standing.FAILED, None
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                status = await self._drafting.carry_out(draft)
        except TimeoutError:
            error = WorkbenchError(f"It was not done within {LONGEST_SECONDS:,.0f} seconds.")
        except asyncio.CancelledError:
            status = Standing.CANCELLED
        except WorkbenchError as refusal:
            error = refusal
            status = await self._left(draft)
        except Exception:
            log.exception("generation %s failed", known.now.id)
            error = WorkbenchError("The workbench failed at its own work; its log says why.")
        finally:
            known.now = replace(
                known.now,
                status=status,
                step=None,
                verified=draft.verified,
                calls=draft.talk.calls,
                picodollars=draft.talk.picodollars,
                error=error,
                ended_at=self._clock(),
            )
            known.settled.set()

    async def _left(self, draft: Draft) -> Standing:
        """What there is after an error: the draft as it was kept last, or nothing."""
        if draft.agent is None:
            return Standing.FAILED
        try:
            await self._drafting.finish(draft)
        except WorkbenchError as error:
            # Somebody else's draft by now, or no disk: what is there stays as it is.
            draft.verified = False
            log.info("the draft of %s was left as it is: %s", draft.agent.address, error)
        return Standing.DRAFTED

    def _of(self, principal: Principal, generation_id: str) -> _Known:
        known = self._known.get(generation_id)
        if known is None or not (principal.is_admin or principal.user == known.now.user):
            raise NotFound(
                "Nothing is known of this generation; what became an agent is a draft.",
                generation=generation_id[:80],
            )
        return known

    async def _check_free(self, principal: Principal, name: str) -> None:
        try:
            taken = await self._authoring.get(principal, principal.user, name)
        except AgentNotFound:
            return
        raise DuplicateAgentName(f"There is an agent {taken.address} already.", agent=taken.address)

    def _check_room(self, principal: Principal) -> None:
        pending = [one.now for one in self._known.values() if not one.settled.is_set()]
        theirs = sum(one.user == principal.user for one in pending)
        if len(pending) >= MOST_AT_ONCE or theirs >= MOST_OF_ONE:
            raise ResourceExhausted(
                f"{theirs} agents are being generated for you, {len(pending)} for everybody;"
                " ask again later.",
                allowed=MOST_OF_ONE,
            )

    def _forget(self) -> None:
        while len(self._known) > MOST_REMEMBERED:
            ended = (id for id, known in self._known.items() if known.settled.is_set())
            del self._known[next(ended)]


def _check(wish: Wish) -> None:
    check_name(wish.agent_name)
    if wish.plan is None and not wish.description.strip():
        raise InvalidRequest("Say what the agent shall do: description.", field="description")
    if len(wish.description) > LONGEST_DESCRIPTION:
        raise InvalidRequest(
            f"description may have {LONGEST_DESCRIPTION:,} letters.", field="description"
        )
    if not 0 <= wish.repairs <= MOST_REPAIRS:
        raise InvalidRequest(f"repairs is a number from 0 to {MOST_REPAIRS}.", field="repairs")
