"""Who is calling: the token in the header and nothing else, for our routes and Jupyter's alike."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping

from tornado.web import RequestHandler

from workbench.app import ADMINISTRATOR
from workbench.domain.access import Principal, token_text
from workbench.errors import Unauthenticated
from workbench.gateway.hub import Hub
from workbench.gateway.kernel_gateway import Authorizer, GatewayIdentityProvider, User
from workbench.services.admitting import Admitting
from workbench.services.lending import Lending

_HEADER = re.compile(r"(?:bearer|token)\s+(\S{1,500})", re.IGNORECASE)


class Identity:
    """Who may come in through this gateway.

    Attributes:
        local_token: Speaks for the administrator as long as this gateway lives; commands on the
            same machine find it in the home, which only its owner can read.
    """

    def __init__(self, admitting: Admitting, lending: Lending, *, hub: Hub | None = None) -> None:
        """Tokens of *admitting*, those that runs were lent, and those of *hub*'s users if any."""
        self._admitting = admitting
        self._lending = lending
        self._hub = hub
        self.local_token = token_text(secrets.token_hex(8), secrets.token_urlsafe(32))

    async def of(self, headers: Mapping[str, str], *, runs: bool = False) -> Principal:
        """Whom the request with these *headers* comes from; *runs* may ask where that is said.

        Raises:
            Unauthenticated: Its header carries no token, or none that is good.
            Unavailable: It may be one of JupyterHub's, which does not answer.
        """
        found = _HEADER.fullmatch(headers.get("Authorization", "").strip())
        if found is None:
            raise Unauthenticated("Send a token: Authorization: Bearer TOKEN.")
        if hmac.compare_digest(found[1].encode(), self.local_token.encode()):
            return ADMINISTRATOR
        if runs and (borrower := self._lending.borrower(found[1])) is not None:
            return borrower
        try:
            return await self._admitting.who(found[1])
        except Unauthenticated:
            member = await self._hub.member(found[1]) if self._hub else None
            if member is None:
                raise
            return await self._admitting.recognize(member.name, admin=member.admin)


class StockIdentity(GatewayIdentityProvider):  # type: ignore[misc]
    """Tells Jupyter's own handlers who was let in; see `workbench.gateway.stock`."""

    @property
    def auth_enabled(self) -> bool:
        """Always: without a token nobody is anybody."""
        return True

    def get_user(self, handler: RequestHandler) -> User | None:
        """The user whom `AdminOnly` let in; no cookie is ever read or set."""
        principal: Principal | None = getattr(handler, "principal", None)
        return None if principal is None else User(username=principal.user)


class StockAuthorizer(Authorizer):
    """Jupyter's own routes are the administrator's alone."""

    def is_authorized(
        self, handler: RequestHandler, user: User, action: str, resource: str
    ) -> bool:
        """Whether the one who was let in is an administrator, whatever is asked for."""
        principal: Principal | None = getattr(handler, "principal", None)
        return principal is not None and principal.is_admin
