"""The OpenAPI document: the routes of everybody, and each agent as an endpoint of its own.

It is put together from written parts, as it may be large and many ask for it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from workbench import __version__
from workbench.domain.agents import Agent
from workbench.domain.parameters import Parameter
from workbench.errors import Unauthenticated
from workbench.gateway.operations import (
    content,
    operation,
    operation_id,
    option,
    refusal_responses,
    responses,
)
from workbench.gateway.responses import JSON
from workbench.gateway.route import Route
from workbench.gateway.schemas import SCHEMAS
from workbench.gateway.shape import Option, Shape
from workbench.gateway.shapes import CALLS, EVERYWHERE, MODE
from workbench.services.describing import parameters_schema, result_schema

ROOM_BYTES = 2 * 1024 * 1024
"""How much agents may add; those that do not fit are left out, and can be asked for by name."""

_KEPT = 512
_LONGEST_DESCRIPTION = 1_000
_ABOUT = """\
Notebook in, agent out. Every error has one shape, `Error`; every answer names its request in
`X-Request-Id`, which is yours if you send one. Asked with a token, this document also has a path
for each of 200 agents you may run, your own and the newest first, with its own parameters and its
own result; `?agent=owner/name` has the path of any one."""


def document(routes: Sequence[Route], agents: Iterable[Agent]) -> bytes:
    """The document of *routes*, with a path for each of *agents*, the first ones first."""
    generic = _generic(tuple(routes))
    paths, schemas = [generic.paths], [generic.schemas]
    chosen = list(agents)
    taken = Counter(operation_id(route) for route in routes)
    taken.update(name for agent in chosen for name in (_plain(agent), f"{_plain(agent)}_by_query"))
    room = ROOM_BYTES
    for agent in chosen:
        plain = _plain(agent)
        alone = taken[plain] == 1 == taken[f"{plain}_by_query"]
        part = _part(_key(agent, plain if alone else f"{plain}_{agent.id[-8:]}"))
        room -= len(part.paths) + len(part.schemas)
        if room >= 0:
            paths.append(part.paths)
            schemas.append(part.schemas)
    return "".join(
        (generic.head, ', "paths": {', ", ".join(paths), '}, "components": {', generic.components)
        + (', "schemas": {', ", ".join(schemas), "}}}")
    ).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Members of the objects that the document consists of, written."""

    paths: str
    schemas: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Generic(_Part):
    """What does not depend on agents."""

    head: str
    components: str


@lru_cache(maxsize=1)
def _generic(routes: tuple[Route, ...]) -> _Generic:
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path.replace("...", ""), {})[route.method.lower()] = operation(route)
    head = {
        "openapi": "3.1.0",
        "info": {"title": "Agent Workbench", "version": __version__, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
    }
    bearer = {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of `POST /tokens` or `workbench token create`.",
    }
    components = {
        "securitySchemes": {"bearer": bearer},
        "responses": refusal_responses(routes),
        "parameters": {
            **{f"call_{one.name}": option(one, "query") for one in MODE},
            **{f"call_{one.name}": option(one, "header") for one in CALLS["POST"].headers},
        },
    }
    return _Generic(
        head="{" + _members(head),
        paths=_members(paths),
        schemas=_members(SCHEMAS),
        components=_members(components),
    )


def _members(value: Mapping[str, Any]) -> str:
    return json.dumps(value)[1:-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    """All that an agent's part depends on, and the agent itself."""

    name: str
    address: str
    fingerprint: str
    version: str | None
    description: str
    agent: Agent = field(compare=False)


def _key(agent: Agent, name: str) -> _Key:
    return _Key(
        name=name,
        address=agent.address,
        fingerprint=agent.face.fingerprint,
        version=agent.current_version,
        description=agent.description[:_LONGEST_DESCRIPTION],
        agent=agent,
    )


def _plain(agent: Agent) -> str:
    return f"{agent.owner}_{agent.name}".replace("-", "_")


@lru_cache(maxsize=_KEPT)
def _part(key: _Key) -> _Part:
    takes, gives = f"{key.name}_parameters", f"{key.name}_result"
    schemas = {
        takes: parameters_schema(key.agent, at=f"#/components/schemas/{takes}"),
        gives: result_schema(key.agent, at=f"#/components/schemas/{gives}"),
    }
    declared = key.agent.face.parameters
    by_query = _call(key, CALLS["GET"], gives)
    by_query["operationId"] += "_by_query"
    # In a query, `version` is which version is meant.
    by_query["parameters"] += [_by_query(one) for one in declared if one.name != "version"]
    by_body = _call(key, CALLS["POST"], gives)
    needed = any(one.required for one in declared)
    by_body["requestBody"] = {"required": needed, "content": content(takes)}
    paths = {f"/agents/{key.address}": {"get": by_query, "post": by_body}}
    return _Part(paths=_members(paths), schemas=_members(schemas))


def _call(key: _Key, shape: Shape, gives: str) -> dict[str, Any]:
    answers = responses(shape, (*EVERYWHERE, *shape.refuses, Unauthenticated))
    answers["200"] = {**answers["200"], "content": content(gives)}
    modes = [_shared(one) for one in MODE]
    if key.version is None:
        # A draft runs in no other way.
        test, version = (option(one, "query") for one in MODE)
        modes = [{**test, "required": True, "schema": {"type": "boolean"}}, version]
    return {
        "operationId": key.name,
        "summary": f"Run {key.address}",
        "description": key.description,
        "tags": [f"agents of {key.agent.owner}"],
        "x-agent": {"address": key.address, "version": key.version},
        "parameters": [*modes, *map(_shared, shape.headers)],
        "responses": answers,
    }


def _shared(one: Option) -> dict[str, Any]:
    return {"$ref": f"#/components/parameters/call_{one.name}"}


def _by_query(parameter: Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {"name": parameter.name, "in": "query"}
    if parameter.required:
        described["required"] = True
    if parameter.help:
        described["description"] = parameter.help
    schema = dict(parameter.schema)
    kinds = _kinds(schema)
    if "enum" not in schema and (not kinds or ("string" in kinds and kinds & _NESTED)):
        # Read as JSON where it is JSON, else as the text that it is.
        return {**described, "schema": {"type": "string"}}
    if kinds & _NESTED:
        return {**described, "content": {JSON: {"schema": schema}}}
    if not parameter.required and parameter.default is not None:
        schema["default"] = parameter.default
    return {**described, "schema": schema}


_NESTED = {"array", "object"}


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    branches = schema.get("anyOf", [schema])
    return {str(branch["type"]) for branch in branches if "type" in branch}
