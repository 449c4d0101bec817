"""What an agent says while it runs: its result, its log and how far it has come.

All of it travels as display messages, so that it is in the executed notebook for ever and in the
run's events at once, and no kernel needs a port or a file for it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from json import dumps
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, cast

from workbench.agent.values import InvalidResult, as_json

if TYPE_CHECKING:
    from ipykernel.zmqshell import ZMQInteractiveShell

RESULT = "application/vnd.workbench.result+json"
EVENT = "application/vnd.workbench.event+json"
LEVELS = ("debug", "info", "warning", "error")


@dataclass(slots=True)
class Situation:
    """Where this process stands: in which run, and what has been said in it.

    Attributes:
        run_id: Which run; empty outside one.
        test: Whether it is a test run.
        folder: The working folder.
        given: Whether there is a result.
        progress_cell: The execution count of the cell that last spoke of its progress.
    """

    run_id: str = ""
    test: bool = False
    folder: Path = field(default_factory=Path.cwd)
    given: bool = False
    progress_cell: int = -1


_situation = Situation()


def arrive() -> None:
    """Begin anew: this process was forked from one that had imported this module elsewhere."""
    global _situation
    _situation = Situation()


def situation() -> Situation:
    """Where this process stands now."""
    # Every request to execute a cell says for which run: the kernel was there before its run.
    shell = _shell()
    if shell is not None:
        told = shell.kernel.get_parent().get("metadata", {}).get("workbench")
        if isinstance(told, dict):
            _situation.run_id = str(told.get("run_id", ""))
            _situation.test = bool(told.get("test", False))
    return _situation


def result(value: object) -> None:
    """Hand *value* over as the run's result.

    Outside a run nothing keeps it from being called again: cells are run again there.

    Raises:
        InvalidResult: It is no JSON value, or there is a result already.
    """
    now = situation()
    if now.given and now.run_id:
        raise InvalidResult("This run has a result already; a run has one.")
    plain = as_json(value)
    say({RESULT: plain}, dumps(plain, ensure_ascii=False, indent=2))
    now.given = True


def has_result() -> bool:
    """Whether a result has been handed over."""
    return _situation.given


def log(level: str, message: object, **fields: object) -> None:
    """Say *message*, with *fields* that programs can read.

    Raises:
        ValueError: There is no such level, or a field is no JSON value.
    """
    if level not in LEVELS:
        raise ValueError(f"level must be one of {', '.join(LEVELS)}, not {level!r:.40}.")
    said: dict[str, object] = {"type": "log", "level": level, "message": str(message)}
    if fields:
        said["fields"] = as_json(fields)
    details = "".join(f" {name}={value}" for name, value in fields.items())
    say({EVENT: said}, f"{level.upper()} {message}{details}")


def progress(fraction: float, message: str = "") -> None:
    """Say how far the run has come, from 0 to 1; within a cell the last word replaces the others.

    Raises:
        ValueError: *fraction* is no number.
    """
    if not isfinite(fraction):
        raise ValueError(f"fraction must be a number from 0 to 1, not {fraction}.")
    part = min(1.0, max(0.0, float(fraction)))
    said = {"type": "progress", "fraction": part, "message": str(message)}
    shell = _shell()
    cell = shell.execution_count if shell else -1
    update, _situation.progress_cell = cell == _situation.progress_cell, cell
    say({EVENT: said}, f"{part:4.0%} {message}".rstrip(), slot=f"progress-{cell}", update=update)


def shown_live() -> bool:
    """Whether what is said is displayed, and can be displayed anew."""
    return _shell() is not None


def say(data: Mapping[str, object], text: str, *, slot: str = "", update: bool = False) -> None:
    """Display *data*, and *text* to those who cannot read it; *update* what *slot* shows already."""
    shell = _shell()
    if shell is None:
        print(text, file=sys.stdout if RESULT in data else sys.stderr)
        return
    transient = {"display_id": f"workbench-{os.getpid()}-{slot}"} if slot else {}
    shell.display_pub.publish({**data, "text/plain": text}, {}, transient=transient, update=update)


def _shell() -> ZMQInteractiveShell | None:
    # Not imported: a plain Python that has no IPython yet needs none for this.
    module = sys.modules.get("ipykernel.zmqshell")
    if module is None or not module.ZMQInteractiveShell.initialized():
        return None
    return cast("ZMQInteractiveShell", module.ZMQInteractiveShell.instance())
