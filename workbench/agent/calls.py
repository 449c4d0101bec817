"""Calling another agent from a run, and waiting for what it gives back.

    total = agent.call("ada/summary", text=text)

What is called is a run of its own, for the same user, within the same budget; it ends with the run
that called it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from workbench.agent.values import as_json
from workbench.agent.wire import exchange, told

PATIENCE_SECONDS = 24 * 3600.0
"""A run that is called has its own deadline."""


class CallFailed(RuntimeError):
    """The agent could not be called, or its run did not complete.

    Attributes:
        code: What kind of error it is, for programs: the gateway's, or the reason of the run.
        run: The run that was called; empty if there was none.
    """

    def __init__(self, message: str, *, code: str, run: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.run = run or {}


def call(
    address: str,
    parameters: Mapping[str, Any] | None = None,
    /,
    *,
    version: str = "",
    seconds: float = PATIENCE_SECONDS,
    **given: Any,
) -> Any:
    """What the agent at *address*, `owner/name`, gives back.

    Args:
        address: Which agent; the run's user and the owner of the running agent must see it.
        parameters: Values by name, besides those that are given by name.
        version: Which version of it; the current one without.
        seconds: How long to wait; its run ends when nobody waits any more.
        given: Its parameters.

    Raises:
        CallFailed: It could not be called, or its run did not complete.
    """
    wish: dict[str, Any] = {"parameters": as_json({**(parameters or {}), **given})}
    if version:
        wish["version"] = version
    run = asked("POST", address, wish, seconds=seconds)
    if run["status"] != "completed":
        message = (run.get("error") or {}).get("message") or f"It {run['status']}."
        raise CallFailed(f"{address}: {message}", code=str(run.get("reason")), run=run)
    return run["result"]


def asked(
    method: str, address: str, body: Mapping[str, Any] | None, *, seconds: float
) -> dict[str, Any]:
    """What the gateway says of the agent at *address* to the run that asks.

    Raises:
        CallFailed: It refuses, does not answer in time, or this is no run.
    """
    from http.client import HTTPException

    url, key = os.environ.get("WORKBENCH_RUN_URL"), os.environ.get("WORKBENCH_RUN_TOKEN", "")
    owner, _, name = address.partition("/")
    if not url:
        raise CallFailed("Only a run of the workbench can call other agents.", code="no_run")
    places = "/".join(quote(part, safe="") for part in (owner, name))
    way = f"{url}/runs/{key.removeprefix('wbr_').partition('_')[0]}/calls/{places}"
    try:
        with exchange(method, way, key=key, body=body, seconds=seconds) as answer:
            found = json.loads(answer.read())
    except TimeoutError:
        raise CallFailed(f"{address} took longer than {seconds:g} seconds.", code="late") from None
    except (OSError, HTTPException, ValueError) as error:
        raise CallFailed(
            f"{address} cannot be called: {told(error)}", code="unreachable"
        ) from error
    if answer.status != 200:
        raise CallFailed(f"{address}: {found['error']['message']}", code=found["error"]["code"])
    assert isinstance(found, dict)
    return found
