"""A question as it was sent, and what it asks in either of the two interfaces."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from workbench.domain.models import Api, Upstream
from workbench.errors import InvalidRequest

Body = Mapping[str, Any]

# Who asks, and in which form the answer comes, is no part of what is asked.
_ASIDE = frozenset(
    {
        "metadata",
        "prompt_cache_key",
        "safety_identifier",
        "service_tier",
        "store",
        "stream",
        "stream_options",
        "user",
    }
)
_LETTERS_A_TOKEN = 4


@dataclass(frozen=True, kw_only=True)
class Question:
    """One request to a model.

    Attributes:
        api: The interface it was sent to.
        body: The request, as it was sent.
    """

    api: Api
    body: Body

    @property
    def model(self) -> str:
        """Which model is asked."""
        return str(self.body.get("model") or "")

    @property
    def stream(self) -> bool:
        """Whether the answer shall come in pieces."""
        return self.body.get("stream") is True and self.api is not Api.EMBEDDINGS

    @property
    def wants_usage(self) -> bool:
        """Whether a stream shall end with what it took; of the one interface it always does."""
        options = self.body.get("stream_options")
        return isinstance(options, Mapping) and options.get("include_usage") is True

    @cached_property
    def asked(self) -> dict[str, Any]:
        """What the question is about: equal for equal questions, whoever asks."""
        return {name: value for name, value in self.body.items() if name not in _ASIDE}

    @cached_property
    def key(self) -> str:
        """What the question is recorded under: SHA-256, in hex, of its canonical JSON."""
        canonical = json.dumps([self.api, self.asked], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode(errors="surrogatepass")).hexdigest()

    @cached_property
    def messages(self) -> list[tuple[str, str]]:
        """Who said what, in order; what a tool gave back is said by `tool`."""
        if self.api is Api.CHAT:
            return [
                (str(message.get("role", "")), text_of(message.get("content")))
                for message in objects(self.body.get("messages"))
            ]
        given = self.body.get("input")
        if isinstance(given, str):
            return [("user", given)]
        return list(_said(given))

    @property
    def last_user(self) -> str:
        """What the user said last."""
        return next((text for role, text in reversed(self.messages) if role == "user"), "")

    @property
    def tool_result(self) -> str | None:
        """What the last tool gave back, if nobody has said anything since."""
        role, text = self.messages[-1] if self.messages else ("", "")
        return text if role == "tool" else None

    @property
    def turn(self) -> int:
        """How often the model has spoken before."""
        if self.api is Api.CHAT:
            return sum(role == "assistant" for role, _ in self.messages)
        items = objects(self.body.get("input"))
        return sum(
            item.get("role") == "assistant" or item.get("type") == "function_call" for item in items
        )

    @cached_property
    def tools(self) -> dict[str, Mapping[str, Any]]:
        """The functions that may be called, with the schemas of their arguments."""
        found: dict[str, Mapping[str, Any]] = {}
        for tool in objects(self.body.get("tools")):
            function = tool.get("function") if self.api is Api.CHAT else tool
            if tool.get("type") == "function" and isinstance(function, Mapping):
                schema = function.get("parameters")
                name = str(function.get("name", ""))
                found[name] = schema if isinstance(schema, Mapping) else {}
        return found

    @property
    def demanded_tool(self) -> str | None:
        """The function that must be called, if one must."""
        choice = self.body.get("tool_choice")
        if isinstance(choice, Mapping):
            inner = choice.get("function", choice)
            name = inner.get("name") if isinstance(inner, Mapping) else None
            return name if name in self.tools else None
        return next(iter(self.tools), None) if choice == "required" else None

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """The schema the answer must have, if it must be JSON."""
        if self.api is Api.CHAT:
            format = self.body.get("response_format")
        else:
            text = self.body.get("text")
            format = text.get("format") if isinstance(text, Mapping) else None
        if not isinstance(format, Mapping):
            return None
        if format.get("type") == "json_object":
            return {"type": "object"}
        if format.get("type") != "json_schema":
            return None
        inner = format.get("json_schema") if self.api is Api.CHAT else format
        schema = inner.get("schema") if isinstance(inner, Mapping) else None
        return schema if isinstance(schema, Mapping) else {"type": "object"}

    @property
    def most_output(self) -> int | None:
        """How many tokens the answer may have, if the question says."""
        for name in ("max_completion_tokens", "max_tokens", "max_output_tokens"):
            value = self.body.get(name)
            if type(value) is int and value > 0:
                return value
        return None

    @property
    def answers(self) -> int:
        """How many answers are wanted at once, each of which may have `most_output` tokens."""
        wanted = self.body.get("n") if self.api is Api.CHAT else 1
        return wanted if type(wanted) is int and wanted > 1 else 1

    @cached_property
    def about_tokens(self) -> int:
        """How many tokens it will be read as, roughly."""
        return guess(json.dumps(self.asked, ensure_ascii=False))


def ask(api: Api, body: Body) -> Question:
    """The question that *body* is.

    Raises:
        InvalidRequest: It is none that a model could be asked.
    """
    _demand(isinstance(body.get("model", ""), str), "model", "a text")
    _demand(isinstance(body.get("stream", False), bool | None), "stream", "true or false")
    if api is Api.CHAT:
        _demand(bool(objects(body.get("messages"))), "messages", "a list of messages")
    else:
        _demand(isinstance(body.get("input"), str | list), "input", "a text or a list")
    # What it takes would be told to nobody: its answer is fetched later, or never.
    _demand(not body.get("background"), "background", "false: an answer is waited for here")
    return Question(api=api, body=body)


def in_their_words(
    question: Question, upstream: Upstream, *, model: str, most_output: int | None
) -> dict[str, Any]:
    """*question* as *upstream* is asked it: by their name of the model, and with what it took told.

    *most_output* is the most that an answer may have; None leaves that to the question.
    """
    body = {**question.body, "model": model}
    if question.api is Api.CHAT and question.stream:
        options = question.body.get("stream_options")
        kept = options if isinstance(options, Mapping) else {}
        body["stream_options"] = {**kept, "include_usage": True}
    if most_output is not None and question.api is not Api.EMBEDDINGS:
        body |= dict.fromkeys(_ceilings(question, upstream), most_output)
    return body


def _ceilings(question: Question, upstream: Upstream) -> Sequence[str]:
    """What the question calls the most that an answer may have: all that might count there."""
    if question.api is Api.RESPONSES:
        return ["max_output_tokens"]
    given = [name for name in ("max_completion_tokens", "max_tokens") if name in question.body]
    new = upstream.kind in ("openai", "azure")
    return given or ["max_completion_tokens" if new else "max_tokens"]


def guess(text: str) -> int:
    """How many tokens *text* is, roughly: a token of English has four letters."""
    return (len(text) + _LETTERS_A_TOKEN - 1) // _LETTERS_A_TOKEN


def text_of(content: object) -> str:
    """The words in what a message says."""
    if isinstance(content, str):
        return content
    parts = (part.get("text") for part in objects(content))
    return "\n".join(part for part in parts if isinstance(part, str))


def _demand(holds: bool, field: str, what: str) -> None:
    if not holds:
        raise InvalidRequest(f"{field} must be {what}.", field=field)


def objects(value: object) -> list[Mapping[str, Any]]:
    """The objects in *value*, if it is a list at all."""
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, Mapping)]


def _said(items: object) -> Iterator[tuple[str, str]]:
    for item in objects(items):
        if item.get("type") == "function_call_output":
            yield "tool", text_of(item.get("output"))
        elif "role" in item:
            yield str(item["role"]), text_of(item.get("content"))
