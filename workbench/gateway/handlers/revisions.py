"""Earlier drafts: listed, looked at, brought back."""

from __future__ import annotations

from workbench.gateway.handlers.places import agent_at
from workbench.gateway.requests import Call, fields, options, page
from workbench.gateway.responses import NOTEBOOK, Answer, answer
from workbench.services.authoring import entity_tag
from workbench.services.views import agent_view, page_view, revision_view


async def listing(call: Call) -> Answer:
    """The earlier drafts, newest first.

    Raises:
        AgentAccessDenied: The agent is somebody else's.
    """
    limit, cursor = page(options(call, "limit", "cursor"))

    async def write() -> Answer:
        agent = await agent_at(call)
        found = await call.app.revising.list(call.principal, agent, limit=limit, cursor=cursor)
        return answer(page_view(found, revision_view))

    return await call.kept.answer(call.asked, call.app.authoring.epoch, write)


async def notebook(call: Call) -> Answer:
    """The notebook of an earlier draft.

    Raises:
        AgentAccessDenied: The agent is somebody else's.
        NotFound: There is no such revision, or none any more.
    """
    options(call)
    agent = await agent_at(call)
    revision, content = await call.app.revising.notebook(
        call.principal, agent, call.places["revision"]
    )
    headers = {"ETag": entity_tag(revision.definition), "Cache-Control": "private, no-cache"}
    return Answer(body=content, media=NOTEBOOK, headers=headers)


async def restore(call: Call) -> Answer:
    """The agent with an earlier draft as its draft again.

    Raises:
        AgentAccessDenied: The agent is somebody else's.
        NotFound: There is no such revision, or none any more.
        PreconditionFailed: Somebody else changed the agent meanwhile.
    """
    options(call)
    fields(call, {})
    agent = await agent_at(call)
    back = await call.app.revising.bring_back(call.principal, agent, call.places["revision"])
    return answer(agent_view(back, call.principal), headers={"ETag": entity_tag(back.draft)})
