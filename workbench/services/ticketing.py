"""Tickets: one opening of one address, for a browser that cannot send a header.

They are kept in memory only; whoever restarts the workbench makes all of them worthless.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from workbench.domain.access import Principal
from workbench.errors import InvalidRequest, ResourceExhausted, Unauthenticated

GOOD_FOR = timedelta(seconds=60)
MOST_TICKETS = 1_000
"""How many tickets of one user may be good at the same time."""

LONGEST_TARGET = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What opens *target* once.

    Attributes:
        principal: Who asked for it and for whom it opens.
        target: The path, with its query if there is one.
        expires_at: From when on it opens nothing.
    """

    principal: Principal
    target: str
    expires_at: datetime


class Ticketing:
    """The tickets that have not been used."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        # By digest: what lies in memory opens nothing. The oldest comes first.
        self._tickets: dict[str, Ticket] = {}

    def issue(self, principal: Principal, target: str) -> tuple[Ticket, str]:
        """A ticket for *target* and its text, which is kept nowhere.

        Raises:
            InvalidRequest: The target is no path of a URL.
            ResourceExhausted: The asker has too many that are not used.
        """
        if not (target.startswith("/") and target.isascii() and target.isprintable()):
            raise InvalidRequest("path is a path such as /runs/…/events.", field="path")
        if len(target) > LONGEST_TARGET or "#" in target or " " in target:
            raise InvalidRequest("path is too long, or holds what no path holds.", field="path")
        self._forget_expired()
        held = sum(1 for t in self._tickets.values() if t.principal.user == principal.user)
        if held >= MOST_TICKETS:
            raise ResourceExhausted(
                f"{MOST_TICKETS} tickets of yours are waiting to be used.", allowed=MOST_TICKETS
            )
        text = secrets.token_urlsafe(32)
        ticket = Ticket(principal=principal, target=target, expires_at=self._clock() + GOOD_FOR)
        self._tickets[_digest(text)] = ticket
        return ticket, text

    def redeem(self, text: str, target: str) -> Principal:
        """Whom the ticket *text* opens *target* for; from now on it opens nothing.

        Raises:
            Unauthenticated: It is unknown, used, expired or for something else; which is not said.
        """
        ticket = self._tickets.pop(_digest(text), None)
        if ticket is None or ticket.target != target or self._clock() >= ticket.expires_at:
            raise Unauthenticated("This ticket opens nothing here: ask POST /tickets for another.")
        return ticket.principal

    def _forget_expired(self) -> None:
        now = self._clock()
        for digest in [d for d, ticket in self._tickets.items() if now >= ticket.expires_at]:
            del self._tickets[digest]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
