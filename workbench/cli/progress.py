"""The bar that shows which cell of a run is under way, on terminals only."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from workbench.cli.printing import harmless
from workbench.domain.events import EventType

Heed = Callable[[str, Mapping[str, Any]], None]
"""Told the type and the data of every event of the run."""

_LONGEST_NAME = 50


@contextmanager
def cell_bar(notebook: Callable[[], bytes], *, test: bool) -> Iterator[Heed]:
    """A bar on standard error while the block lasts; *notebook* is asked for its cells' names.

    Without a terminal there is no bar and *notebook* is not asked.
    """
    if not sys.stderr.isatty():
        yield _unheeded
        return
    # Weight, and only for terminals.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    names = cell_names(notebook(), test=test)
    columns = (
        BarColumn(20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("waiting for a kernel", total=len(names))

        def heed(kind: str, data: Mapping[str, Any]) -> None:
            if kind == EventType.CELL_STARTED:
                name = names.get(str(data.get("cell")), "parameters")
                progress.update(bar, description=name, refresh=True)
            elif kind == EventType.CELL_FINISHED and str(data.get("cell")) in names:
                progress.advance(bar)
            elif kind == EventType.PROGRESS and data.get("message"):
                progress.update(bar, description=_short(str(data["message"])))

        yield heed


def cell_names(notebook: bytes, *, test: bool) -> dict[str, str]:
    """What to call each cell that a run carries out, by its id: its heading, or its first line."""
    # Light: this module of the floor needs no library.
    from workbench.notebook.tags import runs

    names: dict[str, str] = {}
    heading = ""
    for cell in json.loads(notebook)["cells"]:
        source = cell["source"]
        text = source if isinstance(source, str) else "".join(source)
        if cell["cell_type"] == "markdown":
            found = (line for line in text.splitlines() if line.startswith("#"))
            heading = next(found, "").strip("# ") or heading
        elif runs({**cell, "source": text}, test=test):
            first = next(line for line in text.splitlines() if line.strip())
            names[str(cell.get("id"))] = _short(heading or first.strip("# %"))
            heading = ""
    return names


def _short(text: str) -> str:
    shown = harmless(" ".join(text.split()))
    return shown if len(shown) <= _LONGEST_NAME else shown[: _LONGEST_NAME - 1] + "…"


def _unheeded(_kind: str, _data: Mapping[str, Any]) -> None:
    """Nobody watches."""
