"""Type annotations as JSON Schemas, and literals as JSON values.

Only the types that JSON can hold are understood; any other annotation allows any value, because
what an author's own class takes is for the author's own code to say.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Sequence

Schema = dict[str, object]

_NULL: Schema = {"type": "null"}
_MODULES = frozenset(
    {"abc", "builtins", "collections.abc", "t", "typing", "typing_extensions", "collections"}
)
_ARRAY = ("list", "List", "Sequence", "MutableSequence", "Iterable", "Collection", "tuple", "Tuple")
_OBJECT = ("dict", "Dict", "Mapping", "MutableMapping", "OrderedDict")
_PLAIN: dict[str, Schema] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "None": _NULL,
    **{name: {"type": "array"} for name in _ARRAY},
    **{name: {"type": "object"} for name in _OBJECT},
}
_INFERRED: tuple[tuple[type, str], ...] = (
    # A boolean is an int to Python, so it comes first.
    (bool, "bool"),
    (int, "int"),
    (float, "float"),
    (str, "str"),
    (list, "list"),
    (tuple, "tuple"),
    (dict, "dict"),
)


class NotPlain(Exception):
    """An expression that is no literal, or none that JSON can hold."""


def schema_of(annotation: ast.expr) -> Schema:
    """The JSON Schema of the values that *annotation* allows; empty if it does not tell."""
    if isinstance(annotation, ast.Constant):
        return _quoted(annotation.value)
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return _any_of(_alternatives(annotation))
    if isinstance(annotation, ast.Subscript):
        made = _GENERIC.get(_name(annotation.value))
        return made(_arguments(annotation.slice)) if made else {}
    return dict(_PLAIN.get(_name(annotation), {}))


def inferred_type(value: object) -> str:
    """The type that a default speaks for; `Any` where it speaks for none."""
    return next((name for kind, name in _INFERRED if isinstance(value, kind)), "Any")


def literal(expression: ast.expr) -> object:
    """What the literal *expression* says, whether or not JSON can hold it.

    Raises:
        NotPlain: It is no literal.
    """
    try:
        return ast.literal_eval(expression)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        raise NotPlain from None


def as_json(value: object) -> object:
    """*value* as JSON holds it: tuples become lists.

    Raises:
        NotPlain: JSON cannot hold it.
    """
    if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
        raise NotPlain
    if isinstance(value, dict):
        return {as_json(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    try:
        # Half a surrogate pair, an infinity, ten thousand digits: Python has them, JSON does not.
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError):
        raise NotPlain from None
    return value


def _quoted(value: object) -> Schema:
    if value is None:
        return dict(_NULL)
    if not isinstance(value, str):
        return {}
    try:
        return schema_of(ast.parse(value.strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}


def _name(expression: ast.expr) -> str:
    """The last name of *expression*, if the names before it are a module of types."""
    if isinstance(expression, ast.Constant) and expression.value is None:
        return "None"
    if isinstance(expression, ast.Name):
        return expression.id
    if isinstance(expression, ast.Attribute) and _dotted(expression.value) in _MODULES:
        return expression.attr
    return ""


def _dotted(expression: ast.expr) -> str:
    if isinstance(expression, ast.Name):
        return expression.id
    if isinstance(expression, ast.Attribute) and isinstance(expression.value, ast.Name):
        return f"{expression.value.id}.{expression.attr}"
    return ""


def _arguments(index: ast.expr) -> Sequence[ast.expr]:
    return index.elts if isinstance(index, ast.Tuple) else [index]


def _alternatives(union: ast.expr) -> Sequence[ast.expr]:
    """The sides of `A | B | C`, however many: Python nests them to the left."""
    sides: list[ast.expr] = []
    while isinstance(union, ast.BinOp) and isinstance(union.op, ast.BitOr):
        sides.append(union.right)
        union = union.left
    return [union, *reversed(sides)]


def _any_of(alternatives: Sequence[ast.expr]) -> Schema:
    branches: list[Schema] = []
    for alternative in alternatives:
        schema = schema_of(alternative)
        inner = schema.get("anyOf", [schema])
        assert isinstance(inner, list)
        branches += [branch for branch in inner if branch not in branches]
        if {} in branches or len(branches) > _MOST_BRANCHES:
            return {}
    return branches[0] if len(branches) == 1 else {"anyOf": branches}


_MOST_BRANCHES = 50


def _optional(arguments: Sequence[ast.expr]) -> Schema:
    return _any_of([*arguments, ast.Constant(value=None)])


def _first(arguments: Sequence[ast.expr]) -> Schema:
    return schema_of(arguments[0]) if arguments else {}


def _array(arguments: Sequence[ast.expr]) -> Schema:
    items = _first(arguments) if len(arguments) == 1 else {}
    return {"type": "array", "items": items} if items else {"type": "array"}


def _tuple(arguments: Sequence[ast.expr]) -> Schema:
    same = len(arguments) == 2 and _is_ellipsis(arguments[1])
    return _array(arguments[:1]) if same else {"type": "array"}


def _is_ellipsis(expression: ast.expr) -> bool:
    return isinstance(expression, ast.Constant) and expression.value is Ellipsis


def _object(arguments: Sequence[ast.expr]) -> Schema:
    named = len(arguments) == 2 and schema_of(arguments[0]) == _PLAIN["str"]
    values = schema_of(arguments[1]) if named else {}
    return {"type": "object", "additionalProperties": values} if values else {"type": "object"}


def _literal(arguments: Sequence[ast.expr]) -> Schema:
    try:
        choices = [as_json(literal(argument)) for argument in arguments]
    except NotPlain:
        return {}
    return {"enum": choices} if choices else {}


_GENERIC: dict[str, Callable[[Sequence[ast.expr]], Schema]] = {
    **dict.fromkeys(_ARRAY, _array),
    **dict.fromkeys(("tuple", "Tuple"), _tuple),
    **dict.fromkeys(_OBJECT, _object),
    "Annotated": _first,
    "Final": _first,
    "Literal": _literal,
    "Optional": _optional,
    "Union": _any_of,
}
