"""The formats notebooks come in, and what nbformat's schema says of them.

Everything here works on plain JSON values that came from outside: nothing may be taken for
granted before `check_format` has seen it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs
from nbformat.notebooknode import from_dict

from workbench.errors import InvalidAgentConfig
from workbench.notebook.quiet import quietly

MAX_CELLS = 10_000
_MINOR = 5

# What a cell means that does not say so: people and programs that write notebooks by hand
# leave these out, and every reader but the schema knows what they meant.
_UNSAID: dict[str, dict[str, Any]] = {
    "code": {"metadata": {}, "outputs": [], "execution_count": None},
    "markdown": {"metadata": {}},
    "raw": {"metadata": {}},
}
_NO_ID = "00000000"


def modernized(raw: dict[str, Any]) -> dict[str, Any]:
    """*raw* as nbformat 4.5, if it is any format that can be read as one.

    Raises:
        InvalidAgentConfig: It names no format, an unknown one, or breaks its own.
    """
    major = _major(raw)
    if major < 4:
        raw = _upgraded(raw, major)
    cells = raw.get("cells")
    if not isinstance(cells, list):
        raise InvalidAgentConfig("The notebook has no list of cells.", field="cells")
    _check_count(len(cells))
    if major < 4:
        cells = [_without_id(cell) for cell in cells]
    return {
        "metadata": {},
        **raw,
        "nbformat": 4,
        "nbformat_minor": _MINOR,
        "cells": [_completed(cell) for cell in cells],
    }


def check_format(document: Mapping[str, Any]) -> None:
    """Refuse *document* unless nbformat's own schema takes it.

    Raises:
        InvalidAgentConfig: It breaks the schema; the message says in which cell and how.
    """
    for index, cell in enumerate(document["cells"]):
        kind = cell.get("cell_type") if isinstance(cell, dict) else None
        if not isinstance(kind, str) or kind not in _UNSAID:
            raise InvalidAgentConfig(
                f"Cell {index} must be an object whose cell_type is code, markdown or raw.",
                cell=index,
            )
        # An id that is missing is made up later; the schema asks for one.
        _check(_cell_validators()[kind], {"id": _NO_ID, **cell}, f"Cell {index}", cell=index)
    _check(_notebook_validator(), {**document, "cells": []}, "The notebook")


def _major(raw: Mapping[str, Any]) -> int:
    major, minor = raw.get("nbformat"), raw.get("nbformat_minor", 0)
    if type(major) is not int or type(minor) is not int:
        raise InvalidAgentConfig(
            "The notebook must say its format: nbformat and nbformat_minor, whole numbers.",
            field="nbformat",
        )
    if not 1 <= major <= 4:
        raise InvalidAgentConfig(
            f"The notebook is of nbformat {str(major)[:20]}; formats up to 4 can be read.",
            field="nbformat",
        )
    return major


def _check_count(cells: int) -> None:
    if cells > MAX_CELLS:
        raise InvalidAgentConfig(
            f"The notebook has {cells:,} cells; {MAX_CELLS:,} are allowed.",
            cells=cells,
            allowed=MAX_CELLS,
        )


def _completed(cell: object) -> object:
    if not isinstance(cell, dict):
        return cell
    kind = cell.get("cell_type")
    return {**_UNSAID[kind], **cell} if isinstance(kind, str) and kind in _UNSAID else cell


def _without_id(cell: object) -> object:
    return {k: v for k, v in cell.items() if k != "id"} if isinstance(cell, dict) else cell


def _upgraded(raw: dict[str, Any], major: int) -> dict[str, Any]:
    """*raw*, of format 1 to 3, as nbformat's own converter sees it."""
    # Weight: the converters of formats that went out of use in 2015.
    from nbformat.converter import convert

    sheets = raw.get("worksheets")
    holders = [raw, *sheets] if isinstance(sheets, list) else [raw]
    lists = [holder.get("cells") for holder in holders if isinstance(holder, dict)]
    _check_count(sum(len(cells) for cells in lists if isinstance(cells, list)))
    try:
        if major == 3:
            _check(_old_validator(), raw, "The notebook")
        old = from_dict(raw)  # type: ignore[no-untyped-call]
        with quietly():
            return dict(convert(old, 4))  # type: ignore[no-untyped-call]
    except InvalidAgentConfig:
        raise
    except Exception as error:  # noqa: BLE001 - the converters take every document for a good one
        raise InvalidAgentConfig(
            f"The notebook is of nbformat {major} and cannot be upgraded: "
            f"{type(error).__name__}: {str(error)[:200]}."
        ) from None


def _check(validator: jsonschema_rs.Validator, value: object, what: str, **details: object) -> None:
    if validator.is_valid(value):
        return
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        parts, message = _innermost(error)
        path = ".".join(map(str, parts))
        place = f"{what}: {path[:300]}" if path else what
        raise InvalidAgentConfig(
            f"{place} breaks the notebook format: {message[:300]}.",
            **details,
            path=path[:300],
        ) from None


def _innermost(error: jsonschema_rs.ValidationError) -> tuple[list[str | int], str]:
    """Where and what is wrong, looked up in the kind of output that was meant."""
    for branch in getattr(error.kind, "context", ()):
        if branch and not any("output_type" in inner.instance_path for inner in branch):
            return list(branch[0].instance_path), branch[0].message
    return list(error.instance_path), error.message


@cache
def _cell_validators() -> dict[str, jsonschema_rs.Validator]:
    schema = _schema("v4", "nbformat.v4.5.schema.json")
    return {
        kind: jsonschema_rs.validator_for(
            {**_named(schema), "$ref": f"#/definitions/{kind}_cell"}, mask="this value"
        )
        for kind in _UNSAID
    }


@cache
def _notebook_validator() -> jsonschema_rs.Validator:
    schema = _schema("v4", "nbformat.v4.5.schema.json")
    return jsonschema_rs.validator_for(schema, mask="this value")


@cache
def _old_validator() -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(_schema("v3", "nbformat.v3.schema.json"), mask="this value")


def _schema(version: str, name: str) -> dict[str, Any]:
    schema = json.loads(files("nbformat").joinpath(version, name).read_text("utf-8"))
    assert isinstance(schema, dict)
    return schema


def _named(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"$schema": schema["$schema"], "definitions": schema["definitions"]}
