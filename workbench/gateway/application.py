"""The workbench's Kernel Gateway: theirs, with what is wrong with it put right."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import RequestHandler
from traitlets import default

from workbench.errors import Unavailable
from workbench.gateway.envelope import ORIGINS, UNKNOWN, log_request
from workbench.gateway.front import Front
from workbench.gateway.identity import StockAuthorizer, StockIdentity
from workbench.gateway.kernel_gateway import KernelGatewayApp
from workbench.gateway.tls import tls_of
from workbench.settings import Settings

PERSONALITY = "workbench.gateway.personality"


class WorkbenchGateway(KernelGatewayApp):  # type: ignore[misc]
    """One listening gateway, built in two steps: `configure`, then `listen`."""

    port: int

    def __init__(self, settings: Settings, *, configuration: Path) -> None:
        """The gateway of *settings*; *configuration* is the folder of our Jupyter configuration.

        Raises:
            InvalidRequest: They name a certificate that cannot be used.
        """
        super().__init__()
        self._settings = settings
        self._configuration = configuration
        self._tls = tls_of(settings)

    @default("cookie_secret")
    def _default_cookie_secret(self) -> bytes:
        """Never used, as no cookie is set, and so never written to a disk."""
        return os.urandom(32)

    @property
    def config_file_paths(self) -> list[str]:
        """Where Jupyter looks for configuration: ours is what is said nowhere else."""
        return [*super().config_file_paths, str(self._configuration)]

    @property
    def scheme(self) -> str:
        """`https` if the settings name a certificate."""
        return "https" if self._tls else "http"

    def configure(self) -> None:
        """Read `jupyter_kernel_gateway_config.py`, ours and others'; our settings outrank them."""
        super(KernelGatewayApp, self).initialize(argv=[])
        for name, value in self._ours().items():
            setattr(self, name, value)
        # Its lines go where all lines go.
        self.log.handlers.clear()
        self.log.propagate = True

    def listen(self, front: Front) -> None:
        """Answer from *front*, from now on; `port` then says where.

        Raises:
            Unavailable: The port is taken or not to be had.
        """
        self.front = front
        self.init_io_loop()
        self.init_configurables()
        self.init_webapp()
        self.init_http_server()

    def init_webapp(self) -> None:
        """Build the application; its log tells no query and no success."""
        super().init_webapp()
        # What is no HTTP is answered; a line for each would let anybody fill the log.
        logging.getLogger("tornado.general").setLevel(logging.WARNING)
        self.web_app.settings["log_function"] = self._answered
        self.web_app.settings[ORIGINS] = self._settings.allow_origin

    def init_http_server(self) -> None:
        """Bind the one port that was asked for, or say why not.

        Raises:
            Unavailable: It is taken or not to be had.
        """
        self.http_server = HTTPServer(
            self.web_app,
            xheaders=self.trust_xheaders,
            ssl_options=self._tls,
            max_header_size=self._settings.head_bytes,
            max_body_size=self._settings.body_bytes,
            body_timeout=self._settings.body_seconds,
            # Tornado counts it from the end of the last request to the end of the next head.
            idle_connection_timeout=self._settings.head_seconds,
        )
        try:
            sockets = bind_sockets(self._settings.port, self._settings.host)
        except OSError as error:
            raise Unavailable(
                f"Port {self._settings.port} of {self._settings.host} is not to be had:"
                f" {error.strerror}. Choose another with --port.",
                port=self._settings.port,
            ) from None
        self.http_server.add_sockets(sockets)
        self.port = sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Hang up on everybody and end the kernels of the stock routes."""
        if hasattr(self, "http_server"):
            self.http_server.stop()
            await self.http_server.close_all_connections()
        if hasattr(self, "personality"):
            await self.personality.shutdown()
            await self.kernel_websocket_connection_class.close_all()

    def _ours(self) -> dict[str, Any]:
        return {
            "api": PERSONALITY,
            "ip": self._settings.host,
            "port": self._settings.port,
            "base_url": "/",
            "auth_token": "",
            "prespawn_count": None,
            "identity_provider_class": StockIdentity,
            "authorizer_class": StockAuthorizer,
            # Ours alone say so: here the answers get theirs, and there the stock handlers check.
            "allow_origin": self._settings.allow_origin[0] if self._settings.allow_origin else "",
        }

    def _answered(self, handler: RequestHandler) -> None:
        """Count and tell of an answered request."""
        request = handler.request
        template = getattr(handler, "template", UNKNOWN)
        self.front.metering.answered(
            request.method or "", template, handler.get_status(), request.request_time()
        )
        log_request(handler)
