"""The scripted model: it says what a script tells it to, and never pretends to think.

A script is JSON, `{"rules": [{"when": {…}, "reply": {…}}]}`; the first rule whose every condition
holds gives the reply. Conditions: `model`, `last_user` and `tool_result` are words that occur
there, in capitals or not, `tool` is the name of a function on offer, `turn` how often the model has
spoken before. A reply has `text`, `json` or `tools` (`[{"name", "arguments"}]`), or `error` (`{"status",
"message", "headers"}`); `delay_seconds` makes it late, `cut_after` ends its stream after so many
frames.

Where no rule holds it calls the function that must be called, gives the least that the wanted
schema allows, or says that it is a script.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.domain.models import SCRIPTED, Api
from workbench.errors import InvalidAgentConfig, InvalidRequest
from workbench.llm import Reply
from workbench.llm.answers import Saying, embedded, failed, streamed, written
from workbench.llm.questions import Question, objects

_LONGEST_ECHO = 500
_LONGEST_DELAY = 3_600.0
_DEEPEST = 12
_CONDITIONS = frozenset({"model", "last_user", "tool_result", "tool", "turn"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When it holds, and what is said then.

    Attributes:
        when: Conditions by name.
        reply: The reply.
    """

    when: Mapping[str, Any]
    reply: Mapping[str, Any]

    def holds(self, question: Question) -> bool:
        """Whether every condition does."""
        return all(_holds(name, wanted, question) for name, wanted in self.when.items())


def read_script(content: bytes) -> Sequence[Rule]:
    """The rules of a script.

    Raises:
        InvalidAgentConfig: It is none; the message says where.
    """
    try:
        rules = json.loads(content)["rules"]
    except (ValueError, TypeError, KeyError) as error:
        raise _no_script(error) from None
    return read_rules(rules)


def read_rules(rules: Iterable[Mapping[str, Any]]) -> Sequence[Rule]:
    """The rules of a script that has been read already.

    Raises:
        InvalidAgentConfig: One of them is none; the message says which.
    """
    try:
        return [_rule(number, rule) for number, rule in enumerate(rules)]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _no_script(error) from None


def _no_script(error: Exception) -> InvalidAgentConfig:
    return InvalidAgentConfig(f"The script of the scripted model is none: {error}.")


def _rule(number: int, rule: Mapping[str, Any]) -> Rule:
    when, reply = rule.get("when", {}), rule["reply"]
    strange = (set(when) - _CONDITIONS) | (set(reply) - set(_REPLIES))
    if strange:
        raise ValueError(f"rule {number} speaks of {', '.join(sorted(strange))}")
    for name, wanted in when.items():
        if type(wanted) is not (int if name == "turn" else str):
            raise ValueError(f"rule {number} has {name}: {wanted!r:.80}")
    for name, value in reply.items():
        if not _REPLIES[name](value):
            raise ValueError(f"rule {number} replies with {name}: {value!r:.80}")
    return Rule(when=when, reply=reply)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_json(value: object) -> bool:
    return True


def _are_calls(value: object) -> bool:
    """Whether they are functions to call by name, with arguments as an object."""
    calls = objects(value)
    return calls == value and all(
        _is_text(call.get("name")) and isinstance(call.get("arguments", {}), Mapping)
        for call in calls
    )


def _is_error(value: object) -> bool:
    """Whether it can be said in HTTP without breaking the answer it is said in."""
    if not isinstance(value, Mapping):
        return False
    status, headers = value.get("status", 500), value.get("headers", {})
    return (
        type(status) is int
        and 400 <= status <= 599
        and isinstance(headers, Mapping)
        and all(_HEADER.fullmatch(f"{name}: {text}") for name, text in headers.items())
    )


def _is_delay(value: object) -> bool:
    return type(value) in (int, float) and 0 <= float(str(value)) <= _LONGEST_DELAY


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


# Not those that say how the answer itself is to be read.
_FRAMING = "connection|content-|keep-alive|set-|te:|trailer|transfer-|upgrade"
_HEADER = re.compile(rf"(?!{_FRAMING})[a-z0-9-]{{1,64}}: [\x20-\x7e]{{0,200}}", re.IGNORECASE)
_REPLIES: Mapping[str, Callable[[object], bool]] = {
    "text": _is_text,
    "json": _is_json,
    "tools": _are_calls,
    "error": _is_error,
    "delay_seconds": _is_delay,
    "cut_after": _is_count,
}


async def scripted(question: Question, rules: Sequence[Rule] = ()) -> Reply:
    """What the scripted model answers.

    Raises:
        InvalidRequest: The question leans on something that was said to another model.
    """
    if question.body.get("previous_response_id") or question.body.get("conversation"):
        raise InvalidRequest(
            "The scripted model remembers nothing; send the whole conversation as input.",
            field="previous_response_id",
        )
    rule = next((rule for rule in rules if rule.holds(question)), None)
    reply = rule.reply if rule is not None else {}
    if "delay_seconds" in reply:
        await asyncio.sleep(reply["delay_seconds"])
    if "error" in reply:
        return _refusal(reply["error"])
    if question.api is Api.EMBEDDINGS:
        return told(embedded(question, model=SCRIPTED), question)
    saying = _saying(reply) if reply else _default(question)
    answer = written(saying, question, model=SCRIPTED)
    return told(answer, question, cut_after=reply.get("cut_after"))


