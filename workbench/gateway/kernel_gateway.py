"""All that is used of Kernel Gateway, under the names it has there.

There has been no release of it since 2024-03. Whatever has to be cured or replaced one day is
found from here; no other module imports it.
"""

from __future__ import annotations

from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.auth.identity import User
from kernel_gateway.auth.identity import GatewayIdentityProvider
from kernel_gateway.base.handlers import APIVersionHandler
from kernel_gateway.gatewayapp import KernelGatewayApp
from kernel_gateway.services.kernels.handlers import MainKernelHandler
from kernel_gateway.services.kernels.handlers import default_handlers as kernel_routes
from kernel_gateway.services.kernelspecs.handlers import default_handlers as kernelspec_routes

STOCK_ROUTES: tuple[tuple[str, type], ...] = (
    (r"/api", APIVersionHandler),
    *kernel_routes,
    *kernelspec_routes,
)
"""Kernels, their channels and kernelspecs. Not its sessions, which know no limit, nor the files
that describe its own routes to anybody."""

__all__ = [
    "STOCK_ROUTES",
    "Authorizer",
    "GatewayIdentityProvider",
    "KernelGatewayApp",
    "MainKernelHandler",
    "User",
]
