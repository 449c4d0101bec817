"""One gateway as a program sees it that waits for its answers."""

from __future__ import annotations

import ssl
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any

from workbench.client.failures import failure
from workbench.client.requests import (
    PATIENCE_SECONDS,
    Answer,
    Request,
    moved,
    path_of,
    place_of,
    silence,
)
from workbench.client.stream import Following, messages

__all__ = ["Gateway", "path_of"]


class Gateway:
    """One gateway. It may be asked from several threads at once."""

    def __init__(self, url: str, token: str, *, trust: ssl.SSLContext | None = None) -> None:
        """The gateway at *url*; *trust* says whose certificate it may show, else the system does."""
        self._place = place_of(url)
        self.url = self._place.url
        self._trust = trust
        self._token = token
        # Connections that the gateway keeps open for the next question.
        self._idle: deque[HTTPConnection] = deque()

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
        return self.send(
            Request(
                method=method,
                path=path,
                query=query or {},
                body=body,
                content=content,
                headers=headers or {},
                patience_seconds=patience_seconds,
            )
        )

    def send(self, request: Request) -> Answer:
        """What the gateway answers to *request*.

        Raises:
            WorkbenchError: The gateway refused; the class is the one that was raised there.
            Unavailable: It did not answer, or not in time.
        """
        lost: Exception | None = None
        for pause in request.pauses:
            time.sleep(pause)
            try:
                answer = self._exchange(request)
            except TimeoutError as error:
                raise silence(self._place, error) from error
            except (OSError, HTTPException) as error:
                lost = error
                self.close()
                continue
            if answer.status >= 400:
                raise failure(answer.status, answer.content)
            elsewhere = moved(request, answer, self._place)
            return answer if elsewhere is None else self.send(elsewhere)
        assert lost is not None
        raise silence(self._place, lost) from lost

    def events(self, run_id: str, *, after: int = 0) -> Iterator[dict[str, Any]]:
        """What happened and happens during a run, from event *after* + 1 to its last.

        A stream that breaks is taken up again where it ended.

        Raises:
            WorkbenchError: The gateway refused.
            Unavailable: The gateway is gone.
        """
        following = Following(run_id, after=after)
        while True:
            try:
                for event in self._stream(following):
                    yield event
                    if following.ended:
                        return
                following.broken()
            except (OSError, HTTPException) as error:
                following.broken(silence(self._place, error))
            time.sleep(following.pause_seconds)

    def close(self) -> None:
        """Let go of the connections that are kept open; more may be asked all the same."""
        while self._idle:
            self._idle.pop().close()

    def __del__(self) -> None:
        """Nobody is left to use them."""
        for connection in getattr(self, "_idle", ()):
            connection.close()

    def _stream(self, following: Following) -> Iterator[dict[str, Any]]:
        request = following.request
        with closing(self._connect(request)) as connection:
            response = self._send(connection, request)
            if response.status >= 400:
                raise failure(response.status, response.read())
            with closing(response):
                for message in messages(response):
                    yield following.read(message)

    def _exchange(self, request: Request) -> Answer:
        connection = self._connection(request)
        try:
            response = self._send(connection, request)
            answer = Answer(
                status=response.status,
                headers={name.lower(): value for name, value in response.getheaders()},
                content=response.read(),
            )
        except BaseException:
            connection.close()
            raise
        if request.repeatable and not response.will_close:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    def _connection(self, request: Request) -> HTTPConnection:
        # One kept open may have been closed over there: only what may be asked again goes there.
        if request.repeatable:
            try:
                connection = self._idle.pop()
            except IndexError:
                return self._connect(request)
            connection.sock.settimeout(request.patience_seconds)
            return connection
        return self._connect(request)

    def _connect(self, request: Request) -> HTTPConnection:
        netloc, patience = self._place.netloc, request.patience_seconds
        if not self._place.secure:
            return HTTPConnection(netloc, timeout=patience)
        if self._trust is None:
            self._trust = ssl.create_default_context()
        return HTTPSConnection(netloc, timeout=patience, context=self._trust)

    def _send(self, connection: HTTPConnection, request: Request) -> HTTPResponse:
        connection.request(
            request.method,
            self._place.prefix + request.target,
            body=request.payload,
            headers={"Authorization": f"Bearer {self._token}", **request.said},
        )
        return connection.getresponse()
