"""The form of an agent as a value: what is to be filled in, what has been, and what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from workbench.errors import InvalidInput
from workbench.panels import wording
from workbench.panels.checks import complaint

Text: TypeAlias = str | bool
"""What stands in a field: what was typed, or whether a box is ticked."""

_LONG = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One parameter as a field.

    Attributes:
        kind: `text`, `long`, `whole`, `number`, `flag`, `choice`, `date`, `lines`, `any` or `json`.
        schema: JSON Schema of one value.
        default: What the author has put in; None if nothing, or nothing that JSON can hold.
    """

    name: str
    kind: str
    schema: Mapping[str, Any]
    default: object = None
    required: bool = False
    help: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form, as far as it has been filled in.

    Attributes:
        texts: What stands in each field, by the name of its parameter.
        touched: The fields somebody has been at; only these complain before the form is sent.
    """

    fields: tuple[Field, ...] = ()
    texts: Mapping[str, Text] = field(default_factory=dict)
    touched: frozenset[str] = frozenset()

    def fill(self, name: str, text: Text) -> Form:
        """The form with *text* in the field *name*."""
        if name not in self.texts:
            return self
        return replace(
            self, texts={**self.texts, name: text}, touched=self.touched | frozenset({name})
        )

    def submitted(self) -> Form:
        """The form once somebody wants to send it: every field may complain."""
        return replace(self, touched=frozenset(self.texts))

    def problems(self) -> dict[str, str]:
        """What is wrong, by field; whether anybody has been there or not."""
        found = {one.name: _problem(one, self.texts[one.name]) for one in self.fields}
        return {name: said for name, said in found.items() if said}

    def values(self) -> dict[str, object]:
        """What has been filled in; a field left empty says nothing.

        Raises:
            InvalidInput: A field cannot be read, or one that is required is empty.
        """
        if wrong := self.problems():
            raise InvalidInput(wording.FIX_FORM, fields=wrong)
        read = {one.name: _read(one, self.texts[one.name]) for one in self.fields}
        return {name: value for name, value in read.items() if value is not _NOTHING}

    def shown(self) -> dict[str, Any]:
        """What the component shows."""
        wrong = self.problems()
        return {
            "fields": [_shown(one, self.texts[one.name]) for one in self.fields],
            "problems": {name: said for name, said in wrong.items() if name in self.touched},
            "empty": wording.NO_PARAMETERS,
        }


def form_of(agent: Mapping[str, Any], given: Mapping[str, object] | None = None) -> Form:
    """The form of *agent*, with its defaults or what was *given* to it before in the fields."""
    properties = agent["input_schema"].get("properties") or {}
    fields = tuple(_field(p, properties.get(p["name"])) for p in agent["parameters"])
    before = given or {}
    texts = {one.name: _spelled(one, before.get(one.name, one.default)) for one in fields}
    return Form(fields=fields, texts=texts)


_NOTHING = object()
_KINDS: Mapping[str, str] = {
    "string": "text",
    "integer": "whole",
    "number": "number",
    "boolean": "flag",
}


def _field(parameter: Mapping[str, Any], said: object) -> Field:
    schema = {**parameter["schema"], **(said if isinstance(said, Mapping) else {})}
    return Field(
        name=parameter["name"],
        kind=_kind(schema, parameter["default"], required=parameter["required"]),
        schema=schema,
        default=parameter["default"],
        required=parameter["required"],
        help=str(parameter["help"] or schema.get("description") or ""),
        type=parameter["type"],
    )


def _kind(schema: Mapping[str, Any], default: object, *, required: bool) -> str:
    if isinstance(schema.get("enum"), Sequence):
        return "choice"
    bare = [one for one in schema.get("anyOf") or [schema] if one.get("type") != "null"]
    if len(bare) != 1:
        return "json"
    only = bare[0]
    if not only.get("type"):
        return "any"
    if only.get("type") == "array" and (only.get("items") or {}).get("type") == "string":
        return "lines"
    kind = _KINDS.get(str(only.get("type")), "json")
    if kind == "flag" and default is None and not required:
        return "json"
    if kind == "text" and only.get("format", schema.get("format")) == "date":
        return "date"
    many = isinstance(default, str) and ("\n" in default or len(default) > _LONG)
    return "long" if kind == "text" and many else kind


def _spelled(one: Field, value: object) -> Text:
    if one.kind == "flag":
        return bool(value)
    if value is None:
        return ""
    if one.kind == "lines" and isinstance(value, list):
        return "\n".join(map(str, value))
    return value if isinstance(value, str) and one.kind != "json" else json.dumps(value)


def _problem(one: Field, text: Text) -> str:
    try:
        value = _read(one, text)
    except ValueError:
        return _UNREADABLE.get(one.kind, "This cannot be read.")
    if value is _NOTHING:
        return wording.required() if one.required else ""
    return complaint(value, one.schema)


_UNREADABLE: Mapping[str, str] = {
    "whole": "This must be a whole number.",
    "number": "This must be a number.",
    "json": "This must be written as JSON.",
    "choice": "Choose one.",
}


def _read(one: Field, text: Text) -> object:
    """The value that *text* stands for, or `_NOTHING`.

    Raises:
        ValueError: It stands for none.
    """
    if isinstance(text, bool):
        return text
    if not text.strip() and not (one.kind in ("text", "long") and one.default):
        return _NOTHING
    return _READERS[one.kind](one, text)


def _choice(one: Field, text: str) -> object:
    for value in one.schema["enum"]:
        if json.dumps(value) == text or value == text:
            return value
    raise ValueError(text)


def _json_or_text(_: Field, text: str) -> object:
    # As the gateway reads a query: who is not told a type need not know of quotation marks.
    try:
        return json.loads(text)
    except ValueError:
        return text


def _number(_: Field, text: str) -> float:
    value = json.loads(text.strip().replace(",", "."))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(text)  # noqa: TRY004 - callers tell "not readable" by ValueError alone
    return value


_READERS: Mapping[str, Callable[[Field, str], object]] = {
    "text": lambda _, text: text,
    "long": lambda _, text: text,
    "date": lambda _, text: text,
    "whole": lambda _, text: int(text),
    "number": _number,
    "choice": _choice,
    "lines": lambda _, text: [line.strip() for line in text.splitlines() if line.strip()],
    "any": _json_or_text,
    "json": lambda _, text: json.loads(text),
}


def _shown(one: Field, text: Text) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": one.name,
        "label": wording.title(one.name),
        "help": one.help,
        "kind": one.kind,
        "required": one.required,
        "text": text,
    }
    if one.kind == "choice":
        first = [] if one.required is False and one.default is not None else [("", "Choose …")]
        shown["options"] = [*first, *((_spelled(one, v), str(v)) for v in one.schema["enum"])]
    if one.kind == "json":
        shown["hint"] = f"{one.type}, as JSON"
    if one.kind == "lines":
        shown["hint"] = "one per line"
    return shown
