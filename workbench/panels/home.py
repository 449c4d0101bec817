"""The landing panel: the agents one may see, and a run of one of them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from html import escape
from itertools import islice
from typing import Any

import ipywidgets as widgets

from workbench.client import display
from workbench.client.agents import Agent
from workbench.client.runs import Run
from workbench.client.workbench import Workbench
from workbench.errors import WorkbenchError
from workbench.panels.forms import Form
from workbench.panels.style import STYLE

LONGEST_LIST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the panel shows.

    Attributes:
        agents: The agents found.
        agent: The one that is looked at.
        run: The run that was started last, as it stands.
        doing: What it says that it does.
        fraction: How far it says that it is, from 0 to 1.
        problem: What went wrong, in words for people.
    """

    agents: tuple[Agent, ...] = ()
    agent: Agent | None = None
    run: dict[str, Any] | None = None
    doing: str = ""
    fraction: float = 0.0
    problem: str = ""

    @property
    def busy(self) -> bool:
        """Whether the run goes on."""
        return self.run is not None and self.run["completed_at"] is None


class Home:
    """The agents of a workbench, and what is needed to run one.

    Attributes:
        state: What is shown.
        form: The fields of the agent that is looked at.
        view: The whole panel.
        watching: What follows the run that goes on.
    """

    def __init__(self, wb: Workbench) -> None:
        self.state = State()
        self.form = Form([])
        self.watching: threading.Thread | None = None
        self._wb = wb
        self._run: Run | None = None
        self._lock = threading.Lock()
        self._parts()
        self.find("")

    def find(self, text: str) -> None:
        """Show the agents that hold *text*."""
        try:
            found = tuple(islice(self._wb.agents.list(text.strip() or None), LONGEST_LIST))
        except WorkbenchError as error:
            self._change(problem=str(error))
            return
        self._change(agents=found, problem="")
        self._list.options = [(agent.address, i) for i, agent in enumerate(found)]
        if found:
            self.look_at(found[0])

    def look_at(self, agent: Agent) -> None:
        """Show *agent* and its form."""
        self.form = Form(agent.parameters)
        self._fields.children = [self.form.view]
        self._change(agent=agent, problem="", **({} if self.state.busy else {"run": None}))

    def start(self, *, test: bool = False) -> None:
        """Run the agent with what has been filled in, and follow the run."""
        agent = self.state.agent
        if agent is None or self.state.busy:
            return
        try:
            self._run = agent.start(self.form.values(), test=test)
        except WorkbenchError as error:
            self._change(problem=str(error))
            return
        self._change(run=self._run.about, problem="", doing="waiting for a kernel", fraction=0.0)
        self.watching = threading.Thread(target=self._watch, args=(self._run,), daemon=True)
        self.watching.start()

    def cancel(self) -> None:
        """Call the run off."""
        if self._run is not None:
            try:
                self._run.cancel()
            except WorkbenchError as error:
                self._change(problem=str(error))

    def _watch(self, run: Run) -> None:
        try:
            for event in run.events():
                self._heed(event)
            run.wait()
        except WorkbenchError as error:
            self._change(problem=str(error))
        self._change(run=run.about, doing="", fraction=1.0)

    def _heed(self, event: dict[str, Any]) -> None:
        if event["type"] == "run.started":
            self._change(doing="running", run={**(self.state.run or {}), "status": "running"})
        elif event["type"] == "progress":
            said = event.get("fraction")
            fraction = float(said) if isinstance(said, int | float) else self.state.fraction
            self._change(doing=str(event.get("message") or "running"), fraction=fraction)

    def _change(self, **what: Any) -> None:
        with self._lock:
            self.state = replace(self.state, **what)
            self._draw()

    def _parts(self) -> None:
        self._search = widgets.Text(placeholder="Find an agent", continuous_update=False)
        self._search.observe(lambda change: self.find(change["new"]), "value")
        self._list = widgets.Select(options=[], rows=16)
        self._list.observe(self._chosen, "value")
        self._head, self._fields = widgets.HTML(), widgets.VBox()
        self._start = _button("Run", "wb-run", "Run the agent", lambda: self.start())
        self._start.button_style = "primary"
        self._try = _button("Test", "wb-test", "A test run", lambda: self.start(test=True))
        self._stop = _button("Cancel", "wb-cancel", "Call the run off", self.cancel)
        self._bar = widgets.FloatProgress(min=0.0, max=1.0)
        self._doing, self._outcome, self._problem = (widgets.HTML() for _ in range(3))
        self._problem.add_class("wb-problem")
        self._outcome.add_class("wb-outcome")
        self._bar.add_class("wb-bar")
        buttons = widgets.HBox([self._start, self._try, self._stop])
        left = _card("wb-left", self._search, self._list)
        asked = _card("wb-card", self._head, self._fields, buttons, self._problem)
        self._answer = _card("wb-card", self._doing, self._bar, self._outcome)
        right = widgets.VBox([asked, self._answer])
        right.add_class("wb-right")
        columns = widgets.HBox([left, right])
        columns.add_class("wb-cols")
        self.view = widgets.VBox([widgets.HTML(STYLE + display.STYLE), columns])
        self.view.add_class("wb")

    def _chosen(self, change: dict[str, Any]) -> None:
        place = change["new"]
        if place is not None and place < len(self.state.agents):
            agent = self.state.agents[place]
            if agent is not self.state.agent:
                self.look_at(agent)

    def _draw(self) -> None:
        state = self.state
        self._head.value = _head(state)
        published = state.agent is not None and state.agent.current_version is not None
        self._start.disabled = state.busy or not published
        self._try.disabled = state.busy or state.agent is None
        self._stop.disabled = not state.busy
        problem = escape(state.problem)
        self._problem.value = f'<p role="alert">{problem}</p>' if problem else ""
        self._answer.layout.display = None if state.run else "none"
        for part in (self._bar, self._doing):
            part.layout.display = None if state.busy else "none"
        self._problem.layout.display = None if state.problem else "none"
        self._bar.value = state.fraction
        self._doing.value = f"<p>{escape(state.doing)} …</p>" if state.busy else ""
        self._outcome.value = display.run(state.run) if state.run else ""


def _head(state: State) -> str:
    agent = state.agent
    if agent is None:
        return "<p>There are no agents yet. Add one: <code>workbench agents add PATH</code></p>"
    version = f" {agent.current_version}" if agent.current_version else ""
    badge = display.badge(agent.about["stage"], version)
    return f"<h3>{escape(agent.address)} {badge}</h3><p>{escape(agent.description)}</p>"


def _card(name: str, *children: Any) -> Any:
    card = widgets.VBox(list(children))
    card.add_class(name)
    return card


def _button(text: str, name: str, tooltip: str, do: Any) -> Any:
    button = widgets.Button(description=text, tooltip=tooltip)
    button.add_class(name)
    button.on_click(lambda _: do())
    return button
