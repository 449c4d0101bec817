"""The way out for runs that may reach some hosts: a proxy that knows which.

A run with an allow-list has no network. A port of its own leads to a unix socket of ours, and
behind that is this: it takes a request for a host, looks whether the run may reach it, finds the
host's addresses itself and connects to one of them that is the internet's. A name that leads to
this machine or to a private network leads nowhere, unless the administrator has named it.

What is refused is said in the answer's first line, which is what programs show of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from workbench.domain.network import Host, allows, is_public
from workbench.errors import KernelLost
from workbench.kernels import Relay
from workbench.kernels.sockets import SocketFolders

PORT = 3128
"""Where in a run its way out is found."""

ENVIRONMENT = (
    *((name, f"http://127.0.0.1:{PORT}") for name in ("HTTP_PROXY", "HTTPS_PROXY")),
    *((name, f"http://127.0.0.1:{PORT}") for name in ("http_proxy", "https_proxy")),
    *((name, "localhost,127.0.0.1") for name in ("NO_PROXY", "no_proxy")),
)
"""What tells programs in a run where that is."""

_HEAD_BYTES = 16 * 1024
_CHUNK = 64 * 1024
_HEAD_SECONDS = 30.0
_CONNECT_SECONDS = 15.0
_CONNECTIONS = 64
_ADDRESSES = 8
_TURNS = 5
"""How many turns of the loop it takes, at most, to let somebody in."""
_TARGET = re.compile(r"(?P<host>[A-Za-z0-9._-]{1,255}):(?P<port>[0-9]{1,5})")
_ABSOLUTE = re.compile(
    r"http://(?P<host>[A-Za-z0-9._-]{1,255})(:(?P<port>[0-9]{1,5}))?(?P<path>[/?].*)?",
    re.IGNORECASE,
)
# What is said to us and not to the host; a second request on the line could be for another one.
_HOP = frozenset(
    {"host", "proxy-authorization", "proxy-connection", "connection", "keep-alive", "upgrade"}
)

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host."""


class Refused(Exception):
    """The run may not go there; `str(error)` is the answer's first line."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What a program asks of the proxy.

    Attributes:
        host: The host it wants.
        port: And the port.
        head: What is passed on to the host; None for a tunnel.
    """

    host: str
    port: int
    head: bytes | None


