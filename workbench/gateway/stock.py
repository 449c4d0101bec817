"""Kernel Gateway's own routes, for the administrator alone.

Whoever has a free kernel here has the gateway's rights. The classes are theirs; what is put in
front lets in by the header only, starts kernels in an environment of their own, and answers errors
as everything here does.
"""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Awaitable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from jupyter_client.jsonutil import json_default

from workbench.domain.access import require_admin
from workbench.domain.parameters import load_json
from workbench.errors import InvalidRequest, NotFound, ResourceExhausted
from workbench.gateway.envelope import Enveloped
from workbench.gateway.kernel_gateway import STOCK_ROUTES, MainKernelHandler

_PASSED_ON = ("HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "TMPDIR", "TZ", "USER")
_SECRET_BEGINNINGS = ("WORKBENCH_", "KG_")
_SECRET_ENDINGS = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")


class AdminOnly(Enveloped):
    """Lets the administrator in, and nobody else anywhere near."""

    template = "/api"

    async def prepare(self) -> None:
        """Find out who is asking before anything of Jupyter's does.

        Raises:
            Unauthenticated: Nobody knows who it is.
            InsufficientPermissions: It is no administrator.
            NotFound: The path names a kernel that is not there.
        """
        self.principal = await self.settings["kg_personality"].front.identity.of(
            self.request.headers
        )
        self.user = self.principal.user
        require_admin(self.principal)
        kernel_id = self.path_kwargs.get("kernel_id")
        if kernel_id is not None and kernel_id not in self.settings["kernel_manager"]:
            raise NotFound("There is no such kernel.", kernel_id=kernel_id[:80])
        coming = super().prepare()
        if isinstance(coming, Awaitable):
            await coming


class StartKernel(AdminOnly, MainKernelHandler):  # type: ignore[misc]
    """The list of kernels, and a new one."""

    def initialize(self, starting: set[str]) -> None:
        """Begin with the kernels that are about to be: they count before they are there."""
        self._starting = starting

    async def post(self) -> None:
        """Start a kernel.

        Raises:
            InvalidRequest: The body makes no sense.
            NotFound: There is no such kernelspec.
            ResourceExhausted: There are as many as there may be.
        """
        name, asked = self._wish()
        most = self.settings["kg_max_kernels"]
        if most is not None and len({*self._running(), *self._starting}) >= most:
            raise ResourceExhausted(f"{most} kernels run already.", max_kernels=most)
        if name not in self.kernel_spec_manager.find_kernel_specs():
            raise NotFound("There is no such kernelspec.", name=name[:80])
        kernel_id = str(uuid.uuid4())
        self._starting.add(kernel_id)
        try:
            # What a kernel writes past the protocol is not for the gateway's log.
            await self.kernel_manager.start_kernel(
                kernel_id=kernel_id,
                kernel_name=name,
                env=self._environment(asked),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        finally:
            self._starting.discard(kernel_id)
        model = self.kernel_manager.kernel_model(kernel_id)
        self.set_status(HTTPStatus.CREATED)
        self.set_header("Location", f"/api/kernels/{quote(kernel_id)}")
        self.finish(json.dumps(model, default=json_default))

    def _running(self) -> list[str]:
        return list(self.kernel_manager.list_kernel_ids())

    def _wish(self) -> tuple[str, Mapping[str, str]]:
        try:
            wish = load_json(self.request.body or b"{}")
        except ValueError:
            raise InvalidRequest("The body is not JSON.") from None
        if not isinstance(wish, dict):
            raise InvalidRequest("The body must be a JSON object.")
        name = wish.get("name") or self.kernel_manager.default_kernel_name
        env = wish.get("env", {})
        if not isinstance(name, str):
            raise InvalidRequest("name must be text.", field="name")
        if not isinstance(env, dict) or not all(isinstance(v, str) for v in env.values()):
            raise InvalidRequest("env must be an object of texts.", field="env")
        return name, env

    def _environment(self, asked: Mapping[str, str]) -> dict[str, str]:
        """What the kernel finds: a few of our own variables and what it was given for itself."""
        passed_on = (*_PASSED_ON, *self.settings["kg_env_process_whitelist"])
        own = {name: value for name, value in os.environ.items() if name in passed_on}
        allowed = self.settings["kg_personality"].env_whitelist
        given = {
            name: value
            for name, value in asked.items()
            if name.startswith("KERNEL_") or name in allowed
        }
        return {name: value for name, value in own.items() if not _secret(name)} | given


def stock_routes() -> list[tuple[Any, ...]]:
    """The routes, each behind the door."""
    starting: set[str] = set()
    return [
        (pattern, StartKernel, {"starting": starting})
        if handler is MainKernelHandler
        else (pattern, type(handler.__name__, (AdminOnly, handler), {}))
        for pattern, handler in STOCK_ROUTES
    ]


def _secret(name: str) -> bool:
    return name.startswith(_SECRET_BEGINNINGS) or name.endswith(_SECRET_ENDINGS)
