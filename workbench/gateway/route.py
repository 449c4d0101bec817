"""One endpoint of the HTTP face: what the table of routes is made of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from workbench.gateway.requests import Call
from workbench.gateway.responses import Answer

Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One endpoint; what it takes and answers with is its shape in `workbench.gateway.shapes`.

    Attributes:
        method: The HTTP method.
        path: `{name}` stands for one part of the path, `{name...}` for the rest of it.
        handler: What answers.
        doc: What it does, for those who call it.
        public: Whether it answers without a token.
        personal: Whether a public one has more to say to those who show a token.
        ticket: Whether a browser may open it with a ticket from `POST /tickets`.
        runs: Whether a run may ask with the token it was lent.
    """

    method: str
    path: str
    handler: Handler
    doc: str
    public: bool = False
    personal: bool = False
    ticket: bool = False
    runs: bool = False