def told(answer: Mapping[str, Any], question: Question, *, cut_after: int | None = None) -> Reply:
    """*answer* in the form that *question* wants it in."""
    if not question.stream:
        body = json.dumps(answer, ensure_ascii=False).encode(errors="replace")
        return Reply(body=body, answer=answer)
    frames = list(streamed(answer, question))
    if cut_after is not None:
        cut = failed(question.api, "The stream was cut, as the script says.", "stream_cut")
        frames = [*frames[:cut_after], cut]
    return Reply(frames=_one_by_one(frames), answer=answer)


async def _one_by_one(frames: Iterable[bytes]) -> AsyncGenerator[bytes, None]:
    for frame in frames:
        yield frame


def _holds(name: str, wanted: Any, question: Question) -> bool:
    match name:
        case "model":
            return _occurs(wanted, question.model)
        case "last_user":
            return _occurs(wanted, question.last_user)
        case "tool_result":
            result = question.tool_result
            return result is not None and _occurs(wanted, result)
        case "tool":
            return wanted in question.tools
        case _:
            return bool(question.turn == wanted)


def _occurs(words: str, text: str) -> bool:
    # No patterns: one that an author wrote could keep the whole gateway busy.
    return words.lower() in text.lower()


def _refusal(error: Mapping[str, Any]) -> Reply:
    message = str(error.get("message", "The script says so."))
    body = {"error": {"message": message, "type": "scripted_error", "code": None, "param": None}}
    headers = {name: str(value) for name, value in error.get("headers", {}).items()}
    return Reply(status=error.get("status", 500), headers=headers, body=json.dumps(body).encode())


def _saying(reply: Mapping[str, Any]) -> Saying:
    if "tools" in reply:
        return Saying(calls=[(call["name"], call.get("arguments", {})) for call in reply["tools"]])
    if "json" in reply:
        return Saying(text=json.dumps(reply["json"], ensure_ascii=False))
    return Saying(text=reply.get("text", ""))


def _default(question: Question) -> Saying:
    demanded = question.demanded_tool
    try:
        if demanded is not None and question.tool_result is None:
            return Saying(calls=[(demanded, least(question.tools[demanded]))])
        if question.schema is not None:
            return Saying(text=json.dumps(least(question.schema), ensure_ascii=False))
    except (TypeError, ValueError, AttributeError, LookupError):
        raise InvalidRequest("The schema in the question is no JSON Schema.") from None
    if question.tool_result is not None:
        heard = f"The tool said: {question.tool_result[:_LONGEST_ECHO]}"
    else:
        heard = f"You said: {question.last_user[:_LONGEST_ECHO]}"
    return Saying(text=f"[scripted model, not a real one] {heard}")


def least(schema: Mapping[str, Any]) -> Any:
    """The simplest value that *schema* allows, as far as the usual words of JSON Schema go."""
    return _least(schema, _Room(schema), 0)


@dataclass(slots=True)
class _Room:
    """The whole schema, and how many values may still be made of it: it may contain itself."""

    root: Mapping[str, Any]
    left: int = 5_000


def _least(schema: object, room: _Room, depth: int) -> Any:
    room.left -= 1
    if not isinstance(schema, Mapping) or depth > _DEEPEST or room.left < 0:
        return None
    if isinstance(schema.get("$ref"), str):
        return _least(_resolved(schema["$ref"], room.root), room, depth + 1)
    for word in ("const", "default"):
        if word in schema:
            return schema[word]
    if schema.get("enum"):
        return schema["enum"][0]
    for word in ("anyOf", "oneOf", "allOf"):
        if schema.get(word):
            return _least(schema[word][0], room, depth + 1)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0] if kind else None
    if kind is None and "properties" in schema:
        kind = "object"
    return _LEAST.get(str(kind), _nothing)(schema, room, depth)


def _resolved(reference: str, root: Mapping[str, Any]) -> object:
    found: object = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        if step:
            found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _nothing(schema: Mapping[str, Any], room: _Room, depth: int) -> Any:
    return None


def _object(schema: Mapping[str, Any], room: _Room, depth: int) -> Any:
    properties = schema.get("properties") or {}
    return {name: _least(inner, room, depth + 1) for name, inner in properties.items()}


def _list(schema: Mapping[str, Any], room: _Room, depth: int) -> Any:
    item = _least(schema.get("items") or {}, room, depth + 1)
    return [item] * min(int(schema.get("minItems", 0)), 100)


_FORMATS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "email": "nobody@example.org",
    "uri": "https://example.org/",
    "uuid": "00000000-0000-0000-0000-000000000000",
}


def _text(schema: Mapping[str, Any], room: _Room, depth: int) -> Any:
    text = _FORMATS.get(str(schema.get("format", "")), "scripted")
    text = text.ljust(min(int(schema.get("minLength", 0)), 10_000), ".")
    return text[: int(schema["maxLength"])] if "maxLength" in schema else text


def _whole(schema: Mapping[str, Any], room: _Room, depth: int) -> Any:
    return int(_number(schema, room, depth))


def _number(schema: Mapping[str, Any], room: _Room, depth: int) -> Any:
    lowest = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
    highest = schema.get("maximum", schema.get("exclusiveMaximum", 1) - 1)
    return min(max(0, lowest), max(lowest, highest))


def _falsehood(schema: Mapping[str, Any], room: _Room, depth: int) -> Any:
    return False


_LEAST = {
    "object": _object,
    "array": _list,
    "string": _text,
    "integer": _whole,
    "number": _number,
    "boolean": _falsehood,
}
