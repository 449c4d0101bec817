"""What the outermost level of a cell assigns, and what its author wrote beside it."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from workbench.notebook.python import Code

_MAX_TYPE = 200
_TYPE_COMMENT = re.compile(r"type:\s*(?P<type>[\w.]+(?:\[.*\])?)\s*#?\s*(?P<help>.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What one statement says of one name.

    Attributes:
        name: What is assigned to.
        line: Where in the cell, from 1.
        annotation: The type, before the `=` or in a comment behind it.
        type: The type as it is written.
        value: What is assigned, where that can be seen.
        bound: Whether anything is assigned at all.
        help: The comment behind it, without the type.
    """

    name: str
    line: int
    annotation: ast.expr | None = None
    type: str = ""
    value: ast.expr | None = None
    bound: bool = True
    help: str = ""


def assignments(code: Code) -> Iterator[Assignment]:
    """The assignments of a cell, in their order; what is inside a block or a function is not."""
    lines = code.text.split("\n")
    comments = dict(_comments(code.text))
    body = code.tree.body
    for statement, after in zip_longest(body, body[1:]):
        # Of several statements on a line, the comment belongs to the last.
        shared = after is not None and after.lineno == statement.end_lineno
        comment = "" if shared else _comment(statement, comments)
        yield from _of(statement, comment, lines)


def _of(statement: ast.stmt, comment: str, lines: Sequence[str]) -> Iterator[Assignment]:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
            yield Assignment(
                name=name,
                line=statement.lineno,
                annotation=annotation,
                type=_written(annotation, lines),
                value=value,
                bound=value is not None,
                help=comment,
            )
        case ast.Assign(targets=targets, value=value):
            kind, noted, text = _type_comment(comment)
            for name, part in _targets(targets, value):
                yield Assignment(
                    name=name,
                    line=statement.lineno,
                    annotation=noted,
                    type=kind,
                    value=part,
                    help=text,
                )
        case ast.AugAssign(target=ast.Name(id=name)):
            # What it comes to is known to whoever runs the cell only.
            yield Assignment(name=name, line=statement.lineno)


def _comment(statement: ast.stmt, comments: Mapping[int, str]) -> str:
    last = comments.get(statement.end_lineno or statement.lineno)
    return last if last is not None else comments.get(statement.lineno, "")


def _written(annotation: ast.expr, lines: Sequence[str]) -> str:
    """*annotation* as it stands in the cell, on one line."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value.strip()[:_MAX_TYPE]
    first, last = annotation.lineno - 1, (annotation.end_lineno or annotation.lineno) - 1
    # Python counts columns in bytes.
    written = [line.encode() for line in lines[first : last + 1]]
    written[-1] = written[-1][: annotation.end_col_offset]
    written[0] = written[0][annotation.col_offset :]
    return " ".join(b" ".join(written).decode().split())[:_MAX_TYPE]


def _targets(targets: Sequence[ast.expr], value: ast.expr) -> Iterator[tuple[str, ast.expr | None]]:
    """The names an assignment binds, each with what it is bound to, where that can be seen."""
    for target in targets:
        if isinstance(target, ast.Name):
            yield target.id, value
        elif isinstance(target, ast.Tuple | ast.List):
            names = target.elts
            parts: Sequence[ast.expr | None] = [None] * len(names)
            starred = any(isinstance(name, ast.Starred) for name in names)
            if isinstance(value, ast.Tuple | ast.List) and not starred:
                parts = value.elts
            for name, part in zip(names, parts, strict=False):
                if isinstance(name, ast.Name):
                    yield name.id, part


def _type_comment(comment: str) -> tuple[str, ast.expr | None, str]:
    """The type a comment names, as text and as an expression, and the rest of the comment."""
    found = _TYPE_COMMENT.fullmatch(comment)
    if found is None:
        return "", None, comment
    kind, text = found["type"], found["help"]
    if kind.split("[")[0] == "ignore":
        return "", None, text
    try:
        return kind[:_MAX_TYPE], ast.parse(kind, mode="eval").body, text
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "", None, comment


def _comments(source: str) -> Iterator[tuple[int, str]]:
    """The comments of *source* with the lines they stand on."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string.lstrip("#").strip()
    except (tokenize.TokenError, SyntaxError):
        # The parser took the cell and the tokenizer does not: it has no comments, then.
        return
