"""Making agents and changing what is being worked on: the draft."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from workbench.domain.access import Principal, require_author, require_owner
from workbench.domain.agents import Agent, Visibility
from workbench.domain.caps import Caps
from workbench.domain.definitions import AgentFile, Definition
from workbench.domain.names import check_name, check_path
from workbench.domain.paging import Page
from workbench.domain.queries import AgentQuery
from workbench.domain.versions import DRAFT
from workbench.errors import (
    InvalidAgentConfig,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
)
from workbench.notebook.definition import define
from workbench.notebook.document import dump, fingerprint, load, without_outputs
from workbench.notebook.source import from_source
from workbench.notebook.starters import starter
from workbench.notebook.words import words
from workbench.services.revising import Revising
from workbench.store.addresses import KEPT as FORMER_ADDRESSES_KEPT
from workbench.store.agents import Agents
from workbench.store.objects import Objects
from workbench.store.versions import Versions

T = TypeVar("T")

LONGEST_DESCRIPTION = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What somebody wants to become an agent.

    Attributes:
        name: What it shall be called.
        description: For people; the notebook's own if empty.
        notebook: A notebook as JSON text or as the values of it.
        source: Python source instead of a notebook; plain, or with `# %%` cells.
        files: What shall lie beside the notebook when it runs, by relative path.
        metadata: Free JSON of the owner's.
        visibility: Who may see it.
    """

    name: object
    description: str = ""
    notebook: bytes | str | Mapping[str, object] | None = None
    source: str | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    metadata: Mapping[str, object] = field(default_factory=dict)
    visibility: Visibility = Visibility.PRIVATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What of an agent shall be different; None leaves a thing as it is."""

    name: str | None = None
    description: str | None = None
    metadata: Mapping[str, object] | None = None
    visibility: Visibility | None = None


class Authoring:
    """Agents, from the first notebook to the last edit."""

    def __init__(
        self,
        *,
        agents: Agents,
        versions: Versions,
        objects: Objects,
        revising: Revising,
        kernels: Sequence[str],
        caps: Caps,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._agents = agents
        self._versions = versions
        self._objects = objects
        self._revising = revising
        self._kernels = frozenset(kernels)
        self._caps = caps
        self._clock = clock
        self._new_id = new_id

    async def examine(self, proposal: Proposal) -> tuple[bytes, Definition]:
        """The notebook as it would be kept and what it declares; nothing is stored.

        Raises:
            InvalidAgentConfig: It cannot be an agent.
        """
        check_name(proposal.name)
        if len(proposal.description) > LONGEST_DESCRIPTION:
            raise InvalidAgentConfig(
                f"description may have {LONGEST_DESCRIPTION} letters.", field="description"
            )
        files = tuple(map(as_file, sorted(proposal.files.items())))
        # In a thread: the largest notebooks that are let in take seconds to look through.
        return await asyncio.to_thread(lambda: self._read(document_of(proposal), files=files))

    async def create(self, principal: Principal, proposal: Proposal) -> Agent:
        """A new agent with *proposal* as its draft, kept.

        Raises:
            InsufficientPermissions: The asker may not have agents.
            InvalidAgentConfig: The proposal cannot be an agent.
            DuplicateAgentName: The asker has one of that name.
        """
        require_author(principal)
        content, definition = await self.examine(proposal)
        now = self._clock()
        agent = Agent(
            id=self._new_id(),
            owner=principal.user,
            name=check_name(proposal.name),
            description=proposal.description or definition.description,
            draft=definition,
            visibility=proposal.visibility,
            metadata=proposal.metadata,
            created_at=now,
            updated_at=now,
        )
        async with self._objects.referring():
            for path in sorted(proposal.files):
                await self._objects.put(proposal.files[path])
            await self._objects.put(content)
            said = await asyncio.to_thread(words, content)
            return await self._agents.create(principal, agent, words=said)

    async def get(self, principal: Principal, owner: str, name: str) -> Agent:
        """The agent `owner/name`.

        Raises:
            AgentNotFound: There is none the asker may know of.
        """
        return await self._agents.get(principal, owner, name)

    async def by_id(self, principal: Principal, agent_id: str) -> Agent:
        """The agent with that id.

        Raises:
            AgentNotFound: There is none the asker may know of.
        """
        return await self._agents.by_id(principal, agent_id)

    @property
    def epoch(self) -> int:
        """As long as it is the same number, every list of agents reads as before."""
        return self._agents.epoch

    async def list(self, principal: Principal, query: AgentQuery) -> Page[Agent]:
        """The agents the asker may know of, newest first."""
        return await self._agents.list(principal, query)

    async def moved(self, principal: Principal, owner: str, name: str) -> Agent | None:
        """The agent that was called `owner/name` a while ago; None if the asker knows of none."""
        since = self._clock() - FORMER_ADDRESSES_KEPT
        return await self._agents.moved(principal, owner, name, since=since)

    async def definition(
        self, principal: Principal, agent: Agent, version: str | None
    ) -> Definition:
        """What a version declares: a number, `draft`, or None for what callers meet.

        Raises:
            AgentAccessDenied: The draft of somebody else's agent.
            NotFound: There is no such version.
        """
        if version == DRAFT or (version is None and agent.published is None):
            require_owner(principal, agent)
            return agent.draft
        if version is None or version == agent.current_version:
            assert agent.published is not None
            return agent.published
        return (await self._versions.get(principal, agent, version)).definition

    async def notebook(
        self, principal: Principal, agent: Agent, version: str | None
    ) -> tuple[bytes, str]:
        """The notebook of a version as it is kept, and its entity tag; None is the draft.

        Raises:
            AgentAccessDenied: It is the draft of somebody else's agent.
            NotFound: There is no such version.
        """
        definition = await self.definition(principal, agent, version or DRAFT)
        return await self._objects.get(definition.fingerprint), entity_tag(definition)

    async def save(
        self, principal: Principal, agent: Agent, notebook: bytes, *, seen: str | None
    ) -> Agent:
        """The agent with *notebook* as its draft; *seen* is the entity tag it replaces.

        Raises:
            AgentAccessDenied: It belongs to somebody else.
            PreconditionRequired: *seen* is None.
            PreconditionFailed: The draft is not what *seen* says any more.
            InvalidAgentConfig: The notebook cannot be an agent.
        """
        require_owner(principal, agent)
        if seen is None:
            raise PreconditionRequired("Send If-Match with the ETag of the draft you have edited.")
        if seen not in ("*", entity_tag(agent.draft)):
            raise PreconditionFailed(
                "The draft was changed since you read it; read it again.",
                etag=entity_tag(agent.draft),
            )
        content, definition = await asyncio.to_thread(self._read, notebook, files=agent.draft.files)
        async with self._objects.referring():
            await self._objects.put(content)
            return await self._revising.redraft(principal, agent, definition, content=content)

    async def attach(self, principal: Principal, agent: Agent, path: str, content: bytes) -> Agent:
        """The agent with a file of that path beside its draft.

        Raises:
            AgentAccessDenied: It belongs to somebody else.
            InvalidRequest: The path is no good.
        """
        require_owner(principal, agent)
        filed = as_file((check_path(path), content))
        others = tuple(f for f in agent.draft.files if f.path != filed.path)
        files = tuple(sorted((*others, filed), key=lambda f: f.path))
        async with self._objects.referring():
            await self._objects.put(content)
            return await self._revising.redraft(principal, agent, replace(agent.draft, files=files))

    async def file(
        self, principal: Principal, agent: Agent, path: str, version: str | None
    ) -> tuple[AgentFile, bytes]:
        """A file that travels with a version, and its content; None is the draft.

        Raises:
            AgentAccessDenied: It is the draft of somebody else's agent.
            NotFound: There is no such version, or no such file beside it.
        """
        definition = await self.definition(principal, agent, version or DRAFT)
        found = _beside(definition, path)
        return found, await self._objects.get(found.fingerprint)

    async def detach(self, principal: Principal, agent: Agent, path: str) -> Agent:
        """The agent without the file of that path beside its draft.

        Raises:
            AgentAccessDenied: It belongs to somebody else.
            NotFound: There is none.
        """
        require_owner(principal, agent)
        gone = _beside(agent.draft, path)
        files = tuple(file for file in agent.draft.files if file is not gone)
        return await self._revising.redraft(principal, agent, replace(agent.draft, files=files))

    async def change(self, principal: Principal, agent: Agent, changes: Changes) -> Agent:
        """The agent with another name, description, visibility or metadata.

        Raises:
            AgentAccessDenied: It belongs to somebody else.
            DuplicateAgentName: The new name is taken.
            InvalidAgentConfig: The new name or description is no good.
        """
        require_owner(principal, agent)
        if changes.description is not None and len(changes.description) > LONGEST_DESCRIPTION:
            raise InvalidAgentConfig(
                f"description may have {LONGEST_DESCRIPTION} letters.", field="description"
            )
        changed = replace(
            agent,
            name=agent.name if changes.name is None else check_name(changes.name),
            description=_or(changes.description, agent.description),
            metadata=_or(changes.metadata, agent.metadata),
            visibility=_or(changes.visibility, agent.visibility),
            updated_at=self._clock(),
        )
        await self._agents.replace(principal, agent, changed)
        return changed

    async def archive(self, principal: Principal, agent: Agent) -> Agent:
        """The agent out of use: gone from lists, its name kept, its runs readable.

        Raises:
            AgentAccessDenied: It belongs to somebody else.
        """
        require_owner(principal, agent)
        if agent.archived_at is not None:
            return agent
        now = self._clock()
        changed = replace(agent, archived_at=now, updated_at=now)
        await self._agents.replace(principal, agent, changed)
        return changed

    def _read(
        self, source: bytes | str | Mapping[str, object], *, files: Sequence[AgentFile]
    ) -> tuple[bytes, Definition]:
        document = without_outputs(load(source))
        content = dump(document)
        definition = define(document, fingerprint=fingerprint(content), files=files)
        check_kernel(definition, self._kernels)
        self._caps.check(definition)
        return content, definition


def entity_tag(definition: Definition) -> str:
    """The HTTP entity tag of a definition's notebook."""
    return f'"{definition.fingerprint[:32]}"'


