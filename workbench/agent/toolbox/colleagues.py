"""Other agents, each as a tool of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.agent.calls import asked, call
from workbench.agent.tools import Tool

_ASKING_SECONDS = 30.0


def agents(*addresses: str) -> Sequence[Tool]:
    """A tool for each agent in *addresses*, `owner/name`, with its description and parameters.

    Raises:
        CallFailed: One cannot be called from here.
    """
    return [_colleague(address) for address in addresses]


def _colleague(address: str) -> Tool:
    about = asked("GET", address, None, seconds=_ASKING_SECONDS)

    def colleague(**given: Any) -> Any:
        return call(address, given)

    return Tool(
        function=colleague,
        name=address.replace("/", "__")[:64],
        description=about["description"] or f"The agent {address}.",
        parameters=about["input_schema"],
        # Its own tools know what they do outside, and in a test run it is a test run too.
        effects="read",
    )
