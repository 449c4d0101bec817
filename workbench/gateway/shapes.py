"""What each route takes and answers with: the half of the route table that the document is made of."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.domain.paging import LARGEST_PAGE, PAGE
from workbench.domain.runs import RunStatus
from workbench.domain.statistics import DAYS, LONGEST_DAYS
from workbench.errors import (
    AgentAccessDenied,
    AgentNotFound,
    BudgetExceeded,
    ChecksFailed,
    DuplicateAgentName,
    ExecutionFailed,
    ExecutionTimeout,
    IdempotencyMismatch,
    IllegalMove,
    InsufficientPermissions,
    InvalidAgentConfig,
    InvalidInput,
    InvalidRequest,
    ModelNotFound,
    ModelSilent,
    NotFound,
    NotRecorded,
    PayloadTooLarge,
    PreconditionFailed,
    PreconditionRequired,
    RangeNotSatisfiable,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
    VersionConflict,
)
from workbench.gateway.shape import Option, Refusals, Shape
from workbench.services.spending import GROUPS

NOTEBOOK = "application/x-ipynb+json"
BYTES = "application/octet-stream"

EVERYWHERE: Refusals = (InvalidRequest, PayloadTooLarge, Unavailable)
"""What any route may answer."""


def _text(name: str, doc: str, **more: object) -> Option:
    return Option(name=name, schema={"type": "string", **more}, doc=doc)


def _flag(name: str, doc: str) -> Option:
    return Option(name=name, schema={"type": "boolean", "default": False}, doc=doc)


_ATTEMPT = Option(
    name="attempt",
    schema={"type": "integer", "minimum": 1},
    doc="Of this attempt of the run; without it, of the last.",
)
_WAIT = Option(
    name="wait",
    schema={"type": "number", "minimum": 0},
    doc="How many seconds to wait for the end.",
)
_PAGE = (
    Option(
        name="limit",
        schema={"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE},
        doc="How long the page may be.",
    ),
    _text("cursor", "The next_cursor of the page before."),
)
_RUNS = (
    _text("status", "In this status only.", enum=[str(status) for status in RunStatus]),
    _flag("test", "The test runs instead of the others."),
    _text("version", "Of this version only; draft is one here."),
    _text("since", "Accepted at that moment or later.", format="date-time"),
    _text("until", "Accepted before that moment.", format="date-time"),
    *_PAGE,
)
MODE = (
    _flag("test", "As a test run: cells tagged check run, cells tagged live do not."),
    _text("version", "MAJOR.MINOR.PATCH, or draft in a test run; else the current version."),
)
"""How an agent shall be run."""

_IDEMPOTENCY = _text(
    "Idempotency-Key",
    "Makes a repeated request the same run.",
    pattern=r"^[\x21-\x7e]{1,255}$",
)
_PREFER = _text("Prefer", "respond-async answers 202 at once.")
_IF_MATCH = _text("If-Match", "The ETag of the draft that was edited.")
_IF_NONE_MATCH = _text("If-None-Match", "The ETag that is held already.")
_RANGE = (
    _IF_NONE_MATCH,
    _text("Range", "One part of it, as bytes=0-1023."),
    _text("If-Range", "The ETag of what the other parts were of."),
)
_LAST_EVENT = _text("Last-Event-ID", "Go on after this event.", pattern="^[0-9]{1,15}$")

_RUN_HEADERS = ("X-Run-Id", "X-Run-Status")
_SIGHT: Refusals = (AgentNotFound,)
_OWN: Refusals = (AgentNotFound, AgentAccessDenied)
_TAKEN: Refusals = (
    *_OWN,
    NotFound,
    IllegalMove,
    InvalidAgentConfig,
    InvalidInput,
    ResourceExhausted,
    IdempotencyMismatch,
)
_CALLED: Refusals = (*_TAKEN, ExecutionFailed, ExecutionTimeout)
_ASKED: Refusals = (ModelNotFound, NotRecorded, BudgetExceeded, ModelSilent)
_REACH: Refusals = (AgentNotFound, InsufficientPermissions, NotFound)
_PRESET: Refusals = (AgentNotFound, AgentAccessDenied, NotFound, IllegalMove, InvalidInput)
_PUBLISHED: Refusals = (InvalidAgentConfig, ChecksFailed, ResourceExhausted)

_AGENT = "/agents/{owner}/{name}"
_RUN = "/runs/{run}"
_ERRAND = f"{_RUN}/calls/{{owner}}/{{name}}"
_STARTS = Shape(
    headers=(_IDEMPOTENCY,), gives={202: "Run"}, tells=("Location", *_RUN_HEADERS), refuses=_TAKEN
)

SHAPES: Mapping[str, Shape] = {
    "GET /healthz": Shape(gives={200: "Health"}),
    "GET /readyz": Shape(gives={200: "Ready"}),
    "GET /metrics": Shape(
        gives={200: "text/plain"}, refuses=(Unauthenticated, InsufficientPermissions)
    ),
    "GET /openapi.json": Shape(
        query=(_text("agent", "owner/name: of all agents this one only."),),
        headers=(_IF_NONE_MATCH,),
        gives={200: "Document", 304: ""},
        tells=("ETag",),
        refuses=_SIGHT,
    ),
    "GET /docs": Shape(headers=(_IF_NONE_MATCH,), gives={200: "text/html", 304: ""}),
    "POST /agents": Shape(
        body="AgentProposal",
        gives={201: "Agent"},
        tells=("Location",),
        refuses=(InsufficientPermissions, DuplicateAgentName, *_PRESET, *_PUBLISHED),
    ),
    "GET /agents": Shape(
        query=(
            _text("name", "With exactly this name."),
            _text("owner", "Of this owner."),
            _text("q", "With all of these words, at most 32, in name, description, tags or cells."),
            _text("tag", "With this tag."),
            *_PAGE,
        ),
        gives={200: "AgentPage"},
    ),
    "POST /agents/validate": Shape(
        body="AgentCandidate",
        gives={200: "Examination"},
        refuses=(InsufficientPermissions, InvalidAgentConfig, *_PRESET),
    ),
    "POST /agents/generate": Shape(
        body="GenerationWish",
        gives={202: "Generation"},
        tells=("Location",),
        refuses=(
            InsufficientPermissions,
            InvalidAgentConfig,
            DuplicateAgentName,
            ModelNotFound,
            ResourceExhausted,
        ),
    ),
    "GET /generations/{generation}": Shape(
        query=(_WAIT,), gives={200: "Generation"}, refuses=(NotFound,)
    ),
    "POST /generations/{generation}/cancel": Shape(
        body="Nothing", gives={202: "Generation"}, tells=("Location",), refuses=(NotFound,)
    ),
    "POST /agents/{id}/execute": Shape(
        headers=_STARTS.headers,
        body="Execution",
        gives=_STARTS.gives,
        tells=_STARTS.tells,
        refuses=_TAKEN,
    ),
    f"GET {_AGENT}": Shape(query=MODE, gives={200: "Result"}, tells=_RUN_HEADERS, refuses=_CALLED),
    f"POST {_AGENT}": Shape(
        query=MODE,
        headers=(_IDEMPOTENCY, _PREFER),
        body="Values",
        gives={200: "Result", 202: "Run"},
        tells=_RUN_HEADERS,
        refuses=_CALLED,
    ),
    f"PATCH {_AGENT}": Shape(
        body="AgentChanges",
        gives={200: "Agent"},
        refuses=(*_OWN, InvalidAgentConfig, DuplicateAgentName, PreconditionFailed),
    ),
    f"DELETE {_AGENT}": Shape(
        query=(_flag("purge", "Delete it for good, with its versions, revisions and runs."),),
        gives={200: "Agent", 204: ""},
        refuses=(*_OWN, IllegalMove, PreconditionFailed),
    ),
    f"GET {_AGENT}/about": Shape(gives={200: "AgentWithExamples"}, refuses=_SIGHT),
    f"GET {_AGENT}/notebook": Shape(
        query=(_text("version", "MAJOR.MINOR.PATCH, or draft, which it is without."),),
        headers=(_IF_NONE_MATCH,),
        gives={200: NOTEBOOK, 304: ""},
        tells=("ETag",),
        refuses=(*_OWN, NotFound),
    ),
    f"PUT {_AGENT}/notebook": Shape(
        headers=(_IF_MATCH,),
        body=NOTEBOOK,
        gives={200: "Agent"},
        tells=("ETag",),
        refuses=(*_OWN, InvalidAgentConfig, PreconditionFailed, PreconditionRequired),
    ),
    f"GET {_AGENT}/files/{{path...}}": Shape(
        query=(_text("version", "MAJOR.MINOR.PATCH, or draft, which it is without."),),
        headers=_RANGE,
        gives={200: BYTES, 206: BYTES, 304: ""},
        tells=("ETag",),
        refuses=(*_OWN, NotFound, RangeNotSatisfiable),
    ),
    f"PUT {_AGENT}/files/{{path...}}": Shape(
        body=BYTES,
        gives={200: "File", 201: "File"},
        refuses=(*_OWN, PreconditionFailed),
    ),
    f"DELETE {_AGENT}/files/{{path...}}": Shape(
        gives={200: "Agent"}, refuses=(*_OWN, NotFound, PreconditionFailed)
    ),
    f"GET {_AGENT}/revisions": Shape(query=_PAGE, gives={200: "RevisionPage"}, refuses=_OWN),
    f"GET {_AGENT}/revisions/{{revision}}/notebook": Shape(
        gives={200: NOTEBOOK}, tells=("ETag",), refuses=(*_OWN, NotFound)
    ),
    f"POST {_AGENT}/revisions/{{revision}}/restore": Shape(
        body="Nothing",
        gives={200: "Agent"},
        tells=("ETag",),
        refuses=(*_OWN, NotFound, PreconditionFailed),
    ),
    f"POST {_AGENT}/versions": Shape(
        query=(
            _flag("force", "Publish whatever its source holds, without running its cases first."),
        ),
        headers=(_PREFER,),
        body="VersionWish",
        gives={201: "Version", 202: "Publication"},
        tells=("Location",),
        refuses=(
            *_OWN,
            ResourceExhausted,
            *_PUBLISHED,
            VersionConflict,
            IllegalMove,
            PreconditionFailed,
        ),
    ),
    f"GET {_AGENT}/publications/{{publication}}": Shape(
        gives={200: "Publication"}, refuses=(*_OWN, NotFound)
    ),
    f"GET {_AGENT}/versions": Shape(query=_PAGE, gives={200: "VersionPage"}, refuses=_SIGHT),
    f"GET {_AGENT}/versions/{{version}}": Shape(
        gives={200: "Version"}, refuses=(AgentNotFound, NotFound)
    ),
    f"POST {_AGENT}/versions/{{version}}/deprecate": Shape(
        body="Deprecation", gives={200: "Version"}, refuses=(*_OWN, NotFound, IllegalMove)
    ),
    f"POST {_AGENT}/versions/{{version}}/archive": Shape(
        body="Nothing", gives={200: "Version"}, refuses=(*_OWN, NotFound, IllegalMove)
    ),
    f"POST {_AGENT}/rollback": Shape(
        body="Rollback",
        gives={200: "Agent"},
        refuses=(*_OWN, NotFound, IllegalMove, PreconditionFailed),
    ),
    f"GET {_AGENT}/compare": Shape(
        query=(
            _text("from", "MAJOR.MINOR.PATCH or draft; the current version without."),
            _text("to", "MAJOR.MINOR.PATCH or draft, which it is without."),
            _text("format", "html is a page to look at.", enum=["json", "html"]),
        ),
        gives={200: "Comparison text/html"},
        refuses=(*_OWN, NotFound, IllegalMove),
    ),
    f"POST {_AGENT}/runs": Shape(
        headers=_STARTS.headers,
        body="RunWish",
        gives=_STARTS.gives,
        tells=_STARTS.tells,
        refuses=_TAKEN,
    ),
    f"GET {_AGENT}/runs": Shape(query=_RUNS, gives={200: "RunPage"}, refuses=_SIGHT),
    "GET /runs": Shape(
        query=(_text("agent", "Of this agent only: its owner/name or its id."), *_RUNS),
        gives={200: "RunPage"},
        refuses=_SIGHT,
    ),
    f"GET {_RUN}": Shape(query=(_WAIT,), gives={200: "Run"}, refuses=(NotFound,)),
    f"GET {_RUN}/events": Shape(
        headers=(_LAST_EVENT,), gives={200: "text/event-stream"}, refuses=(NotFound,)
    ),
    f"GET {_RUN}/logs": Shape(gives={200: "text/plain"}, refuses=(NotFound,)),
    f"GET {_RUN}/notebook": Shape(query=(_ATTEMPT,), gives={200: NOTEBOOK}, refuses=(NotFound,)),
    f"GET {_RUN}/notebook.html": Shape(
        query=(_ATTEMPT,), gives={200: "text/html"}, refuses=(NotFound,)
    ),
    f"GET {_RUN}/files": Shape(query=(_ATTEMPT,), gives={200: "FilePage"}, refuses=(NotFound,)),
    f"GET {_RUN}/files/{{path...}}": Shape(
        query=(_ATTEMPT,),
        headers=_RANGE,
        gives={200: BYTES, 206: BYTES, 304: ""},
        tells=("ETag",),
        refuses=(NotFound, RangeNotSatisfiable),
    ),
    f"POST {_RUN}/cancel": Shape(
        body="Nothing", gives={202: "Run"}, tells=("Location",), refuses=(NotFound, IllegalMove)
    ),
    f"GET {_ERRAND}": Shape(gives={200: "Callee"}, refuses=_REACH),
    f"POST {_ERRAND}": Shape(body="Errand", gives={200: "Run"}, refuses=(*_REACH, *_TAKEN)),
    "GET /statistics": Shape(
        query=(
            _text("agent", "Of this agent only: its owner/name."),
            Option(
                name="days",
                schema={"type": "integer", "minimum": 1, "maximum": LONGEST_DAYS, "default": DAYS},
                doc="How many days back, today included.",
            ),
        ),
        gives={200: "Statistics"},
        refuses=_SIGHT,
    ),
    "GET /limits": Shape(gives={200: "Limits"}),
    "POST /tickets": Shape(body="TicketWish", gives={201: "Ticket"}, refuses=(ResourceExhausted,)),
    "GET /me": Shape(gives={200: "User"}),
    "POST /tokens": Shape(
        body="TokenWish",
        gives={201: "NewToken"},
        tells=("Location",),
        refuses=(InsufficientPermissions, NotFound),
    ),
    "GET /tokens": Shape(query=_PAGE, gives={200: "TokenPage"}),
    "DELETE /tokens/{token}": Shape(gives={200: "Token"}, refuses=(NotFound,)),
    "GET /usage": Shape(
        query=(
            _text("by", "What it is told by.", enum=list(GROUPS), default="day"),
            _text("agent", "Of this agent only: its owner/name or its id."),
            _flag("test", "That of test runs instead of the rest."),
            _text("since", "Of that moment or later.", format="date-time"),
            _text("until", "Before that moment.", format="date-time"),
        ),
        gives={200: "UsagePage"},
        refuses=_SIGHT,
    ),
    "GET /v1/models": Shape(gives={200: "ModelList"}),
    "GET /v1/models/{model...}": Shape(gives={200: "Model"}, refuses=(ModelNotFound,)),
    "POST /v1/chat/completions": Shape(
        body="ModelQuestion", gives={200: "ModelAnswer text/event-stream"}, refuses=_ASKED
    ),
    "POST /v1/responses": Shape(
        body="ModelQuestion", gives={200: "ModelAnswer text/event-stream"}, refuses=_ASKED
    ),
    "POST /v1/embeddings": Shape(body="ModelQuestion", gives={200: "ModelAnswer"}, refuses=_ASKED),
}
"""By method and path, in the order of the routes."""

CALLS: Mapping[str, Shape] = {method: SHAPES[f"{method} {_AGENT}"] for method in ("GET", "POST")}
"""The two ways to run an agent and wait, by method."""
