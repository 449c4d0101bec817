"""What becomes of versions once they are published: warned of, taken out of use, come back to."""

from __future__ import annotations

from typing import cast

from workbench.domain.agents import Agent
from workbench.domain.versions import DRAFT, Stage, Version
from workbench.errors import InvalidRequest, NotFound
from workbench.gateway.handlers.places import agent_at
from workbench.gateway.requests import Call, Fields, fields, options
from workbench.gateway.responses import Answer, answer
from workbench.services.views import agent_view, version_view

PAGE_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)

_NOTE: Fields = {"note": (str,)}
_WISH: Fields = {"version": (str,)}


async def deprecate(call: Call) -> Answer:
    """The version, of which everybody who runs it is warned from now on.

    Raises:
        AgentAccessDenied: The agent is somebody else's.
        NotFound: There is no version of that number.
        IllegalMove: It is deprecated or archived already.
    """
    options(call)
    note = cast("str", fields(call, _NOTE).get("note", ""))
    agent = await agent_at(call)
    version = await call.app.publishing.deprecate(
        call.principal, agent, call.places["version"], note=note
    )
    return answer(version_view(version), headers=deprecation(version))


async def archive(call: Call) -> Answer:
    """The version, which cannot be run any more.

    Raises:
        AgentAccessDenied: The agent is somebody else's.
        NotFound: There is no version of that number.
        IllegalMove: It is archived already, or is what callers get.
    """
    options(call)
    fields(call, {})
    agent = await agent_at(call)
    version = await call.app.publishing.archive(call.principal, agent, call.places["version"])
    return answer(version_view(version))


async def roll_back(call: Call) -> Answer:
    """The agent with another of its versions as what callers get.

    Raises:
        AgentAccessDenied: The agent is somebody else's.
        NotFound: There is no version of that number.
        IllegalMove: The version or the agent is archived.
    """
    options(call)
    agent = await agent_at(call)
    wanted = cast("str | None", fields(call, _WISH).get("version"))
    if wanted is None:
        raise InvalidRequest("Say which version callers shall get: version.", field="version")
    back = await call.app.publishing.roll_back(call.principal, agent, wanted)
    return answer(agent_view(back, call.principal))


async def compare(call: Call) -> Answer:
    """All that is different between two states, as JSON or as a page.

    Raises:
        AgentAccessDenied: One is the draft of somebody else's agent.
        NotFound: There is no such version.
        IllegalMove: Nothing is published that could be compared with.
    """
    found = options(call, "from", "to", "format")
    as_page = _wants_page(call, found.get("format"))
    agent = await agent_at(call)
    before, after = found.get("from"), found.get("to")
    if "" in (before, after):
        raise InvalidRequest("from and to are each MAJOR.MINOR.PATCH or draft.", query="from")
    comparing = call.app.comparing
    if as_page:
        html = await comparing.page(call.principal, agent, before=before, after=after)
        return Answer(
            body=html.encode(errors="replace"),
            media="text/html; charset=utf-8",
            headers={"Content-Security-Policy": PAGE_POLICY, "Vary": "Accept"},
        )
    comparison = await comparing.compare(call.principal, agent, before=before, after=after)
    return answer(comparison.as_json(), headers={"Vary": "Accept"})


async def deprecation_of(call: Call, agent: Agent, number: str) -> dict[str, str]:
    """The headers that warn of the version *number* of *agent*; none unless it is deprecated."""
    if number == DRAFT:
        return {}
    try:
        return deprecation(await call.app.publishing.version(call.principal, agent, number))
    except NotFound:
        # It has been taken away since the run was accepted, which is no reason to refuse its result.
        return {}


def deprecation(version: Version) -> dict[str, str]:
    """The headers that warn of a deprecated version (RFC 9745)."""
    if version.stage is not Stage.DEPRECATED or version.deprecated_at is None:
        return {}
    return {"Deprecation": f"@{int(version.deprecated_at.timestamp())}"}


def _wants_page(call: Call, chosen: str | None) -> bool:
    if chosen is not None:
        if chosen not in ("json", "html"):
            raise InvalidRequest("format is json or html.", query="format")
        return chosen == "html"
    # Whoever names a page before JSON wants to look at it, as browsers do.
    accepted = [one.partition(";")[0].strip() for one in call.headers.get("Accept", "").split(",")]
    wanted = next((one for one in accepted if one in ("text/html", "application/json")), "")
    return wanted == "text/html"
