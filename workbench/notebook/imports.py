"""What a notebook imports, as far as its code says so plainly."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.errors import InvalidAgentConfig
from workbench.notebook.definition import readable
from workbench.notebook.python import read


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A module that a cell cannot do without.

    Attributes:
        name: Its outermost name.
        cell: The index of the cell.
        cell_id: Its id.
        line: The line in the cell, from 1.
    """

    name: str
    cell: int
    cell_id: str
    line: int


def imports(nb: Mapping[str, Any]) -> Iterator[Imported]:
    """The modules *nb* imports, each where it does so first; what is tried for is left out."""
    seen: set[str] = set()
    for index, cell in readable(nb):
        try:
            code = read(cell["source"], cell=index, cell_id=cell["id"])
        except InvalidAgentConfig:
            continue  # what cannot be read is told of by whoever reads it for more than this
        for name, line in _imported(code.tree) if code else ():
            if name not in seen:
                seen.add(name)
                yield Imported(name=name, cell=index, cell_id=cell["id"], line=line)


def _imported(tree: ast.Module) -> Iterator[tuple[str, int]]:
    waiting: deque[ast.AST] = deque([tree])
    while waiting:
        node = waiting.popleft()
        if isinstance(node, ast.Try):
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0], node.lineno
        elif isinstance(node, ast.stmt | ast.Module | ast.ExceptHandler | ast.match_case):
            waiting.extend(ast.iter_child_nodes(node))
