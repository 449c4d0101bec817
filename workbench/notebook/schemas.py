"""JSON Schemas that authors write, and values held against them.

Both come from people who may mean harm, and one validates in the other's name: nothing is ever
fetched, patterns match in linear time, and a schema must be finite when every `$ref` in it is
written out, so that the work is bounded by its size times the value's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, NoReturn

import jsonschema_rs

from workbench.errors import InvalidAgentConfig

MAX_SCHEMA_BYTES = 64 * 1024
MAX_DEPTH = 64
MAX_SUBSCHEMAS = 10_000
"""How many schemas a schema may hold once every `$ref` is replaced by what it points to."""

_MAX_WORK = 50_000_000
_MAX_MATCHING = 1_100_000
_MAX_EXPLAINED_WORK = 20_000
_MAX_VIOLATIONS = 10
_MAX_MESSAGE = 300
_MAX_REFS = 20
# A pattern takes its own memory and time, however short it is.
_PATTERN_WEIGHT = 500
_PATTERNS = jsonschema_rs.RegexOptions(size_limit=32 * 1024, dfa_size_limit=256 * 1024)

_MOVING = ("$dynamicRef", "$recursiveRef")
# Keywords whose value holds schemas by name, and those whose value is no schema at all.
_NAMED = frozenset(
    {
        "$defs",
        "definitions",
        "dependencies",
        "dependentSchemas",
        "patternProperties",
        "properties",
    }
)
_PLAIN = frozenset({"const", "default", "enum", "examples"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One way in which a value is not what a schema asks for.

    Attributes:
        path: Where in the value, as `rows[3].name`; empty for the value itself.
        message: What is wrong there.
    """

    path: str
    message: str


def check_schema(schema: object, *, where: str) -> None:
    """Refuse *schema* unless values can be held against it safely; *where* names it to its author.

    Raises:
        InvalidAgentConfig: It is no JSON Schema, points outside itself, or is too large.
    """
    if not isinstance(schema, Mapping):
        raise InvalidAgentConfig(f"{where} must be a JSON Schema, an object.", field=where)
    try:
        _compiled(_canonical(schema))
    except _Unfit as error:
        raise InvalidAgentConfig(
            f"{where} is no schema that can be used: {error}.", field=where
        ) from None


def violations(schema: Mapping[str, object], value: object) -> list[Violation]:
    """The first few ways in which *value* is not what *schema* asks for; empty if it is.

    Raises:
        InvalidAgentConfig: The schema would not have passed `check_schema`.
    """
    size = _size(value)
    if size is None:
        return [Violation(path="", message=f"is nested more than {MAX_DEPTH} levels deep")]
    try:
        compiled = _compiled(_canonical(schema))
    except _Unfit as error:
        raise InvalidAgentConfig(f"The schema cannot be used: {error}.") from None
    values, characters = size
    work = values * compiled.weight
    if work > _MAX_WORK or characters * compiled.patterns > _MAX_MATCHING:
        return [Violation(path="", message="is too large to be held against its schema")]
    validator = compiled.validator
    try:
        if validator.is_valid(value):
            return []
        if work <= _MAX_EXPLAINED_WORK:
            return [_violation(e) for e in islice(validator.iter_errors(value), _MAX_VIOLATIONS)]
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        return [_violation(error)]
    except ValueError as error:
        return [Violation(path="", message=f"is not plain JSON: {str(error)[:_MAX_MESSAGE]}")]
    return []


