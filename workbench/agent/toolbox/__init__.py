"""Tools that a notebook need not write: files, SQL, the web, other agents, and a shell.

    from workbench.agent import toolbox

    agent.chat("Which car goes furthest?", tools=[toolbox.sql(cars=cars), toolbox.files()])

Each gives a list of tools. They reach what the run reaches and nothing else: the walls around the
run are what holds a model, the bounds here are what keeps it from stumbling.
"""

from collections.abc import Callable, Mapping, Sequence

from workbench.agent.toolbox.colleagues import agents
from workbench.agent.toolbox.commands import shell
from workbench.agent.toolbox.folder import files
from workbench.agent.toolbox.internet import web
from workbench.agent.toolbox.tables import sql
from workbench.agent.tools import Tool

__all__ = ["agents", "files", "named", "shell", "sql", "web"]

_BY_NAME: Mapping[str, Callable[[], Sequence[Tool]]] = {
    "files": files,
    "shell": shell,
    "sql": sql,
    "web": web,
}


def named(name: str) -> Sequence[Tool]:
    """The tools that *name* stands for: `files`, `shell`, `sql` or `web`.

    Raises:
        ValueError: It stands for none.
    """
    if name not in _BY_NAME:
        raise ValueError(f"The toolbox has {', '.join(_BY_NAME)}, not {name!r:.40}.")
    return _BY_NAME[name]()
