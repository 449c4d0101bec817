"""Drafting an agent from a description: planned, written, checked, tried, repaired, kept.

A model gives plans, sources and edits; the notebook is put together here. What it wrote is read as
text by everything in this process and runs in the sandbox alone, by the test runs of the draft that
it becomes. Nothing is ever published.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from workbench.domain.access import Principal
from workbench.domain.agents import Agent
from workbench.domain.caps import Caps
from workbench.domain.generations import REPAIRS, Round, Source, Standing, Step
from workbench.domain.models import PICO
from workbench.domain.plans import Plan, plan_from_json
from workbench.domain.runs import Reason
from workbench.errors import InvalidAgentConfig
from workbench.llm import briefs
from workbench.notebook.compare import changed_cells
from workbench.notebook.document import NotebookNode, dump, thaw
from workbench.notebook.drafts import Cell, Edit, assembled, edited, numbered
from workbench.notebook.filled import cells_for, filled
from workbench.notebook.linting import lint
from workbench.notebook.policy import breaches
from workbench.services.authoring import Authoring, Proposal, entity_tag
from workbench.services.consulting import Consultation, Consulting
from workbench.services.publishing import Publishing, Verdict
from workbench.services.validating import validated

Problem = Mapping[str, object]

_MOST_PROBLEMS = 20
_ELSEWHERE = frozenset(
    {
        Reason.KERNEL_START_FAILED,
        Reason.ISOLATION_UNAVAILABLE,
        Reason.GATEWAY_RESTARTED,
        Reason.CANCELLED_BY_USER,
        Reason.INTERNAL_ERROR,
    }
)
"""Reasons of a run that no other source would change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to be drafted.

    Attributes:
        agent_name: What it shall be called.
        description: What it shall do.
        plan: After which plan; None has one made.
        plan_only: Whether the plan is all that is wanted for now.
        model: Which model shall write; empty is the default.
        repairs: How often it may repair.
    """

    agent_name: str
    description: str
    plan: Plan | None = None
    plan_only: bool = False
    model: str = ""
    repairs: int = REPAIRS


def read_wish(given: Mapping[str, Any]) -> Wish:
    """The wish that a request with these fields is; what is left out is as usual.

    Raises:
        InvalidRequest: Its plan is none.
    """
    plan = plan_from_json(given["plan"]) if "plan" in given else None
    return Wish(**{"agent_name": "", "description": "", **given, "plan": plan})


@dataclass(slots=True, kw_only=True)
class Draft:
    """One draft in the making.

    Attributes:
        note: Told whatever there is to know of it, as fields of a `Generation`.
        source: Who writes.
        talk: What the model has been asked so far.
        agent: What it has become; None until something could be kept.
        rounds: Its states so far.
        verified: Whether its cases pass.
    """

    principal: Principal
    wish: Wish
    note: Callable[..., None]
    source: Source
    talk: Consultation
    agent: Agent | None = None
    rounds: list[Round] = field(default_factory=list)
    verified: bool = False

    def stands_at(self, step: Step) -> None:
        """Tell what is being done, and what was spent so far."""
        self.note(step=step, calls=self.talk.calls, picodollars=self.talk.picodollars)


class Drafting:
    """From a description to a draft."""

    def __init__(
        self,
        *,
        authoring: Authoring,
        publishing: Publishing,
        consulting: Consulting,
        kernels: Collection[str],
        caps: Caps,
        packages: Sequence[str],
        clock: Callable[[], datetime],
    ) -> None:
        self._authoring = authoring
        self._publishing = publishing
        self._consulting = consulting
        self._kernels = kernels
        self._caps = caps
        self._system = briefs.system(packages)
        self._clock = clock

    @property
    def source(self) -> Source:
        """Who writes here."""
        return Source.MODEL if self._consulting.possible else Source.STARTER

    def begun(self, principal: Principal, wish: Wish, note: Callable[..., None]) -> Draft:
        """A draft of *wish*, before anything is done for it."""
        talk = Consultation(principal=principal, model=wish.model, system=self._system)
        return Draft(principal=principal, wish=wish, note=note, source=self.source, talk=talk)

    async def carry_out(self, draft: Draft) -> Standing:
        """What has become of *draft*, carried as far as it goes.

        Raises:
            WorkbenchError: It went no further; what there is of an agent stays.
        """
        plan = await self._plan(draft)
        if draft.wish.plan_only:
            return Standing.PLANNED
        cells = await self._written(draft, plan)
        diagnosis, before = "", None
        while True:
            nb = assembled(plan, cells, self._provenance(draft))
            made, again = await self._look_at(draft, nb, before, diagnosis)
            draft.rounds.append(made)
            draft.note(rounds=tuple(draft.rounds))
            if not made.problems or not again or len(draft.rounds) > draft.wish.repairs:
                break
            diagnosis, changed = await self._repaired(draft, plan, cells, made.problems)
            if changed == cells:
                break
            before, cells = nb, changed
        draft.verified = not draft.rounds[-1].problems
        await self.finish(draft)
        if draft.agent is None:
            raise InvalidAgentConfig(
                f"After {len(draft.rounds)} rounds the cells are still none that can be an"
                f" agent: {draft.rounds[-1].problems[0]['message']}",
                problems=list(draft.rounds[-1].problems),
            )
        return Standing.DRAFTED

    async def finish(self, draft: Draft) -> None:
        """Have the agent, if there is one, say of itself how it came to be.

        Raises:
            PreconditionFailed: Somebody else has changed the draft meanwhile.
        """
        if draft.agent is None:
            return
        content, _ = await self._authoring.notebook(draft.principal, draft.agent, None)
        nb = await asyncio.to_thread(_signed, content, self._provenance(draft))
        draft.agent = await self._authoring.save(
            draft.principal, draft.agent, nb, seen=entity_tag(draft.agent.draft)
        )

    async def _plan(self, draft: Draft) -> Plan:
        wish = draft.wish
        plan = wish.plan
        if plan is None:
            draft.stands_at(Step.PLANNING)
            if draft.source is Source.STARTER:
                plan, _ = filled(wish.description)
            else:
                brief = briefs.planning(wish.description)
                plan = await self._consulting.ask(draft.talk, brief, briefs.read_plan)
        draft.note(plan=plan)
        return plan

    async def _written(self, draft: Draft, plan: Plan) -> tuple[Cell, ...]:
        draft.stands_at(Step.WRITING)
        asked = draft.wish.description or plan.description
        if draft.source is Source.STARTER:
            return numbered(cells_for(asked))
        brief = briefs.writing(asked, plan)
        return await self._consulting.ask(
            draft.talk, brief, lambda said: numbered(briefs.read_cells(said))
        )

    async def _repaired(
        self, draft: Draft, plan: Plan, cells: tuple[Cell, ...], problems: Sequence[Problem]
    ) -> tuple[str, tuple[Cell, ...]]:
        """What the model thinks was wrong, and *cells* as it would have them."""
        draft.stands_at(Step.REPAIRING)
        written = [(cell.id, cell.kind, cell.source) for cell in cells]

        def read(said: Mapping[str, Any]) -> tuple[str, tuple[Cell, ...]]:
            diagnosis, given_up, edits = briefs.read_repair(said)
            if given_up:
                return diagnosis, cells
            return diagnosis, edited(cells, [Edit(**edit) for edit in edits])

        return await self._consulting.ask(
            draft.talk, briefs.repairing(plan, written, problems), read
        )

    async def _look_at(
        self, draft: Draft, nb: NotebookNode, before: NotebookNode | None, diagnosis: str
    ) -> tuple[Round, bool]:
        """What is wrong with *nb*, and whether other cells could put it right."""
        draft.stands_at(Step.CHECKING)
        changes = [
            asdict(one) for one in changed_cells(before["cells"] if before else [], nb.cells)
        ]
        problems, sound = await asyncio.to_thread(self._problems, draft.wish.agent_name, nb)
        again, tried = draft.source is Source.MODEL, False
        if sound:
            await self._keep(draft, dump(nb))
        if not problems:
            assert draft.agent is not None
            draft.stands_at(Step.TRYING)
            verdicts = await self._publishing.verdicts(draft.principal, draft.agent)
            problems, tried = [_failed(one) for one in verdicts if one.problem], True
            again &= all(one.run.reason not in _ELSEWHERE for one in verdicts)
        made = Round(
            number=len(draft.rounds) + 1,
            diagnosis=diagnosis,
            problems=tuple(problems[:_MOST_PROBLEMS]),
            changes=changes,
            tried=tried,
        )
        return made, again

    def _problems(self, name: str, nb: NotebookNode) -> tuple[list[Problem], bool]:
        """All that can be found wrong with *nb* by reading it, and whether it could be an agent."""
        proposal = Proposal(name=name, notebook=dump(nb))
        examined = validated(proposal, kernels=self._kernels, caps=self._caps, publish=True)
        found: list[Problem] = [
            {"code": one.code, "message": one.message, **one.details} for one in examined.problems
        ]
        found += _read_through(nb)
        return found, examined.valid

    async def _keep(self, draft: Draft, content: bytes) -> None:
        """Have *content* as the agent's draft; the first time, make the agent."""
        if draft.agent is None:
            proposal = Proposal(name=draft.wish.agent_name, notebook=content)
            draft.agent = await self._authoring.create(draft.principal, proposal)
        else:
            draft.agent = await self._authoring.save(
                draft.principal, draft.agent, content, seen=entity_tag(draft.agent.draft)
            )
        draft.note(agent=draft.agent.address)

    def _provenance(self, draft: Draft) -> dict[str, object]:
        asked, talk = draft.wish.description, draft.talk
        cost = talk.picodollars
        return {
            "by": str(draft.source),
            "model": draft.wish.model or ("default" if draft.source is Source.MODEL else ""),
            "prompt_sha256": hashlib.sha256(asked.encode(errors="replace")).hexdigest(),
            "rounds": len(draft.rounds),
            "calls": talk.calls,
            "cost_usd": None if cost is None else cost / PICO,
            "verified": draft.verified,
            "at": self._clock().isoformat(),
        }