def check_kernel(definition: Definition, kernels: Collection[str]) -> None:
    """Refuse a definition whose kernel is neither the workbench's own nor one of *kernels*.

    Raises:
        InvalidAgentConfig: The administrator has not allowed it.
    """
    if definition.language != "python" and definition.kernel not in kernels:
        allowed = ", ".join(sorted(kernels)) or "none besides Python"
        raise InvalidAgentConfig(
            f"The notebook asks for the kernel {definition.kernel!r}, which the administrator"
            f" has not allowed here (allowed: {allowed}).",
            field="metadata.kernelspec",
        )


def document_of(proposal: Proposal) -> bytes | str | Mapping[str, object]:
    """The notebook that *proposal* comes with, or stands for.

    Raises:
        InvalidAgentConfig: It comes with two, or its source is no Python.
    """
    if proposal.notebook is not None and proposal.source is not None:
        raise InvalidAgentConfig("Send a notebook or agent_config, not both.", field="agent_config")
    if proposal.source is not None:
        return dump(from_source(proposal.source))
    if proposal.notebook is not None:
        return proposal.notebook
    return dump(starter(str(proposal.name), proposal.description))


def _beside(definition: Definition, path: str) -> AgentFile:
    found = next((file for file in definition.files if file.path == path), None)
    if found is None:
        raise NotFound("There is no such file beside the notebook.", path=path[:200])
    return found


def as_file(item: tuple[str, bytes]) -> AgentFile:
    """A path and its content as a file that travels with a notebook.

    Raises:
        InvalidRequest: The path is no good.
    """
    path, content = item
    return AgentFile(path=check_path(path), fingerprint=fingerprint(content), size=len(content))


def _or(value: T | None, otherwise: T) -> T:
    return otherwise if value is None else value
