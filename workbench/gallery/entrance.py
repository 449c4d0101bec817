"""Letting people in: what they show is exchanged for a token that is good for this session only."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from tornado.httpclient import AsyncHTTPClient, HTTPClientError

from workbench.client.workbench import AsyncWorkbench
from workbench.errors import Unauthenticated, Unavailable, WorkbenchError
from workbench.gallery.sessions import GOOD_FOR, Session, Sessions

TOKEN_NAME = "gallery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the gateway answers, and what lets this machine's owner in there.

    Attributes:
        token: The owner's; empty if the gateway is somebody else's.
    """

    url: str
    token: str = field(default="", repr=False)


class Entrance:
    """The way in.

    Attributes:
        sessions: Who has come in.
    """

    def __init__(
        self, *, find: Callable[[], Place], login: str, clock: Callable[[], datetime]
    ) -> None:
        """The way into the gateway that *find* finds; *login* is what its owner shows here.

        *find* raises `Unavailable` if there is none now.
        """
        self.sessions = Sessions(clock=clock)
        self._find = find
        self._login = login
        self._clock = clock

    async def by_login(self, login: str) -> str:
        """The proof of a session of the owner's, who was given *login* by `workbench up`.

        Raises:
            Unauthenticated: It is another.
            Unavailable: The gateway does not answer.
        """
        place = self._find()
        if not (self._login and place.token) or not hmac.compare_digest(
            login.encode(), self._login.encode()
        ):
            raise Unauthenticated("This address does not open anything any more.")
        return await self._begin(place.url, place.token)

    async def by_token(self, token: str) -> str:
        """The proof of a session of whoever *token* speaks for.

        Raises:
            Unauthenticated: It speaks for nobody.
            Unavailable: The gateway does not answer.
        """
        if not (token and token.isascii() and token.isprintable()) or " " in token:
            raise Unauthenticated("This is no token.")
        return await self._begin(self._find().url, token)

    async def by_ticket(self, ticket: str) -> str:
        """The proof of a session of whoever made *ticket*, for `/me`, within the last minute.

        Raises:
            Unauthenticated: It opens nothing, or cannot be used where the gateway is another's.
            Unavailable: The gateway does not answer.
        """
        place = self._find()
        if not place.token:
            raise Unauthenticated("Sign in with a token here.")
        try:
            said = await AsyncHTTPClient().fetch(f"{place.url}/me?ticket={quote(ticket)}")
        except HTTPClientError:
            raise Unauthenticated("This ticket opens nothing any more.") from None
        except OSError as error:
            raise Unavailable("The workbench does not answer.") from error
        return await self._begin(place.url, place.token, user=json.loads(said.body)["user"])

    async def leave(self, proof: str) -> None:
        """End the session that *proof* proves, here and in the gateway."""
        session = self.sessions.end(proof)
        if session is None:
            return
        async with AsyncWorkbench(session.url, session.token) as wb:
            # One that cannot be taken back now is worthless within hours.
            with suppress(WorkbenchError):
                await wb.revoke_token(session.token_id)

    async def _begin(self, url: str, token: str, *, user: str | None = None) -> str:
        async with AsyncWorkbench(url, token) as wb:
            days = GOOD_FOR.total_seconds() / 86_400
            made = await wb.make_token(TOKEN_NAME, user=user, days=days)
        session = Session(
            user=made["user"],
            url=url,
            token=made["token"],
            token_id=made["id"],
            expires_at=self._clock() + GOOD_FOR,
        )
        return self.sessions.begin(session)
