"""Reading the parameters a notebook declares.

The `parameters` cell is read, never run. Every name it assigns to at its outermost level is a
parameter, with the type its author wrote or its default shows, and the comment behind it as help;
whatever else the cell does is the author's business.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workbench.domain.names import is_parameter_name
from workbench.domain.parameters import TEST, Parameter
from workbench.errors import InvalidAgentConfig
from workbench.notebook.annotations import (
    NotPlain,
    Schema,
    as_json,
    inferred_type,
    literal,
    schema_of,
)
from workbench.notebook.assignments import Assignment, assignments
from workbench.notebook.python import MAX_SOURCE, is_python, read
from workbench.notebook.schemas import check_schema, violations
from workbench.notebook.tags import PARAMETERS, cell_tags

MAX_PARAMETERS = 200
_MAX_HELP = 500


def declared(nb: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """The parameters of *nb*, in the order of its `parameters` cell.

    A notebook in another language than Python declares them by `metadata.workbench.input_schema`.

    Raises:
        InvalidAgentConfig: There are two such cells, the cell cannot be read, or a default is
            not of its declared type; the details name the cell and the line.
    """
    index = parameters_cell(nb)
    if not is_python(nb):
        return _of_schema(nb)
    if index is None:
        return ()
    return _Reader(nb["cells"][index], index).read()


def parameters_cell(nb: Mapping[str, Any]) -> int | None:
    """Where the `parameters` cell of *nb* stands; None if there is none.

    Raises:
        InvalidAgentConfig: There are two, or it is no code cell.
    """
    found = [i for i, cell in enumerate(nb["cells"]) if PARAMETERS in cell_tags(cell)]
    if len(found) > 1:
        raise InvalidAgentConfig(
            f"Only one cell can be tagged parameters; cells {found[0]} and {found[1]} are.",
            cell=found[1],
            cell_id=nb["cells"][found[1]]["id"],
        )
    if found and nb["cells"][found[0]]["cell_type"] != "code":
        raise InvalidAgentConfig(
            f"Cell {found[0]} is tagged parameters, so it must be a code cell.",
            cell=found[0],
            cell_id=nb["cells"][found[0]]["id"],
        )
    return found[0] if found else None


class _Reader:
    """One `parameters` cell, while it is read."""

    def __init__(self, cell: Mapping[str, Any], index: int) -> None:
        self._index = index
        self._id = cell["id"]
        source = cell["source"]
        if len(source) > MAX_SOURCE:
            raise self._wrong("is too long to be read", 1)
        code = read(source, cell=index, cell_id=self._id)
        self._assignments = assignments(code) if code else ()

    def read(self) -> tuple[Parameter, ...]:
        """The parameters the cell declares.

        Raises:
            InvalidAgentConfig: One of them cannot be what it is declared to be.
        """
        merged: dict[str, Assignment] = {}
        for assignment in self._assignments:
            if assignment.name == TEST or assignment.name.startswith("_"):
                continue
            if not is_parameter_name(assignment.name):
                raise self._wrong(
                    f"declares {assignment.name!r}: a parameter's name is written in ASCII, "
                    "and a name that is no parameter begins with '_'",
                    assignment.line,
                )
            before = merged.get(assignment.name)
            merged[assignment.name] = _merge(before, assignment) if before else assignment
            if len(merged) > MAX_PARAMETERS:
                raise self._wrong(f"declares more than {MAX_PARAMETERS} names", assignment.line)
        return tuple(self._parameter(assignment) for assignment in merged.values())

    def _parameter(self, assignment: Assignment) -> Parameter:
        schema = _declared_schema(assignment.annotation) if assignment.annotation else {}
        plain = Parameter(
            name=assignment.name,
            type=assignment.type or "Any",
            schema=schema,
            required=not assignment.bound,
            help=assignment.help[:_MAX_HELP],
        )
        if assignment.value is None:
            return plain
        try:
            value = literal(assignment.value)
        except NotPlain:
            return plain
        if not assignment.annotation:
            plain = replace(plain, type=inferred_type(value), schema=_inferred_schema(value))
        try:
            default = as_json(value)
        except NotPlain:
            return plain
        return self._with_default(plain, default, assignment)

    def _with_default(
        self, parameter: Parameter, default: object, assignment: Assignment
    ) -> Parameter:
        wrong = violations(parameter.schema, default)
        if not wrong:
            return replace(parameter, default=default)
        if default is None:
            # `x: int = None` is how many people write `int | None`.
            return replace(parameter, schema=_or_null(parameter.schema))
        raise self._wrong(
            f"gives {parameter.name} a default that is not {parameter.type}: {wrong[0].message}",
            assignment.line,
        )

    def _wrong(self, what: str, line: int) -> InvalidAgentConfig:
        return InvalidAgentConfig(
            f"The parameters cell (cell {self._index}) {what} (line {line}).",
            cell=self._index,
            cell_id=self._id,
            line=line,
        )


def _merge(before: Assignment, after: Assignment) -> Assignment:
    """What two statements say of one name: the last value, and whatever type and help there is."""
    annotated = after if after.annotation else before
    return replace(
        after,
        annotation=annotated.annotation,
        type=annotated.type,
        value=after.value if after.bound else before.value,
        bound=after.bound or before.bound,
        help=after.help or before.help,
    )


def _declared_schema(annotation: ast.expr) -> Schema:
    schema = schema_of(annotation)
    try:
        check_schema(schema, where="the type")
    except InvalidAgentConfig:
        # A type too large to be checked is one that allows any value.
        return {}
    return schema


def _inferred_schema(value: object) -> Schema:
    return schema_of(ast.Name(id=inferred_type(value)))


def _or_null(schema: Mapping[str, object]) -> Schema:
    branches = schema.get("anyOf", [schema])
    assert isinstance(branches, list)
    return {"anyOf": [*branches, {"type": "null"}]}


def _of_schema(nb: Mapping[str, Any]) -> tuple[Parameter, ...]:
    own = nb["metadata"].get("workbench")
    schema = own.get("input_schema") if isinstance(own, Mapping) else None
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(schema, Mapping) or not isinstance(properties, Mapping):
        return ()
    required = schema.get("required")
    wanted = required if isinstance(required, list) else []
    names = [name for name in properties if is_parameter_name(name) and name != TEST]
    return tuple(_of_property(name, properties[name], required=name in wanted) for name in names)


def _of_property(name: str, schema: object, *, required: bool) -> Parameter:
    known = schema if isinstance(schema, Mapping) else {}
    kind, text = known.get("type"), known.get("description")
    return Parameter(
        name=name,
        type=kind if isinstance(kind, str) else "Any",
        schema={key: known[key] for key in _PARAMETER_KEYS if key in known},
        default=known.get("default"),
        required=required,
        help=text[:_MAX_HELP] if isinstance(text, str) else "",
    )


_PARAMETER_KEYS = ("type", "enum", "items", "additionalProperties", "anyOf")
