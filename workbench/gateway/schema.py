"""The words that JSON Schemas of requests and answers are made of."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.domain.names import NAME

Schema = Mapping[str, object]

ID = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
NAMED = {"type": "string", "pattern": f"^{NAME.pattern}$"}
NUMBER = {
    "type": "string",
    "pattern": r"^(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})$",
}

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
AMOUNT = {"type": "number"}
FRACTION = {"type": "number"}
YES_OR_NO = {"type": "boolean"}
FREE = {"type": "object"}
MOMENT = {"type": "string", "format": "date-time"}
NULL = {"type": "null"}


def made_of(**properties: Schema) -> Schema:
    """An answer: what it has, it always has; it may get more."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def wish(*required: str, **properties: Schema) -> Schema:
    """A request: what is not known in it is refused, and null is as good as nothing."""
    fields = {
        name: schema if name in required else or_null(schema) for name, schema in properties.items()
    }
    body: dict[str, object] = {
        "type": "object",
        "properties": fields,
        "additionalProperties": False,
    }
    return {**body, "required": list(required)} if required else body


def or_null(schema: Schema) -> Schema:
    """The same, or nothing."""
    if "enum" in schema or "$ref" in schema or "anyOf" in schema:
        return {"anyOf": [schema, NULL]}
    return {**schema, "type": [schema["type"], "null"]}


def list_of(items: Schema) -> Schema:
    """Any number of them."""
    return {"type": "array", "items": items}


def page_of(name: str) -> Schema:
    """A page of a list of what is called *name*."""
    return made_of(items=list_of(ref(name)), next_cursor=or_null(TEXT))


def ref(name: str) -> Schema:
    """What is called *name* in the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def one_of(values: type) -> Schema:
    """One value of an enumeration."""
    return {"type": "string", "enum": [str(value) for value in values]}  # type: ignore[attr-defined]
