"""Measuring how runs have gone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from workbench.domain.access import Principal
from workbench.domain.agents import Agent
from workbench.domain.statistics import DAYS, Statistics, check_days
from workbench.store.statistics import RunStatistics


class Measuring:
    """What the runs that somebody may see come to."""

    def __init__(self, *, statistics: RunStatistics, clock: Callable[[], datetime]) -> None:
        self._statistics = statistics
        self._clock = clock

    async def measure(
        self, principal: Principal, *, agent: Agent | None = None, days: int = DAYS
    ) -> Statistics:
        """The runs of the last *days*, today included; of one agent if it is given.

        Raises:
            InvalidRequest: That reaches too far back.
        """
        today = self._clock().replace(hour=0, minute=0, second=0, microsecond=0)
        since = today - timedelta(days=check_days(days) - 1)
        return await self._statistics.since(
            principal, since, agent_id=None if agent is None else agent.id
        )
