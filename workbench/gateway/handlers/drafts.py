"""Drafts: the notebook that is being worked on, and the files beside it."""

from __future__ import annotations

from http import HTTPStatus
from io import BytesIO

from workbench.errors import InvalidRequest
from workbench.gateway.downloads import download
from workbench.gateway.handlers.places import agent_at
from workbench.gateway.requests import Call, entity_tags, options
from workbench.gateway.responses import NOTEBOOK, Answer, answer
from workbench.services.authoring import entity_tag
from workbench.services.views import agent_view


async def notebook(call: Call) -> Answer:
    """The notebook of the draft, or of a version.

    Raises:
        AgentAccessDenied: It is the draft of somebody else's agent.
        NotFound: There is no such version.
    """
    version = options(call, "version").get("version")
    agent = await agent_at(call)
    content, tag = await call.app.authoring.notebook(call.principal, agent, version)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    held = entity_tags(call, "If-None-Match") or []
    if tag in [one.removeprefix("W/") for one in held] or held == ["*"]:
        return Answer(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Answer(body=content, media=NOTEBOOK, headers=headers)


async def save(call: Call) -> Answer:
    """The agent with the body as its draft.

    Raises:
        AgentAccessDenied: It is somebody else's.
        PreconditionRequired: There is no `If-Match`.
        PreconditionFailed: The draft is not what `If-Match` says any more.
        InvalidAgentConfig: The body cannot be an agent.
    """
    options(call)
    agent = await agent_at(call)
    if not call.body:
        raise InvalidRequest("The body must be a notebook.")
    tags = entity_tags(call, "If-Match")
    current = entity_tag(agent.draft)
    seen = None if tags is None else next((tag for tag in tags if tag == current), tags[0])
    saved = await call.app.authoring.save(call.principal, agent, call.body, seen=seen)
    return answer(agent_view(saved, call.principal), headers={"ETag": entity_tag(saved.draft)})


async def attach(call: Call) -> Answer:
    """A file beside the draft, with the body as its content.

    Raises:
        AgentAccessDenied: The agent is somebody else's.
        InvalidRequest: Nothing can be called that.
    """
    options(call)
    agent = await agent_at(call)
    path = call.places["path"]
    known = {file.path for file in agent.draft.files}
    await call.app.authoring.attach(call.principal, agent, path, call.body)
    return answer(
        {"path": path, "size": len(call.body)},
        status=HTTPStatus.OK if path in known else HTTPStatus.CREATED,
    )


async def file(call: Call) -> Answer:
    """A file that travels with the draft or a version, or a part of it.

    Raises:
        AgentAccessDenied: It is the draft of somebody else's agent.
        NotFound: There is no such version or file.
        RangeNotSatisfiable: The part lies beyond its end.
    """
    version = options(call, "version").get("version")
    agent = await agent_at(call)
    path = call.places["path"]
    found, content = await call.app.authoring.file(call.principal, agent, path, version)
    tag = f'"{found.fingerprint[:32]}"'
    return download(call, BytesIO(content), path=path, size=len(content), tag=tag)


async def detach(call: Call) -> Answer:
    """The agent without a file beside its draft; versions keep theirs.

    Raises:
        AgentAccessDenied: It is somebody else's.
        NotFound: There is no such file.
    """
    options(call)
    agent = await agent_at(call)
    left = await call.app.authoring.detach(call.principal, agent, call.places["path"])
    return answer(agent_view(left, call.principal))
