"""An author's JSON Schema as a part of a larger document, where it can do no harm.

Alone, a schema is a document with addresses of its own. Inside another one its `$ref`s must begin
at the place it was put, it may claim no address, and it must be of the dialect of its host.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jsonschema_rs

from workbench.errors import InvalidAgentConfig
from workbench.notebook.schemas import check_schema

# Addresses and dialects, and words that mean something else in an OpenAPI document.
_DROPPED = frozenset(
    {
        "$schema",
        "$id",
        "id",
        "$anchor",
        "$dynamicAnchor",
        "$recursiveAnchor",
        "$vocabulary",
        "discriminator",
        "externalDocs",
        "xml",
        "example",
    }
)
_NAMED = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
_PLAIN = frozenset({"const", "default", "enum", "examples", "required", "dependentRequired"})


def embedded(schema: Mapping[str, object], *, at: str) -> dict[str, Any] | None:
    """*schema* as it reads at the JSON pointer *at* of another document.

    None if it cannot stand there: it is of an older dialect that means something else, or points
    at what does not travel with it.
    """
    alone = _rewritten(schema, lambda ref: ref)
    try:
        check_schema(alone, where="the schema")
        if not jsonschema_rs.meta.is_valid({"$schema": _DIALECT, **alone}):
            return None
    except (InvalidAgentConfig, ValueError):
        return None
    moved: dict[str, Any] = _rewritten(schema, lambda ref: at + ref.removeprefix("#"))
    return moved


_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _rewritten(schema: Any, point: Callable[[str], str]) -> Any:
    if isinstance(schema, list):
        return [_rewritten(item, point) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {key: _value(key, value, point) for key, value in schema.items() if key not in _DROPPED}


def _value(key: str, value: Any, point: Callable[[str], str]) -> Any:
    if key == "$ref" and isinstance(value, str):
        return point(value)
    if key in _PLAIN:
        return value
    if key in _NAMED and isinstance(value, Mapping):
        return {name: _rewritten(inner, point) for name, inner in value.items()}
    return _rewritten(value, point)
