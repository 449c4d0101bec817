"""The page for people who use agents: a gallery, and a page for each agent. No code, no kernels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from workbench.client.workbench import AsyncWorkbench
from workbench.panels import parts, wording
from workbench.panels.link import Link
from workbench.panels.panel import Panel
from workbench.panels.run_panel import RunPanel

View: TypeAlias = Mapping[str, Any]

LONGEST_LIST = 200
MOST_EARLIER = 20

_EARLIER = (
    {"key": "status", "label": "Status", "kind": "status"},
    {"key": "at", "label": "When", "kind": "moment"},
    {"key": "given", "label": "With"},
    {"key": "took", "label": "Took", "kind": "took"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageState:
    """What the page shows.

    Attributes:
        user: Who looks at it.
        agents: The published agents they may use; None before they are known.
        text: What they search for.
        agent: The one that is looked at; None shows the gallery.
        earlier: Their runs of it, newest first.
        problem: What went wrong.
    """

    user: str = ""
    agents: tuple[View, ...] | None = None
    text: str = ""
    agent: View | None = None
    earlier: tuple[View, ...] = ()
    problem: str = ""

    @property
    def found(self) -> tuple[View, ...]:
        """The agents that hold what is searched for."""
        words = self.text.lower().split()
        return tuple(a for a in self.agents or () if all(w in _words(a) for w in words))


class ViewerPage(Panel[PageState]):
    """The gallery, or one agent of it.

    Attributes:
        run_panel: The panel of the agent that is looked at.
    """

    def __init__(self, find: Callable[[], AsyncWorkbench], *, files_at: str = "") -> None:
        """The page on the workbench that *find* finds; *files_at* is where files are offered."""
        link = Link(find)
        super().__init__(link, PageState())
        self.run_panel = RunPanel(link, files_at=files_at)
        self._parts()
        link.watch(changed=self.draw, back=self._reload)
        self.draw()
        self._reload()

    def find(self, text: str) -> None:
        """Show the agents that hold *text*."""
        self.change(text=text)

    def look_at(self, agent: View) -> None:
        """Show the page of *agent*."""
        self.run_panel.look_at(agent)
        self.change(agent=agent, earlier=(), problem="")
        self._go(self._read_earlier())

    def leave(self) -> None:
        """Show the gallery again; a run that goes on goes on."""
        self.run_panel.close()
        self.change(agent=None, earlier=(), problem="")
        self._reload()

    def look_back(self, run_id: str) -> None:
        """Show an earlier run, with what it was given in the form."""
        run = next((r for r in self.state.earlier if r["id"] == run_id), None)
        if run is None or self.state.agent is None or self.run_panel.state.busy:
            return
        self.run_panel.look_at(self.state.agent, run["parameters"])
        self.run_panel.watch(run)

    async def done(self) -> None:
        """Wait until nothing is under way any more."""
        await super().done()
        await self.run_panel.done()
        await super().done()

    async def end(self) -> None:
        """Give up what is under way, and let go of the workbench; runs go on."""
        self.run_panel.close()
        self.close()
        await self._link.close()

    def draw(self) -> None:
        """Show the state as it is."""
        state, trouble = self.state, self._link.state.trouble
        said = trouble or state.problem
        self._trouble.show(text=said, tone="bad" if said else "")
        parts.appear(self._gallery, when=state.agent is None)
        parts.appear(self._one, when=state.agent is not None)
        if state.agent is None:
            self._cards.show(items=[_card(a) for a in state.found], empty=_empty(state))
            self._search.show(hint=wording.FIND_AGENT, text=state.text)
        else:
            self._head.show(**_head(state.agent))
            shown = [_earlier_row(run) for run in state.earlier]
            self._runs.show(columns=list(_EARLIER), rows=shown, choosable=True)
            parts.appear(self._earlier, when=bool(shown))

    def _reload(self) -> None:
        self._go(self._read())

    async def _read(self) -> None:
        wb = self._link.wb
        user = self.state.user or (await wb.me())["user"]
        agents: list[View] = []
        async for agent in wb.agents.list():
            if agent.about["stage"] == "published" and len(agents) < LONGEST_LIST:
                agents.append(agent.about)
        self.change(user=user, agents=tuple(agents), problem="")

    async def _read_earlier(self) -> None:
        agent = self.state.agent
        if agent is None:
            return
        earlier: list[View] = []
        async for run in self._link.wb.agent(dict(agent)).runs():
            # The author of an agent sees everybody's runs of it; a page is one person's.
            if run.about["user"] == self.state.user:
                earlier.append(run.about)
            if len(earlier) == MOST_EARLIER:
                break
        if self.state.agent is agent:
            self.change(earlier=tuple(earlier))

    def _parts(self) -> None:
        self._trouble = parts.Note()
        self._search = parts.Search(lambda told: self.find(str(told.get("find", ""))), hint="")
        self._cards = parts.Cards(self._on_card, items=[])
        title = parts.Note(title=wording.GALLERY, text=wording.GALLERY_HINT)
        self._gallery = parts.boxed("wb-stack", title, self._search, self._cards)
        self._back = parts.Actions(
            lambda _: self.leave(),
            buttons=[{"id": "back", "label": wording.ALL_AGENTS, "icon": "back", "look": "quiet"}],
        )
        self._head = parts.Note()
        self._runs = parts.Table(self._on_run, columns=[], rows=[])
        title = parts.Note(title=wording.EARLIER, level="h3")
        self._earlier = parts.boxed("wb-stack", title, self._runs)
        self._one = parts.boxed(
            "wb-stack", self._back, self._head, self.run_panel.view, self._earlier
        )
        self.view = parts.screen(self._trouble, self._gallery, self._one)
        self.run_panel.on_settled(self._ran)

    def _ran(self) -> None:
        self._go(self._read_earlier())

    def _on_card(self, told: View) -> None:
        agent = next((a for a in self.state.agents or () if a["id"] == told.get("choose")), None)
        if agent is not None:
            self.look_at(agent)

    def _on_run(self, told: View) -> None:
        self.look_back(str(told.get("choose")))


def _words(agent: View) -> str:
    texts = (agent["agent_name"], agent["owner"], agent["description"], *agent["tags"])
    return " ".join([wording.title(agent["agent_name"]), *texts]).lower()


def _empty(state: PageState) -> str:
    if state.agents is None:
        return ""
    return wording.NO_AGENT_FOUND if state.agents else wording.NO_VIEWER_AGENTS


def _card(agent: View) -> dict[str, Any]:
    return {
        "id": agent["id"],
        "title": wording.title(agent["agent_name"]),
        "text": agent["description"],
        "meta": f"by {agent['owner']}",
        "tags": list(agent["tags"])[:4],
    }


def _head(agent: View) -> dict[str, Any]:
    return {
        "title": wording.title(agent["agent_name"]),
        "text": agent["description"],
        "meta": f"by {agent['owner']} · version {agent['current_version']}",
    }


def _earlier_row(run: View) -> dict[str, Any]:
    return {
        "id": run["id"],
        "status": wording.badge(run["status"]),
        "at": run["created_at"],
        "given": wording.given(run["parameters"]),
        "took": run["execution_time_ms"],
    }
