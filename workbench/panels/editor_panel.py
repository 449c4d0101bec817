"""The panel that edits what an agent says of itself: who it is, what it takes, what it may do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from workbench.errors import InvalidInput, WorkbenchError
from workbench.panels import editing, parts, wording
from workbench.panels.cases import Case, cases_of, written
from workbench.panels.cases_panel import CasesPanel
from workbench.panels.link import Link
from workbench.panels.panel import Panel

View: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorState:
    """What the panel shows.

    Attributes:
        agent: The agent as the gateway knows it.
        notebook: Its draft; None before it is known.
        known: What the gateway would have in the fields.
        texts: What stands in the fields.
        known_cases: The cases that the draft carries.
        allowed: What agents may ask for here.
        found: What the gateway finds wrong, by field.
        beyond: What it finds wrong that is in no field here.
        section: Which fields are shown.
        doing: What is under way.
    """

    agent: View | None = None
    notebook: View | None = None
    known: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    known_cases: tuple[Case, ...] = ()
    allowed: View = field(default_factory=dict)
    found: Mapping[str, str] = field(default_factory=dict)
    beyond: tuple[str, ...] = ()
    section: str = "about"
    doing: str = ""
    problem: str = ""

    @property
    def own(self) -> View:
        """What the notebook of the draft says of itself."""
        return ((self.notebook or {}).get("metadata") or {}).get("workbench") or {}

    def problems(self) -> dict[str, str]:
        """What is wrong, by field."""
        return {**self.found, **editing.problems(self.texts, self.allowed)}


class EditorPanel(Panel[EditorState]):
    """What an agent says of itself, while it is edited.

    Attributes:
        cases: The cases by which it is tested.
    """

    def __init__(self, link: Link, saved: Callable[[View], None]) -> None:
        """One that tells *saved* of the agent as it then is."""
        super().__init__(link, EditorState())
        self._saved = saved
        self._examining = False
        self._unsaved: dict[str, tuple[EditorState, tuple[Case, ...]]] = {}
        self.cases = CasesPanel(link, self._on_cases)
        self._tabs = parts.Tabs(self._on_tab, tabs=[])
        self._table = parts.Table(columns=[], rows=[])
        self._fields = parts.Fields(self._on_form, fields=[])
        self._trouble = parts.Note()
        self._actions = parts.Actions(self._on_press, buttons=[])
        self._declared = parts.boxed(
            "wb-stack", parts.Note(meta=wording.PARAMETERS_HINT), self._table
        )
        self._granted = parts.boxed("wb-stack", parts.Note(meta=wording.LIMITS_HINT))
        self.view = parts.boxed(
            "wb-card",
            self._tabs,
            self._declared,
            self._granted,
            self._fields,
            self.cases.view,
            self._trouble,
            self._actions,
        )
        self.draw()

    def look_at(self, agent: View) -> None:
        """Show *agent*, as far as it may be edited; what was not saved before is there again."""
        before = self.state.agent
        if before is not None and before["id"] == agent["id"] and not self.is_saved():
            self.change(agent=agent)
            return
        self._put_aside()
        self.close()
        section = self.state.section
        self.state = EditorState(agent=agent, allowed=self.state.allowed, section=section)
        self.cases.look_at(agent, ())
        if (kept := self._unsaved.pop(agent["id"], None)) is not None:
            self.state = replace(kept[0], agent=agent, section=section)
            self.cases.look_at(agent, kept[1])
        self.draw()
        if agent["writable"] and self.state.notebook is None:
            self._go(self._read(agent))

    def is_saved(self) -> bool:
        """Whether the gateway knows all that is written here."""
        return self.state.texts == self.state.known and not self._cases_differ()

    def show(self, section: str) -> None:
        """Show another side of the agent."""
        if section in editing.SECTIONS:
            self.change(section=section)

    def fill(self, name: str, text: str) -> None:
        """Put *text* into the field *name*."""
        if name in self.state.texts:
            found = {one: said for one, said in self.state.found.items() if one != name}
            texts = {**self.state.texts, name: text}
            self.change(texts=texts, found=found, problem="")
            self._look_through()

    def leave(self) -> None:
        """Forget what has not been saved."""
        self.cases.look_at(self.state.agent or {"id": ""}, self.state.known_cases)
        self.change(texts=self.state.known, found={}, beyond=(), problem="")

    def save(self) -> None:
        """Let the gateway know; what a notebook says of itself is saved as its draft."""
        state = self.state
        if state.agent is None or state.doing:
            return
        if wrong := state.problems():
            self.change(section=editing.section_of(next(iter(wrong))), problem=wording.FIX_FORM)
            return
        try:
            cases = written(self.cases.state.cases) if self._cases_differ() else None
        except InvalidInput as error:
            self.change(section="cases", problem=str(error))
            return
        self.change(doing=wording.SAVING, problem="")
        self._go(self._save(state, cases))

    async def done(self) -> None:
        """Wait until nothing is under way any more."""
        await super().done()
        await self.cases.done()
        await super().done()

    def close(self) -> None:
        """Give up what is under way."""
        self.cases.close()
        super().close()

    def draw(self) -> None:
        """Show the state as it is."""
        state, problems = self.state, self.state.problems()
        marked = {editing.section_of(name) for name in problems}
        tabs = [
            {"id": one, "label": label, "wrong": one in marked}
            for one, label in wording.EDITOR_TABS.items()
        ]
        self._tabs.show(tabs=tabs, selected=state.section, look="inner")
        derived = (state.agent or {}).get("input_schema")
        fields = editing.fields_of(state.section, state.texts, state.allowed, derived)
        columns = 3 if state.section == "limits" else 2
        self._fields.show(fields=fields, problems=problems, columns=columns)
        parts.appear(self._granted, when=state.section == "limits")
        parts.appear(self._declared, when=state.section == "parameters")
        rows = [_parameter(one) for one in (state.agent or {}).get("parameters", ())]
        kinds = {"name": "code", "type": "code", "default": "code", "help": "prose"}
        headed = parts.columns(wording.PARAMETER_COLUMNS, **kinds)
        self._table.show(columns=headed, rows=rows, empty=wording.NO_PARAMETERS)
        parts.appear(self.cases.view, when=state.section == "cases")
        self._draw_end(state, bool(problems))

    def _draw_end(self, state: EditorState, wrong: bool) -> None:
        said = state.problem or state.found.get("cases") or "\n\n".join(state.beyond)
        tone = "bad" if state.problem or state.found.get("cases") else "info"
        self._trouble.show(text=said, tone=tone if said else "")
        saved, busy = self.is_saved(), bool(state.doing)
        label = state.doing or (wording.SAVED if saved and state.known else wording.SAVE)
        off = saved or busy or wrong
        save = {"id": "save", "label": label, "icon": "save", "look": "main", "off": off}
        leave = {"id": "leave", "label": wording.FORGET, "off": busy}
        self._actions.show(
            buttons=[] if state.agent is None else [save] if saved else [save, leave]
        )

    async def _read(self, agent: View) -> None:
        noun = self._link.wb.agent(dict(agent))
        allowed = self.state.allowed or await self._link.wb.limits()
        self._settle(noun.about, await noun.notebook("draft"), allowed)

    def _settle(self, agent: View, notebook: View, allowed: View) -> None:
        """Show the draft as the gateway has it now."""
        self.state = replace(self.state, notebook=notebook)
        texts = editing.texts_of(agent, self.state.own)
        cases = cases_of(agent, self.state.own.get("cases"))
        tried = {case.name: case.outcome for case in self.cases.state.cases}
        cases = tuple(replace(case, outcome=tried.get(case.name)) for case in cases)
        self.cases.look_at(agent, cases)
        fresh: dict[str, Any] = {"found": {}, "beyond": (), "doing": "", "problem": ""}
        self.change(
            agent=agent, known=texts, texts=texts, known_cases=cases, allowed=allowed, **fresh
        )

    async def _save(self, state: EditorState, cases: list[dict[str, object]] | None) -> None:
        assert state.agent is not None
        noun = self._link.wb.agent(dict(state.agent))
        try:
            # What was changed here is put into the draft as it is by now.
            await noun.refresh()
            notebook = await noun.notebook("draft")
            own = notebook["metadata"].get("workbench") or {}
            changed = editing.changes(state.known, state.texts, own)
            changed |= {} if cases is None else {"cases": cases or None}
            if changed:
                notebook["metadata"]["workbench"] = editing.merged(own, changed)
                await noun.save(notebook)
            if about := editing.beside(state.known, state.texts):
                await noun.change(
                    name=about.get("name"),
                    description=about.get("description"),
                    visibility=about.get("visibility"),
                )
        except WorkbenchError as error:
            self._refused(error)
            raise
        finally:
            self.change(doing="")
        self._settle(noun.about, await noun.notebook("draft"), state.allowed)
        self._saved(noun.about)

    def _refused(self, error: WorkbenchError) -> None:
        """Show what the gateway does not take at its field; what was written stays."""
        problem = {"message": str(error), "details": error.details}
        found, _ = editing.complaints([problem])
        section = editing.section_of(next(iter(found))) if found else self.state.section
        self.change(found={**self.state.found, **found}, section=section)

    def _look_through(self) -> None:
        """Have the gateway look at what is written, once more if it was written on meanwhile."""
        if not self._examining:
            self._go(self._examine())

    async def _examine(self) -> None:
        self._examining = True
        looked: object = None
        try:
            while looked != (self.state.texts, self.cases.state.cases):
                looked = self.state.texts, self.cases.state.cases
                if (proposal := self._proposal()) is None:
                    continue
                name = self.state.texts["name"]
                said = await self._link.wb.agents.validate(proposal, name=name)
                if looked == (self.state.texts, self.cases.state.cases):
                    found, beyond = editing.complaints(said["problems"])
                    self.change(found=found, beyond=beyond)
        finally:
            self._examining = False

    def _proposal(self) -> View | None:
        """The draft as it would be saved; None if it could not even be written."""
        state = self.state
        if state.notebook is None or editing.problems(state.texts, state.allowed):
            return None
        changed = editing.changes(state.known, state.texts, state.own)
        if self._cases_differ():
            try:
                changed["cases"] = written(self.cases.state.cases)
            except InvalidInput:
                return None
        metadata = {
            **state.notebook["metadata"],
            "workbench": editing.merged(state.own, changed),
        }
        return {**state.notebook, "metadata": metadata}

    def _cases_differ(self) -> bool:
        now, known = self.cases.state.cases, self.state.known_cases
        return [_said(case) for case in now] != [_said(case) for case in known]

    def _put_aside(self) -> None:
        if self.state.agent is not None and not self.is_saved():
            kept = replace(self.state, doing=""), self.cases.state.cases
            self._unsaved[self.state.agent["id"]] = kept

    def _on_cases(self) -> None:
        self.change(problem="", found={n: v for n, v in self.state.found.items() if n != "cases"})
        self._look_through()

    def _on_tab(self, told: View) -> None:
        self.show(str(told.get("choose")))

    def _on_form(self, told: View) -> None:
        if "fill" in told:
            self.fill(str(told["fill"]), str(told["text"]))
        elif told.get("submit"):
            self.save()

    def _on_press(self, told: View) -> None:
        if told.get("press") == "save":
            self.save()
        elif told.get("press") == "leave":
            self.leave()


def _said(case: Case) -> tuple[object, ...]:
    return case.name, dict(case.form.texts), case.expect


def _parameter(one: View) -> dict[str, Any]:
    default = wording.REQUIRED if one["required"] else wording.literal(one["default"])
    return {
        "id": one["name"],
        "name": one["name"],
        "type": one["type"],
        "default": default,
        "help": one["help"],
    }
