"""A draft put together from a plan and cells: whoever wrote the cells never wrote the document.

The title, the parameters, the cases and everything the notebook says of itself come from the plan;
cells are sources, each of a kind. They keep their ids while others are put between them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from workbench.domain.plans import Plan, PlannedParameter, case_as_json
from workbench.notebook.document import NotebookNode, code_cell, markdown_cell
from workbench.notebook.starters import agent_notebook
from workbench.notebook.tags import CHECK, PARAMETERS

KINDS = ("code", "markdown", "check")
"""What a cell can be; a `check` runs in test runs only."""
ACTIONS = ("replace", "insert_after", "delete")
MOST_CELLS = 60
LONGEST_CELL = 20_000
TITLE = "title"
_OURS = frozenset({TITLE, PARAMETERS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell as it was written."""

    id: str
    kind: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change to the cells.

    Attributes:
        action: One of `ACTIONS`.
        id: The cell it is done to; `parameters` is where the first one stands behind.
        kind: What the cell shall be; nothing for one that goes.
        source: What shall stand in it.
    """

    action: str
    id: str
    kind: str = "code"
    source: str = ""


def numbered(written: Sequence[tuple[str, str]]) -> tuple[Cell, ...]:
    """Cells of these kinds and sources, with an id each.

    Raises:
        ValueError: One cannot be a cell, or there are too many; the message says which.
    """
    cells = tuple(
        Cell(id=f"cell-{number}", kind=kind, source=_source(source, f"cell {number}"))
        for number, (kind, source) in enumerate(written, 1)
    )
    return _checked(cells)


def edited(cells: Sequence[Cell], edits: Sequence[Edit]) -> tuple[Cell, ...]:
    """*cells* after *edits*, done one after the other.

    Raises:
        ValueError: One speaks of a cell that is not there; the message says which are.
    """
    found = list(cells)
    fresh = count(1 + max((int(cell.id.rpartition("-")[2]) for cell in cells), default=0))
    for edit in edits:
        if edit.action not in ACTIONS:
            raise ValueError(f"an edit's action is one of {', '.join(ACTIONS)}")
        ids = [cell.id for cell in found]
        if edit.action == "insert_after" and edit.id in _OURS:
            place = -1
        elif edit.id in ids:
            place = ids.index(edit.id)
        else:
            raise ValueError(f"there is no cell {edit.id[:40]!r}; there are {', '.join(ids)}")
        if edit.action == "delete":
            del found[place]
            continue
        source = _source(edit.source, f"the edit of {edit.id}")
        if edit.action == "replace":
            found[place] = Cell(id=edit.id, kind=edit.kind, source=source)
        else:
            cell = Cell(id=f"cell-{next(fresh)}", kind=edit.kind, source=source)
            found.insert(place + 1, cell)
    return _checked(tuple(found))


def assembled(plan: Plan, cells: Sequence[Cell], provenance: Mapping[str, object]) -> NotebookNode:
    """The notebook of *plan* and *cells* that says where it comes from."""
    lines = [_line(parameter) for parameter in plan.parameters]
    made = [
        markdown_cell(f"# {plan.title}\n\n{plan.description}", id=TITLE),
        code_cell("\n".join([*lines, "test: bool = False"]), id=PARAMETERS, tags=[PARAMETERS]),
    ]
    for cell in cells:
        if cell.kind == "markdown":
            made.append(markdown_cell(cell.source, id=cell.id))
        else:
            tags = [CHECK] if cell.kind == CHECK else []
            made.append(code_cell(cell.source, id=cell.id, tags=tags))
    said: dict[str, object] = {
        "description": plan.description,
        "generated": {**provenance, "result": plan.result},
    }
    if plan.cases:
        said["cases"] = [case_as_json(case) for case in plan.cases]
    return agent_notebook(made, said)


def _line(parameter: PlannedParameter) -> str:
    """The line of the `parameters` cell that declares it."""
    value = "" if parameter.required else f" = {parameter.default!r}"
    comment = f"  # {parameter.help}" if parameter.help else ""
    return f"{parameter.name}: {parameter.type}{value}{comment}"


def _source(source: str, what: str) -> str:
    """*source* without the fence that models like to put around code."""
    if len(source) > LONGEST_CELL:
        raise ValueError(f"{what} is longer than {LONGEST_CELL:,} letters")
    try:
        source.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{what} holds half a character") from None
    fenced = re.fullmatch(r"\s*```(?:python|py)?\n(.*?)\n?```\s*", source, re.DOTALL)
    return (fenced[1] if fenced else source).strip("\n").replace("\0", "")


def _checked(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    if not 0 < len(cells) <= MOST_CELLS:
        raise ValueError(f"a notebook has 1 to {MOST_CELLS} cells, not {len(cells)}")
    strange = [cell.kind for cell in cells if cell.kind not in KINDS]
    if strange:
        raise ValueError(f"a cell is one of {', '.join(KINDS)}, not {json.dumps(strange[0])[:40]}")
    return cells
