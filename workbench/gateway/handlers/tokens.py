"""Tokens: whom they speak for; made and shown once, listed, taken back."""

from __future__ import annotations

from http import HTTPStatus

from workbench.domain.access import Role
from workbench.errors import InvalidRequest
from workbench.gateway.requests import Call, Fields, fields, options, page
from workbench.gateway.responses import Answer, answer
from workbench.services.admitting import TokenWish
from workbench.services.views import page_view, token_view

_WISH: Fields = {"name": (str,), "user": (str,), "role": (str,), "days": (int, float)}


async def me(call: Call) -> Answer:
    """Whom the caller's token speaks for."""
    options(call)
    return answer({"user": call.principal.user, "role": str(call.principal.role)})


async def make(call: Call) -> Answer:
    """A new token, with its text this once.

    Raises:
        InvalidRequest: The name, the user, the role or the time is no good.
        InsufficientPermissions: It would speak for somebody else.
    """
    options(call)
    given = fields(call, _WISH)
    if "name" not in given:
        raise InvalidRequest("name is required: what the token is called.", field="name")
    try:
        role = Role(str(given.get("role", Role.AUTHOR)))
    except ValueError:
        raise InvalidRequest(f"role is one of {', '.join(Role)}.", field="role") from None
    days = given.get("days")
    wish = TokenWish(
        name=str(given["name"]),
        user=str(given.get("user", "")),
        role=role,
        days=float(days) if isinstance(days, int | float) else None,
    )
    token, text = await call.app.admitting.issue(call.principal, wish)
    return answer(
        token_view(token, text),
        status=HTTPStatus.CREATED,
        headers={"Location": f"/tokens/{token.id}"},
    )


async def listing(call: Call) -> Answer:
    """The tokens the caller may know of, newest first."""
    limit, cursor = page(options(call, "limit", "cursor"))

    async def write() -> Answer:
        found = await call.app.admitting.tokens(call.principal, limit=limit, cursor=cursor)
        return answer(page_view(found, token_view))

    return await call.kept.answer(call.asked, call.app.admitting.epoch, write)


async def revoke(call: Call) -> Answer:
    """The token, from now on refused.

    Raises:
        NotFound: The caller has none of that id or name.
    """
    options(call)
    return answer(token_view(await call.app.admitting.revoke(call.principal, call.places["token"])))
