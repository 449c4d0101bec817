"""The panel of an agent's cases: listed, written, tried."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from workbench.panels import parts, wording
from workbench.panels.cases import Case, Outcome, another, expecting
from workbench.panels.link import Link
from workbench.panels.panel import Panel
from workbench.panels.results import result_blocks

View: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesState:
    """What the panel shows.

    Attributes:
        agent: Whose cases they are; None before there is one.
        cases: As far as they have been written.
        chosen: The id of the one that is looked at; empty for none.
    """

    agent: View | None = None
    cases: tuple[Case, ...] = ()
    chosen: str = ""
    problem: str = ""

    @property
    def case(self) -> Case | None:
        """The one that is looked at."""
        return next((case for case in self.cases if case.id == self.chosen), None)


class CasesPanel(Panel[CasesState]):
    """The cases by which an agent is tested before it is published."""

    def __init__(self, link: Link, changed: Callable[[], None]) -> None:
        """One that tells *changed* when a case is written otherwise."""
        super().__init__(link, CasesState())
        self._changed = changed
        self._table = parts.Table(self._on_row, columns=[], rows=[])
        self._verbs = parts.Actions(self._on_press, buttons=[])
        self._trouble = parts.Note()
        self._fields = parts.Fields(self._on_form, fields=[])
        self._said = parts.Note()
        self._value = parts.Value(blocks=[])
        self._own = parts.Actions(self._on_press, buttons=[])
        self._one = parts.boxed(
            "wb-inset wb-stack", self._fields, self._own, self._said, self._value
        )
        hint = parts.Note(meta=wording.CASES_HINT)
        self.view = parts.boxed(
            "wb-stack", hint, self._table, self._verbs, self._trouble, self._one
        )
        self.draw()

    def look_at(self, agent: View, cases: Sequence[Case]) -> None:
        """Show *cases* of *agent*."""
        self.close()
        known = self.state.chosen if self.state.agent is not None else ""
        same = self.state.agent is not None and self.state.agent["id"] == agent["id"]
        self.state = CasesState(agent=agent, cases=tuple(cases), chosen=known if same else "")
        self.draw()

    def choose(self, case_id: str) -> None:
        """Look at a case, or at none if it was looked at."""
        self.change(chosen="" if case_id == self.state.chosen else case_id, problem="")

    def add(self) -> None:
        """Begin another case."""
        if self.state.agent is not None:
            case = another(self.state.agent, self.state.cases)
            self._set((*self.state.cases, case), chosen=case.id)

    def remove(self) -> None:
        """Leave the case that is looked at out."""
        left = (case for case in self.state.cases if case.id != self.state.chosen)
        self._set(tuple(left), chosen="")

    def fill(self, name: str, text: str | bool) -> None:
        """Put *text* into the field *name* of the case that is looked at."""
        if self.state.case is not None:
            self._put(self.state.case.fill(name, text))
            self._changed()

    def expect(self) -> None:
        """Let the case that is looked at expect what it came to."""
        case = self.state.case
        if case is not None and case.outcome is not None:
            self._put(expecting(case))
            self._changed()

    def run(self, case_id: str = "") -> None:
        """Try one case, or all of them, on the draft as it is saved."""
        for case in self.state.cases:
            if case_id not in ("", case.id):
                continue
            if case.problems():
                self.change(problem=wording.fix_case(case.name), chosen=case.id)
                return
            self._go(self._try(case))

    def draw(self) -> None:
        """Show the state as it is."""
        state, case = self.state, self.state.case
        self._table.show(
            columns=parts.columns(
                wording.CASE_COLUMNS, name="text", outcome="status", given="text", expects="text"
            ),
            rows=[_row(one) for one in state.cases],
            choosable=True,
            selected=[state.chosen],
            empty=wording.NO_CASES,
        )
        self._trouble.show(text=state.problem, tone="bad" if state.problem else "")
        add = {"id": "add", "label": wording.ADD_CASE, "icon": "add"}
        every = {"id": "run-all", "label": wording.RUN_CASES, "icon": "test"}
        self._verbs.show(buttons=[add, {**every, "off": not state.cases}])
        parts.appear(self._one, when=case is not None)
        if case is not None:
            self._draw_one(case)

    def _draw_one(self, case: Case) -> None:
        outcome = case.outcome
        self._fields.show(**case.shown(), columns=2)
        tried = outcome is not None and outcome.word in ("passed", "differs")
        busy = outcome is not None and outcome.word == "running"
        run = {"id": "run-one", "label": wording.RUN_CASE, "icon": "test", "off": busy}
        remove = {"id": "remove", "label": wording.REMOVE_CASE, "look": "danger"}
        take = {"id": "expect", "label": wording.EXPECT_THIS}
        self._own.show(buttons=[run, *([take] if tried else []), remove])
        said = outcome.said if outcome is not None else ""
        self._said.show(text=said, tone="bad" if said else "")
        self._value.show(blocks=result_blocks(outcome.result) if tried and outcome else [])

    async def _try(self, case: Case) -> None:
        assert self.state.agent is not None
        noun = self._link.wb.agent(dict(self.state.agent))
        self._put(replace(case, outcome=Outcome()))
        try:
            run = await noun.start(case.parameters(), test=True, version="draft")
            await run.wait()
        except (Exception, asyncio.CancelledError):
            self._judge(case, None)
            raise
        self._judge(case, run.about)

    def _judge(self, tried: Case, run: View | None) -> None:
        """Note what *run* came to, unless the case has been changed meanwhile."""
        now = next((case for case in self.state.cases if case.id == tried.id), None)
        if now is not None and now.outcome is not None:
            self._put(now.judged(run) if run is not None else replace(now, outcome=None))

    def _put(self, case: Case) -> None:
        known = self.state.cases
        self.change(cases=tuple(case if one.id == case.id else one for one in known), problem="")

    def _set(self, cases: tuple[Case, ...], *, chosen: str) -> None:
        self.change(cases=cases, chosen=chosen, problem="")
        self._changed()

    def _on_press(self, told: View) -> None:
        verbs: dict[object, Callable[[], None]] = {
            "add": self.add,
            "remove": self.remove,
            "expect": self.expect,
            "run-all": self.run,
            "run-one": lambda: self.run(self.state.chosen),
        }
        verbs.get(told.get("press"), lambda: None)()

    def _on_row(self, told: View) -> None:
        if "choose" in told:
            self.choose(str(told["choose"]))

    def _on_form(self, told: View) -> None:
        if "fill" in told:
            self.fill(str(told["fill"]), told["text"])
        elif told.get("submit"):
            self.run(self.state.chosen)


def _row(case: Case) -> dict[str, Any]:
    wrong = case.problems()
    given = "" if wrong else wording.given(case.parameters())
    outcome = case.outcome
    badge = {"word": wording.UNFINISHED, "tone": "warm"} if wrong else ""
    return {
        "id": case.id,
        "name": case.name or "–",
        "given": given or wording.DEFAULTS,
        "expects": " ".join(case.expect.split()) or wording.ANYTHING,
        "outcome": wording.badge(outcome.word) if outcome is not None else badge,
    }
