"""JupyterHub, which knows its users: asked whose a token is that nobody here has made.

The way of JupyterHub's own services: the token itself is sent to the Hub's `/user`, which answers
with its user and its scopes, and a token is good here if its scopes let it in here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from tornado.httpclient import AsyncHTTPClient, HTTPClientError

from workbench.domain.access import token_digest
from workbench.errors import Unavailable

KEPT_SECONDS = 60.0
"""How long an answer counts: so long a token that the Hub took back may still be good."""

_ASK_SECONDS = 10.0
_MOST_KEPT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody whom the Hub knows.

    Attributes:
        admin: Whether they administer the Hub.
    """

    name: str
    admin: bool


class Hub:
    """One JupyterHub."""

    def __init__(
        self, url: str, *, service: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """The Hub whose API answers at *url*, where this gateway is called *service*."""
        self._url = url.rstrip("/")
        self._scopes = {"access:services", f"access:services!service={service}"}
        self._clock = clock
        self._kept: dict[str, tuple[float, Member | None]] = {}

    async def member(self, token: str) -> Member | None:
        """Whose *token* is; None if it is nobody's, or does not let in here.

        Raises:
            Unavailable: The Hub does not answer.
        """
        digest, now = token_digest(token), self._clock()
        until, member = self._kept.get(digest, (0.0, None))
        if now < until:
            return member
        member = await self._ask(token)
        self._kept.pop(digest, None)
        self._kept[digest] = now + KEPT_SECONDS, member
        while len(self._kept) > _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return member

    async def _ask(self, token: str) -> Member | None:
        try:
            answer = await AsyncHTTPClient().fetch(
                f"{self._url}/user",
                headers={"Authorization": f"token {token}"},
                request_timeout=_ASK_SECONDS,
                follow_redirects=False,
            )
            said = json.loads(answer.body)
        except HTTPClientError as error:
            if error.code in (401, 403, 404):
                return None
            raise Unavailable("JupyterHub does not say who you are.", status=error.code) from None
        except (OSError, ValueError):
            raise Unavailable("JupyterHub does not answer.") from None
        # A service has no user to be here.
        if said.get("kind") != "user" or not self._scopes & set(said.get("scopes") or ()):
            return None
        return Member(name=str(said["name"]), admin=bool(said.get("admin")))