class Door:
    """One run's way out.

    Attributes:
        path: The unix socket that leads to it.
    """

    def __init__(
        self, path: Path, *, hosts: Sequence[Host], private: Sequence[Host], resolve: Resolve
    ) -> None:
        """It leads to *hosts*, of which those in *private* may have addresses of any kind."""
        self.path = path
        self._hosts = hosts
        self._private = private
        self._resolve = resolve
        self._server: asyncio.Server | None = None
        self._carrying: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def relay(self) -> Relay:
        """What a kernel is asked for that shall find it."""
        return Relay(port=PORT, socket=str(self.path))

    async def open(self) -> None:
        """Listen.

        Raises:
            OSError: There is no place for the socket.
        """
        self._server = await asyncio.start_unix_server(
            self._accept, path=self.path, limit=_HEAD_BYTES
        )

    async def close(self) -> None:
        """Listen no more, and break off what is under way."""
        if self._server is not None:
            # A server that is closed while it lets somebody in forgets them, half in.
            for listening in self._server.sockets:
                asyncio.get_running_loop().remove_reader(listening.fileno())
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            self._server.close()
        carrying = dict(self._carrying)
        for task, writer in carrying.items():
            task.cancel()
            writer.close()
        if carrying:
            await asyncio.wait(carrying)
        self.path.unlink(missing_ok=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task that is called off before it begins would leave its end open.
        task = asyncio.ensure_future(self._take(reader, writer))
        self._carrying[task] = writer
        task.add_done_callback(self._carrying.pop)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except Refused as refusal:
            with contextlib.suppress(OSError):
                writer.write(_answer(refusal))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            return  # either end has gone
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            raise Refused(431, "The head of the request is too large.") from None
        except TimeoutError:
            raise Refused(408, "The head of the request did not come.") from None
        # Who is refused before all was read would see a broken connection and no answer.
        if len(self._carrying) > _CONNECTIONS:
            raise Refused(503, f"More than {_CONNECTIONS} connections at a time.")
        request = _read(head)
        there, back = await self._connect(request)
        try:
            if request.head is None:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                back.write(request.head)
            up = asyncio.ensure_future(_carry(reader, back))
            try:
                await _carry(there, writer)
            finally:
                up.cancel()
                await asyncio.wait({up})
        finally:
            back.close()

    async def _connect(
        self, request: _Request
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = request.host, request.port
        if not allows(self._hosts, host, port):
            raise Refused(
                403, f"{host}:{port} is not among the hosts in metadata.workbench.network."
            )
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                for address in await self._addresses(host, port):
                    with contextlib.suppress(OSError):
                        return await asyncio.open_connection(address, port)
        except TimeoutError:
            raise Refused(504, f"{host}:{port} does not answer.") from None
        raise Refused(502, f"{host}:{port} cannot be reached.")

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        """Where *host* may be connected to: to numbers, so that no second look finds others."""
        try:
            found = await self._resolve(host, port)
        except OSError:
            raise Refused(502, f"There is no host {host}.") from None
        if not (allows(self._private, host, port) or all(map(is_public, found))):
            raise Refused(403, f"{host} has an address that is not the internet's.")
        return found[:_ADDRESSES]


class Egress:
    """The doors of all runs of one executor."""

    def __init__(self, *, private: Iterable[Host] = (), resolve: Resolve | None = None) -> None:
        """Hosts in *private* may have any address; *resolve* finds addresses, if not the system."""
        self._private = tuple(private)
        self._resolve = resolve or _resolved
        self._folders: SocketFolders | None = None

    @asynccontextmanager
    async def door(self, hosts: Sequence[Host]) -> AsyncIterator[Door]:
        """A way out to *hosts*, as long as a run needs it.

        Raises:
            KernelLost: There is no place for it.
        """
        if self._folders is None:
            self._folders = SocketFolders()
        try:
            folder = self._folders.new()
        except OSError as error:
            raise KernelLost(f"No way out could be made: {error}.") from error
        door = Door(folder / "out", hosts=hosts, private=self._private, resolve=self._resolve)
        try:
            await door.open()
            yield door
        finally:
            await door.close()
            folder.rmdir()

    def close(self) -> None:
        """Leave nothing behind; every door must have been closed."""
        if self._folders is not None:
            self._folders.close()


async def _resolved(host: str, port: int) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def _read(head: bytes) -> _Request:
    """What *head* asks for.

    Raises:
        Refused: It makes no sense here.
    """
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise Refused(400, "That is no request.")
    method, target, version = words
    if method == "CONNECT":
        tunnel = _TARGET.fullmatch(target)
        if tunnel is None:
            raise Refused(400, "CONNECT names a host and a port.")
        return _Request(host=tunnel["host"], port=int(tunnel["port"]), head=None)
    found = _ABSOLUTE.fullmatch(target)
    if found is None:
        raise Refused(400, "This is a proxy: name the host, as http://host/path.")
    place = found["host"] if found["port"] is None else f"{found['host']}:{found['port']}"
    path = found["path"] or "/"
    origin = f"{method} {path if path.startswith('/') else '/' + path} {version}"
    kept = [line for line in lines if line.partition(":")[0].strip().lower() not in _HOP]
    passed = [origin, f"Host: {place}", *kept, "Connection: close", "", ""]
    return _Request(
        host=found["host"],
        port=int(found["port"] or 80),
        head="\r\n".join(passed).encode("latin-1"),
    )


def _answer(refusal: Refused) -> bytes:
    said = str(refusal).encode("ascii", "replace").replace(b"\r", b" ").replace(b"\n", b" ")
    return (
        b"HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
        b"Connection: close\r\n\r\n%s" % (refusal.status, said, len(said), said)
    )


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while chunk := await source.read(_CHUNK):
        target.write(chunk)
        await target.drain()
    if target.can_write_eof():
        target.write_eof()
