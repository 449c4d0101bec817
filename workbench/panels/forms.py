"""The form of an agent: one field per parameter that it declares."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets as widgets

from workbench.errors import InvalidInput


class Form:
    """Fields for *parameters*, as the gateway describes them, with their defaults in them.

    Attributes:
        view: The fields, each below its name.
    """

    def __init__(self, parameters: Sequence[Mapping[str, Any]]) -> None:
        self._fields = {p["name"]: _field(p) for p in parameters}
        self._parameters = {p["name"]: p for p in parameters}
        rows = [widgets.VBox([_label(p), self._fields[p["name"]]]) for p in parameters]
        for row in rows:
            row.add_class("wb-field")
        self.view = widgets.VBox(rows or [widgets.HTML("<p>It takes no parameters.</p>")])

    def values(self) -> dict[str, object]:
        """What has been filled in; a field left empty says nothing.

        Raises:
            InvalidInput: A field cannot be read, or one that is required is empty.
        """
        found: dict[str, object] = {}
        for name, field in self._fields.items():
            parameter = self._parameters[name]
            if isinstance(field, _TEXTS) and not field.value.strip():
                if parameter["required"]:
                    raise InvalidInput(f"{name} is required.", parameter=name)
                if parameter["default"] != "" or _kind(parameter) != "string":
                    continue
            found[name] = _read(parameter, field.value)
        return found

    def set(self, name: str, value: object) -> None:
        """Fill in one field."""
        self._fields[name].value = value


_TEXTS = (widgets.Text, widgets.Textarea)


def _kind(parameter: Mapping[str, Any]) -> str:
    schema = parameter["schema"]
    if "enum" in schema:
        return "enum"
    kind = schema.get("type")
    return kind if isinstance(kind, str) and kind in _FIELDS else "any"


def _field(parameter: Mapping[str, Any]) -> Any:
    kind = _kind(parameter)
    default = parameter["default"]
    # A number or a choice that is still to be given must not look as if it were.
    if default is None and kind in ("integer", "number", "enum", "boolean"):
        kind = "any"
    field = _FIELDS[kind](parameter)
    field.add_class("wb-input")
    return field


def _choice(parameter: Mapping[str, Any]) -> Any:
    options = [(str(value), value) for value in parameter["schema"]["enum"]]
    return widgets.Dropdown(options=options, value=parameter["default"])


def _json(parameter: Mapping[str, Any]) -> Any:
    text = "" if parameter["default"] is None else json.dumps(parameter["default"])
    return widgets.Textarea(value=text, placeholder=f"{parameter['type']}, as JSON", rows=2)


_FIELDS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "boolean": lambda p: widgets.Checkbox(value=p["default"], indent=False),
    "integer": lambda p: widgets.IntText(value=p["default"]),
    "number": lambda p: widgets.FloatText(value=p["default"]),
    "string": lambda p: widgets.Text(value=p["default"] or "", continuous_update=True),
    "enum": _choice,
    "any": _json,
}


def _label(parameter: Mapping[str, Any]) -> Any:
    star = ' <b title="required">*</b>' if parameter["required"] else ""
    help_text = f" <span>{escape(str(parameter['help']))}</span>" if parameter["help"] else ""
    label = widgets.HTML(f"<label>{escape(str(parameter['name']))}{star}{help_text}</label>")
    label.add_class("wb-label")
    return label


def _read(parameter: Mapping[str, Any], value: object) -> object:
    if _kind(parameter) == "string" or not isinstance(value, str) or _kind(parameter) == "enum":
        return value
    try:
        return json.loads(value)
    except ValueError:
        name = parameter["name"]
        raise InvalidInput(
            f"{name} cannot be read: write {parameter['type']} as JSON.", parameter=name
        ) from None
