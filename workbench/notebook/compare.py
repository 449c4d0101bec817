"""Two states of a notebook, cell by cell.

Cells are the same cell if they have the same id; a cell has moved if it does not stand in the
longest row of cells that kept their order. Everything here takes time in proportion to the
notebooks, or says that it would take too long.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workbench.domain.definitions import Definition
from workbench.notebook.lines import CAME, WENT, Effort, Line, changed_lines, whole

ADDED, REMOVED, CHANGED, MOVED = "added", "removed", "changed", "moved"

TOO_LARGE = "too large to compare line by line"

# Told apart from the notebook's own words on them.
_SCHEMAS = ("input_schema", "output_schema")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two states.

    Attributes:
        label: What it is called: a number, or `draft`.
        notebook: As it is kept.
        definition: What it declares.
    """

    label: str
    notebook: Mapping[str, Any]
    definition: Definition


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that is different.

    Attributes:
        path: Where: a name, or names behind slashes.
        change: `added`, `removed` or `changed`.
        before: The value; None where there was none.
        after: The value; None where there is none any more.
    """

    path: str
    change: str
    before: object = None
    after: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellChange:
    """One cell that is different.

    Attributes:
        id: The cell's.
        change: `added`, `removed`, `changed`, or `moved` if nothing else is different.
        moved: Whether it stands elsewhere among the others.
        cell_type: As it is now, or was last.
        before_index: Where it stood, from 0.
        after_index: Where it stands, from 0.
        lines: What is different in its source.
        note: Why there are no lines though the source is different.
        metadata: What else of it is different: tags, metadata, type.
    """

    id: str
    change: str
    moved: bool
    cell_type: str
    before_index: int | None
    after_index: int | None
    lines: Sequence[Line] = ()
    note: str = ""
    metadata: Sequence[Change] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All that is different between two states.

    Attributes:
        before: What the first is called.
        after: What the second is called.
        cells: In the order of the second; what was removed stands where it stood.
        unchanged: How many cells are the same and where they were.
        parameters: By name.
        input_schema: By path.
        output_schema: By path.
        metadata: What the notebook says of itself besides that, by path.
        files: By path.
    """

    before: str
    after: str
    cells: Sequence[CellChange]
    unchanged: int
    parameters: Sequence[Change]
    input_schema: Sequence[Change]
    output_schema: Sequence[Change]
    metadata: Sequence[Change]
    files: Sequence[Change]

    @property
    def same(self) -> bool:
        """Whether nothing is different."""
        parts = (self.cells, self.parameters, *self._schemas, self.metadata, self.files)
        return not any(parts)

    @property
    def _schemas(self) -> tuple[Sequence[Change], ...]:
        return self.input_schema, self.output_schema

    def ids(self, change: str) -> list[str]:
        """The ids of the cells that were added, removed, changed or moved."""
        if change == MOVED:
            return [cell.id for cell in self.cells if cell.moved]
        return [cell.id for cell in self.cells if cell.change == change]

    def as_json(self) -> dict[str, Any]:
        """The comparison as plain JSON values."""
        told = asdict(self)
        return {
            "from": told.pop("before"),
            "to": told.pop("after"),
            "same": self.same,
            **{change: self.ids(change) for change in (ADDED, REMOVED, CHANGED, MOVED)},
            **told,
        }


def compare(before: Side, after: Side) -> Comparison:
    """All that is different between *before* and *after*."""
    cells, unchanged = _cells(before.notebook["cells"], after.notebook["cells"])
    one, other = before.definition, after.definition
    return Comparison(
        before=before.label,
        after=after.label,
        cells=cells,
        unchanged=unchanged,
        parameters=_by_name(
            {p.name: asdict(p) for p in one.parameters},
            {p.name: asdict(p) for p in other.parameters},
        ),
        input_schema=list(_differences(one.input_schema, other.input_schema)),
        output_schema=list(_differences(one.output_schema, other.output_schema)),
        metadata=list(_differences(_said(before.notebook), _said(after.notebook))),
        files=_by_name(_files(one), _files(other)),
    )


