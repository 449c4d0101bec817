"""Language models: asked in OpenAI's words, listed, and what they took."""

from __future__ import annotations

from workbench.domain.models import Api
from workbench.errors import ModelNotFound
from workbench.gateway.handlers.places import agent_id_named
from workbench.gateway.requests import Call, flag, json_object, moment_in, options
from workbench.gateway.responses import JSON, Answer, answer
from workbench.gateway.route import Handler
from workbench.gateway.streams import HEADERS, MEDIA
from workbench.services.spending import UsageQuery, usage_of


def asked(api: Api) -> Handler:
    """What answers questions in that interface."""

    async def ask(call: Call) -> Answer:
        options(call)
        reply = await call.app.brokering.ask(call.principal, api, json_object(call), ends=call.ends)
        if reply.frames is not None:
            headers = {**reply.headers, **HEADERS}
            return Answer(stream=reply.frames, media=MEDIA, headers=headers)
        return Answer(status=reply.status, body=reply.body, media=JSON, headers=dict(reply.headers))

    ask.__name__ = api.name.lower()
    return ask


async def listing(call: Call) -> Answer:
    """The models that can be asked for by name."""
    options(call)
    models = call.app.brokering.models()
    return answer({"object": "list", "data": [_model(*model) for model in models]})


async def show(call: Call) -> Answer:
    """One of them.

    Raises:
        ModelNotFound: There is none of that name.
    """
    options(call)
    wanted = call.places["model"]
    found = dict(call.app.brokering.models())
    if wanted not in found:
        raise ModelNotFound(f"The model {wanted[:80]!r} does not exist here.", model=wanted[:80])
    return answer(_model(wanted, found[wanted]))


async def usage(call: Call) -> Answer:
    """What models took, told by day, agent, user, model or run.

    Raises:
        AgentNotFound: That of an agent is asked for that the caller may not know of.
        InvalidRequest: The query makes no sense.
    """
    found = options(call, "by", "agent", "test", "since", "until")
    query = UsageQuery(
        by=found.get("by", "day"),
        agent_id=await agent_id_named(call, found.get("agent")),
        test=flag(found, "test"),
        since=moment_in(found, "since"),
        until=moment_in(found, "until"),
    )
    groups = await call.app.spending.usage(call.principal, query)
    items = [{query.by: name, **usage_of(spent)} for name, spent in groups]
    return answer({"items": items, "next_cursor": None})


def _model(name: str, owner: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": owner}
