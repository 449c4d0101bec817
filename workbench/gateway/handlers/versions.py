"""Versions: published, listed, looked at."""

from __future__ import annotations

from http import HTTPStatus
from typing import cast

from workbench.gateway.handlers.places import agent_at
from workbench.gateway.requests import Call, Fields, fields, flag, options, page, prefers_async
from workbench.gateway.responses import Answer, answer
from workbench.services.views import page_view, publication_view, version_view

_WISH: Fields = {"version": (str,), "changelog": (str,)}


async def publish(call: Call) -> Answer:
    """The draft as a new version; how far that has come, if nobody wants to wait.

    Raises:
        AgentAccessDenied: The agent is somebody else's.
        ChecksFailed: A case of its own failed.
        VersionConflict: There is a version of that number.
    """
    force = flag(options(call, "force"), "force")
    agent = await agent_at(call)
    given = fields(call, _WISH)
    number = cast("str | None", given.get("version"))
    changelog = cast("str", given.get("changelog", ""))
    if prefers_async(call):
        begun = call.app.postponing.publish(
            call.principal, agent, number=number, changelog=changelog, force=force
        )
        return answer(
            publication_view(begun),
            status=HTTPStatus.ACCEPTED,
            headers={
                "Location": f"/agents/{agent.address}/publications/{begun.id}",
                "Preference-Applied": "respond-async",
            },
        )
    version = await call.app.publishing.publish(
        call.principal, agent, number=number, changelog=changelog, force=force
    )
    return answer(
        version_view(version),
        status=HTTPStatus.CREATED,
        headers={"Location": f"/agents/{agent.address}/versions/{version.number}"},
    )


async def listing(call: Call) -> Answer:
    """The versions, the highest number first.

    Raises:
        AgentNotFound: There is no agent the caller may know of.
    """
    limit, cursor = page(options(call, "limit", "cursor"))

    async def write() -> Answer:
        agent = await agent_at(call)
        found = await call.app.publishing.page(call.principal, agent, limit=limit, cursor=cursor)
        return answer(page_view(found, version_view))

    return await call.kept.answer(call.asked, call.app.publishing.epoch, write)


async def show(call: Call) -> Answer:
    """One version.

    Raises:
        NotFound: There is none of that number.
    """
    options(call)
    agent = await agent_at(call)
    version = await call.app.publishing.version(call.principal, agent, call.places["version"])
    return answer(version_view(version))


async def publication(call: Call) -> Answer:
    """How far a publication has come that nobody waited for.

    Raises:
        AgentAccessDenied: The agent is somebody else's.
        NotFound: There is none of that id, or it ended long ago.
    """
    options(call)
    agent = await agent_at(call)
    found = call.app.postponing.get(call.principal, agent, call.places["publication"])
    pending = found.status == "pending"
    return answer(publication_view(found), headers={"Retry-After": "1"} if pending else {})
