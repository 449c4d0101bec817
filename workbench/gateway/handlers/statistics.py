"""Statistics: how runs have gone."""

from __future__ import annotations

from workbench.domain.statistics import DAYS
from workbench.errors import InvalidRequest
from workbench.gateway.handlers.places import agent_called
from workbench.gateway.requests import Call, options
from workbench.gateway.responses import Answer, answer
from workbench.services.views import statistics_view


async def statistics(call: Call) -> Answer:
    """What the runs that the caller may see come to, day by day and agent by agent.

    Raises:
        AgentNotFound: Those of an agent are asked for that the caller may not know of.
        InvalidRequest: The number of days is none, or too large.
    """
    found = options(call, "agent", "days")
    days = found.get("days", str(DAYS))
    if not (days.isascii() and days.isdecimal() and len(days) < 6):
        raise InvalidRequest("days is a whole number.", query="days")
    agent = None
    if "agent" in found:
        owner, _, name = found["agent"].partition("/")
        agent = await agent_called(call, owner, name)
    measured = await call.app.measuring.measure(call.principal, agent=agent, days=int(days))
    return answer(statistics_view(measured))
