"""A question and its answer, before and after they travel."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from workbench.errors import InvalidRequest, Unavailable

PATIENCE_SECONDS = 60.0
"""How long an answer may take, unless the caller knows that it takes longer."""

# How long to wait before each try of a question that may be asked twice.
_TRIES = (0.0, 0.1, 0.5, 2.0)

_MOVED = frozenset({307, 308})

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question.

    Attributes:
        body: Sent as JSON.
        content: Sent as it is, instead.
        patience_seconds: How long the answer may take; None: as long as it takes.
        repeatable: Whether asking twice does no more than asking once, so that it may be asked
            again when no answer came.
        after_seconds: How long to wait before it is asked.
        follows: Whether to ask where the thing is now, if it has moved.
    """

    path: str
    method: str = "GET"
    query: Mapping[str, object] = field(default_factory=dict)
    body: object = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    patience_seconds: float | None = PATIENCE_SECONDS
    repeatable: bool = False
    after_seconds: float = 0.0
    follows: bool = True

    @property
    def target(self) -> str:
        """The path with its query; what is None is left out."""
        given = {name: _spelled(value) for name, value in self.query.items() if value is not None}
        return f"{self.path}?{urlencode(given)}" if given else self.path

    @property
    def payload(self) -> bytes | None:
        """The body as bytes."""
        if self.content is None and self.body is not None:
            return json.dumps(self.body).encode()
        return self.content

    @property
    def said(self) -> dict[str, str]:
        """The headers."""
        is_json = self.content is None and self.body is not None
        return {"Content-Type": "application/json", **self.headers} if is_json else {**self.headers}

    @property
    def pauses(self) -> tuple[float, ...]:
        """How long to wait before each time it may be sent."""
        first, *rest = _TRIES
        return (first + self.after_seconds, *(rest if self.repeatable else ()))


def moved(request: Request, answer: Answer, place: Place) -> Request | None:
    """*request* where it is to be asked instead, if *answer* says that the thing has moved."""
    target = answer.headers.get("location", "")
    # Only on the same gateway: the token goes along.
    here = target.startswith("/") and not target.startswith("//")
    if not (request.follows and here and answer.status in _MOVED):
        return None
    path, _, query = target.removeprefix(place.prefix).partition("?")
    return replace(request, path=path, query=dict(parse_qsl(query)), follows=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the gateway said."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""

    def json(self) -> Any:
        """The body, read as JSON.

        Raises:
            Unavailable: It is none, so it was no gateway that answered.
        """
        try:
            return json.loads(self.content) if self.content else None
        except ValueError:
            raise Unavailable(
                "What answered there is no gateway: it does not speak JSON."
            ) from None


Plan: TypeAlias = Generator[Request, Answer, T]
"""What to ask, one question after the other, and what to make of the answers.

Who carries a plan out decides how questions travel: a plan is the same for callers that wait and
for callers that await.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a gateway answers."""

    url: str
    secure: bool
    host: str
    port: int
    netloc: str
    prefix: str


def place_of(url: str) -> Place:
    """The place that *url* names.

    Raises:
        InvalidRequest: It names none.
    """
    split = urlsplit(url)
    try:
        port = split.port
    except ValueError:
        port = -1
    if split.scheme not in ("http", "https") or not split.hostname or port == -1:
        raise InvalidRequest(f"{url!r} is no address of a gateway, such as http://127.0.0.1:8890.")
    secure = split.scheme == "https"
    return Place(
        url=url.rstrip("/"),
        secure=secure,
        host=split.hostname,
        port=port or (443 if secure else 80),
        netloc=split.netloc.rpartition("@")[2],
        prefix=split.path.rstrip("/"),
    )


def path_of(*parts: str) -> str:
    """The path made of *parts*, whatever letters they hold."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def silence(place: Place, error: Exception) -> Unavailable:
    """What to raise when nothing came back from *place*."""
    why = str(error) or type(error).__name__
    return Unavailable(f"The gateway at {place.url} does not answer: {why}.", url=place.url)


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
