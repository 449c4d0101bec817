"""The panel of runs: the history, a run as its executed notebook, and how two of them differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from workbench.errors import NotFound
from workbench.panels import parts, wording
from workbench.panels.difference import difference_page
from workbench.panels.link import Link
from workbench.panels.panel import Panel

View: TypeAlias = Mapping[str, Any]

PAGE = 50
_STATUSES = ("completed", "failed", "cancelled", "running", "pending")
_TESTS = "tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsState:
    """What the panel shows.

    Attributes:
        runs: The runs, newest first.
        agent: Of this agent only, by its address; empty for all.
        status: In this status only; empty for all.
        tests: The test runs instead.
        chosen: At most two ids, in the order they were chosen.
        page: The executed notebook, or how two differ.
        more: Whether there are older ones.
    """

    runs: tuple[View, ...] = ()
    agent: str = ""
    status: str = ""
    tests: bool = False
    chosen: tuple[str, ...] = ()
    page: str = ""
    more: bool = False
    problem: str = ""


class RunsPanel(Panel[RunsState]):
    """The runs one may know of."""

    def __init__(self, link: Link) -> None:
        """The panel, before it has asked for anything."""
        super().__init__(link, RunsState())
        self._count = PAGE
        self._search = parts.Search(self._on_search, hint="")
        self._trouble = parts.Note()
        self._table = parts.Table(self._on_row, columns=[], rows=[])
        self._sheet = parts.Sheet(html="")
        hint = parts.Note(meta=wording.CHOOSE_RUNS)
        self.view = parts.boxed(
            "wb-stack", self._search, self._trouble, hint, self._table, self._sheet
        )
        self.draw()

    def read(self) -> None:
        """Ask for the runs again."""
        self._go(self._read())

    def choose(self, run_id: str, *, more: bool = False) -> None:
        """Show *run_id*, or with *more* how it differs from the one that was chosen before."""
        before = tuple(one for one in self.state.chosen if one != run_id)
        chosen = (*before, run_id)[-2:] if more else (run_id,)
        self.change(chosen=chosen, page="")
        self._go(self._show(chosen))

    def draw(self) -> None:
        """Show the state as it is."""
        state = self.state
        filters = [{"id": one, "label": one, "on": one == state.status} for one in _STATUSES]
        filters.append({"id": _TESTS, "label": wording.TEST_RUNS, "on": state.tests})
        self._search.show(hint=wording.OF_AGENT, text=state.agent, filters=filters)
        self._trouble.show(text=state.problem, tone="bad" if state.problem else "")
        self._table.show(
            columns=parts.columns(
                wording.RUN_COLUMNS,
                status="status",
                agent="text",
                version="code",
                at="moment",
                took="took",
                user="text",
                given="text",
            ),
            rows=[_row(run) for run in state.runs],
            choosable=True,
            selected=list(state.chosen),
            empty=wording.NO_RUNS,
            more=wording.OLDER if state.more else "",
        )
        self._sheet.show(html=state.page, title=wording.EXECUTED)

    async def _read(self) -> None:
        state = self.state
        found: list[View] = []
        listed = self._link.wb.runs.list(
            agent=state.agent or None, status=state.status or None, test=state.tests
        )
        try:
            async for run in listed:
                found.append(run.about)
                if len(found) > self._count:
                    break
        except NotFound:
            found = []
        self.change(runs=tuple(found[: self._count]), more=len(found) > self._count, problem="")

    async def _show(self, chosen: tuple[str, ...]) -> None:
        nouns = [await self._link.wb.runs.get(run_id) for run_id in chosen]
        try:
            if len(nouns) == 1:
                page = await nouns[0].page()
            else:
                old, new = sorted(nouns, key=lambda noun: noun.id)
                page = difference_page(
                    old.about, await old.notebook(), new.about, await new.notebook()
                )
        except NotFound:
            self.change(problem=wording.NO_NOTEBOOK)
            return
        if chosen == self.state.chosen:
            self.change(page=page, problem="")

    def _on_search(self, told: View) -> None:
        if "find" in told:
            self.change(agent=str(told["find"]).strip())
        elif told.get("filter") == _TESTS:
            self.change(tests=not self.state.tests)
        elif told.get("filter") in _STATUSES:
            same = told["filter"] == self.state.status
            self.change(status="" if same else str(told["filter"]))
        self._count = PAGE
        self.read()

    def _on_row(self, told: View) -> None:
        if "choose" in told:
            self.choose(str(told["choose"]), more=bool(told.get("more")))
        elif told.get("more"):
            self._count += PAGE
            self.read()


def _row(run: View) -> dict[str, Any]:
    return {
        "id": run["id"],
        "status": wording.badge(run["status"], f" · {run['reason']}" if run["reason"] else ""),
        "agent": run["agent"],
        "version": run["version"],
        "at": run["created_at"],
        "took": run["execution_time_ms"],
        "user": run["user"],
        "given": wording.given(run["parameters"]),
    }
