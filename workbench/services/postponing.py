"""Publishing that nobody waits for: begun here, told of when it is asked after.

It is kept in memory only. A workbench that stops has not published what it was about to; the runs
of the cases are settled as all runs are.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from workbench.domain.access import Principal, require_owner
from workbench.domain.agents import Agent
from workbench.domain.versions import Version, check_number
from workbench.errors import NotFound, ResourceExhausted, WorkbenchError
from workbench.services.publishing import Publishing, cases_of
from workbench.services.underway import Underway

log = logging.getLogger("workbench.publishing")

MOST_AT_ONCE = 100
MOST_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One attempt to publish.

    Attributes:
        id: What it is asked after by.
        agent_id: Whose draft.
        version: What it has become.
        error: Why it has not become anything.
    """

    id: str
    agent_id: str
    version: Version | None = None
    error: WorkbenchError | None = None

    @property
    def status(self) -> str:
        """`pending`, `published` or `failed`."""
        if self.version is not None:
            return "published"
        return "pending" if self.error is None else "failed"


class Postponing:
    """The publications under way, and the latest that have ended."""

    def __init__(self, *, publishing: Publishing, new_id: Callable[[], str]) -> None:
        self._publishing = publishing
        self._new_id = new_id
        self._known: dict[str, Publication] = {}
        self._underway = Underway()

    def publish(
        self,
        principal: Principal,
        agent: Agent,
        *,
        number: str | None = None,
        changelog: str = "",
        force: bool = False,
    ) -> Publication:
        """A publication, begun; what it comes to is seen by asking `get`.

        Raises:
            AgentAccessDenied: The agent belongs to somebody else.
            InvalidRequest: The number is none.
            InvalidAgentConfig: It has required parameters and no case.
            ResourceExhausted: Too many are under way.
        """
        require_owner(principal, agent)
        chosen = None if number is None else check_number(number)
        if not force:
            cases_of(agent.draft)
        if sum(known.status == "pending" for known in self._known.values()) >= MOST_AT_ONCE:
            raise ResourceExhausted(
                f"{MOST_AT_ONCE} agents are being published already; ask again later.",
                allowed=MOST_AT_ONCE,
            )
        begun = Publication(id=self._new_id(), agent_id=agent.id)
        self._keep(begun)

        async def carry_out() -> None:
            try:
                version = await self._publishing.publish(
                    principal, agent, number=chosen, changelog=changelog, force=force
                )
            except WorkbenchError as error:
                self._keep(replace(begun, error=error))
            except Exception:
                log.exception("agent %s could not be published", agent.id)
                broken = WorkbenchError("The workbench failed at its own work; its log says why.")
                self._keep(replace(begun, error=broken))
            else:
                self._keep(replace(begun, version=version))

        self._underway.begin(carry_out(), name=f"publication {begun.id}")
        return begun

    def get(self, principal: Principal, agent: Agent, publication_id: str) -> Publication:
        """The publication of the agent's with that id, as it stands.

        Raises:
            AgentAccessDenied: The agent belongs to somebody else.
            NotFound: There is none, or it ended long ago.
        """
        require_owner(principal, agent)
        found = self._known.get(publication_id)
        if found is None or found.agent_id != agent.id:
            raise NotFound(
                "Nothing is known of this publication; the versions tell what there is.",
                publication=publication_id[:80],
            )
        return found

    async def close(self) -> None:
        """Give up those under way."""
        await self._underway.close()

    def _keep(self, publication: Publication) -> None:
        self._known[publication.id] = publication
        while len(self._known) > MOST_REMEMBERED:
            ended = (id for id, known in self._known.items() if known.status != "pending")
            del self._known[next(ended)]
