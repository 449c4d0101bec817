"""The kernels of pages: with a clean environment, each the affair of its visitor alone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Any

from jupyter_server.base.call_context import CallContext
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.ioloop import IOLoop
from tornado.web import HTTPError
from traitlets import default

from workbench.gallery.forking import PageKernel, Template

_KEPT = frozenset(
    {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "JUPYTER_PATH", "VIRTUAL_ENV"}
)
_READY_SECONDS = 60.0
_NEXT_SECONDS = 1.5
"""How long after a visitor the kernel for the next one is begun."""
# What every page imports; a kernel that has done so knows nothing of any visitor.
_PAGE = "workbench.panels.viewer_page"


class PageKernels(AsyncMappingKernelManager):
    """Kernels, and whose page each of them runs.

    One is always kept ready, its imports done: it has run no page, so it knows of no visitor.

    Attributes:
        template: What forks them.
    """

    @default("kernel_manager_class")
    def _page_kernels(self) -> str:
        return f"{PageKernel.__module__}.{PageKernel.__name__}"

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)  # type: ignore[no-untyped-call]
        self.template = Template([_PAGE], _clean(os.environ))
        self._owners: dict[str, str] = {}
        self._spare: str | None = None
        self._preparing: asyncio.Task[None] | None = None
        IOLoop.current().add_callback(self._prepare, {})

    def owned(self, kernel_id: str | None, user: str) -> bool:
        """Whether that kernel runs a page of *user*."""
        return kernel_id is not None and self._owners.get(kernel_id) == user

    async def start_kernel(  # type: ignore[override]
        self, *, env: object = None, **how: Any
    ) -> str:
        """The id of a new kernel, that knows of this process no more than it needs."""
        handler = CallContext.get(CallContext.JUPYTER_HANDLER)
        kernel_id, self._spare = self._spare, None
        if kernel_id is None or not await self.is_alive(kernel_id):
            kernel_id = await self._start(how)
        # Not now: whoever has just come waits for their page, and it would stand in its way.
        IOLoop.current().call_later(_NEXT_SECONDS, self._prepare, how)
        if isinstance(handler, JupyterHandler) and handler.current_user is not None:
            self._owners[kernel_id] = handler.current_user.username
        return kernel_id

    async def shutdown_kernel(  # type: ignore[override]
        self, kernel_id: str, now: bool = False, restart: bool = False
    ) -> None:
        """End a kernel; who asks from a browser must be the one whose page it runs.

        Raises:
            HTTPError: It is somebody else's.
        """
        handler = CallContext.get(CallContext.JUPYTER_HANDLER)
        user = getattr(getattr(handler, "current_user", None), "username", None)
        if isinstance(handler, JupyterHandler) and not self.owned(kernel_id, str(user)):
            raise HTTPError(404)
        await super().shutdown_kernel(kernel_id, now=now, restart=restart)  # type: ignore[no-untyped-call]

    def remove_kernel(self, kernel_id: str) -> Any:
        """Forget a kernel that has ended, and whose it was."""
        self._owners.pop(kernel_id, None)
        return super().remove_kernel(kernel_id)

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """End a kernel whose page is gone; the one that waits for its page stays."""
        if kernel_id != self._spare:
            await super().cull_kernel_if_idle(kernel_id)  # type: ignore[no-untyped-call]

    def _prepare(self, how: Mapping[str, Any]) -> None:
        """Make another one ready, unless there is one or that is under way."""
        if self._spare is None and (self._preparing is None or self._preparing.done()):
            self._preparing = asyncio.ensure_future(self._make_spare(how))

    async def _make_spare(self, how: Mapping[str, Any]) -> None:
        kernel_id = await self._start(how)
        client: Any = self.get_kernel(kernel_id).client()
        client.start_channels()
        try:
            await client.wait_for_ready(timeout=_READY_SECONDS)
            client.execute(f"import {_PAGE}", silent=True)
            await client.get_shell_msg(timeout=_READY_SECONDS)
        finally:
            client.stop_channels()
        self._spare = kernel_id

    async def _start(self, how: Mapping[str, Any]) -> str:
        # Nobody's yet: it must not be taken for the affair of whoever happens to be served.
        kernel_id: str = await super().start_kernel(env=_clean(os.environ), **how)
        return kernel_id


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name in _KEPT}
