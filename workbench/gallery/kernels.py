"""The kernels of pages: with a clean environment, each the affair of its visitor alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_server.base.call_context import CallContext
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.web import HTTPError

_KEPT = frozenset(
    {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "JUPYTER_PATH", "VIRTUAL_ENV"}
)


class PageKernels(AsyncMappingKernelManager):
    """Kernels, and whose page each of them runs."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)  # type: ignore[no-untyped-call]
        self._owners: dict[str, str] = {}

    def owned(self, kernel_id: str | None, user: str) -> bool:
        """Whether that kernel runs a page of *user*."""
        return kernel_id is not None and self._owners.get(kernel_id) == user

    async def start_kernel(  # type: ignore[override]
        self, *, env: dict[str, str] | None = None, **how: Any
    ) -> str:
        """The id of a new kernel, that knows of this process no more than it needs."""
        handler = CallContext.get(CallContext.JUPYTER_HANDLER)
        kernel_id: str = await super().start_kernel(env=_clean(env or {}), **how)
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
        await super().shutdown_kernel(kernel_id, now=now, restart=restart)

    def remove_kernel(self, kernel_id: str) -> Any:
        """Forget a kernel that has ended, and whose it was."""
        self._owners.pop(kernel_id, None)
        return super().remove_kernel(kernel_id)  # type: ignore[no-untyped-call]


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name in _KEPT}
