"""The panel that runs an agent: its form, the run as it goes, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import quote

from workbench.errors import InvalidInput, NotFound
from workbench.panels import parts, wording
from workbench.panels.following import Followed, Line, lines_of, steps_of
from workbench.panels.forms import Form, form_of
from workbench.panels.link import Link
from workbench.panels.panel import Panel
from workbench.panels.results import Block, all_blocks, display_blocks, result_blocks

View: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """What the panel shows.

    Attributes:
        agent: The agent, as the gateway speaks of it.
        form: What is filled in.
        run: The run that is watched, as it stands.
        followed: What its events have told.
        lines: What it printed and logged.
        blocks: What it handed back and displayed, once it has ended.
        files: The files it left.
        asking: Whether a run has been asked for and not been accepted yet.
        problem: What went wrong with the asking.
    """

    agent: View | None = None
    form: Form = field(default_factory=Form)
    run: View | None = None
    followed: Followed = field(default_factory=Followed)
    lines: tuple[Line, ...] = ()
    blocks: tuple[Block, ...] = ()
    files: tuple[View, ...] = ()
    asking: bool = False
    problem: str = ""

    @property
    def busy(self) -> bool:
        """Whether the run goes on."""
        return self.asking or (self.run is not None and self.run["completed_at"] is None)


class RunPanel(Panel[RunState]):
    """One agent, and what is needed to run it.

    Attributes:
        authors: Whether it is for people who write agents: it offers test runs then, and says of a
            failure what was raised where.
    """

    def __init__(self, link: Link, *, authors: bool = False, files_at: str = "") -> None:
        """A panel with no agent yet; *files_at* is where the page offers the files of runs."""
        super().__init__(link, RunState())
        self.authors = authors
        self._files_at = files_at
        self._told = 0
        self._settled: list[Callable[[], None]] = []
        self._parts()
        link.watch(back=self._resume)
        self.draw()

    def look_at(self, agent: View, given: Mapping[str, object] | None = None) -> None:
        """Show *agent* with its form, filled in with what was *given* to it before."""
        self.close()
        self._told = 0
        self.state = RunState(agent=agent, form=form_of(agent, given))
        self._log.show(lines=[])
        self.draw()

    def watch(self, run: View) -> None:
        """Show *run*, from its first event."""
        self._told = 0
        self._log.show(lines=[])
        fresh: dict[str, Any] = {"followed": Followed(), "lines": (), "blocks": (), "files": ()}
        self.change(run=run, asking=False, problem="", **fresh)
        self._go(self._follow())

    def on_settled(self, do: Callable[[], None]) -> None:
        """Let *do* be done whenever a run has been watched to its end."""
        self._settled.append(do)

    def fill(self, name: str, text: str | bool) -> None:
        """Put *text* into the field *name*."""
        self.change(form=self.state.form.fill(name, text), problem="")

    def start(self, *, test: bool = False) -> None:
        """Ask for a run with what is filled in."""
        if self.state.agent is None or self.state.busy:
            return
        form = self.state.form.submitted()
        try:
            values = form.values()
        except InvalidInput as error:
            self.change(form=form, problem=str(error))
            return
        self.change(form=form, asking=True, problem="")
        self._go(self._start(self.state.agent, values, test=test))

    def cancel(self) -> None:
        """Call the run off."""
        if self.state.run is not None and self.state.busy:
            self._go(self._cancel(self.state.run))

    def draw(self) -> None:
        """Show the state as it is."""
        state = self.state
        self._fields.show(**state.form.shown(), disabled=state.busy)
        self._actions.show(buttons=self._buttons(state))
        self._problem.show(text=state.problem, tone="bad" if state.problem else "")
        parts.appear(self._answer, when=state.run is not None)
        self._steps.show(**steps_of(state.run, state.followed))
        self._log.add([_line(one) for one in state.lines[self._told :]])
        self._told = len(state.lines)
        self._ending.show(**self._ended(state))
        self._value.show(blocks=list(state.followed.shown if state.busy else state.blocks))
        self._usage.show(meta=self._taken(state.run))
        self._links.show(items=[self._link_to(state.run, file) for file in state.files])

    async def _start(self, agent: View, values: dict[str, object], *, test: bool) -> None:
        noun = self._link.wb.agent(dict(agent))
        version = "draft" if test and agent["writable"] else None
        try:
            run = await noun.start(values, test=test, version=version)
        finally:
            self.change(asking=False)
        self.watch(run.about)

    async def _cancel(self, run: View) -> None:
        await self._link.wb.run(dict(run)).cancel()

    async def _follow(self) -> None:
        assert self.state.run is not None
        run = self._link.wb.run(dict(self.state.run))
        async for event in run.events(after=self.state.followed.seq):
            self._heed(event)
        await run.wait()
        await self._finish(run)

    def _heed(self, event: View) -> None:
        state = self.state
        lines = lines_of(event)
        what: dict[str, Any] = {"followed": state.followed.heed(event)}
        if event["type"] == "run.started" and state.run is not None and state.busy:
            what["run"] = {**state.run, "status": "running"}
        if lines:
            what["lines"] = (*state.lines, *lines)
        self._change_soon(**what)

    async def _finish(self, run: Any) -> None:
        about = run.about
        displayed: list[Block] = []
        try:
            texts = about["result"] is None and not about["error"]
            displayed = display_blocks(await run.notebook(), texts=texts)
        except NotFound:
            pass  # it ended before it began, so there is none
        blocks = all_blocks(result_blocks(about["result"]), displayed)
        files = tuple(await run.files())
        self.change(run=about, blocks=tuple(blocks), files=files)
        for do in self._settled:
            do()

    def _resume(self) -> None:
        if self.state.run is not None and self.state.busy:
            self._go(self._follow_again(self.state.run))

    async def _follow_again(self, run: View) -> None:
        found = await self._link.wb.runs.get(run["id"])
        self.change(run=found.about)
        await self._follow()

    def _parts(self) -> None:
        self._fields = parts.Fields(self._on_form, fields=[])
        self._actions = parts.Actions(self._on_press, buttons=[])
        self._problem = parts.Note()
        self._steps = parts.Steps(cells=[])
        self._ending = parts.Note()
        self._value = parts.Value(blocks=[])
        self._links = parts.Links(self._on_link, items=[])
        self._usage = parts.Note()
        self._log = parts.Log(lines=[])
        asked = parts.boxed("wb-card", self._fields, self._problem, self._actions)
        self._answer = parts.boxed(
            "wb-card",
            self._steps,
            self._ending,
            self._value,
            self._links,
            self._usage,
            self._log,
        )
        self._answer.add_class("wb-answer")
        self.view = parts.boxed("wb-cols", asked, self._answer)

    def _on_form(self, told: View) -> None:
        if "fill" in told:
            self.fill(str(told["fill"]), told["text"])
        elif told.get("submit"):
            self._press("run" if self._may_run() else "test")

    def _on_press(self, told: View) -> None:
        self._press(told.get("press"))

    def _press(self, what: object) -> None:
        if what == "run":
            self.start()
        elif what == "test" and self.authors:
            self.start(test=True)
        elif what == "cancel":
            self.cancel()

    def _on_link(self, told: View) -> None:
        if self.state.run is not None:
            self._go(self._open(self.state.run, str(told.get("open"))))

    async def _open(self, run: View, path: str) -> None:
        target = f"/runs/{run['id']}/files/{quote(path)}"
        self._links.go(self._link.wb.url + await self._link.wb.ticket(target))

    def _may_run(self) -> bool:
        agent = self.state.agent
        return agent is not None and agent["current_version"] is not None

    def _buttons(self, state: RunState) -> list[dict[str, Any]]:
        off = state.busy or not self._may_run()
        run: dict[str, Any] = {"id": "run", "label": wording.RUN, "icon": "run", "look": "main"}
        run.update(off=off, hint=wording.RUN_HINT)
        test: dict[str, Any] = {"id": "test", "label": wording.TEST, "icon": "test"}
        test.update(off=state.busy, hint=wording.TEST_HINT)
        cancel: dict[str, Any] = {"id": "cancel", "label": wording.CANCEL, "icon": "stop"}
        cancel.update(look="danger", off=state.asking, hint=wording.CANCEL_HINT)
        offered = [run, *([test] if self.authors else [])]
        return [*offered, cancel] if state.busy else offered

    def _ended(self, state: RunState) -> dict[str, Any]:
        run = state.run
        if run is None or run["completed_at"] is None:
            return {}
        if run["status"] == "completed":
            empty = not (state.blocks or state.files)
            return {"text": wording.NOTHING_CAME} if empty else {}
        told = wording.raised(run) if self.authors else ""
        return {"text": told or wording.failed(run), "tone": "bad"}

    def _taken(self, run: View | None) -> str:
        """What the run took from language models: for authors, as viewers need not mind."""
        return wording.usage(run["usage"]) if self.authors and run is not None else ""

    def _link_to(self, run: View | None, file: View) -> dict[str, Any]:
        shown = {"id": file["path"], "label": file["path"], "meta": wording.size(file["size"])}
        if run is not None and self._files_at:
            shown["href"] = f"{self._files_at}{run['id']}/{quote(file['path'])}"
        return shown


def _line(line: Line) -> dict[str, str]:
    return {"text": line.text, "tone": line.tone}
