"""A talk with a language model: it may use tools until it knows what to say.

said = agent.chat("Which car goes furthest?", tools=[look_up], schema=Car, max_steps=5)
said.parsed, said.cost
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from workbench.agent.skills import Skill, skill
from workbench.agent.skills import persona as persona_called
from workbench.agent.speech import EVENT, say, shown_live
from workbench.agent.tools import Tool, tool, used
from workbench.agent.types import schema_of, value_as
from workbench.agent.wire import BudgetExceeded, ModelError, Said, ask

_TALKS = count(1)
_MOST_REPAIRS = 1


class StepsExceeded(ModelError):
    """The model wanted more steps than it was allowed; `chat` is the talk so far."""

    def __init__(self, message: str, chat: Chat) -> None:
        super().__init__(message, code="max_steps")
        self.chat = chat


@dataclass(slots=True)
class Chat:
    """A talk with a model.

    Attributes:
        text: What it said in the end.
        parsed: That, as the schema has it; None without one.
        usage: The tokens it took: `input_tokens`, `output_tokens`, `cached_input_tokens`.
        cost: What it cost, in dollars; None if nobody knows.
        steps: Each answer: its `text` and the `tools` it asked for.
        messages: All that was said, to be handed to another talk that goes on from here.
    """

    text: str = ""
    parsed: Any = None
    usage: dict[str, int] = field(default_factory=dict)
    cost: float | None = 0.0
    steps: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)


def chat(
    prompt: str | Sequence[Mapping[str, Any]],
    *,
    tools: Iterable[Any] = (),
    skills: Iterable[Skill | str] = (),
    persona: str = "",
    schema: Any = None,
    system: str = "",
    model: str = "",
    max_steps: int = 8,
    max_cost: float | None = None,
    stream: bool = True,
    **options: Any,
) -> Chat:
    """What a model says to *prompt*, once it has used the *tools* it wanted to.

    Args:
        prompt: What to say to it, or messages, such as those of an earlier talk.
        tools: Tools, functions, names of the toolbox's, or lists of them.
        skills: Skills, or names of those beside the notebook: `skills/NAME/SKILL.md`.
        persona: Who it shall be: the name of a file beside the notebook, `personas/NAME.md`.
        schema: What its answer shall be: a type, a dataclass, a Pydantic model, a JSON Schema.
        system: What it shall know of itself.
        model: Which model; the workbench's default without.
        max_steps: How many answers it may give, those that ask for tools included.
        max_cost: How many dollars the talk may cost.
        stream: Whether what it says is shown as it comes.
        options: What else the question shall say, such as `temperature`.

    Raises:
        StepsExceeded: It wanted to go on after *max_steps* answers.
        BudgetExceeded: There is nothing left to spend.
        ModelError: It could not be asked, did not answer, or not as *schema* says.
        OSError: There is no such skill or persona.
    """
    able = [each if isinstance(each, Skill) else skill(each) for each in skills]
    offered = {each.name: each for each in _flat([tools, *(each.tools for each in able)])}
    talk = Chat(messages=_opening(prompt, _told(persona, system, able)))
    question, chances = _question(model, offered, schema, options), _MOST_REPAIRS + 1
    for _ in range(max_steps):
        if max_cost is not None and (talk.cost or 0.0) >= max_cost:
            raise BudgetExceeded(f"The talk has cost {talk.cost} dollars.", code="max_cost")
        calls = _next(talk, question, stream=stream).message.get("tool_calls") or ()
        talk.messages += [used(offered.get(call["function"]["name"]), call) for call in calls]
        if not calls:
            chances -= 1
            if _understood(talk, schema, last=not chances):
                return talk
    raise StepsExceeded(f"The model wanted more than {max_steps} steps.", talk)


def _told(persona: str, system: str, able: Sequence[Skill]) -> str:
    """What it is told of itself, in one piece."""
    words = [persona_called(persona) if persona else "", system, *(each.told for each in able)]
    return "\n\n".join(filter(None, words))


def _opening(prompt: str | Sequence[Mapping[str, Any]], system: str) -> list[dict[str, Any]]:
    begun = [{"role": "system", "content": system}] if system else []
    if isinstance(prompt, str):
        return [*begun, {"role": "user", "content": prompt}]
    return [*begun, *(dict(message) for message in prompt)]


def _question(
    model: str, offered: Mapping[str, Tool], schema: Any, options: Mapping[str, Any]
) -> dict[str, Any]:
    """What every question of the talk says besides what was said so far."""
    asked = {"model": model or os.environ.get("OPENAI_MODEL", "default"), **options}
    if offered:
        asked["tools"] = [each.offered for each in offered.values()]
    if schema is not None:
        format = {"name": "answer", "schema": _wrapped(schema)}
        asked["response_format"] = {"type": "json_schema", "json_schema": format}
    return asked


def _understood(talk: Chat, schema: Any, *, last: bool) -> bool:
    """Whether what the model said last is what was wanted; if not, it is asked to say it again.

    Raises:
        ModelError: It is not, and this was its *last* chance.
    """
    talk.text = talk.messages[-1].get("content") or ""
    if schema is None:
        return True
    try:
        talk.parsed = _parsed(schema, talk.text)
    except (ValueError, TypeError, KeyError) as error:
        if last:
            message = f"The model's answer is not what the schema wants: {error}"
            raise ModelError(message, code="schema") from error
        again = f"That is not what the schema wants: {error}. Answer with the JSON alone."
        talk.messages.append({"role": "user", "content": again})
        return False
    return True


def _next(talk: Chat, question: Mapping[str, Any], *, stream: bool) -> Said:
    """The model's next answer, taken into *talk*."""
    hear = _Voice() if stream else None
    said = ask({**question, "messages": talk.messages}, hear=hear)
    if hear is not None:
        hear.end()
    talk.messages.append(said.message)
    calls = said.message.get("tool_calls") or ()
    step = {
        "text": said.message.get("content") or "",
        "tools": [call["function"]["name"] for call in calls],
    }
    talk.steps.append(step)
    details = said.usage.get("prompt_tokens_details") or {}
    for name, number in (
        ("input_tokens", said.usage.get("prompt_tokens")),
        ("output_tokens", said.usage.get("completion_tokens")),
        ("cached_input_tokens", details.get("cached_tokens")),
    ):
        talk.usage[name] = talk.usage.get(name, 0) + (number or 0)
    known = talk.cost is not None and said.cost is not None
    talk.cost = (talk.cost or 0.0) + (said.cost or 0.0) if known else None
    return said


