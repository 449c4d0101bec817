"""Publishing: the draft's own cases are run, and if they pass it becomes a numbered version.

What is published can be warned of, taken out of use, and made what callers get once more.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from workbench.domain.access import Principal, require_owner
from workbench.domain.agents import Agent
from workbench.domain.caps import Caps
from workbench.domain.definitions import Case, Definition, matches
from workbench.domain.paging import PAGE, Page
from workbench.domain.runs import Run, RunStatus
from workbench.domain.versions import DRAFT, Stage, Version, check_number, next_number
from workbench.errors import ChecksFailed, IllegalMove, InvalidAgentConfig, VersionConflict
from workbench.notebook.secrets import secrets
from workbench.notebook.words import words
from workbench.services.running import Order, Running
from workbench.store.objects import Objects
from workbench.store.versions import Versions

SECRET = "SecretInSource"
"""What a secret that somebody wrote into a notebook is called, for programs."""

DEFAULTS = Case(name="defaults")
"""What is tried for an agent that has no case and needs no parameter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What has become of one case.

    Attributes:
        case: The case.
        run: The test run it was tried by.
        problem: Why it did not pass; empty if it did.
    """

    case: Case
    run: Run
    problem: str


class Publishing:
    """From draft to version."""

    def __init__(
        self,
        *,
        versions: Versions,
        objects: Objects,
        running: Running,
        caps: Caps,
        clock: Callable[[], datetime],
    ) -> None:
        self._versions = versions
        self._objects = objects
        self._running = running
        self._caps = caps
        self._clock = clock

    async def publish(
        self,
        principal: Principal,
        agent: Agent,
        *,
        number: str | None = None,
        changelog: str = "",
        force: bool = False,
    ) -> Version:
        """The draft as a new version, which callers get from now on.

        It is looked through for secrets and every case is run first, all with `test=True`; *force*
        leaves both out.

        Raises:
            AgentAccessDenied: The agent belongs to somebody else.
            IllegalMove: The agent is archived.
            InvalidAgentConfig: It has required parameters and no case, asks for too much, holds a
                secret, or uses an agent that is not there.
            VersionConflict: There is a version of that number.
            ChecksFailed: A case failed; `details` says which and how.
            PreconditionFailed: The draft was changed while its cases ran.
        """
        require_owner(principal, agent)
        _refuse_archived(agent)
        # Caps may have been lowered since the draft was saved.
        self._caps.check(agent.draft)
        chosen = await self._free(principal, agent, number)
        if not force:
            content = await self._objects.get(agent.draft.fingerprint)
            await asyncio.to_thread(refuse_secrets, content)
            await self._check(principal, agent)
        now = self._clock()
        said = await self._words(agent.draft)
        # What it uses of others must not be purged before the version speaks of it.
        async with self._objects.referring():
            draft = await self._running.equipped(principal, agent.draft)
            version = Version(
                agent_id=agent.id,
                number=chosen,
                definition=draft,
                changelog=changelog,
                published_by=principal.user,
                published_at=now,
            )
            after = replace(
                agent, current_version=chosen, draft=draft, published=draft, updated_at=now
            )
            return await self._versions.publish(principal, agent, after, version, words=said)

    async def _free(self, principal: Principal, agent: Agent, number: str | None) -> str:
        """The number, or the next; no version has it."""
        known = [v.number for v in await self._versions.list(principal, agent)]
        chosen = next_number(known) if number is None else check_number(number)
        if chosen in known:
            raise VersionConflict(f"{agent.address} has a version {chosen}.", version=chosen)
        return chosen

    async def deprecate(
        self, principal: Principal, agent: Agent, number: str, *, note: str = ""
    ) -> Version:
        """The version, of which everybody who runs it is warned from now on, with *note*.

        Raises:
            AgentAccessDenied: The agent belongs to somebody else.
            NotFound: There is no such version.
            IllegalMove: It is deprecated or archived already.
            InvalidRequest: The note is too long.
        """
        return await self._move(principal, agent, number, Stage.DEPRECATED, note=note)

    async def archive(self, principal: Principal, agent: Agent, number: str) -> Version:
        """The version, which can be read but not be run any more.

        Raises:
            AgentAccessDenied: The agent belongs to somebody else.
            NotFound: There is no such version.
            IllegalMove: It is archived already, or is what callers get.
        """
        return await self._move(principal, agent, number, Stage.ARCHIVED)

    async def roll_back(self, principal: Principal, agent: Agent, number: str) -> Agent:
        """The agent with the version *number*, an earlier or a later one, as what callers get.

        Raises:
            AgentAccessDenied: It belongs to somebody else.
            NotFound: There is no such version.
            IllegalMove: The version or the agent is archived.
            PreconditionFailed: The agent was changed meanwhile.
        """
        require_owner(principal, agent)
        _refuse_archived(agent)
        version = await self._versions.get(principal, agent, check_number(number))
        after = replace(
            agent,
            current_version=version.number,
            published=version.definition,
            updated_at=self._clock(),
        )
        said = await self._words(version.definition)
        return await self._versions.point(principal, agent, after, words=said)

    async def versions(self, principal: Principal, agent: Agent) -> Sequence[Version]:
        """All versions of the agent, newest first."""
        return await self._versions.list(principal, agent)

    @property
    def epoch(self) -> tuple[int, int]:
        """As long as it is the same, every list of versions reads as before."""
        return self._versions.epoch

    async def page(
        self, principal: Principal, agent: Agent, *, limit: int = PAGE, cursor: str | None = None
    ) -> Page[Version]:
        """Some versions of the agent, the highest number first.

        Raises:
            InvalidRequest: The limit or the cursor makes no sense.
        """
        return await self._versions.page(principal, agent, limit=limit, cursor=cursor)

    async def version(self, principal: Principal, agent: Agent, number: str) -> Version:
        """One version of the agent.

        Raises:
            NotFound: There is none of that number.
        """
        return await self._versions.get(principal, agent, check_number(number))

    async def _move(
        self, principal: Principal, agent: Agent, number: str, to: Stage, *, note: str = ""
    ) -> Version:
        return await self._versions.move(
            principal, agent, check_number(number), to, at=self._clock(), note=note
        )

    async def _words(self, definition: Definition) -> str:
        content = await self._objects.get(definition.fingerprint)
        return await asyncio.to_thread(words, content)

    async def verdicts(self, principal: Principal, agent: Agent) -> Sequence[Verdict]:
        """What becomes of each case of the draft; all are run, as test runs.

        Raises:
            AgentAccessDenied: The agent belongs to somebody else.
            InvalidAgentConfig: It has required parameters and no case.
            ResourceExhausted: Too many runs are waiting.
        """
        cases = cases_of(agent.draft)
        orders = [Order(parameters=case.parameters, test=True, version=DRAFT) for case in cases]
        starting = asyncio.ensure_future(self._started(principal, agent, orders))
        try:
            runs = await asyncio.shield(starting)
            settled = [
                await self._running.get(principal, run.id, wait_seconds=None) for run in runs
            ]
        except asyncio.CancelledError:
            # Nobody wants to know any more.
            for run in await starting:
                await self._running.cancel(principal, run.id)
            raise
        return [
            Verdict(case=case, run=run, problem=_problem(case, run))
            for case, run in zip(cases, settled, strict=True)
        ]

    async def _started(
        self, principal: Principal, agent: Agent, orders: Sequence[Order]
    ) -> Sequence[Run]:
        return [await self._running.accept(principal, agent, order) for order in orders]

    async def _check(self, principal: Principal, agent: Agent) -> None:
        verdicts = await self.verdicts(principal, agent)
        failed = [
            {"case": verdict.case.name, "run_id": verdict.run.id, "message": verdict.problem}
            for verdict in verdicts
            if verdict.problem
        ]
        if failed:
            names = ", ".join(str(f["case"]) for f in failed)
            raise ChecksFailed(
                f"{len(failed)} of {len(verdicts)} cases of {agent.address} failed: {names}."
                " It was not published; open their runs to see why.",
                agent=agent.address,
                cases=failed,
            )


def _refuse_archived(agent: Agent) -> None:
    if agent.archived_at is not None:
        raise IllegalMove(f"{agent.address} is archived.", stage=agent.stage)


def refuse_secrets(content: bytes) -> None:
    """Let a notebook pass, as it is kept, unless what looks like a secret stands in its source.

    A draft may hold one, as it is its owner's alone.

    Raises:
        InvalidAgentConfig: It does; `details` says where.
    """
    found = list(secrets(json.loads(content)))
    if found:
        raise InvalidAgentConfig(
            f"{found[0].message} Or publish with force.",
            problem=SECRET,
            secrets=[{"kind": secret.kind, **secret.place} for secret in found[:20]],
            **found[0].place,
        )


def cases_of(definition: Definition) -> Sequence[Case]:
    """What publishing tries: the agent's cases, or its defaults.

    Raises:
        InvalidAgentConfig: It has required parameters and no case.
    """
    if definition.cases:
        return definition.cases
    required = [p.name for p in definition.parameters if p.required]
    if required:
        raise InvalidAgentConfig(
            f"Required parameters ({', '.join(required)}) and no case: add one to"
            " metadata.workbench.cases, or publish with force.",
            field="metadata.workbench.cases",
            required=required,
        )
    return (DEFAULTS,)


def _problem(case: Case, run: Run) -> str:
    if run.status is not RunStatus.COMPLETED:
        message = (run.error or {}).get("message", "")
        return f"The run {run.status} ({run.reason}): {message}"
    if case.expects and not matches(case.expected, run.result):
        return "The result is not what the case expects."
    return ""
