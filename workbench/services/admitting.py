"""Letting people in: tokens made, shown once, checked and taken back."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workbench.domain.access import (
    Principal,
    Role,
    Token,
    User,
    require_admin,
    token_digest,
    token_id,
    token_text,
)
from workbench.domain.names import is_name
from workbench.domain.paging import PAGE, Page
from workbench.errors import InsufficientPermissions, InvalidRequest, NotFound, Unauthenticated
from workbench.store.access import Access

ADMIN = "admin"
"""Name of the first administrator."""

LONGEST_NAME = 100
SHORTEST_CHOSEN_TOKEN = 16
"""A chosen token is as hard to guess as it is long; below this it is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenWish:
    """What a new token shall be.

    Attributes:
        name: What its owner calls it.
        user: Whom it speaks for; the asker if empty. An administrator may name a new user.
        role: The role of a user named for the first time.
        days: How long it is good; None is for ever.
    """

    name: str
    user: str = ""
    role: Role = Role.AUTHOR
    days: float | None = None


class Admitting:
    """Who may come in, and by which token."""

    def __init__(self, *, access: Access, clock: Callable[[], datetime]) -> None:
        self._access = access
        self._clock = clock

    async def who(self, text: str) -> Principal:
        """Whom the token *text* speaks for.

        Raises:
            Unauthenticated: It is unknown, expired or revoked; which of them is not said.
        """
        token = await self._token(text)
        if token is None:
            raise Unauthenticated("This token is not known here, has expired or was revoked.")
        user = await self._access.user(token.user)
        return Principal(user=user.name, role=user.role)

    async def recognize(self, name: str, *, admin: bool) -> Principal:
        """The user called *name* elsewhere, by somebody who is to be believed; new ones are authors.

        Raises:
            Unauthenticated: Nobody can be called that here, or the administrator is and it is
                not one who asks.
        """
        if not is_name(name):
            raise Unauthenticated(f"{name!r} cannot name a user of the workbench.")
        if not await self._knows(name) and name != ADMIN:
            user = User(name=name, role=Role.AUTHOR, created_at=self._clock())
            await self._access.put_user(Principal(user=ADMIN, role=Role.ADMIN), user)
        user = await self._access.user(name)
        if user.role is Role.ADMIN and not admin:
            raise Unauthenticated(f"{name!r} is the administrator here, and you are not there.")
        return Principal(user=user.name, role=user.role)

    async def welcome(self, chosen: str) -> str | None:
        """Make sure that there is an administrator who can come in.

        *chosen*, if any, becomes a token of the administrator's and replaces the one chosen
        before. Gives back the text of a token if one had to be made: it is kept nowhere.

        Raises:
            InvalidRequest: The chosen token is too short or cannot be sent in a header.
        """
        admin = Principal(user=ADMIN, role=Role.ADMIN)
        if not await self._knows(ADMIN):
            user = User(name=ADMIN, role=Role.ADMIN, created_at=self._clock())
            await self._access.put_user(admin, user)
        if chosen:
            await self._adopt(chosen, admin)
            return None
        if any(self._good(t) for t in await self._access.tokens_of(ADMIN)):
            return None
        _, text = await self.issue(admin, TokenWish(name="first"))
        return text

    async def issue(self, principal: Principal, wish: TokenWish) -> tuple[Token, str]:
        """A new token and its text, which is shown this once.

        Raises:
            InvalidRequest: The name or the time is no good.
            InsufficientPermissions: It would speak for somebody else and the asker is no
                administrator.
        """
        name = _check_token_name(wish.name)
        user = wish.user or principal.user
        if user != principal.user and not principal.is_admin:
            raise InsufficientPermissions("Only the administrator makes tokens for others.")
        now = self._clock()
        expires_at = _expiry(now, wish.days)
        if not await self._knows(user):
            if not is_name(user):
                raise InvalidRequest(
                    f"{user!r} cannot name a user: 1 to 63 of a-z, 0-9, '_' and '-'."
                )
            role = Role.ADMIN if user == ADMIN else wish.role
            await self._access.put_user(principal, User(name=user, role=role, created_at=now))
        text = token_text(secrets.token_hex(8), secrets.token_urlsafe(32))
        token = Token(
            id=token_id(text),
            name=name,
            user=user,
            digest=token_digest(text),
            created_at=now,
            expires_at=expires_at,
        )
        await self._access.put_token(principal, token)
        return token, text

    @property
    def epoch(self) -> int:
        """As long as it is the same number, every list of tokens reads as before."""
        return self._access.epoch

    async def tokens(
        self, principal: Principal, *, limit: int = PAGE, cursor: str | None = None
    ) -> Page[Token]:
        """A page of the tokens *principal* may know of, newest first: all for the administrator.

        Raises:
            InvalidRequest: The limit or the cursor makes no sense.
        """
        return await self._access.tokens(principal, limit=limit, cursor=cursor)

    async def revoke(self, principal: Principal, which: str) -> Token:
        """Take back the token with that id, or the good one of that name; from now on it is refused.

        Raises:
            NotFound: The asker has no such token.
        """
        found = await self._access.tokens_called(principal, which)
        best = next((t for t in found if t.id == which), None)
        best = best or next((t for t in found if t.revoked_at is None), None)
        if best is None:
            raise NotFound(f"There is no token {which!r} that could be revoked.", token=which)
        if best.revoked_at is not None:
            return best
        revoked = replace(best, revoked_at=self._clock())
        await self._access.put_token(principal, revoked)
        return revoked

    async def users(self, principal: Principal) -> Sequence[User]:
        """Everybody the workbench knows.

        Raises:
            InsufficientPermissions: The asker is no administrator.
        """
        require_admin(principal)
        return await self._access.users(principal)

    async def _token(self, text: str) -> Token | None:
        """The token that *text* is, if it is still good."""
        try:
            token = await self._access.token(token_id(text))
        except NotFound:
            return None
        return token if token.proves(text, at=self._clock()) else None

    async def _knows(self, name: str) -> bool:
        try:
            await self._access.user(name)
        except NotFound:
            return False
        return True

    def _good(self, token: Token) -> bool:
        return token.revoked_at is None and (
            token.expires_at is None or self._clock() < token.expires_at
        )

    async def _adopt(self, text: str, admin: Principal) -> None:
        if (
            len(text) < SHORTEST_CHOSEN_TOKEN
            or not text.isascii()
            or not text.isprintable()
            or " " in text
        ):
            raise InvalidRequest(
                f"WORKBENCH_TOKEN must be at least {SHORTEST_CHOSEN_TOKEN} printable ASCII letters"
                " without blanks.",
                setting="token",
            )
        digest = token_digest(text)
        chosen = await self._access.tokens_called(admin, "WORKBENCH_TOKEN")
        for token in chosen:
            if token.digest != digest and token.revoked_at is None:
                await self._access.put_token(admin, replace(token, revoked_at=self._clock()))
        if await self._token(text) is not None:
            return
        await self._access.put_token(
            admin,
            Token(
                id=token_id(text),
                name="WORKBENCH_TOKEN",
                user=ADMIN,
                digest=digest,
                created_at=self._clock(),
            ),
        )


def _check_token_name(name: str) -> str:
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidRequest(f"A token's name is 1 to {LONGEST_NAME} printable letters.")
    return name


def _expiry(now: datetime, days: float | None) -> datetime | None:
    if days is None:
        return None
    if not 0 < days <= 3_650:
        raise InvalidRequest("A token is good for more than 0 and at most 3650 days.")
    return now + timedelta(days=days)
