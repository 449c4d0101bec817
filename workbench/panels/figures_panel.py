"""The panel of figures: how many runs, how they ended, how long they took, and where the time goes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any, TypeAlias

from workbench.panels import parts, wording
from workbench.panels.link import Link
from workbench.panels.panel import Panel
from workbench.panels.usage_panel import UsagePanel

View: TypeAlias = Mapping[str, Any]

DAYS = 14
SAMPLE = 100
"""How many of the latest runs the slowest cells are told from."""

MOST_CELLS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """One cell over some runs.

    Attributes:
        ms: How long half of its executions took at most.
        times: How many executions that are.
    """

    agent: str
    cell: str
    ms: float
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresState:
    """What the panel shows.

    Attributes:
        statistics: What the gateway says of the last days.
        slowest: The cells that took longest in the latest runs.
    """

    statistics: View | None = None
    slowest: tuple[Slow, ...] = ()
    problem: str = ""


class FiguresPanel(Panel[FiguresState]):
    """How runs have gone.

    Attributes:
        usage: What language models have taken.
    """

    def __init__(self, link: Link) -> None:
        """The panel, before it has asked for anything."""
        super().__init__(link, FiguresState())
        self._trouble = parts.Note()
        self.usage = UsagePanel(link)
        self._whole = parts.Value(blocks=[])
        self._runs = parts.Chart(labels=[], series=[])
        self._times = parts.Chart(labels=[], series=[])
        self._agents = parts.Table(columns=[], rows=[])
        self._cells = parts.Table(columns=[], rows=[])
        charts = parts.boxed(
            "wb-pair", parts.boxed("wb-card", self._runs), parts.boxed("wb-card", self._times)
        )
        tables = parts.boxed(
            "wb-pair",
            parts.boxed("wb-card", parts.Note(title=wording.BUSIEST, level="h4"), self._agents),
            parts.boxed(
                "wb-card", parts.Note(title=wording.SLOWEST_CELLS, level="h4"), self._cells
            ),
        )
        self.view = parts.boxed(
            "wb-stack", self._trouble, self._whole, charts, tables, self.usage.view
        )
        self.draw()

    def read(self) -> None:
        """Ask for the figures again."""
        self._go(self._read())

    async def done(self) -> None:
        """Wait until nothing is under way any more."""
        await super().done()
        await self.usage.done()

    def close(self) -> None:
        """Give up what is under way."""
        self.usage.close()
        super().close()

    def draw(self) -> None:
        """Show the state as it is."""
        said, trouble = self.state.statistics, self.state.problem
        self._trouble.show(text=trouble, tone="bad" if trouble else "")
        self._whole.show(blocks=[_figures(said)] if said else [])
        labels, days = _days(said) if said else ([], [])
        self._runs.show(
            title=wording.RUNS_PER_DAY, stacked=True, labels=labels, series=_counts(days)
        )
        self._times.show(
            title=wording.TIMES_PER_DAY, unit="ms", labels=labels, series=_durations(days)
        )
        rows = [_agent_row(one) for one in (said or {}).get("agents", ())]
        self._agents.show(
            columns=parts.columns(
                wording.BUSY_COLUMNS,
                agent="text",
                runs="number",
                rate="number",
                p50="took",
                p95="took",
            ),
            rows=rows,
            empty=wording.NO_RUNS,
        )
        cells = [_cell_row(slow) for slow in self.state.slowest]
        self._cells.show(
            columns=parts.columns(
                wording.CELL_COLUMNS, cell="code", agent="text", took="took", times="number"
            ),
            rows=cells,
            empty=wording.NO_RUNS,
        )

    async def _read(self) -> None:
        said = await self._link.wb.statistics(days=DAYS)
        self.change(statistics=said, problem="")
        self.usage.read(since=said["since"], days=DAYS)
        took: dict[tuple[str, str], list[float]] = defaultdict(list)
        count = 0
        async for run in self._link.wb.runs.list(status="completed"):
            for cell in run.about["cells"]:
                if cell.get("ms") is not None:
                    took[run.agent, cell["id"]].append(cell["ms"])
            count += 1
            if count == SAMPLE:
                break
        slow = [
            Slow(agent=agent, cell=cell, ms=median(ms), times=len(ms))
            for (agent, cell), ms in took.items()
        ]
        self.change(slowest=tuple(sorted(slow, key=lambda one: -one.ms)[:MOST_CELLS]))


def _figures(said: View) -> dict[str, Any]:
    rate = said["success_rate"]
    shown = {
        "runs": said["runs"],
        "success_rate": "–" if rate is None else f"{rate:.1%}",
        "p50_ms": _spelled(said["p50_ms"]),
        "p95_ms": _spelled(said["p95_ms"]),
    }
    return {"kind": "figures", "pairs": [[wording.FIGURES[name], v] for name, v in shown.items()]}


def _spelled(ms: float | None) -> str:
    if ms is None:
        return "–"
    return f"{ms:.0f} ms" if ms < 950 else f"{ms / 1000:.1f} s"


def _days(said: View) -> tuple[list[str], list[View | None]]:
    """The days, those without any run included, and what is known of each."""
    begun = date.fromisoformat(said["since"][:10])
    known = {one["day"]: one for one in said["days"]}
    days = [begun + timedelta(days=n) for n in range(DAYS)]
    return [f"{day:%d %b}" for day in days], [known.get(day.isoformat()) for day in days]


def _counts(days: list[View | None]) -> list[dict[str, Any]]:
    tones = {"completed": "good", "failed": "bad", "cancelled": "quiet"}
    return [
        {"name": name, "tone": tone, "values": [day[name] if day else 0 for day in days]}
        for name, tone in tones.items()
    ]


def _durations(days: list[View | None]) -> list[dict[str, Any]]:
    tones = {"p50": "accent", "p95": "warm"}
    return [
        {"name": name, "tone": tone, "values": [day[f"{name}_ms"] if day else None for day in days]}
        for name, tone in tones.items()
    ]


def _agent_row(one: View) -> dict[str, Any]:
    rate = one["success_rate"]
    return {
        "id": one["agent"],
        "agent": one["agent"],
        "runs": one["runs"],
        "rate": "–" if rate is None else f"{rate:.0%}",
        "p50": one["p50_ms"],
        "p95": one["p95_ms"],
    }


def _cell_row(slow: Slow) -> dict[str, Any]:
    return {
        "id": f"{slow.agent} {slow.cell}",
        "cell": slow.cell,
        "agent": slow.agent,
        "took": slow.ms,
        "times": slow.times,
    }
