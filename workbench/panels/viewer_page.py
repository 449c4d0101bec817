"""The page for people who use agents: a gallery, and a page for each agent. No code, no kernels."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from workbench.client.workbench import AsyncWorkbench
from workbench.errors import InvalidRequest, NotFound
from workbench.panels import parts, wording
from workbench.panels.link import Link
from workbench.panels.panel import Panel
from workbench.panels.run_panel import RunPanel

View: TypeAlias = Mapping[str, Any]

AT_ONCE = 60
"""How many agents are shown before somebody asks for more."""
MOST_EARLIER = 20
LOOKED_THROUGH = 500
"""Among how many runs of an agent those of its author are looked for."""

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
        agents: Published agents they may use, as many as were read; None before they are known.
        more: Whether there are others.
        text: What they search for.
        at: The address of the agent that is looked at or looked for; empty shows the gallery.
        agent: The one that is looked at.
        earlier: Their runs of it, newest first.
        problem: What went wrong.
    """

    user: str = ""
    agents: tuple[View, ...] | None = None
    more: bool = False
    text: str = ""
    at: str = ""
    agent: View | None = None
    earlier: tuple[View, ...] = ()
    problem: str = ""


class ViewerPage(Panel[PageState]):
    """The gallery, or one agent of it.

    Attributes:
        run_panel: The panel of the agent that is looked at.
    """

    def __init__(
        self,
        find: Callable[[], AsyncWorkbench],
        *,
        files_at: str = "",
        begin_at: str | None = None,
    ) -> None:
        """The page on the workbench that *find* finds; *files_at* is where files are offered.

        It begins at the agent with the address *begin_at*, or with the gallery if that is empty, and
        keeps to the address that the browser shows; with None that is not its affair.
        """
        link = Link(find)
        super().__init__(link, PageState(at=begin_at or ""))
        self.run_panel = RunPanel(link, files_at=files_at)
        self._listed: _Listed | None = None
        self._parts(addressed=begin_at is not None)
        link.watch(changed=self.draw, back=self._reload)
        self.draw()
        self._reload()

    def find(self, text: str) -> None:
        """Show the agents that hold *text*, of all there are."""
        self.change(text=text)
        self._go(self._read())

    def show_more(self) -> None:
        """Show the agents that come next."""
        self._go(self._read_on())

    def look_at(self, agent: View) -> None:
        """Show the page of *agent*."""
        self.run_panel.look_at(agent)
        self.change(agent=agent, at=_address(agent), earlier=(), problem="")
        self._go(self._read_earlier())

    def go_to(self, address: str) -> None:
        """Show the agent `owner/name`, or the gallery if that is empty."""
        if address:
            self.run_panel.close()
            self.change(at=address, agent=None)
            self._reload()
        else:
            self.leave()

    def leave(self) -> None:
        """Show the gallery again; a run that goes on goes on."""
        self.run_panel.close()
        self.change(agent=None, at="", earlier=(), problem="")
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
        named = wording.title(state.agent["agent_name"]) if state.agent else ""
        self._address.show(agent=state.at, title=named)
        parts.appear(self._gallery, when=not state.at)
        parts.appear(self._one, when=state.agent is not None)
        if not state.at:
            cards = [_card(agent) for agent in state.agents or ()]
            self._cards.show(items=cards, empty=_empty(state))
            self._search.show(hint=wording.FIND_AGENT, text=state.text)
            parts.appear(self._more, when=state.more)
        elif state.agent is not None:
            self._head.show(**_head(state.agent))
            shown = [_earlier_row(run) for run in state.earlier]
            self._runs.show(columns=list(_EARLIER), rows=shown, choosable=True)
            parts.appear(self._earlier, when=bool(shown))

    def _reload(self) -> None:
        self._go(self._read_one() if self.state.at else self._read())

    async def _read(self) -> None:
        await self._know_user()
        text = self.state.text
        listed = _Listed(self._link.wb.agents.list(text or None))
        agents = await listed.next()
        # Whoever has typed on in between wants something else.
        if text == self.state.text:
            self._listed = listed
            self.change(agents=agents, more=listed.more, problem="")

    async def _read_on(self) -> None:
        listed, before = self._listed, self.state.agents or ()
        agents = await listed.next() if listed else ()
        if listed and listed is self._listed:
            self.change(agents=(*before, *agents), more=listed.more)

    async def _read_one(self) -> None:
        await self._know_user()
        address = self.state.at
        agent: View | None = None
        with suppress(NotFound, InvalidRequest):
            agent = (await self._link.wb.agents.get(address)).about
        if address != self.state.at or self.state.agent is not None:
            return
        if agent is not None and agent["stage"] == "published":
            self.look_at(agent)
        else:
            self.change(at="")
            await self._read()
            self.change(problem=wording.NO_SUCH_AGENT)

    async def _know_user(self) -> None:
        if not self.state.user:
            self.change(user=(await self._link.wb.me())["user"])

    async def _read_earlier(self) -> None:
        agent = self.state.agent
        if agent is None:
            return
        earlier: list[View] = []
        left = LOOKED_THROUGH
        async for run in self._link.wb.agent(dict(agent)).runs():
            # The author of an agent sees everybody's runs of it; a page is one person's.
            if run.about["user"] == self.state.user:
                earlier.append(run.about)
            left -= 1
            if len(earlier) == MOST_EARLIER or not left:
                break
        if self.state.agent is agent:
            self.change(earlier=tuple(earlier))

    def _parts(self, *, addressed: bool) -> None:
        self._trouble = parts.Note()
        self._address = parts.Address(lambda told: self.go_to(str(told.get("go", ""))))
        self._search = parts.Search(lambda told: self.find(str(told.get("find", ""))), hint="")
        self._cards = parts.Cards(self._on_card, items=[])
        title = parts.Note(title=wording.GALLERY, text=wording.GALLERY_HINT)
        offered = [{"id": "more", "label": wording.MORE_AGENTS}]
        buttons = parts.Actions(lambda _: self.show_more(), buttons=offered)
        self._more = parts.boxed("wb-stack", buttons)
        self._gallery = parts.boxed("wb-stack", title, self._search, self._cards, self._more)
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
        seen = (self._trouble, self._gallery, self._one)
        self.view = parts.screen(*((self._address,) if addressed else ()), *seen)
        self.run_panel.on_settled(self._ran)

    def _ran(self) -> None:
        self._go(self._read_earlier())

    def _on_card(self, told: View) -> None:
        agent = next((a for a in self.state.agents or () if a["id"] == told.get("choose")), None)
        if agent is not None:
            self.look_at(agent)

    def _on_run(self, told: View) -> None:
        self.look_back(str(told.get("choose")))


class _Listed:
    """Agents that viewers may run, some at a time.

    Attributes:
        more: Whether there are others.
    """

    def __init__(self, agents: AsyncIterable[Any]) -> None:
        self._published = _published(agents)
        self._ahead: View | None = None
        self.more = True

    async def next(self) -> tuple[View, ...]:
        """The next of them."""
        found = [self._ahead] if self._ahead is not None else []
        self._ahead, self.more = None, False
        async for agent in self._published:
            if len(found) == AT_ONCE:
                self._ahead, self.more = agent, True
                break
            found.append(agent)
        return tuple(found)


async def _published(agents: AsyncIterable[Any]) -> AsyncIterator[View]:
    async for agent in agents:
        if agent.about["stage"] == "published":
            yield agent.about


def _address(agent: View) -> str:
    return f"{agent['owner']}/{agent['agent_name']}"


def _empty(state: PageState) -> str:
    if state.agents is None:
        return ""
    return wording.NO_AGENT_FOUND if state.text else wording.NO_VIEWER_AGENTS


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
