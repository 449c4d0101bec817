"""The panel of an agent's versions: publish, deprecate, roll back, compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from workbench.errors import ChecksFailed
from workbench.panels import parts, wording
from workbench.panels.link import Link
from workbench.panels.panel import Panel

View: TypeAlias = Mapping[str, Any]

DRAFT = "draft"
_COLUMNS = (
    {"key": "version", "label": "Version", "kind": "code"},
    {"key": "stage", "label": "Stage", "kind": "status"},
    {"key": "at", "label": "Published", "kind": "moment"},
    {"key": "by", "label": "By"},
    {"key": "changelog", "label": "What is new"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionsState:
    """What the panel shows.

    Attributes:
        versions: The published ones, the highest first.
        chosen: At most two, versions or `draft`, in the order they were chosen.
        page: How the two differ, as a page.
        doing: What is under way.
    """

    agent: View | None = None
    versions: tuple[View, ...] = ()
    chosen: tuple[str, ...] = ()
    page: str = ""
    doing: str = ""
    problem: str = ""


class VersionsPanel(Panel[VersionsState]):
    """The versions of one agent."""

    def __init__(self, link: Link, changed: Callable[[View], None]) -> None:
        """One that tells *changed* of the agent when another version counts."""
        super().__init__(link, VersionsState())
        self._changed = changed
        self._actions = parts.Actions(self._on_press, buttons=[])
        self._trouble = parts.Note()
        self._table = parts.Table(self._on_row, columns=[], rows=[])
        self._sheet = parts.Sheet(html="")
        hint = parts.Note(meta=wording.CHOOSE_TWO)
        self.view = parts.boxed(
            "wb-stack", self._actions, self._trouble, hint, self._table, self._sheet
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
        self.change(chosen=chosen, page="")
        if len(chosen) == 2:
            self._go(self._compare(*self._in_order(chosen)))

    def publish(self) -> None:
        """Make the draft a version, once its cases have run."""
        self._go(self._move(wording.PUBLISHING, lambda noun: noun.publish()))

    def deprecate(self) -> None:
        """Warn everybody who runs the chosen version."""
        version = self._only()
        if version is not None:
            self._go(self._move(wording.WORKING, lambda noun: noun.deprecate(version)))

    def roll_back(self) -> None:
        """Give callers the chosen version."""
        version = self._only()
        if version is not None:
            self._go(self._move(wording.WORKING, lambda noun: noun.roll_back(version)))

    def draw(self) -> None:
        """Show the state as it is."""
        state = self.state
        said = state.problem or state.doing
        self._trouble.show(text=said, tone="" if not said else "bad" if state.problem else "info")
        self._actions.show(buttons=self._buttons(state))
        self._table.show(
            columns=list(_COLUMNS),
            rows=_rows(state),
            choosable=True,
            selected=list(state.chosen),
            empty=wording.NO_VERSIONS,
        )
        self._sheet.show(html=state.page, title=wording.DIFFERENCE)

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
        self.change(page=page)

    async def _move(self, doing: str, move: Callable[[Any], Any]) -> None:
        assert self.state.agent is not None
        noun = self._link.wb.agent(dict(self.state.agent))
        self.change(doing=doing, problem="", page="", chosen=())
        try:
            await move(noun)
        except ChecksFailed as error:
            self.change(problem=wording.checks_failed(str(error), error.details))
            return
        finally:
            self.change(doing="")
        await noun.refresh()
        self.change(agent=noun.about)
        await self._read()
        self._changed(noun.about)

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
        one = self._only()
        busy = bool(state.doing)
        current = one == state.agent["current_version"]
        publish = {"id": "publish", "label": wording.PUBLISH, "icon": "publish", "look": "main"}
        return [
            {**publish, "off": busy or not fresh},
            {"id": "rollback", "label": wording.ROLL_BACK, "off": busy or one is None or current},
            {"id": "deprecate", "label": wording.DEPRECATE, "off": busy or one is None},
        ]

    def _on_press(self, told: View) -> None:
        moves = {
            "publish": self.publish,
            "rollback": self.roll_back,
            "deprecate": self.deprecate,
        }
        if (move := moves.get(str(told.get("press")))) is not None:
            move()

    def _on_row(self, told: View) -> None:
        if "choose" in told:
            self.choose(str(told["choose"]))


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
            "changelog": version["changelog"],
        }
        for version in state.versions
    ]
    draft = {"id": DRAFT, "version": DRAFT, "stage": wording.badge(DRAFT), "at": ""}
    return [draft, *rows] if state.agent["writable"] else rows
