"""What runs ask of the workbench besides models: other agents, found and called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from workbench.domain.names import is_name
from workbench.errors import AgentNotFound
from workbench.gateway.handlers.places import run_id_at
from workbench.gateway.requests import Call, Fields, fields, options
from workbench.gateway.responses import Answer, answer
from workbench.services.calling import Errand
from workbench.services.views import run_view

_ERRAND: Fields = {"parameters": (dict,), "version": (str,)}


async def show(call: Call) -> Answer:
    """What the agent does and takes.

    Raises:
        AgentNotFound: There is none that the run may call.
        InsufficientPermissions: It is not the run that asks.
    """
    options(call)
    run_id, owner, name = _places(call)
    agent = await call.app.calling.callee(call.principal, run_id, owner, name)
    return answer(
        {
            "agent": agent.address,
            "description": agent.description,
            "input_schema": dict(agent.face.input_schema),
        }
    )


async def run(call: Call) -> Answer:
    """The run of the agent, when it has ended; it ends at once when nobody waits for it.

    Raises:
        WorkbenchError: It was not accepted.
    """
    options(call)
    run_id, owner, name = _places(call)
    given = fields(call, _ERRAND)
    errand = Errand(
        owner=owner,
        name=name,
        parameters=cast("Mapping[str, object]", given.get("parameters", {})),
        version=cast("str | None", given.get("version")),
    )
    return answer(
        run_view(await call.app.calling.call(call.principal, run_id, errand, ends=call.ends))
    )


def _places(call: Call) -> tuple[str, str, str]:
    owner, name = call.places["owner"], call.places["name"]
    if not (is_name(owner) and is_name(name)):
        raise AgentNotFound("No agent can be called that.", agent=f"{owner[:70]}/{name[:70]}")
    return run_id_at(call), owner, name
