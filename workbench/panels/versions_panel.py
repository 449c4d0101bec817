"""The panel of an agent's versions: publish, deprecate, roll back, compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from workbench.domain.versions import check_number, next_number
from workbench.errors import ChecksFailed, InvalidRequest, VersionConflict, WorkbenchError
from workbench.panels import parts, wording
from workbench.panels.link import Link
from workbench.panels.panel import Panel

View: TypeAlias = Mapping[str, Any]

DRAFT = "draft"
PUBLISH, DEPRECATE = "publish", "deprecate"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionsState:
    """What the panel shows.

    Attributes:
        versions: The published ones, the highest first.
        chosen: At most two, versions or `draft`, in the order they were chosen.
        page: How the two differ, as a page.
        asking: What is asked for before it is done: `publish`, `deprecate`, or empty.
        texts: What stands in the fields of that.
        wrong: What is wrong with them, by field.
        failed: The cases that kept the draft from being published.
        doing: What is under way.
        done: What has been done.
    """

    agent: View | None = None
    versions: tuple[View, ...] = ()
    chosen: tuple[str, ...] = ()
    page: str = ""
    asking: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    failed: tuple[View, ...] = ()
    doing: str = ""
    done: str = ""
    problem: str = ""


class VersionsPanel(Panel[VersionsState]):
    """The versions of one agent."""

    def __init__(self, link: Link, changed: Callable[[View], None]) -> None:
        """One that tells *changed* of the agent when another version counts."""
        super().__init__(link, VersionsState())
        self._changed = changed
        self._actions = parts.Actions(self._on_press, buttons=[])
        self._trouble = parts.Note()
        self._failed_cases = parts.Table(columns=[], rows=[])
        self._fields = parts.Fields(self._on_form, fields=[])
        self._confirm = parts.Actions(self._on_press, buttons=[])
        self._table = parts.Table(self._on_row, columns=[], rows=[])
        self._sheet = parts.Sheet(html="")
        self._asked = parts.boxed("wb-inset wb-stack", self._fields, self._confirm)
        self._kept_back = parts.boxed("wb-stack", self._failed_cases)
        hint = parts.Note(meta=wording.CHOOSE_TWO)
        self.view = parts.boxed(
            "wb-stack",
            self._actions,
            self._asked,
            self._trouble,
            self._kept_back,
            hint,
            self._table,
            self._sheet,
        )
        self.draw()

    def look_at(self, agent: View) -> None:
        """Show the versions of *agent*."""
        self.state = VersionsState(agent=agent)
        self.draw()
        self._go(self._read())

    def choose(self, version: str) -> None:
        """Choose *version*, or leave it if it was chosen; of three the first is left."""
        chosen = tuple(one for one in self.state.chosen if one != version)
        if chosen == self.state.chosen:
            chosen = (*chosen, version)[-2:]
        asking = self.state.asking if self.state.asking == PUBLISH else ""
        self.change(chosen=chosen, page="", asking=asking)
        if len(chosen) == 2:
            self._go(self._compare(*self._in_order(chosen)))

    def ask(self, what: str) -> None:
        """Ask for what goes with it before it is done."""
        texts = {name: "" for name in wording.ASKED[what]}
        self.change(asking=what, texts=texts, wrong={}, failed=(), problem="", done="")

    def leave(self) -> None:
        """Think better of it."""
        self.change(asking="", texts={}, wrong={}, failed=(), problem="")

    def fill(self, name: str, text: str) -> None:
        """Put *text* into the field *name*."""
        if name in self.state.texts:
            wrong = dict.fromkeys(["version"], _number_problem(text)) if name == "version" else {}
            self.change(texts={**self.state.texts, name: text}, wrong=wrong)

    def publish(self, *, force: bool = False) -> None:
        """Make the draft a version, once its cases have run, or with *force* at once."""
        version = self.state.texts.get("version", "").strip()
        if _number_problem(version):
            return
        news = self.state.texts.get("changelog", "").strip()
        self._go(
            self._move(
                wording.WORKING if force else wording.PUBLISHING,
                lambda noun: noun.publish(version or None, changelog=news, force=force),
                wording.PUBLISHED,
            )
        )

    def deprecate(self) -> None:
        """Warn everybody who runs the chosen version."""
        note = self.state.texts.get("note", "").strip()
        if (one := self._only()) is not None:
            told = wording.deprecated(one)
            self._go(self._move(wording.WORKING, lambda noun: noun.deprecate(one, note), told))

    def roll_back(self) -> None:
        """Give callers the chosen version."""
        if (one := self._only()) is not None:
            told = wording.rolled_back(one)
            self._go(self._move(wording.WORKING, lambda noun: noun.roll_back(one), told))

    def draw(self) -> None:
        """Show the state as it is."""
        state = self.state
        self._draw_asked(state)
        said = state.problem or state.doing or state.done
        tone = "bad" if state.problem else "info" if state.doing else "good"
        self._trouble.show(text=said, tone=tone if said else "")
        self._failed_cases.show(
            columns=parts.columns(wording.FAILED_COLUMNS, case="text", message="prose"),
            rows=[{"id": one["case"], **one} for one in state.failed],
        )
        parts.appear(self._kept_back, when=bool(state.failed))
        self._actions.show(buttons=self._buttons(state))
        self._table.show(
            columns=parts.columns(
                wording.VERSION_COLUMNS,
                version="code",
                stage="status",
                at="moment",
                by="text",
                changelog="prose",
            ),
            rows=_rows(state),
            choosable=True,
            selected=list(state.chosen),
            empty=wording.NO_VERSIONS,
        )
        self._sheet.show(html=state.page, title=wording.DIFFERENCE)

    def _draw_asked(self, state: VersionsState) -> None:
        parts.appear(self._asked, when=bool(state.asking))
        if not state.asking:
            return
        known = [version["version"] for version in state.versions]
        hints = {"version": next_number(known)}
        fields = [
            {"name": name, "text": state.texts[name], "hint": hints.get(name, ""), **look}
            for name, look in wording.ASKED[state.asking].items()
        ]
        busy = bool(state.doing)
        self._fields.show(fields=fields, problems=dict(state.wrong), columns=2, disabled=busy)
        label = {PUBLISH: wording.PUBLISH_NOW, DEPRECATE: wording.DEPRECATE_NOW}[state.asking]
        sure = {"id": f"{state.asking}-now", "label": label, "look": "main"}
        buttons = [{**sure, "off": busy or any(state.wrong.values())}]
        if state.failed:
            forced = {"id": "force", "label": wording.PUBLISH_ANYWAY, "look": "danger"}
            buttons.append({**forced, "off": busy})
        self._confirm.show(
            buttons=[*buttons, {"id": "leave", "label": wording.NOT_NOW, "off": busy}]
        )

    async def _read(self) -> None:
        agent = self.state.agent
        assert agent is not None
        noun = self._link.wb.agent(dict(agent))
        versions = [version async for version in noun.versions()]
        if self.state.agent is agent:
            self.change(versions=tuple(versions))

    async def _compare(self, before: str, after: str) -> None:
        assert self.state.agent is not None
        page = await self._link.wb.agent(dict(self.state.agent)).compared(before, after)
        if self._in_order(self.state.chosen) == (before, after):
            self.change(page=page)

    async def _move(self, doing: str, move: Callable[[Any], Any], told: str) -> None:
        agent = self.state.agent
        assert agent is not None
        noun = self._link.wb.agent(dict(agent))
        self.change(doing=doing, problem="", done="", page="", failed=())
        try:
            await move(noun)
        except (ChecksFailed, VersionConflict) as error:
            self._refused(agent, error)
            return
        finally:
            if self.state.agent is agent:
                self.change(doing="")
        await noun.refresh()
        if self.state.agent is agent:
            self.change(agent=noun.about, asking="", texts={}, chosen=(), done=told)
            await self._read()
        self._changed(noun.about)

    def _refused(self, agent: View, error: WorkbenchError) -> None:
        """Show why it was not done, where it can be put right; what was filled in stays."""
        if self.state.agent is not agent:
            return
        if isinstance(error, ChecksFailed):
            cases = error.details.get("cases")
            failed = tuple(cases) if isinstance(cases, list) else ()
            self.change(problem=wording.KEPT_BACK, failed=failed)
        else:
            self.change(wrong={"version": str(error)})

    def _in_order(self, chosen: tuple[str, ...]) -> tuple[str, ...]:
        known = [DRAFT, *(version["version"] for version in self.state.versions)]
        return tuple(sorted(chosen, key=known.index, reverse=True))

    def _only(self) -> str | None:
        chosen = [one for one in self.state.chosen if one != DRAFT]
        return chosen[0] if len(self.state.chosen) == 1 and chosen else None

    def _buttons(self, state: VersionsState) -> list[dict[str, Any]]:
        if state.agent is None or not state.agent["writable"]:
            return []
        fresh = state.agent["current_version"] is None or state.agent["draft_differs"]
        one, busy = self._only(), bool(state.doing)
        current = one == state.agent["current_version"]
        publish = {"id": PUBLISH, "label": wording.PUBLISH, "icon": "publish", "look": "main"}
        back = {"id": "rollback", "label": wording.ROLL_BACK, "hint": wording.ROLL_BACK_HINT}
        warn = {"id": DEPRECATE, "label": wording.DEPRECATE, "hint": wording.DEPRECATE_HINT}
        return [
            {**publish, "off": busy or not fresh or state.asking == PUBLISH},
            {**back, "off": busy or one is None or current},
            {**warn, "off": busy or one is None or self._is_deprecated(one)},
        ]

    def _is_deprecated(self, number: str) -> bool:
        return any(v["version"] == number and v["deprecated"] for v in self.state.versions)

    def _on_press(self, told: View) -> None:
        moves: dict[object, Callable[[], None]] = {
            PUBLISH: lambda: self.ask(PUBLISH),
            "publish-now": self.publish,
            "force": lambda: self.publish(force=True),
            "rollback": self.roll_back,
            DEPRECATE: lambda: self.ask(DEPRECATE),
            "deprecate-now": self.deprecate,
            "leave": self.leave,
        }
        moves.get(told.get("press"), lambda: None)()

    def _on_form(self, told: View) -> None:
        if "fill" in told:
            self.fill(str(told["fill"]), str(told["text"]))
        elif told.get("submit") and not self.state.doing:
            self._on_press({"press": f"{self.state.asking}-now"})

    def _on_row(self, told: View) -> None:
        if "choose" in told:
            self.choose(str(told["choose"]))


def _number_problem(text: str) -> str:
    try:
        if text.strip():
            check_number(text.strip())
    except InvalidRequest as error:
        return str(error)
    return ""


def _rows(state: VersionsState) -> list[dict[str, Any]]:
    if state.agent is None:
        return []
    rows = [
        {
            "id": version["version"],
            "version": version["version"],
            "stage": wording.badge(
                version["stage"],
                " · current" if version["version"] == state.agent["current_version"] else "",
            ),
            "at": version["published_at"],
            "by": version["published_by"],
            "changelog": version["deprecation_note"] or version["changelog"],
        }
        for version in state.versions
    ]
    draft = {"id": DRAFT, "version": DRAFT, "stage": wording.badge(DRAFT), "at": ""}
    return [draft, *rows] if state.agent["writable"] else rows
