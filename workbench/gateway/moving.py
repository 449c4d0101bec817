"""Showing the way to agents that were renamed."""

from __future__ import annotations

from http import HTTPStatus

from workbench.domain.names import is_name
from workbench.gateway.requests import Call
from workbench.gateway.responses import Answer


async def moved(call: Call) -> Answer | None:
    """Where what was asked for is now, for those who may see the agent; None if it never moved."""
    owner, name = call.places.get("owner", ""), call.places.get("name", "")
    if not (is_name(owner) and is_name(name)):
        return None
    agent = await call.app.authoring.moved(call.principal, owner, name)
    if agent is None:
        return None
    # What stands behind /agents/owner/name in the path.
    rest = "".join(f"/{part}" for part in call.path.split("/")[4:])
    query = f"?{call.query}" if call.query else ""
    location = f"/agents/{agent.address}{rest}{query}"
    return Answer(
        status=HTTPStatus.PERMANENT_REDIRECT,
        headers={"Location": location, "Cache-Control": "no-store"},
    )
