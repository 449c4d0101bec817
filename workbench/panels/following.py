"""A run as it is watched: what its events have told so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from workbench.panels import wording
from workbench.panels.results import MOST_BLOCKS, Block, block_of

_TONES: Mapping[str, str] = {"warning": "warm", "error": "bad", "debug": "quiet"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of the run.

    Attributes:
        state: `pending`, `running`, `completed` or `failed`.
        ms: How long it took.
    """

    id: str
    index: int | None = None
    state: str = "running"
    ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line that was printed or logged; `tone` is how it is meant."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What is known of a run from its events.

    Attributes:
        seq: The last event that was read.
        of: How many cells there are to carry out; 0 while that is not known.
        fraction: How far the agent says that it is, from 0 to 1.
        doing: What it says that it does.
        shown: What its cells have displayed.
        before: How much of that the cells before this one have.
    """

    seq: int = 0
    cells: tuple[Cell, ...] = ()
    of: int = 0
    fraction: float | None = None
    doing: str = ""
    shown: tuple[Block, ...] = ()
    before: int = 0

    def heed(self, event: Mapping[str, Any]) -> Followed:
        """What is known after *event*."""
        known = replace(self, seq=max(self.seq, int(event["seq"])))
        match event["type"]:
            case "cell.started":
                cell = Cell(id=str(event["cell"]), index=event.get("index"))
                cells, coming = (*known.cells, cell), int(event.get("of") or 0)
                return replace(known, cells=cells, of=coming, before=len(known.shown))
            case "output" if event.get("kind") == "clear":
                return replace(known, shown=known.shown[: known.before])
            case "output" if event.get("data") and not event.get("cut"):
                block = block_of({**event, "output_type": event["kind"]}, texts=False)
                more = (block,) if block and len(known.shown) < MOST_BLOCKS else ()
                return replace(known, shown=(*known.shown, *more))
            case "run.retrying":
                return Followed(seq=known.seq)
            case "cell.finished":
                return replace(known, cells=tuple(_after(cell, event) for cell in known.cells))
            case "progress":
                said = event.get("fraction")
                fraction = float(said) if isinstance(said, int | float) else known.fraction
                return replace(known, fraction=fraction, doing=str(event.get("message") or ""))
        return known

    def segments(self) -> list[dict[str, Any]]:
        """The cells as the component for steps shows them, those to come included."""
        shown = [
            {
                "state": cell.state,
                "title": cell.id if cell.ms is None else f"{cell.id}: {cell.ms / 1000:.2f} s",
            }
            for cell in self.cells
        ]
        coming = max(0, self.of - len(shown))
        return shown + [{"state": "pending", "title": ""}] * coming


def lines_of(event: Mapping[str, Any]) -> list[Line]:
    """The lines that *event* adds to the log."""
    if event["type"] == "log":
        tone = _TONES.get(str(event.get("level")), "")
        return [Line(text=str(event.get("message", "")), tone=tone)]
    if event["type"] == "output" and event.get("kind") == "stream":
        tone = "warm" if event.get("name") == "stderr" else ""
        return [Line(text=text, tone=tone) for text in str(event.get("text", "")).splitlines()]
    return []


def steps_of(run: Mapping[str, Any] | None, followed: Followed) -> dict[str, Any]:
    """What the component for steps shows of a run."""
    if run is None:
        return {"status": None, "cells": []}
    busy = run["completed_at"] is None
    begun = run["status"] == "running"
    doing = (followed.doing or wording.STARTING) if begun else wording.WAITING
    return {
        "status": wording.badge(run["status"]),
        "busy": busy,
        "doing": f"{doing} …" if busy else "",
        "cells": followed.segments(),
        "fraction": followed.fraction,
        "ms": run["execution_time_ms"] if not busy else 0 if begun else None,
        "label": "Cells",
    }


def _after(cell: Cell, event: Mapping[str, Any]) -> Cell:
    if cell.id != event["cell"] or cell.state != "running":
        return cell
    return replace(cell, state=str(event["status"]), ms=event.get("ms"))
