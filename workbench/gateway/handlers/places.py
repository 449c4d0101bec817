"""What the variable places of a path stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping

from workbench.domain.agents import Agent
from workbench.domain.names import is_name
from workbench.errors import AgentNotFound, NotFound
from workbench.gateway.requests import Call

_ID = re.compile(r"[0-9a-f]{32}")


async def agent_at(call: Call) -> Agent:
    """The agent of the path.

    Raises:
        AgentNotFound: There is none the caller may know of, or nothing could be called that.
    """
    return await agent_called(call, call.places["owner"], call.places["name"])


async def agent_called(call: Call, owner: str, name: str) -> Agent:
    """The agent `owner/name`.

    Raises:
        AgentNotFound: There is none the caller may know of, or nothing could be called that.
    """
    if not (is_name(owner) and is_name(name)):
        raise AgentNotFound("No agent can be called that.", agent=f"{owner[:70]}/{name[:70]}")
    return await call.app.authoring.get(call.principal, owner, name)


async def agent_by_id(call: Call, agent_id: str) -> Agent:
    """The agent with that id.

    Raises:
        AgentNotFound: There is none the caller may know of.
    """
    if not _ID.fullmatch(agent_id):
        raise AgentNotFound("There is no agent with that id.", agent_id=agent_id[:80])
    return await call.app.authoring.by_id(call.principal, agent_id)


async def agent_id_named(call: Call, text: str | None) -> str | None:
    """The id of the agent that *text* names by its id or as `owner/name`; None names none.

    Raises:
        AgentNotFound: There is none the caller may know of.
    """
    if text is None:
        return None
    owner, slash, name = text.partition("/")
    if not slash:
        return (await agent_by_id(call, text)).id
    try:
        return (await agent_called(call, owner, name)).id
    except AgentNotFound:
        # It may have been called that when its runs began.
        moved = await call.app.authoring.moved(call.principal, owner, name)
        if moved is None:
            raise
        return moved.id


def run_of(places: Mapping[str, str]) -> str:
    """The id that stands where a run's does; empty if no run can have it, or none is meant."""
    found = places.get("run", "")
    return found if _ID.fullmatch(found) else ""


def run_id_at(call: Call) -> str:
    """The id of the run of the path.

    Raises:
        NotFound: No run can have it.
    """
    run_id = call.places["run"]
    if not _ID.fullmatch(run_id):
        raise NotFound("There is no run with that id.", run_id=run_id[:80])
    return run_id
