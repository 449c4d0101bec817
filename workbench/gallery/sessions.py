"""Who is signed in, in the memory of this process: whoever restarts it signs everybody out."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

GOOD_FOR = timedelta(hours=12)
MOST_SESSIONS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One browser that has been let in.

    Attributes:
        user: Whom it speaks for.
        url: The gateway it speaks to.
        token: What lets it in there, and nobody else; as good as the session lasts.
        token_id: What that token is called when it is taken back.
        expires_at: From when on it lets nobody in.
    """

    user: str
    url: str
    token: str = field(repr=False)
    token_id: str
    expires_at: datetime


class Sessions:
    """The sessions that are good."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        # By digest: what lies in memory lets nobody in. The oldest comes first.
        self._sessions: dict[str, Session] = {}

    def begin(self, session: Session) -> str:
        """Keep *session*; the text that proves it is kept nowhere."""
        self._forget_expired()
        while len(self._sessions) >= MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        text = secrets.token_urlsafe(32)
        self._sessions[_digest(text)] = session
        return text

    def find(self, text: str) -> Session | None:
        """The session that *text* proves, if it is good."""
        session = self._sessions.get(_digest(text))
        return session if session and self._clock() < session.expires_at else None

    def end(self, text: str) -> Session | None:
        """The session that *text* proved until now."""
        return self._sessions.pop(_digest(text), None)

    def _forget_expired(self) -> None:
        now = self._clock()
        for digest in [d for d, one in self._sessions.items() if now >= one.expires_at]:
            del self._sessions[digest]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
