"""Purging: an agent is deleted for good, with its versions, revisions and runs."""

from __future__ import annotations

from workbench.domain.access import Principal, require_owner
from workbench.domain.agents import Agent
from workbench.errors import IllegalMove
from workbench.services.dispatching import Dispatching
from workbench.store.purges import Purges


class Purging:
    """Having nothing left of an agent."""

    def __init__(self, *, purges: Purges, dispatching: Dispatching) -> None:
        self._purges = purges
        self._dispatching = dispatching

    async def purge(self, principal: Principal, agent: Agent) -> None:
        """Delete the agent, all that belongs to it and all that its runs left.

        Raises:
            AgentAccessDenied: It belongs to somebody else.
            IllegalMove: A run of it waits or is under way.
            Unavailable: The disk does not take it.
        """
        require_owner(principal, agent)
        if self._dispatching.busy_with(agent):
            raise IllegalMove(
                f"Runs of {agent.address} wait or are under way: call them off, or let them end.",
                agent=agent.address,
            )
        await self._purges.purge(principal, agent)