def _signed(content: bytes, provenance: Mapping[str, object]) -> bytes:
    """The notebook *content* with *provenance* in its metadata."""
    nb = thaw(content)
    own = nb["metadata"]["workbench"]
    own["generated"] = {**own.get("generated", {}), **provenance}
    return dump(nb)


def _read_through(nb: NotebookNode) -> Iterator[Problem]:
    for breach in (*breaches(nb), *lint(nb)):
        where = {"cell_id": breach.cell_id, "line": breach.line} if breach.cell_id else {}
        yield {"code": breach.code, "message": breach.message, **where}


def _failed(verdict: Verdict) -> Problem:
    """Why a case did not pass, as whoever repairs it needs to know."""
    run = verdict.run
    told: dict[str, object] = {
        "code": "CaseFailed",
        "message": verdict.problem[:1_000],
        "case": verdict.case.name,
        "run_id": run.id,
        "parameters": dict(verdict.case.parameters),
    }
    cell = (run.error or {}).get("cell")
    if isinstance(cell, Mapping):
        told["cell_id"] = cell.get("id")
    if verdict.case.expects and run.error is None:
        told |= {"expected": verdict.case.expected, "result": _short(run.result)}
    return told


def _short(value: object) -> object:
    text = repr(value)
    return value if len(text) <= 1_000 else f"{text[:1_000]}…"
