"""One request and its answer: let in, read, handed to its handler, written out.

A refusal is told when the request has been read to its end, as most clients listen only then; the
rest of a body that is refused is thrown away as it comes and never kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, nullcontext
from http import HTTPStatus
from typing import Any

from tornado.iostream import StreamClosedError
from tornado.web import stream_request_body

from workbench.domain.access import Principal, Role
from workbench.errors import (
    AgentNotFound,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    WorkbenchError,
)
from workbench.gateway.dialect import PREFIX, openai_failure
from workbench.gateway.envelope import Enveloped
from workbench.gateway.examples import origin
from workbench.gateway.front import Front
from workbench.gateway.handlers.places import run_of
from workbench.gateway.handlers.tickets import without_ticket
from workbench.gateway.moving import moved
from workbench.gateway.requests import Call
from workbench.gateway.responses import Answer
from workbench.gateway.route import Route
from workbench.gateway.routes import Found, find, methods, opens
from workbench.gateway.streams import MEDIA as EVENTS

NOBODY = Principal(user="", role=Role.VIEWER)
"""Who asks on a public route: it does not matter."""

THROWN_AWAY_BYTES = 16 * 1024 * 1024
"""How much of a refused body is read for the sake of being heard; after that we hang up."""


@stream_request_body
class Exchange(Enveloped):
    """A request to one of our own routes, or to none."""

    def initialize(self, front: Front) -> None:
        """Begin with nothing read."""
        self._front = front
        self._limit = front.app.settings.body_bytes
        self._found: Found | None = None
        self._principal = NOBODY
        self._query = self.request.query
        self._refusal: WorkbenchError | None = None
        self._body = bytearray()
        self._received = 0
        self._ends = asyncio.Event()

    async def prepare(self) -> None:
        """Find the route and let the caller in, or remember why not."""
        self._front.enter(self._ends)
        self._connection().set_max_body_size(self._limit + THROWN_AWAY_BYTES)
        try:
            route = self._route()
            if not route.public or (route.personal and "Authorization" in self.request.headers):
                self._principal = await self._who(route)
                self.user = self._principal.user
            self._check_announced()
        except WorkbenchError as error:
            self._refuse(error)
            if self._hopeless():
                raise

    def data_received(self, chunk: bytes) -> None:
        """Keep a piece of the body, unless it is one too many."""
        if self._finished:
            return
        self._received += len(chunk)
        if self._refusal is None and self._received > self._limit:
            self._refuse(_too_large(self._limit))
        if self._refusal is None:
            self._body += chunk
        elif self._received > self._limit + THROWN_AWAY_BYTES // 2:
            self.send_error(exc_info=(type(self._refusal), self._refusal, None))

    async def _handle(self) -> None:
        if self._refusal is not None:
            raise self._refusal
        assert self._found is not None
        call = Call(
            app=self._front.app,
            principal=self._principal,
            method=self.request.method or "",
            path=self.request.path,
            places=self._found.places,
            query=self._query,
            headers=self.request.headers,
            body=bytes(self._body),
            origin=origin(self.request.protocol, self.request.host, self._front.url),
            ends=self._ends,
            opens=opens,
            metering=self._front.metering,
            kept=self._front.kept,
        )
        try:
            result = await self._found.routes[call.method].handler(call)
        except AgentNotFound:
            elsewhere = await moved(call)
            if elsewhere is None:
                raise
            result = elsewhere
        if result.stream is None:
            self.reply(result)
        else:
            await self._pour(result, result.stream)

    get = post = put = patch = delete = head = _handle

    async def options(self) -> None:
        """Tell a browser what it may ask, where other origins are allowed at all."""
        if isinstance(self._refusal, MethodNotAllowed) and self._other_origin():
            self.reply(Answer(status=HTTPStatus.NO_CONTENT))
        else:
            await self._handle()

    def explained(self, error: WorkbenchError) -> WorkbenchError:
        """The error with the methods there are, where the method was wrong."""
        if isinstance(error, MethodNotAllowed):
            allowed = methods(self.request.path)
            return MethodNotAllowed(
                f"This path knows {', '.join(allowed) or 'no method'} only.", allowed=allowed
            )
        return error

    def refusal(self, error: WorkbenchError) -> Answer:
        """What reports *error*, in the words of those who ask there."""
        if self.request.path.startswith(PREFIX):
            return openai_failure(error, request_id=self.request_id)
        return super().refusal(error)

    def on_connection_close(self) -> None:
        """Wake whatever writes to somebody who is no longer there."""
        self._ends.set()
        self._front.leave(self._ends)
        super().on_connection_close()

    def on_finish(self) -> None:
        """Take note that it is answered."""
        self._front.leave(self._ends)

    def _route(self) -> Route:
        if self.request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise InvalidRequest("Send the body as it is.", header="Content-Encoding")
        self._found = find(self.request.path)
        if self._found is None:
            raise NotFound("There is nothing at this path.")
        self.template = next(iter(self._found.routes.values())).path
        self.run_id = run_of(self._found.places)
        route = self._found.routes.get(self.request.method or "")
        if route is None:
            raise MethodNotAllowed("This path does not know that method.")
        return route

    async def _who(self, route: Route) -> Principal:
        """Whom the request comes from: a header says so, or a ticket where a browser may open."""
        if route.ticket and "Authorization" not in self.request.headers:
            ticket, rest = without_ticket(self._query)
            if ticket:
                self._query = rest
                target = f"{self.request.path}?{rest}" if rest else self.request.path
                return self._front.app.ticketing.redeem(ticket, target)
        return await self._front.identity.of(self.request.headers, runs=route.runs)

    def _check_announced(self) -> None:
        announced = self.request.headers.get("Content-Length", "0")
        if announced.isdecimal() and int(announced[:19]) > self._limit:
            raise _too_large(self._limit)

    def _refuse(self, error: WorkbenchError) -> None:
        self._refusal = error
        self._body.clear()

    def _hopeless(self) -> bool:
        """Whether the rest of the request is not worth waiting for."""
        announced = self.request.headers.get("Content-Length", "0")
        too_long = not announced.isdecimal() or int(announced[:19]) > THROWN_AWAY_BYTES
        return too_long or "Expect" in self.request.headers

    async def _pour(self, result: Answer, stream: AsyncGenerator[bytes, None]) -> None:
        """Write piece by piece, as fast as the caller reads, until one of the two ends."""
        self.set_status(result.status)
        self.set_header("Content-Type", result.media)
        for name, value in result.headers.items():
            self.set_header(name, value)
        following = result.media == EVENTS
        # Small pieces would otherwise wait for the caller to acknowledge the one before: 40 ms.
        self._connection().stream.set_nodelay(True)
        try:
            async with aclosing(stream) as pieces:
                with self._front.metering.following() if following else nullcontext():
                    await self.flush()
                    async for piece in pieces:
                        self.write(piece)
                        await self.flush()
        except StreamClosedError:
            return
        self.finish()

    def _connection(self) -> Any:
        return self.request.connection


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"A request may have {limit} bytes.", limit=limit)
