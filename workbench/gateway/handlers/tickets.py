"""Tickets: how a browser opens what it cannot send a header to."""

from __future__ import annotations

from http import HTTPStatus

from workbench.errors import InvalidRequest
from workbench.gateway.requests import Call, Fields, fields, options
from workbench.gateway.responses import Answer, answer
from workbench.services.views import moment

TICKET = "ticket"
"""What a ticket is called in a query."""

_WISH: Fields = {"path": (str,)}


async def make(call: Call) -> Answer:
    """A ticket for one opening of one path.

    Raises:
        InvalidRequest: There is no path, or none that a ticket opens.
        ResourceExhausted: The caller has too many that are not used.
    """
    options(call)
    target = str(fields(call, _WISH).get("path", ""))
    path, _, query = target.partition("?")
    if not call.opens(path) or any(p.partition("=")[0] == TICKET for p in query.split("&")):
        raise InvalidRequest(
            "path is what a browser shall open: the events, logs, notebook or files of a run, or"
            " the notebook or files of an agent, with its query.",
            field="path",
        )
    ticket, text = call.app.ticketing.issue(call.principal, target)
    return answer(
        {
            "ticket": text,
            "url": f"{target}{'&' if query else '?'}{TICKET}={text}",
            "expires_at": moment(ticket.expires_at),
        },
        status=HTTPStatus.CREATED,
    )


def without_ticket(query: str) -> tuple[str, str]:
    """The ticket in *query*, empty if there is none, and the rest of the query as it was sent."""
    parts = query.split("&") if query else []
    tickets = [part for part in parts if part.partition("=")[0] == TICKET]
    rest = "&".join(part for part in parts if part not in tickets)
    return (tickets[0].partition("=")[2] if len(tickets) == 1 else ""), rest
