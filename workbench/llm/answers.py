"""Answers in OpenAI's words: whole, and as a stream of frames.

The order of events of a Responses stream is the one the official client insists on; see
https://platform.openai.com/docs/api-reference/responses-streaming.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from workbench.domain.models import Api, Tokens
from workbench.llm.questions import Question, guess

DONE = b"data: [DONE]\n\n"
_BARE: Mapping[str, Mapping[str, Any]] = {
    "message": {"content": []},
    "function_call": {"arguments": ""},
}
"""What an item has not yet when it is announced."""
_PIECE = 12
"""How many letters a made-up stream says at a time."""
_MOST_DIMENSIONS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """What a model says: words, or calls of functions with their arguments.

    Attributes:
        text: The words.
        calls: Names of functions and their arguments.
    """

    text: str = ""
    calls: Sequence[tuple[str, Mapping[str, Any]]] = ()


def written(saying: Saying, question: Question, *, model: str) -> dict[str, Any]:
    """*saying* as the whole answer to *question*: the same for the same question, ids included."""
    mark = question.key[:24]
    calls = [(name, json.dumps(given)) for name, given in saying.calls]
    output = guess(saying.text) + sum(guess(name + given) for name, given in calls)
    tokens = Tokens(input=question.about_tokens, output=output)
    if question.api is Api.CHAT:
        return _completion(saying.text, calls, tokens, mark=mark, model=model)
    return _response(saying.text, calls, tokens, question, mark=mark, model=model)


def _completion(
    text: str, calls: Sequence[tuple[str, str]], tokens: Tokens, *, mark: str, model: str
) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if calls else text,
        "refusal": None,
    }
    if calls:
        message["tool_calls"] = [
            {
                "id": f"call_{mark}_{n}",
                "type": "function",
                "function": {"name": name, "arguments": given},
            }
            for n, (name, given) in enumerate(calls)
        ]
    reason = "tool_calls" if calls else "stop"
    choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
    return {
        "id": f"chatcmpl-{mark}",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [choice],
        "usage": {
            "prompt_tokens": tokens.input,
            "completion_tokens": tokens.output,
            "total_tokens": tokens.total,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }


def _response(
    text: str,
    calls: Sequence[tuple[str, str]],
    tokens: Tokens,
    question: Question,
    *,
    mark: str,
    model: str,
) -> dict[str, Any]:
    body = question.body
    return {
        "id": f"resp_{mark}",
        "object": "response",
        "created_at": 0,
        "model": model,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "metadata": body.get("metadata") or {},
        "output": _called(calls, mark) or [_spoken(text, mark)],
        "parallel_tool_calls": True,
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": body.get("tools") or [],
        "temperature": 1,
        "top_p": 1,
        "usage": {
            "input_tokens": tokens.input,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": tokens.output,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": tokens.total,
        },
    }


def _called(calls: Sequence[tuple[str, str]], mark: str) -> list[dict[str, Any]]:
    """The items of an answer that calls functions."""
    return [
        {
            "type": "function_call",
            "id": f"fc_{mark}_{n}",
            "call_id": f"call_{mark}_{n}",
            "name": name,
            "arguments": given,
            "status": "completed",
        }
        for n, (name, given) in enumerate(calls)
    ]


def _spoken(text: str, mark: str) -> dict[str, Any]:
    """The item of an answer in words."""
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {
        "type": "message",
        "id": f"msg_{mark}",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }


def embedded(question: Question, *, model: str) -> dict[str, Any]:
    """Vectors for the texts of *question*: of length one, and the same for the same text."""
    given = question.body.get("input")
    texts = [given] if isinstance(given, str) else list(given or [])
    wanted = question.body.get("dimensions")
    size = wanted if type(wanted) is int and 0 < wanted <= _MOST_DIMENSIONS else 1536
    packed = question.body.get("encoding_format") == "base64"
    data = []
    for index, text in enumerate(texts):
        vector = _vector(json.dumps(text), size)
        shown = base64.b64encode(struct.pack(f"<{size}f", *vector)).decode() if packed else vector
        data.append({"object": "embedding", "index": index, "embedding": shown})
    tokens = sum(guess(text if isinstance(text, str) else json.dumps(text)) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": model, "data": data, "usage": usage}


def _vector(text: str, size: int) -> list[float]:
    stream = hashlib.shake_256(text.encode(errors="surrogatepass")).digest(size)
    raw = [byte - 127.5 for byte in stream]
    length = sum(value * value for value in raw) ** 0.5
    return [value / length for value in raw]


def frame(data: object, *, event: str = "") -> bytes:
    """One frame of a stream."""
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode(errors="replace")


def data_in(frame: bytes) -> dict[str, Any] | None:
    """What a frame says, if it is an object of JSON."""
    lines = [line[5:].strip() for line in frame.split(b"\n") if line.startswith(b"data:")]
    try:
        data = json.loads(b"\n".join(lines)) if lines else None
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def failed(api: Api, message: str, code: str) -> bytes:
    """The frame that tells of a stream that cannot go on."""
    if api is Api.RESPONSES:
        said = {"type": "error", "code": code, "message": message, "param": None}
        return frame({**said, "sequence_number": 0}, event="error")
    return frame({"error": {"message": message, "type": "server_error", "code": code}})


def streamed(answer: Mapping[str, Any], question: Question) -> Iterator[bytes]:
    """The frames in which *answer* would have come."""
    if question.api is Api.RESPONSES:
        return _response_frames(answer)
    return _completion_frames(answer, question)


def _completion_frames(answer: Mapping[str, Any], question: Question) -> Iterator[bytes]:
    base = {
        "id": answer.get("id", ""),
        "object": "chat.completion.chunk",
        "created": answer.get("created", 0),
        "model": answer.get("model", ""),
    }

    def chunk(index: int, delta: Mapping[str, Any], reason: object = None) -> bytes:
        choice = {"index": index, "delta": delta, "finish_reason": reason, "logprobs": None}
        return frame({**base, "choices": [choice]})

    for choice in answer.get("choices") or ():
        index, message = choice["index"], choice["message"]
        yield chunk(index, {"role": "assistant", "content": ""})
        for piece in _pieces(message.get("content") or ""):
            yield chunk(index, {"content": piece})
        for n, call in enumerate(message.get("tool_calls") or ()):
            function = call["function"]
            named = {"name": function["name"], "arguments": ""}
            head = {"index": n, "id": call["id"], "type": "function", "function": named}
            yield chunk(index, {"tool_calls": [head]})
            for piece in _pieces(function["arguments"]):
                more = {"index": n, "function": {"arguments": piece}}
                yield chunk(index, {"tool_calls": [more]})
        yield chunk(index, {}, choice.get("finish_reason"))
    if question.wants_usage:
        yield frame({**base, "choices": [], "usage": answer.get("usage")})
    yield DONE


def _response_frames(answer: Mapping[str, Any]) -> Iterator[bytes]:
    numbers = count()

    def event(kind: str, **said: object) -> bytes:
        return frame({"type": kind, "sequence_number": next(numbers), **said}, event=kind)

    begun = {**answer, "status": "in_progress", "output": [], "usage": None}
    yield event("response.created", response=begun)
    yield event("response.in_progress", response=begun)
    for index, item in enumerate(answer.get("output") or ()):
        place = {"item_id": item.get("id", ""), "output_index": index}
        opened = {**item, **_BARE.get(item["type"], {}), "status": "in_progress"}
        yield event("response.output_item.added", output_index=index, item=opened)
        if item["type"] == "message":
            for n, part in enumerate(item["content"]):
                here = {**place, "content_index": n}
                text = part.get("text", "")
                if part["type"] != "output_text":
                    continue
                yield event("response.content_part.added", **here, part={**part, "text": ""})
                for piece in _pieces(text):
                    yield event("response.output_text.delta", **here, delta=piece, logprobs=[])
                yield event("response.output_text.done", **here, text=text, logprobs=[])
                yield event("response.content_part.done", **here, part=part)
        elif item["type"] == "function_call":
            given = item["arguments"]
            for piece in _pieces(given):
                yield event("response.function_call_arguments.delta", **place, delta=piece)
            done = {**place, "name": item["name"], "arguments": given}
            yield event("response.function_call_arguments.done", **done)
        yield event("response.output_item.done", output_index=index, item=item)
    yield event("response.completed", response=answer)


def _pieces(text: str) -> Iterator[str]:
    return (text[i : i + _PIECE] for i in range(0, len(text), _PIECE))
