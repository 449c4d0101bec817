"""One gateway as a program sees it: an address, a token, and what can be asked there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from workbench.client.failures import failure
from workbench.client.stream import messages
from workbench.domain.events import EventType
from workbench.errors import InvalidRequest, Unavailable

PATIENCE_SECONDS = 60.0
"""How long an answer may take, unless the caller knows that it takes longer."""

# The gateway says something at least every 15 seconds, so a stream this silent is dead.
_SILENCE_SECONDS = 60.0
_RESUMPTIONS = 5


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


def path_of(*parts: str) -> str:
    """The path made of *parts*, whatever letters they hold."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


class Gateway:
    """One gateway, asked one thing at a time."""

    def __init__(self, url: str, token: str) -> None:
        split = urlsplit(url)
        if split.scheme not in ("http", "https") or not split.hostname:
            raise InvalidRequest(
                f"{url!r} is no address of a gateway, such as http://127.0.0.1:8890."
            )
        self.url = url.rstrip("/")
        self._kind = HTTPSConnection if split.scheme == "https" else HTTPConnection
        self._place = split.netloc.rpartition("@")[2]
        self._prefix = split.path.rstrip("/")
        self._token = token

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        patience_seconds: float | None = PATIENCE_SECONDS,
    ) -> Answer:
        """What the gateway answers; *body* is sent as JSON, *content* as it is.

        Raises:
            WorkbenchError: The gateway refused; the class is the one that was raised there.
            Unavailable: It did not answer, or not in time.
        """
        said = dict(headers or {})
        if content is None and body is not None:
            content = json.dumps(body).encode()
            said["Content-Type"] = "application/json"
        with closing(self._connect(patience_seconds)) as connection:
            try:
                response = self._send(connection, method, _with(path, query), content, said)
                answer = Answer(
                    status=response.status,
                    headers={name.lower(): value for name, value in response.getheaders()},
                    content=response.read(),
                )
            except (OSError, HTTPException) as error:
                raise self._silent(error) from error
        if answer.status >= 400:
            raise failure(answer.status, answer.content)
        return answer

    def events(self, run_id: str, *, after: int = 0) -> Iterator[dict[str, Any]]:
        """What happened and happens during a run, from event *after* + 1 to its last.

        A stream that breaks is taken up again where it ended.

        Raises:
            WorkbenchError: The gateway refused.
            Unavailable: The gateway is gone.
        """
        fruitless = 0
        while True:
            before = after
            try:
                for event in self._stream(run_id, after):
                    after = int(event["seq"])
                    yield event
                    if EventType(event["type"]).last:
                        return
            except (OSError, HTTPException) as error:
                if fruitless >= _RESUMPTIONS:
                    raise self._silent(error) from error
            fruitless = 0 if after > before else fruitless + 1
            if fruitless > _RESUMPTIONS:
                raise Unavailable(f"The events of run {run_id} end without a last one.")

    def _stream(self, run_id: str, after: int) -> Iterator[dict[str, Any]]:
        said = {"Accept": "text/event-stream"}
        if after:
            said["Last-Event-ID"] = str(after)
        with closing(self._connect(_SILENCE_SECONDS)) as connection:
            path = path_of("runs", run_id, "events")
            response = self._send(connection, "GET", path, None, said)
            if response.status >= 400:
                raise failure(response.status, response.read())
            with closing(response):
                for message in messages(response):
                    yield json.loads(message.data)

    def _connect(self, patience_seconds: float | None) -> HTTPConnection:
        return self._kind(self._place, timeout=patience_seconds)

    def _send(
        self,
        connection: HTTPConnection,
        method: str,
        path: str,
        content: bytes | None,
        headers: Mapping[str, str],
    ) -> HTTPResponse:
        authorized = {"Authorization": f"Bearer {self._token}", **headers}
        connection.request(method, self._prefix + path, body=content, headers=authorized)
        return connection.getresponse()

    def _silent(self, error: Exception) -> Unavailable:
        return Unavailable(f"The gateway at {self.url} does not answer: {error}.", url=self.url)


def _with(path: str, query: Mapping[str, object] | None) -> str:
    given = {name: _spelled(value) for name, value in (query or {}).items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
