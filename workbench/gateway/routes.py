"""One line per endpoint: method, path, what answers, and what that is for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from workbench.domain.models import Api
from workbench.errors import InvalidRequest
from workbench.gateway.handlers import (
    agents,
    calling,
    documents,
    drafts,
    errands,
    generations,
    health,
    limits,
    models,
    revisions,
    runs,
    stages,
    statistics,
    tickets,
    tokens,
    versions,
)
from workbench.gateway.route import Handler, Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The endpoints at one path, by method, and what stands in its variable places."""

    routes: Mapping[str, Route]
    places: Mapping[str, str]


def _route(
    method: str,
    path: str,
    handler: Handler,
    doc: str,
    *,
    public: bool = False,
    personal: bool = False,
    ticket: bool = False,
    runs: bool = False,
) -> Route:
    return Route(
        method=method,
        path=path,
        handler=handler,
        doc=doc,
        public=public,
        personal=personal,
        ticket=ticket,
        runs=runs,
    )


_AGENT = "/agents/{owner}/{name}"
_RUN = "/runs/{run}"

# Of two paths that fit, the first counts: `execute` and `validate` stand where a name could.
ROUTES: tuple[Route, ...] = (
    _route("GET", "/healthz", health.healthz, "What is running here.", public=True),
    _route("GET", "/readyz", health.readyz, "Whether a new run would be taken.", public=True),
    _route(
        "GET",
        "/metrics",
        health.metrics,
        "What is counted, for Prometheus.",
        public=True,
        personal=True,
    ),
    _route(
        "GET",
        "/openapi.json",
        documents.openapi_of(lambda: ROUTES),
        "These routes as OpenAPI; with a token, your agents too.",
        public=True,
        personal=True,
    ),
    _route("GET", "/docs", documents.docs, "A page to try the routes from.", public=True),
    _route("POST", "/agents", agents.create, "Make an agent."),
    _route("GET", "/agents", agents.listing, "List agents, newest first."),
    _route("POST", "/agents/validate", agents.validate, "Examine an agent; store nothing."),
    _route("POST", "/agents/generate", generations.begin, "Have an agent written; keep a draft."),
    _route(
        "GET",
        "/generations/{generation}",
        generations.show,
        "How far writing an agent has come.",
    ),
    _route("POST", "/generations/{generation}/cancel", generations.cancel, "Give up writing it."),
    _route("POST", "/agents/{id}/execute", calling.execute, "Start a run by agent id."),
    _route("GET", _AGENT, calling.call_by_query, "Run the agent; answer its result."),
    _route("POST", _AGENT, calling.call_by_body, "Run the agent; answer its result."),
    _route("PATCH", _AGENT, agents.change, "Change name, description, metadata, visibility."),
    _route("DELETE", _AGENT, agents.archive, "Take the agent out of use, or delete it for good."),
    _route("GET", f"{_AGENT}/about", agents.about, "What the agent is and takes."),
    _route(
        "GET",
        f"{_AGENT}/notebook",
        drafts.notebook,
        "The notebook of draft or version.",
        ticket=True,
    ),
    _route("PUT", f"{_AGENT}/notebook", drafts.save, "Save a new draft."),
    _route(
        "GET",
        f"{_AGENT}/files/{{path...}}",
        drafts.file,
        "A file of draft or version.",
        ticket=True,
    ),
    _route("PUT", f"{_AGENT}/files/{{path...}}", drafts.attach, "Put a file beside the draft."),
    _route("DELETE", f"{_AGENT}/files/{{path...}}", drafts.detach, "Take a file away."),
    _route("GET", f"{_AGENT}/revisions", revisions.listing, "List earlier drafts, newest first."),
    _route(
        "GET",
        f"{_AGENT}/revisions/{{revision}}/notebook",
        revisions.notebook,
        "The notebook of an earlier draft.",
        ticket=True,
    ),
    _route(
        "POST",
        f"{_AGENT}/revisions/{{revision}}/restore",
        revisions.restore,
        "Bring an earlier draft back.",
    ),
    _route("POST", f"{_AGENT}/versions", versions.publish, "Publish the draft."),
    _route(
        "GET",
        f"{_AGENT}/publications/{{publication}}",
        versions.publication,
        "How far publishing has come.",
    ),
    _route("GET", f"{_AGENT}/versions", versions.listing, "List versions, newest first."),
    _route("GET", f"{_AGENT}/versions/{{version}}", versions.show, "One version."),
    _route(
        "POST",
        f"{_AGENT}/versions/{{version}}/deprecate",
        stages.deprecate,
        "Warn everybody who runs the version.",
    ),
    _route(
        "POST",
        f"{_AGENT}/versions/{{version}}/archive",
        stages.archive,
        "Take the version out of use.",
    ),
    _route("POST", f"{_AGENT}/rollback", stages.roll_back, "Give callers another version."),
    _route(
        "GET",
        f"{_AGENT}/compare",
        stages.compare,
        "What is different between two states, cell by cell.",
        ticket=True,
    ),
    _route("POST", f"{_AGENT}/runs", calling.start, "Start a run."),
    _route("GET", f"{_AGENT}/runs", runs.listing_of_agent, "List the agent's runs."),
    _route("GET", "/runs", runs.listing, "List runs, newest first."),
    _route("GET", _RUN, runs.show, "One run, now or when it has ended."),
    _route(
        "GET",
        f"{_RUN}/events",
        runs.events,
        "What happens during the run, as it happens.",
        ticket=True,
    ),
    _route("GET", f"{_RUN}/logs", runs.logs, "What the run printed and logged.", ticket=True),
    _route("GET", f"{_RUN}/notebook", runs.notebook, "The executed notebook.", ticket=True),
    _route(
        "GET", f"{_RUN}/notebook.html", runs.shown, "The executed notebook as a page.", ticket=True
    ),
    _route("GET", f"{_RUN}/files", runs.files, "List the files the run left."),
    _route("GET", f"{_RUN}/files/{{path...}}", runs.file, "One file the run left.", ticket=True),
    _route("POST", f"{_RUN}/cancel", runs.cancel, "Call the run off."),
    _route(
        "GET",
        f"{_RUN}/calls/{{owner}}/{{name}}",
        errands.show,
        "What an agent takes that the run may call.",
        runs=True,
    ),
    _route(
        "POST",
        f"{_RUN}/calls/{{owner}}/{{name}}",
        errands.run,
        "Have the run call an agent; answer when that has ended.",
        runs=True,
    ),
    _route("GET", "/statistics", statistics.statistics, "How runs have gone, day by day."),
    _route("GET", "/limits", limits.limits, "What a run may take, and what agents may ask for."),
    _route("POST", "/tickets", tickets.make, "Let a browser open one address once."),
    _route("GET", "/me", tokens.me, "Whom the token speaks for.", ticket=True),
    _route("POST", "/tokens", tokens.make, "Make a token; its text is shown this once."),
    _route("GET", "/tokens", tokens.listing, "List tokens."),
    _route("DELETE", "/tokens/{token}", tokens.revoke, "Take a token back."),
    _route("GET", "/usage", models.usage, "What language models took, and what it cost."),
    _route("GET", "/v1/models", models.listing, "List language models.", runs=True),
    _route("GET", "/v1/models/{model...}", models.show, "One language model.", runs=True),
    _route(
        "POST",
        "/v1/chat/completions",
        models.asked(Api.CHAT),
        "Ask a language model, by OpenAI's Chat Completions.",
        runs=True,
    ),
    _route(
        "POST",
        "/v1/responses",
        models.asked(Api.RESPONSES),
        "Ask a language model, by OpenAI's Responses.",
        runs=True,
    ),
    _route(
        "POST",
        "/v1/embeddings",
        models.asked(Api.EMBEDDINGS),
        "Ask a language model for vectors.",
        runs=True,
    ),
)


