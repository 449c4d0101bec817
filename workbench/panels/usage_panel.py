"""The panel of usage: what language models were asked, how much they read and wrote, what it cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TypeAlias

from workbench.panels import parts, wording
from workbench.panels.link import Link
from workbench.panels.panel import Panel

View: TypeAlias = Mapping[str, Any]

GROUPS = ("model", "agent", "user")
"""By what it is told, besides the days."""
MOST_ROWS = 10

_KINDS: Mapping[str, tuple[str, Callable[[View], int]]] = {
    "read": ("accent", lambda one: one["input_tokens"] - one["cached_input_tokens"]),
    "read from the cache": ("quiet", lambda one: one["cached_input_tokens"]),
    "written": ("good", lambda one: one["output_tokens"] - one["reasoning_tokens"]),
    "reasoning": ("warm", lambda one: one["reasoning_tokens"]),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageState:
    """What the panel shows.

    Attributes:
        labels: The days that are shown, as ISO has them.
        days: What was taken on those of them on which anything was.
        groups: What was taken on all of them together, by model, agent and user.
    """

    labels: tuple[str, ...] = ()
    days: tuple[View, ...] = ()
    groups: Mapping[str, Sequence[View]] = field(default_factory=dict)
    problem: str = ""


class UsagePanel(Panel[UsageState]):
    """What language models have taken."""

    def __init__(self, link: Link) -> None:
        """The panel, before it has asked for anything."""
        super().__init__(link, UsageState())
        self._head = parts.Note()
        self._whole = parts.Value(blocks=[])
        self._charts = {name: parts.Chart(labels=[], series=[]) for name in wording.USAGE_PER_DAY}
        self._tables = {name: parts.Table(columns=[], rows=[]) for name in GROUPS}
        cards = [
            parts.boxed("wb-card", one) for one in (*self._charts.values(), *self._tables.values())
        ]
        pairs = [
            parts.boxed("wb-pair", *pair) for pair in zip(cards[::2], cards[1::2], strict=True)
        ]
        self._shown = parts.boxed("wb-stack", self._whole, *pairs)
        self.view = parts.boxed("wb-stack", self._head, self._shown)
        self.draw()

    def read(self, *, since: str, days: int) -> None:
        """Ask for what was taken on so many *days*, the first of which begins at *since*."""
        self._go(self._read(since, days))

    def draw(self) -> None:
        """Show the state as it is."""
        state = self.state
        self._head.show(
            title=wording.MODELS,
            level="h3",
            meta="" if state.days else wording.NO_USAGE,
            text=state.problem,
        )
        parts.appear(self._shown, when=bool(state.days))
        self._whole.show(blocks=[_figures(state.days)] if state.days else [])
        known = {one["day"]: one for one in state.days}
        days = [known.get(day) for day in state.labels]
        labels = [f"{date.fromisoformat(day):%d %b}" for day in state.labels]
        for name, series in (("calls", _calls(days)), ("tokens", _tokens(days))):
            title = wording.USAGE_PER_DAY[name]
            self._charts[name].show(title=title, stacked=True, labels=labels, series=series)
        self._charts["cost"].show(
            title=wording.USAGE_PER_DAY["cost"],
            stacked=True,
            unit="usd",
            labels=labels,
            series=_costs(days),
        )
        for name, table in self._tables.items():
            columns = [{"key": "name", "label": wording.USAGE_BY[name]}, *_COLUMNS]
            rows = [_row(each, name) for each in state.groups.get(name, ())]
            table.show(columns=columns, rows=rows[:MOST_ROWS], empty=wording.NO_USAGE)

    async def _read(self, since: str, days: int) -> None:
        first = date.fromisoformat(since[:10])
        labels = tuple((first + timedelta(days=n)).isoformat() for n in range(days))
        ask = self._link.wb.usage
        told = await ask(by="day", since=since)
        groups = {name: await ask(by=name, since=since) for name in GROUPS} if told else {}
        # What cost most comes first; what nobody has a price for may cost anything.
        for found in groups.values():
            found.sort(
                key=lambda one: (one["cost_usd"] is None, one["cost_usd"] or 0), reverse=True
            )
        self.change(labels=labels, days=tuple(told), groups=groups, problem="")


_COLUMNS = (
    {"key": "calls", "label": "Questions", "kind": "number"},
    {"key": "read", "label": "Read", "kind": "number"},
    {"key": "written", "label": "Written", "kind": "number"},
    {"key": "cost", "label": "Cost"},
)


def _row(each: View, by: str) -> dict[str, Any]:
    return {
        "id": each[by],
        "name": each[by] or wording.NO_AGENT,
        "calls": each["calls"],
        "read": each["input_tokens"],
        "written": each["output_tokens"],
        "cost": wording.cost(each),
    }


def _figures(days: Sequence[View]) -> dict[str, Any]:
    known = [day["cost_usd"] for day in days if day["cost_usd"] is not None]
    unpriced = sum(day["unpriced_calls"] for day in days)
    shown: dict[str, Any] = {
        "calls": sum(day["calls"] for day in days),
        "read": sum(day["input_tokens"] for day in days),
        "written": sum(day["output_tokens"] for day in days),
        "cost": wording.dollars(sum(known)) if known else wording.UNKNOWN,
    }
    if unpriced and known:
        shown["unpriced"] = unpriced
    return {"kind": "figures", "pairs": [[wording.USAGE[name], v] for name, v in shown.items()]}


def _calls(days: Sequence[View | None]) -> list[dict[str, Any]]:
    priced = [day["calls"] - day["unpriced_calls"] if day else 0 for day in days]
    unpriced = [day["unpriced_calls"] if day else 0 for day in days]
    series: list[dict[str, Any]] = [{"name": "questions", "tone": "accent", "values": priced}]
    if any(unpriced):
        series.append({"name": "of unknown cost", "tone": "warm", "values": unpriced})
    return series


def _tokens(days: Sequence[View | None]) -> list[dict[str, Any]]:
    return [
        {"name": name, "tone": tone, "values": [count(day) if day else 0 for day in days]}
        for name, (tone, count) in _KINDS.items()
    ]


def _costs(days: Sequence[View | None]) -> list[dict[str, Any]]:
    # Unknown is no bar, and told as such: it is not nothing.
    values = [day["cost_usd"] if day else 0 for day in days]
    return [{"name": "cost", "tone": "accent", "values": values}]
