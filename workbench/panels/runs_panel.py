"""The panel of runs: the history, a run as its executed notebook, and how two of them differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from workbench.errors import NotFound
from workbench.panels import parts, wording
from workbench.panels.difference import difference_page
from workbench.panels.link import Link
from workbench.panels.panel import Panel

View: TypeAlias = Mapping[str, Any]

PAGE = 50
MOST_AGENTS = 500
MOST_LOOKED_AT = 1_000
"""Among how many of the latest runs those of several agents are looked for."""

_STATUSES = ("completed", "failed", "cancelled", "running", "pending")
_TESTS = "tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsState:
    """What the panel shows.

    Attributes:
        runs: The runs, newest first; None before they are known.
        agents: The addresses of the agents there are.
        agent: Of the agents only whose address holds this; empty for all.
        status: In this status only; empty for all.
        tests: The test runs instead.
        chosen: At most two ids, in the order they were chosen.
        page: The executed notebook, or how two differ.
        more: Whether there are older ones.
    """

    runs: tuple[View, ...] | None = None
    agents: tuple[str, ...] = ()
    agent: str = ""
    status: str = ""
    tests: bool = False
    chosen: tuple[str, ...] = ()
    page: str = ""
    more: bool = False
    problem: str = ""


class RunsPanel(Panel[RunsState]):
    """The runs one may know of."""

    def __init__(self, link: Link, again: Callable[[View], None]) -> None:
        """The panel, before it has asked for anything; *again* is told what shall be run again."""
        super().__init__(link, RunsState())
        self._again = again
        self._count = PAGE
        self._search = parts.Search(self._on_search, hint="")
        self._trouble = parts.Note()
        self._table = parts.Table(self._on_row, columns=[], rows=[])
        self._actions = parts.Actions(self._on_press, buttons=[])
        self._sheet = parts.Sheet(html="")
        hint = parts.Note(meta=wording.CHOOSE_RUNS)
        self.view = parts.boxed(
            "wb-stack", self._search, self._trouble, hint, self._table, self._actions, self._sheet
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
        self._search.show(
            hint=wording.OF_AGENT, text=state.agent, known=list(state.agents), filters=filters
        )
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
            rows=[_row(run) for run in state.runs or ()],
            choosable=True,
            selected=list(state.chosen),
            empty="" if state.runs is None else self._emptiness(state),
            more=wording.OLDER if state.more else "",
        )
        again = {
            "id": "again",
            "label": wording.RUN_AGAIN,
            "icon": "run",
            "hint": wording.AGAIN_HINT,
        }
        self._actions.show(buttons=[again] if self._only(state) else [])
        self._sheet.show(html=state.page, title=wording.EXECUTED)

    async def _read(self) -> None:
        state = self.state
        agents = state.agents
        if not agents or not state.agent:
            agents = await self._addresses()
        meant = [address for address in agents if state.agent in address]
        if "/" in state.agent and (state.agent in agents or not meant):
            # One that was archived is not listed, but its runs can be read.
            meant = [state.agent]
        found: list[View] = []
        if meant or not state.agent:
            found = await self._found(state, meant)
        if (state.agent, state.status, state.tests) == self._asked():
            more = len(found) > self._count
            runs = tuple(found[: self._count])
            self.change(runs=runs, agents=agents, more=more, problem="")

    async def _addresses(self) -> tuple[str, ...]:
        found: list[str] = []
        async for agent in self._link.wb.agents.list():
            found.append(agent.address)
            if len(found) == MOST_AGENTS:
                break
        return tuple(found)

    async def _found(self, state: RunsState, meant: Sequence[str]) -> list[View]:
        """The runs of the agents that are meant, one more than are shown if there are that many."""
        only = meant[0] if len(meant) == 1 and state.agent else None
        listed = self._link.wb.runs.list(agent=only, status=state.status or None, test=state.tests)
        found: list[View] = []
        looked_at = 0
        try:
            async for run in listed:
                looked_at += 1
                if not state.agent or run.agent in meant:
                    found.append(run.about)
                if len(found) > self._count or looked_at == MOST_LOOKED_AT:
                    break
        except NotFound:
            pass  # the agent went meanwhile, and its runs with it
        return found

    def _asked(self) -> tuple[str, str, bool]:
        return self.state.agent, self.state.status, self.state.tests

    def _emptiness(self, state: RunsState) -> str:
        if state.agent and not any(state.agent in address for address in state.agents):
            return wording.NO_AGENT_FOUND
        return wording.NO_SUCH_RUNS if state.agent or state.status else wording.NO_RUNS

    def _only(self, state: RunsState) -> View | None:
        if len(state.chosen) != 1:
            return None
        return next((run for run in state.runs or () if run["id"] == state.chosen[0]), None)

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

    def _on_press(self, told: View) -> None:
        run = self._only(self.state)
        if told.get("press") == "again" and run is not None:
            self._again(run)

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
