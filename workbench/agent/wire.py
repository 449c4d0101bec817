"""The way from a notebook to a language model and to the gateway, by Python's own library alone.

Where the model is and who asks stand in the environment, as for any client made for OpenAI.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from http.client import HTTPResponse

OPENAI = "https://api.openai.com/v1"
PATIENCE_SECONDS = 600.0
_WALLED = (errno.EOPNOTSUPP, errno.EPERM, errno.EACCES)
_COMMENT = b": workbench "
_COST = "X-Workbench-Cost-Usd"


class ModelError(RuntimeError):
    """A language model could not be asked, or did not answer.

    Attributes:
        status: The HTTP status; 0 if there was no answer.
        code: What kind of error it is, for programs.
    """

    def __init__(self, message: str, *, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class BudgetExceeded(ModelError):
    """What may be spent on language models is spent."""


@dataclass(slots=True)
class Said:
    """What a model has said.

    Attributes:
        message: As the next question has it.
        usage: The tokens it took.
        cost: In dollars; None if nobody knows.
    """

    message: dict[str, Any] = field(default_factory=lambda: {"role": "assistant", "content": ""})
    usage: dict[str, Any] = field(default_factory=dict)
    cost: float | None = None


def ask(body: Mapping[str, Any], *, hear: Callable[[str], None] | None = None) -> Said:
    """What the model says to *body*, a question to Chat Completions; *hear* is told as it comes.

    Raises:
        BudgetExceeded: The run, the agent or the user has nothing left to spend.
        ModelError: It cannot be reached, refuses, or its answer breaks off.
    """
    if hear is None:
        with _post(body) as answer:
            whole = json.loads(answer.read())
            cost = answer.headers.get(_COST)
        message = {k: v for k, v in whole["choices"][0]["message"].items() if v is not None}
        return Said(message, whole.get("usage") or {}, None if cost is None else float(cost))
    streamed = {**body, "stream": True, "stream_options": {"include_usage": True}}
    said = Said()
    with _post(streamed) as answer:
        for line in _lines(answer):
            if _take(said, line, hear):
                break
        else:
            raise ModelError("The model's answer broke off.", code="stream_cut")
    if said.message.get("tool_calls") and not said.message["content"]:
        said.message["content"] = None
    return said


@contextmanager
def exchange(
    method: str, url: str, *, key: str, body: Mapping[str, Any] | None, seconds: float
) -> Iterator[HTTPResponse]:
    """The answer to a request, its body still to be read; *seconds* is how long it may be silent.

    Raises:
        OSError: Nobody answers, or not in time.
        HTTPException: What answers speaks no HTTP.
    """
    # Not needed by notebooks that ask nobody.
    from http.client import HTTPConnection, HTTPSConnection

    place = urlsplit(url)
    kind = HTTPSConnection if place.scheme == "https" else HTTPConnection
    headers = {"Authorization": f"Bearer {key}"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    with closing(kind(place.hostname or "", place.port, timeout=seconds)) as connection:
        content = None if body is None else json.dumps(body)
        connection.request(method, place.path or "/", content, headers)
        with connection.getresponse() as answer:
            yield answer


@contextmanager
def _post(body: Mapping[str, Any]) -> Iterator[HTTPResponse]:
    from http.client import HTTPException

    key = os.environ.get("OPENAI_API_KEY", "")
    url = os.environ.get("OPENAI_BASE_URL") or (OPENAI if key else "")
    if not url:
        raise ModelError(
            "No language model is within reach here. Runs of an agent have one; elsewhere set"
            " OPENAI_BASE_URL and OPENAI_API_KEY.",
            code="no_model",
        )
    asked = f"{url.rstrip('/')}/chat/completions"
    with ExitStack() as held:
        try:
            answer = held.enter_context(
                exchange("POST", asked, key=key, body=body, seconds=PATIENCE_SECONDS)
            )
            refused = _refusal(answer.status, answer.read()) if answer.status != 200 else None
        except (OSError, HTTPException) as error:
            message = f"The model cannot be reached: {told(error)}"
            raise ModelError(message, code="unreachable") from error
        if refused is not None:
            raise refused
        yield answer


def told(error: Exception) -> str:
    """What kept a connection from being made, as a sentence."""
    if isinstance(error, OSError) and error.errno in _WALLED:
        return (
            "this run may make no connection. Without namespaces (isolation level landlock) it needs"
            ' "network": "open" in its metadata.'
        )
    return f"{error}."


def _refusal(status: int, content: bytes) -> ModelError:
    try:
        error = json.loads(content)["error"]
        message, code = str(error["message"]), str(error.get("code") or "")
    except (ValueError, KeyError, TypeError):
        message, code = f"The model answered {status}.", ""
    kind = BudgetExceeded if code == "insufficient_quota" else ModelError
    return kind(message, status=status, code=code)


def _lines(answer: HTTPResponse) -> Iterator[bytes]:
    from http.client import HTTPException

    try:
        for line in answer:
            if stripped := line.strip():
                yield stripped
    except (OSError, HTTPException) as error:
        raise ModelError(f"The model's answer broke off: {error}.", code="stream_cut") from error


def _take(said: Said, line: bytes, hear: Callable[[str], None]) -> bool:
    """Whether *line* is the end of the stream; else what it says is taken in."""
    if line.startswith(_COMMENT):
        said.cost = json.loads(line.removeprefix(_COMMENT)).get("cost_usd")
    if not line.startswith(b"data:"):
        return False
    data = line.removeprefix(b"data:").strip()
    if data == b"[DONE]":
        return True
    chunk = json.loads(data)
    if "error" in chunk:
        error = chunk["error"]
        raise ModelError(str(error.get("message")), code=str(error.get("code") or ""))
    said.usage = chunk.get("usage") or said.usage
    for choice in chunk.get("choices") or ():
        delta = choice.get("delta") or {}
        if text := delta.get("content"):
            said.message["content"] += text
            hear(text)
        for call in delta.get("tool_calls") or ():
            _take_call(said.message.setdefault("tool_calls", []), call)
    return False


def _take_call(calls: list[dict[str, Any]], delta: Mapping[str, Any]) -> None:
    place = delta.get("index", len(calls))
    while len(calls) <= place:
        calls.append({"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
    calls[place]["id"] = delta.get("id") or calls[place]["id"]
    for name, text in (delta.get("function") or {}).items():
        if name in ("name", "arguments"):
            calls[place]["function"][name] += text or ""
