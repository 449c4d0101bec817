"""What an agent's notebook may import while it runs.

    from workbench import agent

    agent.log("info", "reading", rows=len(rows))
    agent.progress(0.5, "half way")
    agent.file("summary.csv", text)
    agent.result({"rows": len(rows)})

    @agent.tool(effects="read")
    def look_up(car: str) -> float: ...

    said = agent.chat("Which car goes furthest?", tools=[look_up])

Nothing but Python's own library may enter: importing this costs a notebook a few milliseconds, and
nothing of the workbench is within reach behind it. It works without one too: in JupyterLab a
result is displayed, in plain Python it is printed.

`agent.test` says whether this is a test run and `agent.run_id` which run it is, empty outside one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.agent.files import file
from workbench.agent.speech import has_result, log, progress, result, situation
from workbench.agent.talk import Chat, StepsExceeded, chat
from workbench.agent.tools import NotApproved, Tool, tool
from workbench.agent.values import InvalidResult
from workbench.agent.wire import BudgetExceeded, ModelError

if TYPE_CHECKING:
    run_id: str
    test: bool

__all__ = [
    "BudgetExceeded",
    "Chat",
    "InvalidResult",
    "ModelError",
    "NotApproved",
    "StepsExceeded",
    "Tool",
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
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
