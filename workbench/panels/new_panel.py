"""The panel that makes a new agent, from a starter or from one's own source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from workbench.domain.names import check_name
from workbench.errors import InvalidAgentConfig
from workbench.panels import parts, wording
from workbench.panels.link import Link
from workbench.panels.panel import Panel
from workbench.panels.starters import PROMPT, STARTERS

View: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewState:
    """What the panel shows.

    Attributes:
        sources: Python, plain or with `# %%` cells, or a prompt, by the starter it began with.
        found: What the gateway finds wrong with it, worst first.
        valid: Whether it can be an agent; None before that is known.
    """

    name: str = ""
    starter: str = "Greeting"
    sources: Mapping[str, str] = field(default_factory=lambda: dict(STARTERS))
    found: tuple[View, ...] = ()
    valid: bool | None = None
    problem: str = ""

    @property
    def is_prompt(self) -> bool:
        """Whether it is no program."""
        return STARTERS[self.starter] is PROMPT

    @property
    def source(self) -> str:
        """What is written, on the starter that is chosen."""
        return self.sources[self.starter]


class NewPanel(Panel[NewState]):
    """A new agent, while it is made up."""

    def __init__(self, link: Link, made: Callable[[View], None], left: Callable[[], None]) -> None:
        """One that tells *made* of the agent, or *left* that there will be none."""
        super().__init__(link, NewState())
        self._made = made
        self._examined = ""
        self._fields = parts.Fields(self._on_form, fields=[])
        self._found = parts.Note()
        self._actions = parts.Actions(
            lambda told: self.create() if told.get("press") == "create" else left(),
            buttons=[
                {"id": "create", "label": wording.CREATE, "icon": "add", "look": "main"},
                {"id": "leave", "label": wording.NOT_NOW},
            ],
        )
        title = parts.Note(title=wording.NEW_AGENT)
        self.view = parts.boxed("wb-card", title, self._fields, self._found, self._actions)
        self.draw()

    def fill(self, name: str, text: str) -> None:
        """Put *text* into the field *name*, and have the source looked through if it changed.

        What was written on another starter is there again once that is chosen again.
        """
        if name == "name":
            self.change(name=text, problem="")
            return
        if name == "starter":
            self.change(starter=text, problem="")
        elif name == "source":
            self.change(sources={**self.state.sources, self.state.starter: text}, problem="")
        self._go(self._examine())

    def create(self) -> None:
        """Make the agent, as a draft."""
        if wrong := _name_problem(self.state.name) or ("" if self.state.name else wording.NAME_IT):
            self.change(problem=wrong)
            return
        self._go(self._create(self.state.name.strip(), self.state.source))

    def draw(self) -> None:
        """Show the state as it is."""
        state = self.state
        starters = [[name, name] for name in STARTERS]
        self._fields.show(
            fields=[
                _field("name", wording.NAME, "text", state.name, help=wording.NAME_HELP),
                _field("starter", wording.STARTER, "choice", state.starter, options=starters),
                _field("source", wording.SOURCE, "code", state.source, hint=wording.SOURCE_HINT),
            ],
            problems={"name": _name_problem(state.name)},
        )
        said = state.problem or "\n\n".join(str(one["message"]) for one in state.found[:4])
        bad = bool(state.problem) or state.valid is False
        self._found.show(text=said, tone=("bad" if bad else "info") if said else "")

    async def _examine(self) -> None:
        source = self.state.source
        agents = self._link.wb.agents
        examine = agents.validate_prompt if self.state.is_prompt else agents.validate
        said = await examine(source)
        # Whoever types on is told of what stands there then.
        if source == self.state.source:
            self.change(found=tuple(said["problems"]), valid=said["valid"])

    async def _create(self, name: str, source: str) -> None:
        agents = self._link.wb.agents
        make = agents.prompt if self.state.is_prompt else agents.create
        agent = await make(name, source)
        self._made(agent.about)

    def _on_form(self, told: View) -> None:
        if "fill" in told:
            self.fill(str(told["fill"]), str(told["text"]))


def _name_problem(name: str) -> str:
    try:
        if name.strip():
            check_name(name.strip())
    except InvalidAgentConfig as error:
        return str(error)
    return ""


def _field(name: str, label: str, kind: str, text: str, **more: object) -> dict[str, object]:
    return {"name": name, "label": label, "kind": kind, "text": text, **more}
