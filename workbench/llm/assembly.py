"""A stream on its way, put together again as it passes, and what an answer says it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.domain.models import Api, Tokens
from workbench.llm.questions import objects

_MOST_CALLS = 128


class Assembly:
    """A stream as far as it has come.

    Attributes:
        letters: How many it has said so far.
        ended: Whether it has come to its proper end.
        failed: Whether it has said itself that it cannot go on.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._whole: dict[str, Any] | None = None
        self._choices: dict[int, _Choice] = {}
        self.letters = 0
        self.ended = False
        self.failed = False

    @property
    def answer(self) -> dict[str, Any] | None:
        """The whole answer as far as it has come; None if nothing has."""
        if self._whole is None or self._api is Api.RESPONSES:
            return self._whole
        return {**self._whole, "choices": [self._choices[n].whole for n in sorted(self._choices)]}

    def add(self, data: Mapping[str, Any]) -> None:
        """Take in what one frame says; what is malformed is passed over."""
        if self._api is Api.RESPONSES:
            self._add_event(data)
        else:
            self._add_chunk(data)

    def _add_event(self, data: Mapping[str, Any]) -> None:
        kind = str(data.get("type", ""))
        if isinstance(data.get("delta"), str):
            self.letters += len(data["delta"])
        if kind in ("response.completed", "response.incomplete"):
            self.ended = True
            if isinstance(data.get("response"), dict):
                self._whole = data["response"]
        self.failed |= kind in ("error", "response.failed")

    def _add_chunk(self, data: Mapping[str, Any]) -> None:
        if "error" in data:
            self.failed = True
            return
        if self._whole is None:
            told = {name: data[name] for name in ("id", "created", "model") if name in data}
            self._whole = {**told, "object": "chat.completion", "usage": None}
        if isinstance(data.get("usage"), dict):
            self._whole["usage"] = data["usage"]
        for choice in objects(data.get("choices")):
            index = choice.get("index")
            if type(index) is not int:
                continue
            known = self._choices.setdefault(index, _Choice(index=index))
            if choice.get("finish_reason"):
                known.reason = choice["finish_reason"]
                self.ended = True
            delta = choice.get("delta")
            if isinstance(delta, dict):
                self.letters += known.add(delta)


@dataclass(slots=True, kw_only=True)
class _Choice:
    """One of the answers in a stream, in the pieces that have come."""

    index: int
    reason: object = None
    said: list[str] = field(default_factory=list)
    calls: list[_Call] = field(default_factory=list)

    @property
    def whole(self) -> dict[str, Any]:
        """It as a choice of a whole answer."""
        text = "".join(self.said)
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
        if self.calls:
            message["content"] = text or None
            message["tool_calls"] = [call.whole for call in self.calls]
        choice = {"index": self.index, "message": message, "finish_reason": self.reason}
        return {**choice, "logprobs": None}

    def add(self, delta: Mapping[str, Any]) -> int:
        """Take in a piece; how many letters it says."""
        letters = 0
        if isinstance(text := delta.get("content"), str):
            self.said.append(text)
            letters += len(text)
        for call in objects(delta.get("tool_calls")):
            n = call.get("index", len(self.calls))
            if type(n) is not int or not 0 <= n < _MOST_CALLS:
                continue
            while len(self.calls) <= n:
                self.calls.append(_Call())
            letters += self.calls[n].add(call)
        return letters


@dataclass(slots=True, kw_only=True)
class _Call:
    """One call of a function in a stream, in the pieces that have come."""

    id: str = ""
    name: str = ""
    given: list[str] = field(default_factory=list)

    @property
    def whole(self) -> dict[str, Any]:
        """It as a call of a whole answer."""
        function = {"name": self.name, "arguments": "".join(self.given)}
        return {"id": self.id, "type": "function", "function": function}

    def add(self, piece: Mapping[str, Any]) -> int:
        """Take in a piece; how many letters of arguments it has."""
        function = piece.get("function")
        told = function if isinstance(function, Mapping) else {}
        if isinstance(call_id := piece.get("id"), str):
            self.id = call_id or self.id
        if isinstance(name := told.get("name"), str):
            self.name += name
        if not isinstance(given := told.get("arguments"), str):
            return 0
        self.given.append(given)
        return len(given)


def tokens_of(answer: Mapping[str, Any]) -> Tokens | None:
    """What *answer* says it took, in the words of either interface; None if it does not say."""
    usage = answer.get("usage")
    if not isinstance(usage, Mapping):
        return None
    read = _details(usage, "prompt_tokens_details", "input_tokens_details")
    wrote = _details(usage, "completion_tokens_details", "output_tokens_details")
    return Tokens(
        input=_number(usage, "prompt_tokens", "input_tokens"),
        cached=_number(read, "cached_tokens"),
        written=_number(read, "cache_write_tokens"),
        output=_number(usage, "completion_tokens", "output_tokens"),
        reasoning=_number(wrote, "reasoning_tokens"),
    )


def _details(usage: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    found = next((usage[name] for name in names if isinstance(usage.get(name), Mapping)), None)
    return found if found is not None else {}


def _number(usage: Mapping[str, Any], *names: str) -> int:
    found = (usage.get(name) for name in names)
    return next((n for n in found if type(n) is int and 0 <= n < 2**53), 0)
