"""Where runs ask models and call agents: a port of this machine and a unix socket, for that alone.

They are there before the first run is carried out, and speak no TLS, as they lead nowhere else.
A sandboxed kernel reaches the socket by a relay, an ordinary one the port.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets, bind_unix_socket
from tornado.web import Application

from workbench.services.lending import Door

if TYPE_CHECKING:
    from workbench.gateway.front import Front

_LONGEST_PATH = 100
"""The kernel takes 107 bytes; see unix(7)."""


class Brokerage:
    """The door through which runs ask; bound when it is made, answering once it serves.

    Attributes:
        door: Where it is.
    """

    def __init__(self) -> None:
        root = tempfile.gettempdir()
        below = None if len(root) < _LONGEST_PATH - 20 else "/tmp"
        self._folder = Path(tempfile.mkdtemp(prefix="wbm-", dir=below))
        path = self._folder / "models"
        self._sockets: list[socket.socket] = [
            *bind_sockets(0, "127.0.0.1"),
            bind_unix_socket(str(path), mode=0o600),
        ]
        self._server: HTTPServer | None = None
        self.door = Door(port=self._sockets[0].getsockname()[1], socket=str(path))

    def serve(self, front: Front) -> None:
        """Answer from *front*, from now on; twice is once."""
        if self._server is not None:
            return
        # Weight: commands that run nothing bind the door and never open it.
        from workbench.gateway.envelope import log_request
        from workbench.gateway.exchange import Exchange

        application = Application(
            [(r"/v1/.*|/runs/[^/]+/calls/.*", Exchange, {"front": front})],
            log_function=log_request,
        )
        settings = front.app.settings
        self._server = HTTPServer(
            application,
            max_header_size=settings.head_bytes,
            max_body_size=settings.body_bytes,
            body_timeout=settings.body_seconds,
        )
        self._server.add_sockets(self._sockets)

    async def close(self) -> None:
        """Hang up on everybody and be gone."""
        if self._server is not None:
            self._server.stop()
            await self._server.close_all_connections()
        else:
            for one in self._sockets:
                one.close()
        shutil.rmtree(self._folder, ignore_errors=True)
