"""Whether the workbench is well, and whether it takes work."""

from __future__ import annotations

from workbench import __version__
from workbench.domain.access import require_admin
from workbench.errors import Unauthenticated, Unavailable
from workbench.gateway.metering import MEDIA
from workbench.gateway.requests import Call, options
from workbench.gateway.responses import Answer, answer


async def healthz(call: Call) -> Answer:
    """What is running here, and how much of it."""
    options(call)
    return answer(
        {
            "status": "ok",
            "version": __version__,
            "isolation": call.app.isolation,
            "runs": {
                "waiting": call.app.dispatching.waiting,
                "running": call.app.dispatching.running,
            },
        }
    )


async def readyz(call: Call) -> Answer:
    """Whether a new run would be taken.

    Raises:
        Unavailable: The workbench is about to stop, or nothing would contain a run.
    """
    options(call)
    if call.app.dispatching.draining:
        raise Unavailable("The workbench is about to stop.", ready=False)
    call.app.protection.check()
    return answer({"ready": True})


async def metrics(call: Call) -> Answer:
    """What is counted, as Prometheus reads it.

    Raises:
        Unauthenticated: Nobody knows who asks, and not everybody may.
        InsufficientPermissions: It is no administrator, and not everybody may.
    """
    options(call)
    if not call.app.settings.metrics_public:
        if not call.principal.user:
            raise Unauthenticated("Send an administrator's token: Authorization: Bearer TOKEN.")
        require_admin(call.principal)
    return Answer(body=call.metering.text(), media=MEDIA)
