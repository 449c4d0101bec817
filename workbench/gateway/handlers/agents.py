"""Agents: made, found, changed, taken out of use."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import cast

from workbench.domain.access import require_author
from workbench.domain.agents import Visibility
from workbench.domain.queries import AgentQuery
from workbench.errors import InvalidAgentConfig, WorkbenchError
from workbench.gateway.examples import examples
from workbench.gateway.handlers.places import agent_at
from workbench.gateway.requests import Call, Fields, fields, flag, options, page
from workbench.gateway.responses import Answer, answer, page_answer
from workbench.services.authoring import Changes, Proposal
from workbench.services.publishing import cases_of, refuse_secrets
from workbench.services.validating import validated
from workbench.services.views import agent_view, examination_view

_PROPOSAL: Fields = {
    "agent_name": (str,),
    "description": (str,),
    "notebook": (dict, str),
    "agent_config": (str, dict),
    "publish": (bool,),
    "metadata": (dict,),
    "visibility": (str,),
}
_CHANGES: Fields = {
    name: _PROPOSAL[name] for name in ("agent_name", "description", "metadata", "visibility")
}


async def create(call: Call) -> Answer:
    """A new agent, published at once if that is asked for.

    Raises:
        InvalidAgentConfig: It cannot be an agent, or not be published as it is.
        InvalidInput: It is a preset with parameters that the other agent does not take.
        AgentNotFound: It is a preset of an agent the caller may not know of.
        DuplicateAgentName: The caller has one of that name.
        ChecksFailed: It is kept as a draft, but its own cases failed.
    """
    options(call)
    require_author(call.principal)
    given = fields(call, _PROPOSAL, refusal=InvalidAgentConfig)
    proposal = await _configured(call, _proposal(given), given)
    publish = bool(given.get("publish", False))
    if publish:
        content, definition = await call.app.authoring.examine(proposal)
        await asyncio.to_thread(refuse_secrets, content)
        cases_of(definition)
    agent = await call.app.authoring.create(call.principal, proposal)
    if publish:
        try:
            await call.app.publishing.publish(call.principal, agent)
        except WorkbenchError as error:
            error.details |= {"agent": agent.address, "draft": "kept"}
            raise
        agent = await call.app.authoring.by_id(call.principal, agent.id)
    return answer(
        agent_view(agent, call.principal),
        status=HTTPStatus.CREATED,
        headers={"Location": f"/agents/{agent.address}/about"},
    )


async def validate(call: Call) -> Answer:
    """Everything that is wrong with a proposal, and what it declares; nothing is stored."""
    options(call)
    require_author(call.principal)
    given = fields(call, _PROPOSAL, refusal=InvalidAgentConfig)
    refused = []
    try:
        proposal = _proposal(given)
    except InvalidAgentConfig as error:
        refused.append(error)
        proposal = _proposal({k: value for k, value in given.items() if k != "visibility"})
    try:
        proposal = await _configured(call, proposal, given)
    except InvalidAgentConfig as error:
        refused.append(error)
    # In a thread: the largest notebooks that are let in take seconds to look through.
    examination = await asyncio.to_thread(
        validated,
        proposal,
        kernels=call.app.settings.kernels,
        caps=call.app.caps,
        publish=bool(given.get("publish", False)),
        refused=refused,
    )
    view = examination_view(examination)
    if examination.definition is not None:
        described = proposal.description or examination.definition.description
        view |= {"agent_name": proposal.name, "description": described}
    return answer(view)


async def listing(call: Call) -> Answer:
    """The agents the caller may know of, newest first."""
    found = options(call, "name", "owner", "q", "tag", "limit", "cursor")
    limit, cursor = page(found)
    query = AgentQuery(
        name=found.get("name"),
        owner=found.get("owner"),
        text=found.get("q"),
        tag=found.get("tag"),
        limit=limit,
        cursor=cursor,
    )

    async def write() -> Answer:
        found = await call.app.authoring.list(call.principal, query)
        items = [call.kept.agent(agent, call.principal) for agent in found.items]
        return page_answer(items, found.next_cursor)

    return await call.kept.answer(call.asked, call.app.authoring.epoch, write)


async def about(call: Call) -> Answer:
    """The agent as the caller meets it, and calls of it that can be pasted.

    Raises:
        AgentNotFound: There is none the caller may know of.
    """
    options(call)
    agent = await agent_at(call)
    shown = agent_view(agent, call.principal)
    return answer({**shown, "examples": examples(agent, call.origin)})


async def change(call: Call) -> Answer:
    """The agent with another name, description, visibility or metadata.

    Raises:
        AgentAccessDenied: It is somebody else's.
        InvalidAgentConfig: What it shall have is no good.
        DuplicateAgentName: The new name is taken.
    """
    options(call)
    agent = await agent_at(call)
    given = fields(call, _CHANGES, refusal=InvalidAgentConfig)
    changes = Changes(
        name=cast("str | None", given.get("agent_name")),
        description=cast("str | None", given.get("description")),
        metadata=cast("Mapping[str, object] | None", given.get("metadata")),
        visibility=_visibility(given["visibility"]) if "visibility" in given else None,
    )
    changed = await call.app.authoring.change(call.principal, agent, changes)
    return answer(agent_view(changed, call.principal))


async def archive(call: Call) -> Answer:
    """The agent, out of use; nothing, if it shall be deleted for good.

    Raises:
        AgentAccessDenied: It is somebody else's.
        IllegalMove: It shall be deleted, but a run of it waits or is under way.
    """
    purge = flag(options(call, "purge"), "purge")
    agent = await agent_at(call)
    if purge:
        await call.app.purging.purge(call.principal, agent)
        return Answer(status=HTTPStatus.NO_CONTENT)
    archived = await call.app.authoring.archive(call.principal, agent)
    return answer(agent_view(archived, call.principal))


async def _configured(call: Call, proposal: Proposal, given: Mapping[str, object]) -> Proposal:
    """*proposal* with the notebook that its `agent_config` stands for, if that is no source."""
    config = given.get("agent_config")
    if not isinstance(config, dict):
        return proposal
    return await call.app.configuring.configured(call.principal, proposal, config)


def _proposal(given: Mapping[str, object]) -> Proposal:
    return Proposal(
        name=given.get("agent_name"),
        description=cast("str", given.get("description", "")),
        notebook=cast("str | Mapping[str, object] | None", given.get("notebook")),
        source=config if isinstance(config := given.get("agent_config"), str) else None,
        metadata=cast("Mapping[str, object]", given.get("metadata", {})),
        visibility=_visibility(given.get("visibility", Visibility.PRIVATE)),
    )


def _visibility(text: object) -> Visibility:
    try:
        return Visibility(str(text))
    except ValueError:
        raise InvalidAgentConfig(
            f"visibility is one of {', '.join(Visibility)}.", field="visibility"
        ) from None
