"""The panel that has an agent written: what it shall do, the plan to look over, what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from workbench.panels import parts, wording
from workbench.panels.link import Link
from workbench.panels.panel import Panel

View: TypeAlias = Mapping[str, Any]

TURN_SECONDS = 0.5
"""How long the gateway is waited for before what it does now is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeState:
    """What the panel shows.

    Attributes:
        description: What the agent shall do.
        plan: The plan as JSON, to be changed before anything is written; empty without one.
        generation: What was begun last, as the gateway says it.
        agent: The draft that has come of it, to be opened.
    """

    name: str = ""
    description: str = ""
    plan: str = ""
    generation: View | None = None
    agent: View | None = None
    problem: str = ""

    @property
    def busy(self) -> bool:
        """Whether something is being done for it."""
        return self.generation is not None and self.generation["status"] == "pending"


class DescribePanel(Panel[DescribeState]):
    """An agent, while it is described and written."""

    def __init__(self, link: Link, made: Callable[[View], None], left: Callable[[], None]) -> None:
        """One that tells *made* of the agent, or *left* that there will be none."""
        super().__init__(link, DescribeState())
        self._made = made
        self._fields = parts.Fields(self._on_form, fields=[])
        self._said, self._came = parts.Note(), parts.Note()
        self._changed = parts.Snippet(code="")
        presses = {
            "plan": self.plan,
            "write": self.write,
            "stop": self.stop,
            "open": self.open,
            "leave": left,
        }
        self._actions = parts.Actions(lambda told: presses[str(told.get("press"))](), buttons=[])
        title = parts.Note(title=wording.DESCRIBE, text=wording.DESCRIBE_HINT)
        self.view = parts.boxed(
            "wb-card", title, self._fields, self._said, self._actions, self._came, self._changed
        )
        self.draw()

    def fill(self, name: str, text: str) -> None:
        """Put *text* into the field *name*."""
        if name in ("name", "description", "plan"):
            self.change(**{name: text}, problem="")

    def plan(self) -> None:
        """Have a plan made of the description."""
        if self._complete():
            self._go(self._begin(plan_only=True))

    def write(self) -> None:
        """Have the agent written: after the plan, if there is one."""
        if self._complete():
            self._go(self._begin(plan_only=False))

    def stop(self) -> None:
        """Give up what is under way."""
        if self.state.busy:
            self._go(self._stop())

    def open(self) -> None:
        """Leave for the draft, and be ready for another."""
        agent = self.state.agent
        if agent is not None:
            self.change(name="", description="", plan="", generation=None, agent=None)
            self._made(agent)

    def draw(self) -> None:
        """Show the state as it is."""
        state, generation = self.state, self.state.generation
        fields = [
            _field("name", wording.NAME, "text", state.name, help=wording.NAME_HELP),
            _field("description", wording.DESCRIPTION, "long", state.description, rows=4),
        ]
        if state.plan:
            fields.append(
                _field("plan", wording.PLAN, "json", state.plan, rows=14, help=wording.PLAN_HELP)
            )
        self._fields.show(fields=fields)
        step = wording.STEPS.get(str((generation or {}).get("step")), "")
        said = state.problem or (step if state.busy else "")
        self._said.show(text=said, tone=("bad" if state.problem else "info") if said else "")
        self._actions.show(buttons=_buttons(state))
        rounds = generation["rounds"] if generation else []
        self._came.show(text="\n\n".join(_told(generation)) if generation else "")
        code = "\n".join(_lines(rounds[-1])) if rounds else ""
        words = {"copy": wording.COPY, "copied": wording.COPIED}
        self._changed.show(label=wording.CHANGED_CELLS if code else "", code=code, **words)
        parts.appear(self._changed, when=bool(code))

    def _complete(self) -> bool:
        if not self.state.name.strip():
            self.change(problem=wording.NAME_IT)
        elif not self.state.description.strip() and not self.state.plan:
            self.change(problem=wording.DESCRIBE_IT)
        return not self.state.problem and not self.state.busy

    async def _begin(self, *, plan_only: bool) -> None:
        state = self.state
        plan = None
        if state.plan and not plan_only:
            try:
                plan = json.loads(state.plan)
            except ValueError as error:
                self.change(problem=f"{wording.PLAN_BROKEN} {error}.")
                return
        begun = await self._link.wb.agents.generate(
            state.name.strip(), state.description.strip(), plan=plan, plan_only=plan_only
        )
        self.change(generation=begun.about, agent=None, problem="")
        while not begun.settled:
            await begun.wait(TURN_SECONDS)
            self.change(generation=begun.about)
        await self._settled(begun)

    async def _settled(self, begun: Any) -> None:
        if begun.status == "planned":
            self.change(plan=json.dumps(begun.plan, indent=1, ensure_ascii=False))
        elif begun.status == "drafted":
            self.change(agent=(await begun.agent()).about)
        elif begun.about["error"] is not None:
            self.change(problem=str(begun.about["error"]["message"]))

    async def _stop(self) -> None:
        generation = self.state.generation
        assert generation is not None
        self.change(generation=(await self._cancelled(generation)))

    async def _cancelled(self, generation: View) -> View:
        noun = self._link.wb.generation(dict(generation))
        await noun.cancel()
        return noun.about

    def _on_form(self, told: View) -> None:
        if "fill" in told:
            self.fill(str(told["fill"]), str(told["text"]))


def _told(generation: View) -> Iterator[str]:
    """What has come of it, a paragraph each."""
    if generation["source"] == "starter":
        yield wording.NO_MODEL
    for each in generation["rounds"]:
        found = "; ".join(str(problem["message"]) for problem in each["problems"][:4])
        yield f"**{wording.ROUND} {each['number']}**: {found or wording.CASES_PASS}"
    if generation["status"] == "drafted" and not generation["verified"]:
        yield wording.NOT_VERIFIED


def _lines(each: View) -> Iterator[str]:
    """What a round changed, cell by cell."""
    for cell in each["changes"]:
        yield f"@@ {cell['id']}: {cell['change']}"
        yield from (f"{line['op']} {line['text']}" for line in cell["lines"])


def _buttons(state: DescribeState) -> list[dict[str, object]]:
    if state.busy:
        return [{"id": "stop", "label": wording.CANCEL}]
    if state.agent is not None:
        return [{"id": "open", "label": wording.OPEN_DRAFT, "look": "main"}]
    return [
        {"id": "plan", "label": wording.MAKE_PLAN, "look": "" if state.plan else "main"},
        {"id": "write", "label": wording.WRITE, "look": "main" if state.plan else ""},
        {"id": "leave", "label": wording.NOT_NOW},
    ]


def _field(name: str, label: str, kind: str, text: str, **more: object) -> dict[str, object]:
    return {"name": name, "label": label, "kind": kind, "text": text, **more}
