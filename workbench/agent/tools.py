"""Tools: functions of a notebook that a language model may ask for.

    @agent.tool(effects="write")
    def send_mail(to: str, body: str) -> str:
        "Send a mail."

    @send_mail.simulate
    def _(to: str, body: str) -> str:
        return f"would mail {to}"

In a test run a tool that writes is not called: what it would have done is told instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_type_hints

from workbench.agent.speech import EVENT, say, situation
from workbench.agent.types import parameters_of, value_as
from workbench.agent.values import as_json

Effects = Literal["none", "read", "write"]
Function = Callable[..., Any]
Approval = bool | Callable[[Mapping[str, Any]], bool]

MOST_LETTERS = 20_000
"""How much of what a tool gives back the model is told."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class NotApproved(RuntimeError):
    """Nobody has allowed the tool to be used."""


@dataclass(slots=True)
class Tool:
    """A function that a model may ask for; called by a notebook, it is the function it was.

    Attributes:
        function: The function.
        name: What the model calls it.
        description: What the model is told of it.
        parameters: The schema of what it takes.
        effects: `none`, `read` or `write`: what it does outside of the run.
        approval: Whether somebody must allow each use, or a function of the arguments that does.
        simulation: What is called instead in a test run.
    """

    function: Function
    name: str
    description: str
    parameters: Mapping[str, Any]
    effects: Effects = "none"
    approval: Approval = False
    simulation: Function | None = None

    def __call__(self, *args: Any, **given: Any) -> Any:
        """What the function gives back."""
        return self.function(*args, **given)

    def simulate(self, function: Function) -> Function:
        """Make *function* what is called in a test run."""
        self.simulation = function
        return function

    @property
    def offered(self) -> dict[str, Any]:
        """The tool as a model is told of it."""
        function = {
            "name": self.name,
            "description": self.description,
            "parameters": dict(self.parameters),
        }
        return {"type": "function", "function": function}

    @property
    def simulated(self) -> bool:
        """Whether it is not to be called for real here."""
        return situation().test and (self.simulation is not None or self.effects == "write")

    def use(self, arguments: Mapping[str, Any]) -> Any:
        """What comes of using it, or of pretending to.

        Raises:
            NotApproved: Nobody has allowed it.
            Exception: Whatever the function raises.
        """
        hints = get_type_hints(self.function)
        given = {name: value_as(hints.get(name), value) for name, value in arguments.items()}
        if self.simulated:
            return self.simulation(**given) if self.simulation else {"simulated": True}
        allowed = self.approval(arguments) if callable(self.approval) else not self.approval
        if not allowed:
            raise NotApproved(f"Nobody has allowed {self.name} to be used so.")
        return self.function(**given)


def tool(
    function: Function | None = None,
    *,
    name: str = "",
    effects: Effects = "none",
    approval: Approval = False,
) -> Any:
    """Make a function a tool: its schema is its signature, its description its docstring.

    *approval* is True for a tool that somebody must allow each time, which in a run nobody can, or
    a function of the arguments that decides.

    Raises:
        ValueError: It cannot be called so, or has such effects.
        TypeError: It takes arguments that cannot be named.
    """
    if effects not in ("none", "read", "write"):
        raise ValueError(f"effects is none, read or write, not {effects!r:.40}.")

    def make(function: Function) -> Tool:
        called = name or getattr(function, "__name__", "")
        if not _NAME.fullmatch(called):
            raise ValueError(f"A tool is called by 1 to 64 of A-Z, a-z, 0-9, _ and -: {called!r}.")
        words = (function.__doc__ or "").strip().partition("\n\n")[0]
        return Tool(
            function=function,
            name=called,
            description=" ".join(words.split()),
            parameters=parameters_of(function),
            effects=effects,
            approval=approval,
        )

    return make if function is None else make(function)


def used(found: Tool | None, call: Mapping[str, Any]) -> dict[str, Any]:
    """What a model is told when the tool it has asked for was used, or could not be.

    Both the asking and what came of it are events of the run.
    """
    name, written = call["function"]["name"], call["function"]["arguments"]
    try:
        arguments = json.loads(written or "{}")
    except ValueError:
        arguments = None
    shown = arguments if isinstance(arguments, dict) else {"": written}
    say(
        {EVENT: {"type": "tool.call", "id": call["id"], "tool": name, "arguments": shown}},
        f"{name}({', '.join(f'{key}={value!r:.200}' for key, value in shown.items())})",
    )
    text, failed = _outcome(found, name, arguments)
    said: dict[str, Any] = {
        "type": "tool.result",
        "id": call["id"],
        "tool": name,
        "text": text,
        "failed": failed,
        "simulated": found is not None and found.simulated and not failed,
        "effects": "none" if found is None else found.effects,
    }
    if said["simulated"]:
        said["arguments"] = shown
    say({EVENT: said}, f"{name}: {text[:200]}")
    return {"role": "tool", "tool_call_id": call["id"], "content": text}


def _outcome(found: Tool | None, name: str, arguments: Any) -> tuple[str, bool]:
    """What came of using a tool, as text, and whether it failed."""
    if found is None:
        return f"There is no tool {name!r}.", True
    if not isinstance(arguments, dict):
        return "The arguments are no JSON object.", True
    try:
        result = found.use(arguments)
        text = (
            result if isinstance(result, str) else json.dumps(as_json(result), ensure_ascii=False)
        )
    except Exception as error:  # noqa: BLE001 - the model may do better when it knows
        return f"{type(error).__name__}: {error}"[:MOST_LETTERS], True
    if len(text) > MOST_LETTERS:
        text = f"{text[:MOST_LETTERS]} [cut: {len(text):,} letters]"
    return text, False
