"""Whether a value is what a schema asks for, said while somebody types.

This covers what a form can show next to a field. The gateway judges every value again and by all
of JSON Schema; a `pattern` is left to it altogether, because Python's own matching can be kept busy
for ever by one that its author did not think through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
_NAMES: Mapping[str, str] = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "yes or no",
    "array": "a list",
    "object": "an object",
    "null": "nothing",
}


def complaint(value: object, schema: Schema) -> str:
    """The first thing that is wrong with *value*, in words for people; empty if nothing is."""
    branches = schema.get("anyOf")
    if isinstance(branches, list) and branches:
        complaints = [complaint(value, branch) for branch in branches]
        return "" if "" in complaints else complaints[0]
    if (said := _type_complaint(value, schema.get("type"))) != "":
        return said
    for word, check in _CHECKS.items():
        if word in schema and (said := check(value, schema[word])):
            return said
    return _item_complaint(value, schema.get("items"))


def _type_complaint(value: object, wanted: object) -> str:
    kinds = [wanted] if isinstance(wanted, str) else wanted if isinstance(wanted, list) else []
    known = [kind for kind in kinds if kind in _TYPES]
    if not known or any(_is(value, kind) for kind in known):
        return ""
    return f"This must be {' or '.join(_NAMES[kind] for kind in known)}."


def _is(value: object, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[kind])


def _item_complaint(value: object, items: object) -> str:
    if not (isinstance(value, list) and isinstance(items, Mapping)):
        return ""
    for number, item in enumerate(value, 1):
        if said := complaint(item, items):
            return f"Item {number}: {said[:1].lower()}{said[1:]}"
    return ""


def _bound(holds: Callable[[Any, Any], bool], words: str) -> Callable[[Any, Any], str]:
    def check(value: Any, bound: Any) -> str:
        numbers = _is(value, "number") and _is(bound, "number")
        return "" if not numbers or holds(value, bound) else f"This must be {words} {bound:g}."

    return check


def _length(
    kind: type[str | list[Any]], holds: Callable[[int, int], bool], words: str
) -> Callable[[Any, Any], str]:
    def check(value: Any, bound: Any) -> str:
        if not isinstance(value, kind) or holds(len(value), bound):
            return ""
        return f"{words.format(bound)}."

    return check


def _one_of(value: object, choices: Any) -> str:
    return "" if value in choices else f"Choose one of {', '.join(map(str, choices))}."


_CHECKS: Mapping[str, Callable[[Any, Any], str]] = {
    "enum": _one_of,
    "minimum": _bound(lambda v, b: v >= b, "at least"),
    "maximum": _bound(lambda v, b: v <= b, "at most"),
    "exclusiveMinimum": _bound(lambda v, b: v > b, "more than"),
    "exclusiveMaximum": _bound(lambda v, b: v < b, "less than"),
    "multipleOf": _bound(lambda v, b: not v % b, "a multiple of"),
    "minLength": _length(str, lambda n, b: n >= b, "Write at least {} letters"),
    "maxLength": _length(str, lambda n, b: n <= b, "Write at most {} letters"),
    "minItems": _length(list, lambda n, b: n >= b, "Give at least {}"),
    "maxItems": _length(list, lambda n, b: n <= b, "Give at most {}"),
}
