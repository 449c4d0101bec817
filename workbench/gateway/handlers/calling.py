"""Calling an agent: its parameters in, its result out.

Accepted is durable. Whoever then waits for the end and goes away, or is sent away because the
gateway stops, has a run that goes on without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import cast

from workbench.domain.agents import Agent
from workbench.domain.models import Mode
from workbench.domain.runs import Reason, Run, RunStatus
from workbench.errors import (
    ExecutionFailed,
    ExecutionTimeout,
    IllegalMove,
    InvalidRequest,
    Unavailable,
    WorkbenchError,
)
from workbench.gateway.handlers.places import agent_at, agent_by_id
from workbench.gateway.handlers.stages import deprecation_of
from workbench.gateway.handlers.waiting import settled
from workbench.gateway.requests import (
    Call,
    Fields,
    fields,
    flag,
    idempotency,
    json_object,
    options,
    prefers_async,
    texts,
)
from workbench.gateway.responses import Answer, answer
from workbench.services.running import Order
from workbench.services.views import run_view

_START: Fields = {"parameters": (dict,), "test": (bool,), "version": (str,), "model": (str,)}
_EXECUTE: Fields = {"input": (dict,), "test": (bool,), "model": (str,)}


async def call_by_query(call: Call) -> Answer:
    """The result of a run whose parameters stand in the query.

    Raises:
        WorkbenchError: The run was not accepted, or did not complete.
    """
    agent = await agent_at(call)
    given = texts(call)
    return await _result(call, agent, replace(_mode(given), texts=given))


async def call_by_body(call: Call) -> Answer:
    """The result of a run whose parameters are the body; the run itself if that is preferred.

    Raises:
        WorkbenchError: The run was not accepted, or did not complete.
    """
    agent = await agent_at(call)
    order = replace(
        _mode(options(call, "test", "version")),
        parameters=json_object(call),
        key=idempotency(call),
    )
    if prefers_async(call):
        return await _accepted(call, agent, order, {"Preference-Applied": "respond-async"})
    return await _result(call, agent, order)


async def start(call: Call) -> Answer:
    """A run, accepted.

    Raises:
        WorkbenchError: It was not accepted.
    """
    options(call)
    agent = await agent_at(call)
    given = fields(call, _START)
    order = Order(
        parameters=cast("Mapping[str, object]", given.get("parameters", {})),
        test=bool(given.get("test", False)),
        version=cast("str | None", given.get("version")),
        model=_model(given),
        key=idempotency(call),
    )
    return await _accepted(call, agent, order)


async def execute(call: Call) -> Answer:
    """A run of the agent with that id, accepted.

    Raises:
        WorkbenchError: It was not accepted.
    """
    options(call)
    agent = await agent_by_id(call, call.places["id"])
    given = fields(call, _EXECUTE)
    order = Order(
        parameters=cast("Mapping[str, object]", given.get("input", {})),
        test=bool(given.get("test", False)),
        model=_model(given),
        key=idempotency(call),
    )
    return await _accepted(call, agent, order)


def _model(given: Mapping[str, object]) -> Mode | None:
    """Where the answers of the run's language model shall come from."""
    wanted = given.get("model")
    if wanted is None:
        return None
    try:
        return Mode(str(wanted))
    except ValueError:
        raise InvalidRequest(f"model is one of {', '.join(Mode)}.", field="model") from None


def _mode(given: dict[str, str]) -> Order:
    """How to run, taken out of what the query gives."""
    test = flag(given, "test")
    given.pop("test", None)
    version = given.pop("version", None)
    if version == "":
        raise InvalidRequest("version is MAJOR.MINOR.PATCH or draft.", query="version")
    return Order(test=test, version=version)


async def _accepted(
    call: Call, agent: Agent, order: Order, headers: Mapping[str, str] | None = None
) -> Answer:
    run, replayed = await call.app.running.take(call.principal, agent, order)
    warned = await deprecation_of(call, agent, run.version)
    return answer(
        run_view(run),
        status=HTTPStatus.ACCEPTED,
        headers={
            "Location": f"/runs/{run.id}",
            **_about(run, replayed),
            **warned,
            **(headers or {}),
        },
    )


async def _result(call: Call, agent: Agent, order: Order) -> Answer:
    accepted, replayed = await call.app.running.take(call.principal, agent, order)
    warned = await deprecation_of(call, agent, accepted.version)
    run = await settled(call, accepted.id)
    if run.status is not RunStatus.COMPLETED:
        error = failed(run)
        error.details |= {name.lower(): value for name, value in warned.items()}
        raise error
    return answer(run.result, headers={**_about(run, replayed), **warned})


def _about(run: Run, replayed: bool) -> dict[str, str]:
    about = {"X-Run-Id": run.id, "X-Run-Status": str(run.status)}
    return {**about, "Idempotency-Replayed": "true"} if replayed else about


def failed(run: Run) -> WorkbenchError:
    """What somebody who waited for the result of *run* is told instead."""
    error = run.error or {}
    details: dict[str, object] = {
        "run_id": run.id,
        "status": str(run.status),
        "reason": None if run.reason is None else str(run.reason),
        **{name: error[name] for name in ("cell", "ename", "evalue") if name in error},
    }
    message = str(error.get("message", "")) or f"The run {run.status}."
    if not run.status.settled:
        return Unavailable("The workbench is about to stop; the run goes on after that.", **details)
    if run.status is RunStatus.CANCELLED:
        return IllegalMove("The run was called off before it had a result.", **details)
    kind = ExecutionTimeout if run.reason is Reason.TIMEOUT else ExecutionFailed
    return kind(message, **details)
