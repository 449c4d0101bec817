"""What a notebook may be given, and turning what a caller wrote into that.

A parameter's type is kept twice: as the author wrote it (`type`, for people) and as a JSON Schema
of one value (`schema`, for programs). Only the shapes that `workbench.notebook.parameters`
produces appear in such a schema: `type`, `enum`, `items`, `additionalProperties`, `anyOf`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from workbench.errors import InvalidInput

DEEPEST = 200
"""How deep a value from outside may be nested."""

TEST = "test"
"""The parameter every agent has without declaring it; set by the mode of the run, never by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One name the notebook's `parameters` cell declares.

    Attributes:
        name: A Python identifier.
        type: The type as written, or as inferred from the default; `Any` if neither says.
        schema: JSON Schema of one value.
        default: The default, if it is a literal that JSON can hold.
        required: Whether there is no default at all.
        help: The comment behind the assignment.
    """

    name: str
    type: str = "Any"
    schema: Mapping[str, object] = field(default_factory=dict)
    default: object = None
    required: bool = False
    help: str = ""


def from_text(parameters: Sequence[Parameter], given: Mapping[str, str]) -> dict[str, object]:
    """The values that the texts of a query or a command line stand for.

    Numbers and booleans are read by the declared type (`true`, `false`, `1` and `0` are booleans),
    lists and objects as JSON. Whether the values are allowed is `accept`'s business.

    Raises:
        InvalidInput: A name is not declared, or a text cannot be read as its type.
    """
    declared = {p.name: p for p in parameters}
    _refuse_unknown(declared, given)
    return {name: _read(text, declared[name]) for name, text in given.items()}


def accept(parameters: Sequence[Parameter], given: Mapping[str, object]) -> dict[str, object]:
    """The values a run gets: *given*, if every name is declared and none required is missing.

    Whole floats become integers where an integer is declared, as JSON does not tell them apart.

    Raises:
        InvalidInput: A name is not declared, or a required one is missing.
    """
    declared = {p.name: p for p in parameters}
    _refuse_unknown(declared, given)
    missing = [p.name for p in parameters if p.required and p.name not in given]
    if missing:
        raise InvalidInput(
            f"Required: {', '.join(missing)}.", missing=missing, parameters=sorted(declared)
        )
    return {name: _whole(value, declared[name].schema) for name, value in given.items()}


def object_schema(parameters: Sequence[Parameter]) -> dict[str, object]:
    """The JSON Schema of all *parameters* together, as one object."""
    return {
        "type": "object",
        "properties": {p.name: _property(p) for p in parameters},
        "required": [p.name for p in parameters if p.required],
        "additionalProperties": False,
    }


def _property(parameter: Parameter) -> dict[str, object]:
    described = dict(parameter.schema)
    if parameter.help:
        described["description"] = parameter.help
    if not parameter.required and (parameter.default is not None or _allows_null(parameter.schema)):
        described["default"] = parameter.default
    return described


def _allows_null(schema: Mapping[str, object]) -> bool:
    return "null" in _types(schema)


def _refuse_unknown(declared: Mapping[str, Parameter], given: Mapping[str, object]) -> None:
    if TEST in given:
        raise InvalidInput(
            "test is the mode of a run, not a parameter: ask for a test run instead.",
            unknown=[TEST],
        )
    unknown = sorted(set(given) - set(declared))
    if unknown:
        known = ", ".join(declared) or "none"
        raise InvalidInput(
            f"Not a parameter of this agent: {', '.join(unknown)}. It declares: {known}.",
            unknown=unknown,
            parameters=list(declared),
        )


_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


def _read(text: str, parameter: Parameter) -> object:
    try:
        return _parse(text, parameter.schema)
    except ValueError:
        raise InvalidInput(
            f"{parameter.name} must be {parameter.type}, which {text[:80]!r} is not.",
            parameter=parameter.name,
            type=parameter.type,
        ) from None


def _parse(text: str, schema: Mapping[str, object]) -> object:
    choices = schema.get("enum")
    if isinstance(choices, Sequence):
        return next((c for c in choices if text in (c, _spelled(c))), text)
    kinds = _types(schema)
    if not kinds:
        return _json_or_text(text)
    for kind in ("boolean", "integer", "number", "array", "object", "null"):
        # A text that could be a string is one: only a declared null without string reads "null".
        if kind in kinds and not (kind == "null" and "string" in kinds):
            try:
                return _PARSERS[kind](text)
            except ValueError:
                continue
    if "string" in kinds:
        return text
    raise ValueError(text)


def _types(schema: Mapping[str, object]) -> set[str]:
    kind = schema.get("type")
    if isinstance(kind, str):
        return {kind}
    branches = schema.get("anyOf")
    if isinstance(branches, Sequence):
        return set().union(*(_types(branch) for branch in branches))
    return set()


def _boolean(text: str) -> bool:
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise ValueError(text) from None


def _integer(text: str) -> int:
    if not (text.isascii() and text.lstrip("+-").isdecimal()) or len(text) > 400:
        raise ValueError(text)
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or not text.isascii() or "_" in text:
        raise ValueError(text)
    return value


def _json_of(kind: type) -> Callable[[str], object]:
    def parse(text: str) -> object:
        value = load_json(text)
        if not isinstance(value, kind):
            raise ValueError(text)  # noqa: TRY004 - callers tell "not readable" by ValueError alone
        return value

    return parse


def load_json(text: str | bytes) -> object:
    """What *text* says as JSON, strictly.

    No NaN, no Infinity, no number beyond a float, no key twice in one object, no half of a
    surrogate pair, nothing nested deeper than `DEEPEST`: what passes can be kept and sent again.

    Raises:
        ValueError: It is no JSON, or more than that.
    """
    # json itself takes UTF-16, and halves of surrogate pairs, for text.
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig")
    text.encode()
    try:
        value = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_number,
            object_pairs_hook=_refuse_twice,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    _refuse_depth(value)
    if "\\ud" in text.lower():
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _refuse_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key comes twice in one object")
    return found


def _refuse_depth(value: object) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            child
            for outer in level
            for child in (
                outer.values()
                if isinstance(outer, dict)
                else outer
                if isinstance(outer, list)
                else ()
            )
        ]
        if not level:
            return
    raise ValueError(f"nested deeper than {DEEPEST}")


def _refuse_constant(text: str) -> object:
    raise ValueError(f"{text} is not JSON")


def _json_or_text(text: str) -> object:
    try:
        return load_json(text)
    except ValueError:
        return text


_PARSERS: dict[str, Callable[[str], object]] = {
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "array": _json_of(list),
    "object": _json_of(dict),
    "null": _json_of(type(None)),
}


def _spelled(value: object) -> str:
    return json.dumps(value)


def _whole(value: object, schema: Mapping[str, object]) -> object:
    if isinstance(value, float) and value.is_integer():
        kinds = _types(schema)
        if "integer" in kinds and "number" not in kinds:
            return int(value)
    return value
