"""The panel of agents: a list to find one in, and everything that can be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from workbench.panels import parts, wording
from workbench.panels.describe_panel import DescribePanel
from workbench.panels.editor_panel import EditorPanel
from workbench.panels.link import Link
from workbench.panels.new_panel import NewPanel
from workbench.panels.panel import Panel
from workbench.panels.run_panel import RunPanel
from workbench.panels.versions_panel import VersionsPanel

View: TypeAlias = Mapping[str, Any]

LONGEST_LIST = 200
_FILTERS = ("mine", "published", "draft")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentsState:
    """What the panel shows.

    Attributes:
        user: Who looks at it.
        agents: Those that hold what is searched for; None before they are known.
        text: What is searched for.
        filter: `mine`, `published`, `draft`, or empty.
        agent: The one that is looked at.
        tab: Which side of it.
        making: Whether a new one is made up.
        describing: Whether one is described, to be written.
    """

    user: str = ""
    agents: tuple[View, ...] | None = None
    text: str = ""
    filter: str = ""
    agent: View | None = None
    tab: str = "run"
    making: bool = False
    describing: bool = False
    problem: str = ""

    @property
    def found(self) -> tuple[View, ...]:
        """The agents that pass the filter."""
        return tuple(agent for agent in self.agents or () if self._passes(agent))

    def _passes(self, agent: View) -> bool:
        if self.filter == "mine":
            return bool(agent["owner"] == self.user)
        return not self.filter or bool(agent["stage"] == self.filter)


class AgentsPanel(Panel[AgentsState]):
    """The agents one may know of, and the one that is looked at.

    Attributes:
        runs: Where it is run.
        versions: Its versions.
        editor: What it says of itself.
        new: Where another is made.
        described: Where another is written.
    """

    def __init__(self, link: Link) -> None:
        """The panel, before it has asked for anything."""
        super().__init__(link, AgentsState())
        self.runs = RunPanel(link, authors=True)
        self.versions = VersionsPanel(link, self._changed)
        self.editor = EditorPanel(link, self._changed)
        self.new = NewPanel(link, self._made, lambda: self.change(making=False))
        self.described = DescribePanel(link, self._made, lambda: self.change(describing=False))
        self._parts()
        self.draw()

    def read(self) -> None:
        """Ask for the agents again."""
        self._go(self._read())

    def find(self, text: str) -> None:
        """Show the agents that hold *text*, be it in a cell."""
        self.change(text=text)
        self.read()

    def look_at(self, agent: View) -> None:
        """Show *agent* and all that can be done with it."""
        self.change(agent=agent, making=False, describing=False, problem="")
        self.runs.look_at(agent)
        self.versions.look_at(agent)
        self.editor.look_at(agent)
        self._go(self._read_about(agent))

    def fill_in(self, address: str, given: Mapping[str, object]) -> None:
        """Show the agent at *address* with what was *given* to it before in its form."""
        self._go(self._fill_in(address, given))

    async def done(self) -> None:
        """Wait until nothing is under way any more."""
        panels = (self.new, self.described, self.runs, self.versions, self.editor)
        await super().done()
        for panel in panels:
            await panel.done()
        # What they have told of may have begun something here.
        await super().done()
        for panel in panels:
            await panel.done()

    def close(self) -> None:
        """Give up what is under way; runs go on."""
        for panel in (self.runs, self.versions, self.editor, self.new, self.described):
            panel.close()
        super().close()

    def draw(self) -> None:
        """Show the state as it is."""
        state = self.state
        labels = {"mine": "mine", "published": "published", "draft": "drafts"}
        filters = [{"id": n, "label": labels[n], "on": n == state.filter} for n in _FILTERS]
        self._search.show(hint=wording.FIND_AGENT, text=state.text, filters=filters)
        empty = "" if state.agents is None else wording.NO_AGENT_FOUND
        self._cards.show(
            look="rows",
            items=[_card(agent) for agent in state.found],
            selected="" if state.agent is None or self._away else state.agent["id"],
            empty=empty if state.text or state.filter or not empty else wording.NO_AGENTS,
        )
        self._trouble.show(text=state.problem, tone="bad" if state.problem else "")
        parts.appear(self.new.view, when=state.making)
        parts.appear(self.described.view, when=state.describing)
        parts.appear(self._one, when=not self._away)
        self._draw_one(state)

    def _draw_one(self, state: AgentsState) -> None:
        agent = state.agent
        self._head.show(**(_head(agent) if agent else {"text": wording.CHOOSE_AGENT}))
        tabs = dict(wording.AGENT_TABS)
        if agent is not None and not agent["writable"]:
            tabs = {"run": tabs["run"], "call": tabs["call"]}
        parts.appear(self._sides_of_it, when=agent is not None)
        tab = state.tab if state.tab in tabs else "run"
        self._tabs.show(tabs=[{"id": i, "label": n} for i, n in tabs.items()], selected=tab)
        for name, view in self._sides.items():
            parts.appear(view, when=agent is not None and name == tab)
        said = (agent or {}).get("examples", {})
        for name, snippet in self._snippets.items():
            words = {"copy": wording.COPY, "copied": wording.COPIED}
            snippet.show(label=name, code=said.get(name, ""), **words)

    async def _read(self) -> None:
        wb, text = self._link.wb, self.state.text
        user = self.state.user or (await wb.me())["user"]
        agents: list[View] = []
        async for agent in wb.agents.list(text.strip() or None):
            agents.append(agent.about)
            if len(agents) == LONGEST_LIST:
                break
        if text == self.state.text:
            self.change(user=user, agents=tuple(agents), problem="")
        if self.state.agent is None and agents and not self._away:
            self.look_at(agents[0])

    async def _fill_in(self, address: str, given: Mapping[str, object]) -> None:
        noun = await self._link.wb.agents.get(address)
        self.look_at(noun.about)
        self.runs.look_at(noun.about, given)
        self.change(tab="run")

    async def _read_about(self, agent: View) -> None:
        noun = self._link.wb.agent(dict(agent))
        await noun.refresh()
        self._know(noun.about)
        if self.state.agent is not None and self.state.agent["id"] == agent["id"]:
            if noun.about["updated_at"] != agent["updated_at"]:
                self._show_again(noun.about)
            self.change(agent=noun.about)

    @property
    def _away(self) -> bool:
        """Whether one is made that is not there yet."""
        return self.state.making or self.state.describing

    def _changed(self, agent: View) -> None:
        """Take note that *agent* is otherwise now."""
        self.change(agent=agent)
        self._show_again(agent)
        self.read()

    def _show_again(self, agent: View) -> None:
        """Show all sides of *agent* as they are now; what is under way or not saved stays."""
        if not self.runs.state.busy:
            self.runs.look_at(agent)
        if self.versions.state.agent is not agent and not self.versions.state.doing:
            self.versions.look_at(agent)
        if self.editor.state.agent is not agent:
            self.editor.look_at(agent)

    def _know(self, agent: View) -> None:
        """Note in the list how *agent* stands now."""
        if (agents := self.state.agents) is not None:
            known = tuple(agent if one["id"] == agent["id"] else one for one in agents)
            self.change(agents=known)

    def _made(self, agent: View) -> None:
        self.read()
        self.look_at(agent)

    def _parts(self) -> None:
        make = {"id": "new", "label": wording.NEW_AGENT, "icon": "add", "look": "main"}
        describe = {"id": "describe", "label": wording.DESCRIBE}
        self._new = parts.Actions(self._on_new, buttons=[make, describe])
        self._search = parts.Search(self._on_search, hint="")
        self._cards = parts.Cards(self._on_card, items=[])
        self._head, self._trouble = parts.Note(), parts.Note()
        self._tabs = parts.Tabs(lambda told: self.change(tab=str(told.get("choose"))), tabs=[])
        self._sides_of_it = parts.boxed("wb-stack", self._tabs)
        self._snippets = {name: parts.Snippet(code="") for name in ("curl", "python", "javascript")}
        self._sides = {
            "run": self.runs.view,
            "versions": self.versions.view,
            "edit": self.editor.view,
            "call": parts.boxed("wb-card", *self._snippets.values()),
        }
        self._one = parts.boxed(
            "wb-stack", self._trouble, self._head, self._sides_of_it, *self._sides.values()
        )
        left = parts.boxed("wb-stack", self._new, self._search, self._cards)
        right = parts.boxed("wb-stack", self.new.view, self.described.view, self._one)
        self.view = parts.boxed("wb-side", left, right)

    def _on_new(self, told: View) -> None:
        described = told.get("press") == "describe"
        self.change(making=not described, describing=described)

    def _on_search(self, told: View) -> None:
        if "find" in told:
            self.find(str(told["find"]))
        elif told.get("filter") in _FILTERS:
            same = told["filter"] == self.state.filter
            self.change(filter="" if same else str(told["filter"]))

    def _on_card(self, told: View) -> None:
        agent = next((a for a in self.state.agents or () if a["id"] == told.get("choose")), None)
        if agent is not None:
            self.look_at(agent)


def _card(agent: View) -> dict[str, Any]:
    return {
        "id": agent["id"],
        "title": agent["agent_name"],
        "badge": wording.version_badge(agent),
        "text": agent["description"] or agent["owner"],
    }


def _head(agent: View) -> dict[str, Any]:
    badges = [wording.badge(agent["stage"])]
    if agent["draft_differs"]:
        badges.append({"word": wording.DRAFT_DIFFERS, "tone": "warm"})
    return {
        "title": f"{agent['owner']}/{agent['agent_name']}",
        "badges": badges,
        "meta": wording.standing(agent),
        "text": agent["description"],
    }
