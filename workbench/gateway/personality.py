"""The five names Kernel Gateway asks of a personality."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Any

from traitlets import Bool, List, Unicode
from traitlets.config.configurable import LoggingConfigurable

from workbench.gateway.exchange import Exchange
from workbench.gateway.stock import stock_routes


class WorkbenchPersonality(LoggingConfigurable):
    """Our routes, and behind them Kernel Gateway's for the administrator.

    No kernel is started ahead of time: that is the executor's business, and upstream a start that
    fails leaves a server that cannot be stopped.
    """

    list_kernels = Bool(True, config=True, help="Whether the administrator may list kernels.")
    env_whitelist = List(
        Unicode(),
        [name for name in os.environ.get("KG_ENV_WHITELIST", "").split(",") if name],
        config=True,
        help="Variables that may be set for a kernel of the stock routes, besides KERNEL_*.",
    )

    def __init__(self, *, parent: Any, log: logging.Logger) -> None:
        super().__init__(parent=parent, log=log)
        self._gateway = parent
        self.front = parent.front

    async def init_configurables(self) -> None:
        """Nothing: all is there before the port is."""

    def create_request_handlers(self) -> list[tuple[Any, ...]]:
        """All routes; the last answers whatever no other one does."""
        return [*stock_routes(), (r".*", Exchange, {"front": self.front})]

    def should_seed_cell(self, code: str) -> bool:
        """No kernel is seeded."""
        return False

    async def shutdown(self) -> None:
        """End the kernels that were started through the stock routes."""
        manager = self._gateway.kernel_manager
        ended = await asyncio.gather(
            *(manager.shutdown_kernel(kernel, now=True) for kernel in manager.list_kernel_ids()),
            return_exceptions=True,
        )
        for problem in filter(None, ended):
            self.log.warning("a kernel of the stock routes would not end: %s", problem)


def create_personality(*, parent: Any, log: logging.Logger) -> WorkbenchPersonality:
    """The personality of the gateway *parent*."""
    return WorkbenchPersonality(parent=parent, log=log)
