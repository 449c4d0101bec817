"""Notebook in, agent out.

Importing this package is cheap on purpose: every kernel does it. `from workbench import agent`
gives what an agent's notebook needs while it runs, `from workbench import Workbench` what a
program needs that calls agents, and neither brings anything else along.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench import agent as agent
    from workbench.client.workbench import AsyncWorkbench, Workbench

__version__ = "0.1.0"
__all__ = ["AsyncWorkbench", "Workbench", "agent"]

_SDK = ("AsyncWorkbench", "Workbench")


def __getattr__(name: str) -> object:
    if name in _SDK:
        return getattr(import_module("workbench.client.workbench"), name)
    if name == "agent":
        return import_module("workbench.agent")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
