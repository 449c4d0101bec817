"""Limits: what a run may take, and the most that an agent may ask for."""

from __future__ import annotations

from workbench.gateway.requests import Call, options
from workbench.gateway.responses import Answer, answer
from workbench.services.views import limits_view


async def limits(call: Call) -> Answer:
    """What an author may ask for here, so that nobody has to find out by being refused."""
    options(call)
    return answer(limits_view(call.app.limits, call.app.caps))