class _Voice:
    """What a model says, shown as it comes: each piece an event, the whole in the notebook."""

    def __init__(self) -> None:
        self._slot = f"chat-{next(_TALKS)}"
        self._pieces: list[str] = []

    def __call__(self, text: str) -> None:
        begun = bool(self._pieces)
        self._pieces.append(text)
        if shown_live():
            event = {EVENT: {"type": "message.delta", "text": text}}
            say(event, "".join(self._pieces[-40:]), slot=self._slot, update=begun)

    def end(self) -> None:
        """Leave the whole of it in the notebook."""
        if self._pieces and shown_live():
            text = "".join(self._pieces)
            say({"text/markdown": text}, text, slot=self._slot, update=True)


def _flat(tools: Iterable[Any]) -> Iterator[Tool]:
    for each in tools:
        if isinstance(each, Tool):
            yield each
        elif isinstance(each, Callable):  # type: ignore[arg-type]
            yield tool(each)
        elif isinstance(each, str):
            # Not needed by notebooks that bring their own.
            from workbench.agent import toolbox

            yield from toolbox.named(each)
        else:
            yield from _flat(each)


def _wrapped(schema: Any) -> dict[str, Any]:
    """The schema as providers want it: at its root is an object."""
    made = schema_of(schema)
    if made.get("type") == "object" or "properties" in made or "$ref" in made:
        return made
    return {"type": "object", "properties": {"value": made}, "required": ["value"]}


def _parsed(schema: Any, text: str) -> Any:
    value = json.loads(text.strip().removeprefix("```json").removeprefix("```").removesuffix("```"))
    if _wrapped(schema) != schema_of(schema):
        value = value["value"]
    return value_as(schema, value)