class _Unfit(Exception):
    """A schema that nothing will be held against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compiled:
    validator: jsonschema_rs.Validator
    weight: int
    patterns: int


def _canonical(schema: Mapping[str, object]) -> str:
    try:
        text = json.dumps(schema, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise _Unfit(f"it is not plain JSON: {str(error)[:200]}") from None
    if len(text) > MAX_SCHEMA_BYTES:
        raise _Unfit(f"it is {len(text):,} bytes long, {MAX_SCHEMA_BYTES:,} are allowed")
    return text


@lru_cache(maxsize=64)
def _compiled(text: str) -> _Compiled:
    schema = json.loads(text)
    if _size(schema) is None:
        raise _Unfit(f"it is nested more than {MAX_DEPTH} levels deep")
    try:
        weight = _Expansion(schema).weight(schema)
    except RecursionError:
        raise _Unfit("its $refs are nested too deeply") from None
    try:
        validator = jsonschema_rs.validator_for(
            schema, retriever=_deny, pattern_options=_PATTERNS, mask="it"
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise _Unfit(_first_line(error)) from None
    patterns = weight // _PATTERN_WEIGHT if '"pattern' in text else 0
    return _Compiled(validator=validator, weight=weight, patterns=patterns)


def _first_line(error: Exception) -> str:
    lines = str(getattr(error, "message", error)).splitlines() or [type(error).__name__]
    line = lines[0][:_MAX_MESSAGE]
    if line.endswith('not a "regex"'):
        line = "look-around, back-references and large repetitions are not supported"
    path = _path(getattr(error, "instance_path", []))
    return f"{path}: {line}" if path else line


def _deny(uri: str) -> NoReturn:
    raise ValueError(f"{uri[:80]} is outside the schema")


class _Expansion:
    """How large a schema is when every `$ref` is replaced by what it points to."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._weights: dict[str, int] = {}
        self._open: list[str] = []

    def weight(self, schema: object) -> int:
        """The number of schemas in *schema*, written out, a pattern counting for many.

        Raises:
            _Unfit: It has no end, or is too large, or points where it must not.
        """
        if isinstance(schema, list):
            return sum(map(self.weight, schema))
        if not isinstance(schema, dict):
            return 0
        self._check_address(schema)
        ref, patterns = schema.get("$ref"), schema.get("patternProperties", ())
        total = 1 + (self._referred(ref) if isinstance(ref, str) else 0)
        total += _PATTERN_WEIGHT * (("pattern" in schema) + len(patterns))
        for key, value in schema.items():
            if key in _PLAIN:
                total += (_size(value) or (0, 0))[0]
            elif key in _NAMED and isinstance(value, dict):
                total += sum(map(self.weight, value.values()))
            else:
                total += self.weight(value)
        if total > MAX_SUBSCHEMAS:
            raise _Unfit(f"written out, it is larger than {MAX_SUBSCHEMAS:,} plain schemas")
        return total

    def _check_address(self, schema: Mapping[str, Any]) -> None:
        if schema is not self._root and isinstance(schema.get("$id", schema.get("id")), str):
            raise _Unfit("only the outermost schema may have an $id")
        moving = [key for key in _MOVING if isinstance(schema.get(key), str)]
        if moving:
            raise _Unfit(f"{moving[0]} is not supported")

    def _referred(self, ref: str) -> int:
        if ref in self._open or ref == "#":
            raise _Unfit(f"$ref {ref[:80]!r} leads back to itself")
        if len(self._open) >= _MAX_REFS:
            raise _Unfit(f"more than {_MAX_REFS} $refs lead to one another")
        if ref not in self._weights:
            self._open.append(ref)
            self._weights[ref] = self.weight(self._target(ref))
            self._open.pop()
        return self._weights[ref]

    def _target(self, ref: str) -> object:
        if not ref.startswith("#/"):
            raise _Unfit(f"$ref {ref[:80]!r} must begin with '#/': nothing is fetched")
        found: object = self._root
        for part in ref[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and key.isdecimal() and int(key) < len(found):
                found = found[int(key)]
            elif isinstance(found, dict) and key in found:
                found = found[key]
            else:
                raise _Unfit(f"$ref {ref[:80]!r} points to nothing")
        return found


def _size(value: object) -> tuple[int, int] | None:
    """How many values and characters *value* holds; None if it is nested too deeply to look."""
    level: list[Any] = [value]
    values = characters = 0
    for _ in range(MAX_DEPTH):
        values += len(level)
        characters += sum(len(item) for item in level if isinstance(item, str))
        containers = [item for item in level if isinstance(item, Mapping | list | tuple)]
        if not containers:
            return values, characters
        level = [
            item
            for container in containers
            for item in (container.values() if isinstance(container, Mapping) else container)
        ]
    return None


def _violation(error: jsonschema_rs.ValidationError) -> Violation:
    return Violation(path=_path(error.instance_path), message=error.message[:_MAX_MESSAGE])


def _path(parts: list[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".")[:_MAX_MESSAGE]
