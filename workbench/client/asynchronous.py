"""One gateway as a program sees it that awaits its answers, on asyncio's own streams."""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import AsyncIterator
from http.client import HTTPException, parse_headers
from typing import Any

from workbench.client.failures import failure
from workbench.client.requests import Answer, Request, moved, place_of, silence
from workbench.client.stream import Following, Reader

_LOST = (OSError, EOFError, ValueError, HTTPException)
_BODYLESS = frozenset({204, 304})


class AsyncGateway:
    """One gateway, for the tasks of one event loop."""

    def __init__(self, url: str, token: str, *, trust: ssl.SSLContext | None = None) -> None:
        """The gateway at *url*; *trust* says whose certificate it may show, else the system does."""
        self._place = place_of(url)
        self.url = self._place.url
        self._trust = trust
        self._token = token
        self._idle: list[_Connection] = []

    async def send(self, request: Request) -> Answer:
        """What the gateway answers to *request*.

        Raises:
            WorkbenchError: The gateway refused; the class is the one that was raised there.
            Unavailable: It did not answer, or not in time.
        """
        lost: Exception | None = None
        for pause in request.pauses:
            await asyncio.sleep(pause)
            try:
                async with asyncio.timeout(request.patience_seconds):
                    answer = await self._exchange(request)
            except TimeoutError as error:
                raise silence(self._place, error) from error
            except _LOST as error:
                lost = error
                await self.close()
                continue
            if answer.status >= 400:
                raise failure(answer.status, answer.content)
            elsewhere = moved(request, answer, self._place)
            return answer if elsewhere is None else await self.send(elsewhere)
        assert lost is not None
        raise silence(self._place, lost) from lost

    async def events(self, run_id: str, *, after: int = 0) -> AsyncIterator[dict[str, Any]]:
        """What happened and happens during a run, from event *after* + 1 to its last.

        Raises:
            WorkbenchError: The gateway refused.
            Unavailable: The gateway is gone.
        """
        following = Following(run_id, after=after)
        while True:
            try:
                connection = await self._connect()
                try:
                    async for event in self._stream(connection, following):
                        yield event
                        if following.ended:
                            return
                finally:
                    await connection.close()
                following.broken()
            except _LOST as error:
                following.broken(silence(self._place, error))
            await asyncio.sleep(following.pause_seconds)

    async def close(self) -> None:
        """Let go of the connections that are kept open; more may be asked all the same."""
        while self._idle:
            await self._idle.pop().close()

    async def _stream(
        self, connection: _Connection, following: Following
    ) -> AsyncIterator[dict[str, Any]]:
        request = following.request
        async with asyncio.timeout(request.patience_seconds):
            await connection.send(self._head(request), request.payload)
            await connection.read_head()
            if connection.status >= 400:
                raise failure(connection.status, await connection.body(request.method))
        reader, rest = Reader(), b""
        pieces = connection.pieces(request.method)
        while True:
            async with asyncio.timeout(request.patience_seconds):
                piece = await anext(pieces, b"")
            if not piece:
                return
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                if message := reader.take(line):
                    yield following.read(message)

    async def _exchange(self, request: Request) -> Answer:
        # One kept open may have been closed over there: only what may be asked again goes there.
        kept = self._idle.pop() if request.repeatable and self._idle else None
        connection = kept or await self._connect()
        try:
            await connection.send(self._head(request), request.payload)
            await connection.read_head()
            answer = Answer(
                status=connection.status,
                headers=connection.headers,
                content=await connection.body(request.method),
            )
        except BaseException:
            connection.abort()
            raise
        if request.repeatable and connection.stays:
            self._idle.append(connection)
        else:
            await connection.close()
        return answer

    async def _connect(self) -> _Connection:
        if self._place.secure and self._trust is None:
            self._trust = ssl.create_default_context()
        context = self._trust if self._place.secure else None
        reader, writer = await asyncio.open_connection(
            self._place.host, self._place.port, ssl=context
        )
        return _Connection(reader, writer)

    def _head(self, request: Request) -> bytes:
        said = {
            "Host": self._place.netloc,
            "Authorization": f"Bearer {self._token}",
            "Content-Length": str(len(request.payload or b"")),
            **request.said,
        }
        lines = [f"{request.method} {self._place.prefix}{request.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in said.items()]
        if any(set("\r\n") & set(line) for line in lines):
            raise ValueError("A header or a path holds the end of a line.")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class _Connection:
    """One connection, as far as HTTP/1.1 is spoken here.

    Attributes:
        status: The status of the answer whose head was read last.
        headers: Its headers, by their names in small letters.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._reader = reader
        self._writer = writer

    @property
    def stays(self) -> bool:
        """Whether another question may be asked here once the body has been read."""
        framed = "content-length" in self.headers or "transfer-encoding" in self.headers
        return framed and self.headers.get("connection", "").lower() != "close"

    async def send(self, head: bytes, payload: bytes | None) -> None:
        self._writer.write(head + (payload or b""))
        await self._writer.drain()

    async def read_head(self) -> None:
        head = await self._reader.readuntil(b"\r\n\r\n")
        first, _, rest = head.partition(b"\r\n")
        if not first.startswith(b"HTTP/1."):
            raise ValueError("What answers there does not speak HTTP.")
        self.status = int(first.split()[1])
        self.headers = {k.lower(): v for k, v in parse_headers(io.BytesIO(rest)).items()}

    async def body(self, method: str) -> bytes:
        return b"".join([piece async for piece in self.pieces(method)])

    async def pieces(self, method: str) -> AsyncIterator[bytes]:
        if method == "HEAD" or self.status in _BODYLESS:
            return
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            while size := int((await self._reader.readuntil(b"\r\n")).split(b";")[0], 16):
                yield await self._reader.readexactly(size)
                await self._reader.readexactly(2)
            while (await self._reader.readuntil(b"\r\n")).strip():
                continue
        elif length := self.headers.get("content-length"):
            yield await self._reader.readexactly(int(length))
        else:
            while piece := await self._reader.read(65_536):
                yield piece

    def abort(self) -> None:
        transport = self._writer.transport
        transport.abort()

    async def close(self) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            # It was closed over there already.
            return
