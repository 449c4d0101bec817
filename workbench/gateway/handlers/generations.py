"""Generations: descriptions on their way to become agents, begun, asked after, called off."""

from __future__ import annotations

from http import HTTPStatus

from workbench.domain.access import require_author
from workbench.domain.generations import Generation
from workbench.gateway.handlers.runs import LONGEST_WAIT_SECONDS
from workbench.gateway.handlers.waiting import awaited
from workbench.gateway.requests import Call, Fields, fields, options, seconds
from workbench.gateway.responses import Answer, answer
from workbench.services.drafting import read_wish
from workbench.services.views import generation_view

_WISH: Fields = {
    "agent_name": (str,),
    "description": (str,),
    "plan": (dict,),
    "plan_only": (bool,),
    "model": (str,),
    "repairs": (int,),
}


async def begin(call: Call) -> Answer:
    """A generation, begun; where it leads is asked at its `Location`.

    Raises:
        InvalidRequest: The plan is none, or there is nothing to go by.
        InvalidAgentConfig: Nothing can be called that.
        DuplicateAgentName: The caller has an agent of that name.
        ModelNotFound: There is no such language model.
        ResourceExhausted: Too many are under way.
    """
    options(call)
    require_author(call.principal)
    wish = read_wish(fields(call, _WISH))
    return _accepted(await call.app.generating.begin(call.principal, wish))


async def show(call: Call) -> Answer:
    """The generation, at once or when it has settled.

    Raises:
        NotFound: There is none the caller may know of, or it ended long ago.
    """
    wait = seconds(options(call, "wait"), "wait", most=LONGEST_WAIT_SECONDS)
    generating, wanted = call.app.generating, call.places["generation"]
    now = await generating.get(call.principal, wanted)
    if wait and not now.status.settled:
        later = generating.get(call.principal, wanted, wait_seconds=wait)
        now = await awaited(call, later) or await generating.get(call.principal, wanted)
    return answer(generation_view(now), headers={} if now.status.settled else {"Retry-After": "1"})


async def cancel(call: Call) -> Answer:
    """The generation, given up if it had not settled; a draft that is there stays.

    Raises:
        NotFound: There is none the caller may know of.
    """
    options(call)
    fields(call, {})
    return _accepted(await call.app.generating.cancel(call.principal, call.places["generation"]))


def _accepted(generation: Generation) -> Answer:
    return answer(
        generation_view(generation),
        status=HTTPStatus.ACCEPTED,
        headers={"Location": f"/generations/{generation.id}"},
    )
