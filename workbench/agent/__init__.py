"""What an agent's notebook may import while it runs.

    from workbench import agent

    agent.log("info", "reading", rows=len(rows))
    agent.progress(0.5, "half way")
    agent.file("summary.csv", text)
    agent.result({"rows": len(rows)})

    @agent.tool(effects="read")
    def look_up(car: str) -> float: ...

    said = agent.chat("Which car goes furthest?", tools=[look_up, "files"])
    total = agent.call("ada/summary", text=said.text)

Nothing but Python's own library may enter: importing this costs a notebook a few milliseconds, and
nothing of the workbench is within reach behind it. It works without one too: in JupyterLab a
result is displayed, in plain Python it is printed.

`agent.test` says whether this is a test run and `agent.run_id` which run it is, empty outside one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from workbench.agent.calls import CallFailed, call
from workbench.agent.files import file
from workbench.agent.skills import Skill
from workbench.agent.speech import has_result, log, progress, result, situation
from workbench.agent.talk import Chat, StepsExceeded, chat
from workbench.agent.tools import NotApproved, Tool, tool
from workbench.agent.values import InvalidResult
from workbench.agent.wire import BudgetExceeded, ModelError

if TYPE_CHECKING:
    from workbench.agent import toolbox as toolbox

    run_id: str
    test: bool

__all__ = [
    "BudgetExceeded",
    "CallFailed",
    "Chat",
    "InvalidResult",
    "ModelError",
    "NotApproved",
    "Skill",
    "StepsExceeded",
    "Tool",
    "call",
    "chat",
    "file",
    "has_result",
    "log",
    "progress",
    "result",
    "run_id",
    "test",
    "tool",
]


def __getattr__(name: str) -> object:
    # Looked up at every use: a kernel has imported this module before its run is known.
    if name in ("run_id", "test"):
        return getattr(situation(), name)
    if name == "toolbox":
        # Not everybody wants one; once it is imported, it is found without this.
        return import_module("workbench.agent.toolbox")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
