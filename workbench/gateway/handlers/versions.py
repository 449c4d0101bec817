"""Versions: published, listed, looked at."""

from __future__ import annotations

from http import HTTPStatus
from typing import cast

from workbench.gateway.handlers.places import agent_at
from workbench.gateway.requests import Call, Fields, fields, flag, options
from workbench.gateway.responses import Answer, answer
from workbench.services.views import version_view

_WISH: Fields = {"version": (str,), "changelog": (str,)}


async def publish(call: Call) -> Answer:
    """The draft as a new version.

    Raises:
        AgentAccessDenied: The agent is somebody else's.
        ChecksFailed: A case of its own failed.
        VersionConflict: There is a version of that number.
    """
    force = flag(options(call, "force"), "force")
    agent = await agent_at(call)
    given = fields(call, _WISH)
    version = await call.app.publishing.publish(
        call.principal,
        agent,
        number=cast("str | None", given.get("version")),
        changelog=cast("str", given.get("changelog", "")),
        force=force,
    )
    return answer(
        version_view(version),
        status=HTTPStatus.CREATED,
        headers={"Location": f"/agents/{agent.address}/versions/{version.number}"},
    )


async def listing(call: Call) -> Answer:
    """All versions, newest first.

    Raises:
        AgentNotFound: There is no agent the caller may know of.
    """
    options(call)
    versions = await call.app.publishing.versions(call.principal, await agent_at(call))
    return answer({"items": [version_view(v) for v in versions], "next_cursor": None})


async def show(call: Call) -> Answer:
    """One version.

    Raises:
        NotFound: There is none of that number.
    """
    options(call)
    agent = await agent_at(call)
    version = await call.app.publishing.version(call.principal, agent, call.places["version"])
    return answer(version_view(version))