def changed_cells(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> list[CellChange]:
    """The cells that are different, in the order of *after*."""
    return _cells(before, after)[0]


def _cells(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> tuple[list[CellChange], int]:
    stood = {cell["id"]: index for index, cell in enumerate(before)}
    stands = {cell["id"]: index for index, cell in enumerate(after)}
    common = [cell["id"] for cell in after if cell["id"] in stood]
    stayed = _longest_rising([stood[id] for id in common])
    removed = _removed(before, stands)
    effort = Effort()
    changes = removed.pop(None, [])
    unchanged = 0
    for index, cell in enumerate(after):
        id = cell["id"]
        if id not in stood:
            changes.append(_alone(cell, ADDED, index))
            continue
        change = _pair(before[stood[id]], cell, stood[id], index, stood[id] not in stayed, effort)
        unchanged += change is None
        changes += [] if change is None else [change]
        changes += removed.pop(id, [])
    return changes, unchanged


def _removed(
    before: Sequence[Mapping[str, Any]], stands: Mapping[str, int]
) -> defaultdict[str | None, list[CellChange]]:
    """The cells that are gone, by the id of the cell they stood behind."""
    removed: defaultdict[str | None, list[CellChange]] = defaultdict(list)
    anchor: str | None = None
    for index, cell in enumerate(before):
        if cell["id"] in stands:
            anchor = cell["id"]
        else:
            removed[anchor].append(_alone(cell, REMOVED, index))
    return removed


def _alone(cell: Mapping[str, Any], change: str, index: int) -> CellChange:
    added = change == ADDED
    return CellChange(
        id=cell["id"],
        change=change,
        moved=False,
        cell_type=cell["cell_type"],
        before_index=None if added else index,
        after_index=index if added else None,
        lines=whole(cell["source"], CAME if added else WENT),
    )


def _pair(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    stood: int,
    stands: int,
    moved: bool,
    effort: Effort,
) -> CellChange | None:
    lines: Sequence[Line] | None = ()
    note = ""
    if before["source"] != after["source"]:
        lines = changed_lines(before["source"], after["source"], effort)
        if lines is None:
            note = TOO_LARGE
        elif not lines:
            note = "only the ends of lines differ"
    metadata = list(_differences(_about(before), _about(after)))
    changed = bool(lines or note or metadata)
    if not (changed or moved):
        return None
    return CellChange(
        id=after["id"],
        change=CHANGED if changed else MOVED,
        moved=moved,
        cell_type=after["cell_type"],
        before_index=stood,
        after_index=stands,
        lines=lines or (),
        note=note,
        metadata=metadata,
    )


def _about(cell: Mapping[str, Any]) -> dict[str, Any]:
    return {**cell["metadata"], "cell_type": cell["cell_type"]}


def _said(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """What a notebook says of the agent it is and of the kernel it wants."""
    metadata = notebook["metadata"]
    own = {k: v for k, v in metadata.get("workbench", {}).items() if k not in _SCHEMAS}
    return {"workbench": own, "kernelspec": metadata.get("kernelspec", {})}


def _files(definition: Definition) -> dict[str, Any]:
    return {f.path: {"size": f.size, "fingerprint": f.fingerprint} for f in definition.files}


def _by_name(before: Mapping[str, object], after: Mapping[str, object]) -> list[Change]:
    names = dict.fromkeys((*before, *after))
    return [change for name in names if (change := _change(name, name, before, after))]


def _differences(before: object, after: object, path: str = "") -> Iterator[Change]:
    """What is different between two JSON values, as deep down as objects go."""
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        found = _change(path or "/", "", {"": before}, {"": after})
        if found:
            yield found
        return
    for name in dict.fromkeys((*before, *after)):
        inner = f"{path}/{str(name).replace('~', '~0').replace('/', '~1')}"
        one, other = before.get(name), after.get(name)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _differences(one, other, inner)
        elif found := _change(inner, name, before, after):
            yield found


def _change(
    path: str, name: str, before: Mapping[str, object], after: Mapping[str, object]
) -> Change | None:
    if name not in before:
        return Change(path=path, change=ADDED, after=after[name])
    if name not in after:
        return Change(path=path, change=REMOVED, before=before[name])
    # As text: Python takes 1, 1.0 and True for the same.
    if _text(before[name]) == _text(after[name]):
        return None
    return Change(path=path, change=CHANGED, before=before[name], after=after[name])


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _longest_rising(numbers: Sequence[int]) -> set[int]:
    """The members of one longest rising row among different *numbers*."""
    ends: list[int] = []  # of the best row of each length
    behind: dict[int, int | None] = {}
    for number in numbers:
        place = bisect_left(ends, number)
        behind[number] = ends[place - 1] if place else None
        ends[place : place + 1] = [number]
    members: set[int] = set()
    number_or_none = ends[-1] if ends else None
    while number_or_none is not None:
        members.add(number_or_none)
        number_or_none = behind[number_or_none]
    return members
