"""How one route reads in the OpenAPI document: made of its row in the table and of its shape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from workbench.errors import Unauthenticated, WorkbenchError
from workbench.gateway.dialect import PREFIX, openai_status
from workbench.gateway.responses import JSON, status_of
from workbench.gateway.route import Route
from workbench.gateway.schemas import ID, NAMED, NUMBER, SCHEMAS
from workbench.gateway.shape import Option, Refusals, Shape
from workbench.gateway.shapes import EVERYWHERE, NOTEBOOK, SHAPES

_TEXT = {"type": "string", "minLength": 1}
_PLACES: Mapping[str, Mapping[str, object]] = {
    "owner": NAMED,
    "name": NAMED,
    "id": ID,
    "run": ID,
    "version": NUMBER,
}
_MEDIA: Mapping[str, Mapping[str, object]] = {
    "text/plain": {"type": "string"},
    "text/html": {"type": "string"},
    "text/event-stream": {"description": "Events; the `data` of each is an `Event` as JSON."},
}
_NOUNS = (
    "agents",
    "versions",
    "revisions",
    "runs",
    "tickets",
    "tokens",
    "usage",
    "models",
    "generations",
)
_TOLD = {
    "ETag": "Which state this is, for If-Match and If-None-Match.",
    "Location": "Where what was made is found.",
    "X-Run-Id": "The run behind the result.",
    "X-Run-Status": "Where the run stands.",
}


def shape_of(route: Route) -> Shape:
    """What *route* takes and answers with."""
    return SHAPES.get(f"{route.method} {route.path}", Shape())


def operation_id(route: Route) -> str:
    """What *route* is called in the document and in clients made from it."""
    module = route.handler.__module__.rpartition(".")[2]
    return f"{module}_{route.handler.__name__}"


def operation(route: Route) -> dict[str, Any]:
    """The route as an operation of the document."""
    shape = shape_of(route)
    described: dict[str, Any] = {
        "operationId": operation_id(route),
        "summary": route.doc.rstrip("."),
        "tags": [_noun(route.path)],
        "parameters": [
            *(_place(*found) for found in re.findall(r"\{(\w+)(\.\.\.)?\}", route.path)),
            *(option(one, "query") for one in shape.query),
            *(option(one, "header") for one in shape.headers),
        ],
        "responses": responses(shape, refusals(route), openai=speaks_openai(route)),
    }
    if route.public:
        described["security"] = [{}, {"bearer": []}] if route.personal else []
    if shape.body:
        # A file may be empty, and so may an object that needs no field.
        required = shape.body == NOTEBOOK or "required" in SCHEMAS.get(shape.body, ())
        described["requestBody"] = {"required": required, "content": content(shape.body)}
    return described


def option(one: Option, where: str) -> dict[str, Any]:
    """One name that a query or a header may give."""
    return {"name": one.name, "in": where, "description": one.doc, "schema": one.schema}


def content(what: str) -> dict[str, Any]:
    """A body: *what* are names of schemas, or media types."""
    return dict(map(_one_content, what.split()))


def _one_content(what: str) -> tuple[str, dict[str, Any]]:
    if "/" not in what:
        return JSON, {"schema": {"$ref": f"#/components/schemas/{what}"}}
    return what, {"schema": _MEDIA.get(what, {})}


def speaks_openai(route: Route) -> bool:
    """Whether *route* says its errors as OpenAI does."""
    return route.path.startswith(PREFIX)


def responses(shape: Shape, refused: Refusals, *, openai: bool = False) -> dict[str, Any]:
    """All that a route of that *shape* may answer; *openai* is how its errors are said."""
    found: dict[str, Any] = {}
    for status, what in shape.gives.items():
        found[str(status)] = {"description": f"{HTTPStatus(status).phrase}."}
        if what:
            found[str(status)]["content"] = content(what)
        if shape.tells:
            found[str(status)]["headers"] = {
                name: {"description": _TOLD[name], "schema": {"type": "string"}}
                for name in shape.tells
            }
    for status, kinds in by_status(refused, openai=openai).items():
        found[str(status)] = {"$ref": f"#/components/responses/{_name(kinds, openai)}"}
    return found


def refusals(route: Route) -> Refusals:
    """The errors that *route* may answer."""
    known = route.public and not route.personal
    return (*EVERYWHERE, *shape_of(route).refuses, *(() if known else (Unauthenticated,)))


def refusal_responses(routes: Iterable[Route]) -> dict[str, Any]:
    """The answers that say no, by the names under which the operations point at them."""
    found: dict[str, Any] = {}
    for route in routes:
        openai = speaks_openai(route)
        for kinds in by_status(refusals(route), openai=openai).values():
            codes = ", ".join(f"`{kind.__name__}`" for kind in kinds)
            said = content("ModelRefusal" if openai else "Error")
            found[_name(kinds, openai)] = {"description": f"{codes}.", "content": said}
    return dict(sorted(found.items()))


def by_status(refused: Refusals, *, openai: bool) -> dict[int, list[type[WorkbenchError]]]:
    """The errors in *refused* by the status that each is answered with, in order."""
    status = openai_status if openai else status_of
    found: dict[int, list[type[WorkbenchError]]] = {}
    for kind in sorted(set(refused), key=lambda kind: (int(status(kind)), kind.__name__)):
        found.setdefault(int(status(kind)), []).append(kind)
    return found


def _name(kinds: Iterable[type[WorkbenchError]], openai: bool) -> str:
    return ("Model_" if openai else "") + "_or_".join(kind.__name__ for kind in kinds)


def _noun(path: str) -> str:
    found = [part for part in path.split("/") if part in _NOUNS]
    return found[-1] if found else "workbench"


def _place(name: str, rest: str) -> dict[str, Any]:
    said = {"description": "A path; its slashes may be sent as they are."} if rest else {}
    schema = _PLACES.get(name, _TEXT)
    return {"name": name, "in": "path", "required": True, "schema": schema, **said}
