"""The options that commands share; each can be given as `WORKBENCH_` and its long name too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from workbench.domain.paging import LARGEST_PAGE, PAGE

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def option(*names: str, **attributes: Any) -> Callable[[Decorated], Decorated]:
    """A click option that is also read from the environment."""
    return click.option(*names, envvar=variable(*names), **attributes)


def variable(*names: str) -> str:
    """The environment variable of an option with these names."""
    long = next(name for name in names if name.startswith("--"))
    return "WORKBENCH_" + long.removeprefix("--").replace("-", "_").upper()


home_option = option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of agents and runs; the user's data folder unless given.",
)
json_option = option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")
limit_option = option(
    "--limit",
    type=click.IntRange(1, LARGEST_PAGE),
    default=PAGE,
    show_default=True,
    help="The length of the list.",
)
cursor_option = option("--cursor", help="Where the list before ended: its next_cursor.")
name_option = option("--name", help="What the agent shall be called; the file's name unless given.")
with_option = option(
    "--with",
    "files",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A file that its runs find beside the notebook; may be given again.",
)
force_option = option(
    "--force",
    is_flag=True,
    help="Publish whatever the source holds, without running the agent's cases.",
)
parameters_option = option(
    "-p",
    "--parameter",
    "parameters",
    type=(str, str),
    multiple=True,
    metavar="NAME VALUE",
    help="Set a parameter; may be given again.",
)
port_option = option(
    "--port", type=click.IntRange(0, 65_535), help="The gateway's port; 0 picks a free one."
)
