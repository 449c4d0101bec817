"""Python's types, as the JSON Schemas that a language model is shown."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

_PLAIN: Mapping[object, Mapping[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    None: {"type": "null"},
    type(None): {"type": "null"},
    list: {"type": "array", "items": {}},
    tuple: {"type": "array", "items": {}},
    dict: {"type": "object"},
}


def schema_of(kind: Any) -> dict[str, Any]:
    """The schema of the values of *kind*; one that is not understood allows any.

    Types, `Literal`, unions, lists and dicts of them, enumerations, dataclasses, `TypedDict`s,
    Pydantic's models, and schemas themselves.
    """
    if isinstance(kind, Mapping):
        return dict(kind)
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    if hasattr(kind, "model_json_schema"):
        return dict(kind.model_json_schema())
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [schema_of(each) for each in inner]}
    if origin in (list, set, tuple):
        return {"type": "array", "items": schema_of(inner[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of(inner[1])}
    if isinstance(kind, type):
        return _of_class(kind)
    return {}


def _of_class(kind: type) -> dict[str, Any]:
    if issubclass(kind, Enum):
        return {"enum": [member.value for member in kind]}
    if is_dataclass(kind):
        required = [
            each.name
            for each in fields(kind)
            if each.default is MISSING and each.default_factory is MISSING
        ]
        return _object(get_type_hints(kind), required)
    if hasattr(kind, "__required_keys__"):
        return _object(get_type_hints(kind), sorted(kind.__required_keys__))
    return {}


def _object(hints: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: schema_of(each) for name, each in hints.items()},
        "required": required,
        "additionalProperties": False,
    }


def parameters_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The schema of what *function* takes, with the words of its docstring's `Args`.

    Raises:
        TypeError: It takes arguments that cannot be named.
    """
    # Weight: IPython has imported it, a plain Python need not.
    import inspect

    hints = get_type_hints(function)
    told = _told(function.__doc__ or "")
    properties: dict[str, Any] = {}
    required = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            raise TypeError(f"A tool's arguments have names; {name!r} of {function} has none.")
        if parameter.kind is parameter.VAR_KEYWORD:
            continue
        properties[name] = schema_of(hints[name]) if name in hints else {}
        if name in told:
            properties[name]["description"] = told[name]
        if parameter.default is parameter.empty:
            required.append(name)
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _told(docstring: str) -> dict[str, str]:
    """What the section `Args` says of each argument."""
    found: dict[str, str] = {}
    inside = False
    for line in docstring.splitlines():
        text = line.strip()
        if text in ("Args:", "Arguments:", "Parameters:"):
            inside = True
        elif inside and not text:
            break
        elif inside and ": " in text:
            name, _, words = text.partition(": ")
            found[name.partition(" ")[0]] = words
    return found


def value_as(kind: Any, value: Any) -> Any:
    """The JSON *value* as *kind* has it, as far as that is more than JSON.

    Raises:
        ValueError: It is none of those.
        TypeError: Likewise.
    """
    if hasattr(kind, "model_validate"):
        return kind.model_validate(value)
    if isinstance(kind, type) and (issubclass(kind, Enum)):
        return kind(value)
    if isinstance(kind, type) and is_dataclass(kind):
        return kind(**value)
    return value