def find(path: str) -> Found | None:
    """The endpoints at *path*, as it was sent.

    Raises:
        InvalidRequest: What stands in a variable place is no percent-encoded UTF-8.
    """
    for pattern, routes in _PATTERNS:
        if match := pattern.fullmatch(path):
            try:
                places = {
                    name: unquote(t, errors="strict") for name, t in match.groupdict().items()
                }
            except UnicodeDecodeError:
                raise InvalidRequest("The path is not percent-encoded UTF-8.") from None
            return Found(routes=routes, places=places)
    return None


def opens(path: str) -> bool:
    """Whether a ticket opens *path*, as it would be sent."""
    found = [routes for pattern, routes in _PATTERNS if pattern.fullmatch(path)]
    return bool(found) and "GET" in found[0] and found[0]["GET"].ticket


def methods(path: str) -> list[str]:
    """The methods that *path* knows."""
    return next((sorted(routes) for pattern, routes in _PATTERNS if pattern.fullmatch(path)), [])


def _pattern(path: str) -> re.Pattern[str]:
    rest = re.sub(r"\{(\w+)\.\.\.\}", r"(?P<\1>.+)", path)
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", rest))


def _by_path() -> list[tuple[re.Pattern[str], dict[str, Route]]]:
    paths = dict.fromkeys(route.path for route in ROUTES)
    return [
        (_pattern(path), {route.method: route for route in ROUTES if route.path == path})
        for path in paths
    ]


_PATTERNS = _by_path()
