"""The desk of an author: agents, runs and figures on one page, in JupyterLab or a notebook cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.client.workbench import AsyncWorkbench
from workbench.panels import parts, wording
from workbench.panels.agents_panel import AgentsPanel
from workbench.panels.figures_panel import FiguresPanel
from workbench.panels.link import Link
from workbench.panels.panel import Panel
from workbench.panels.runs_panel import RunsPanel


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskState:
    """What the desk shows.

    Attributes:
        tab: `agents`, `runs` or `figures`.
    """

    tab: str = "agents"
    problem: str = ""


class Desk(Panel[DeskState]):
    """Everything an author needs, on tabs.

    Attributes:
        agents: The agents, and what can be done with one.
        runs: The history.
        figures: How runs have gone.
    """

    def __init__(self, find: Callable[[], AsyncWorkbench] = AsyncWorkbench) -> None:
        """The desk on the workbench that *find* finds: the one that runs here, unless it is given.

        Raises:
            Unavailable: None runs.
        """
        link = Link(find)
        super().__init__(link, DeskState())
        self.agents = AgentsPanel(link)
        self.runs = RunsPanel(link, self._again)
        self.figures = FiguresPanel(link)
        self._trouble = parts.Note()
        self._tabs = parts.Tabs(lambda told: self.show(str(told.get("choose"))), tabs=[])
        self._sides = {
            "agents": self.agents.view,
            "runs": self.runs.view,
            "figures": self.figures.view,
        }
        self.view = parts.screen(self._trouble, self._tabs, *self._sides.values())
        link.watch(changed=self.draw, back=self._reload)
        self.draw()
        self.agents.read()

    def show(self, tab: str) -> None:
        """Turn to *tab*, with what is known now."""
        if tab in self._sides:
            self.change(tab=tab)
            self._reload()

    async def done(self) -> None:
        """Wait until nothing is under way any more."""
        for panel in (self.agents, self.runs, self.figures):
            await panel.done()

    async def end(self) -> None:
        """Give up what is under way, and let go of the workbench; runs go on."""
        for panel in (self.agents, self.runs, self.figures):
            panel.close()
        await self._link.close()

    def draw(self) -> None:
        """Show the state as it is."""
        said = self._link.state.trouble
        self._trouble.show(text=said, tone="bad" if said else "")
        tabs = [{"id": name, "label": label} for name, label in wording.TABS.items()]
        self._tabs.show(tabs=tabs, selected=self.state.tab)
        for name, view in self._sides.items():
            parts.appear(view, when=name == self.state.tab)

    def _again(self, run: Mapping[str, Any]) -> None:
        """Show the form of the agent that *run* is of, filled in as it was then."""
        self.change(tab="agents")
        self.agents.fill_in(run["agent"], run["parameters"])

    def _reload(self) -> None:
        read = {"agents": self.agents.read, "runs": self.runs.read, "figures": self.figures.read}
        read[self.state.tab]()
