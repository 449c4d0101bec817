"""The gateway as JupyterLab asks it: found anew when it has moved, refusing in Jupyter's words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from tornado.web import HTTPError

from workbench.client.asynchronous import AsyncGateway
from workbench.client.finding import Access, access
from workbench.client.requests import Answer, Request
from workbench.errors import (
    Conflict,
    Denied,
    Invalid,
    NotFound,
    PayloadTooLarge,
    PreconditionFailed,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
    WorkbenchError,
)

AWAY = "The workbench does not answer. Nothing is lost: try again when it is back."
FASTER = "Somebody else saved this a moment ago. Save again to choose whose draft to keep."

_STATUS: dict[type[WorkbenchError], int] = {
    # Not 401: JupyterLab would take it for the end of its own session.
    Unauthenticated: 503,
    PreconditionFailed: 412,
    PayloadTooLarge: 413,
    ResourceExhausted: 429,
    Unavailable: 503,
    Invalid: 400,
    Denied: 403,
    NotFound: 404,
    Conflict: 409,
    WorkbenchError: 500,
}


class Refused(HTTPError):
    """What the gateway refused, as Jupyter's handlers raise it and its dialogs show it.

    Attributes:
        error: What was raised at the gateway.
    """

    def __init__(self, error: WorkbenchError) -> None:
        self.error = error
        status = next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
        words = {503: AWAY, 412: FASTER}.get(status, str(error))
        super().__init__(status, said(words))


def said(words: str) -> str:
    """*words* as a dialog shows them: Jupyter would write a percent sign twice."""
    return words.replace("%", "\N{FULLWIDTH PERCENT SIGN}")


class Bench:
    """The gateway, for the tasks of one event loop."""

    def __init__(self, find: Callable[[], Access] = lambda: access(None, None)) -> None:
        self._find = find
        self._known: tuple[str, str] | None = None
        self._gateway: AsyncGateway | None = None

    async def ask(self, request: Request) -> Answer:
        """What the gateway answers to *request*.

        A gateway that has been started again may answer elsewhere and know another token: then it
        is found anew and asked once more.

        Raises:
            Refused: It refused, or there is none.
        """
        try:
            gateway = self._gateway or self._found()
            try:
                return await gateway.send(request)
            except (Unavailable, Unauthenticated):
                before = self._known
                moved = self._found()
                if self._known == before:
                    raise
                return await moved.send(request)
        except WorkbenchError as error:
            raise Refused(error) from error

    async def events(self, run_id: str) -> AsyncIterator[dict[str, Any]]:
        """What happened and happens during a run, to its last event.

        Raises:
            Refused: The gateway knows no such run, or it is gone.
        """
        try:
            gateway = self._gateway or self._found()
            async for event in gateway.events(run_id):
                yield event
        except WorkbenchError as error:
            raise Refused(error) from error

    async def close(self) -> None:
        """Let go of the connections."""
        if self._gateway is not None:
            await self._gateway.close()

    def _found(self) -> AsyncGateway:
        found = self._find()
        place = found.url, found.token
        if place != self._known or self._gateway is None:
            self._known = place
            self._gateway = AsyncGateway(found.url, found.token, trust=found.trust)
        return self._gateway
