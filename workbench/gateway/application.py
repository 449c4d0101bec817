"""The workbench's Kernel Gateway: theirs, with what is wrong with it put right."""

from __future__ import annotations

import logging
import os
import ssl
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from traitlets import default

from workbench.errors import Unavailable
from workbench.gateway.envelope import log_request
from workbench.gateway.front import Front
from workbench.gateway.identity import StockAuthorizer, StockIdentity
from workbench.gateway.kernel_gateway import KernelGatewayApp
from workbench.settings import Settings

PERSONALITY = "workbench.gateway.personality"
MOST_STOCK_KERNELS = 16
HEADER_BYTES = 32 * 1024
BODY_SECONDS = 120.0
IDLE_SECONDS = 600.0

# What a page of another origin may do where that is allowed at all.
_CROSS_ORIGIN = {
    "allow_methods": "GET, POST, PUT, PATCH, DELETE",
    "allow_headers": "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match,"
    " Last-Event-ID, Prefer, X-Request-Id",
    "expose_headers": "ETag, Idempotency-Replayed, Location, Retry-After, X-Request-Id, X-Run-Id,"
    " X-Run-Status",
}


class WorkbenchGateway(KernelGatewayApp):  # type: ignore[misc]
    """One listening gateway, built in two steps: `configure`, then `listen`."""

    name = "workbench-gateway"
    port: int

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @default("max_kernels")
    def _default_max_kernels(self) -> int:
        return int(os.environ.get("KG_MAX_KERNELS", MOST_STOCK_KERNELS))

    @default("cookie_secret")
    def _default_cookie_secret(self) -> bytes:
        """Never used, as no cookie is set, and so never written to a disk."""
        return os.urandom(32)

    @property
    def scheme(self) -> str:
        """`https` if Jupyter's configuration names a certificate."""
        return "https" if self.certfile else "http"

    def configure(self) -> None:
        """Read Jupyter's own configuration files; our settings outrank them."""
        super(KernelGatewayApp, self).initialize(argv=[])
        for name, value in self._ours().items():
            setattr(self, name, value)
        if self.allow_origin:
            for name, value in _CROSS_ORIGIN.items():
                setattr(self, name, getattr(self, name) or value)

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
        self.web_app.settings["log_function"] = log_request

    def init_http_server(self) -> None:
        """Bind the one port that was asked for, or say why not.

        Raises:
            Unavailable: It is taken or not to be had.
        """
        self.http_server = HTTPServer(
            self.web_app,
            xheaders=self.trust_xheaders,
            ssl_options=self._build_ssl_options(),
            max_header_size=HEADER_BYTES,
            max_body_size=self._settings.body_bytes,
            body_timeout=BODY_SECONDS,
            idle_connection_timeout=IDLE_SECONDS,
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
        }

    def _build_ssl_options(self) -> ssl.SSLContext | None:
        """TLS 1.2 and 1.3, with the caller's certificate too if an authority for it is named."""
        if not self.certfile:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certfile, self.keyfile or None)
        if self.client_ca:
            context.load_verify_locations(self.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context
