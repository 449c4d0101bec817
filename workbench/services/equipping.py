"""Equipping an agent with the skills and personas of others that it uses.

They are files beside those agents' notebooks. A draft gets them as they are when it runs, a version
keeps what it was published with.
"""

from __future__ import annotations

from dataclasses import replace

from workbench.domain.access import Principal
from workbench.domain.definitions import AgentFile, Definition
from workbench.errors import AgentNotFound, InvalidAgentConfig, NotFound
from workbench.services.authoring import Authoring

SHARED = ("personas/", "skills/")
"""Below these folders lies what agents may use of each other."""


class Equipping:
    """Skills and personas, from those who have them to those who use them."""

    def __init__(self, *, authoring: Authoring) -> None:
        self._authoring = authoring

    async def equipped(self, principal: Principal, definition: Definition) -> Definition:
        """*definition* with what it uses; its own files, and whoever it names first, come first.

        Raises:
            InvalidAgentConfig: It uses an agent that *principal* cannot know of.
        """
        found: dict[str, AgentFile] = {}
        for address in definition.uses:
            for file in await self._shared_by(principal, address):
                found.setdefault(file.path, file)
        own = {file.path for file in definition.files}
        shared = tuple(file for path, file in sorted(found.items()) if path not in own)
        return definition if shared == definition.shared else replace(definition, shared=shared)

    async def _shared_by(self, principal: Principal, address: str) -> list[AgentFile]:
        place, _, version = address.partition("@")
        owner, _, name = place.partition("/")
        try:
            agent = await self._authoring.get(principal, owner, name)
            used = await self._authoring.definition(principal, agent, version or None)
        except (AgentNotFound, NotFound):
            raise InvalidAgentConfig(
                f"metadata.workbench.uses names {address}, which does not exist.",
                field="metadata.workbench.uses",
            ) from None
        return [file for file in used.files if file.path.startswith(SHARED)]
