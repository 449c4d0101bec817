"""Which objects the rows speak of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from workbench.store.connection import Query
from workbench.store.run_images import BY_REFERENCE, VALUES
from workbench.store.tables import (
    AGENT_TEXTS,
    AGENTS,
    FORMER_ADDRESSES,
    IDEMPOTENCY_KEYS,
    MODEL_CALLS,
    REVISIONS,
    RUNS,
    TOKENS,
    USERS,
    VERSIONS,
    Table,
)

# In which columns of a table fingerprints of objects stand. A table that is not here would have
# its objects thrown away: a test holds this list and the tables together.
SPEAKING: dict[str, tuple[str, ...]] = {
    USERS.name: (),
    TOKENS.name: (),
    AGENTS.name: ("draft", "published"),
    VERSIONS.name: ("definition",),
    REVISIONS.name: ("definition",),
    AGENT_TEXTS.name: (),
    FORMER_ADDRESSES.name: (),
    RUNS.name: ("fingerprint", *VALUES),
    # The fingerprint of a request is none of an object.
    IDEMPOTENCY_KEYS.name: (),
    # Nor is that of a question to a model.
    MODEL_CALLS.name: (),
}

_MARK = re.compile(r"[0-9a-f]{64}")
_ROWS_AT_ONCE = 2_000


def marks_in(cells: Iterable[object]) -> Iterator[str]:
    """Whatever in *cells* could be the fingerprint of an object."""
    for cell in cells:
        if cell is not None:
            yield from _MARK.findall(str(cell))


def referring(table: Table) -> str:
    """The columns of *table* that fingerprints stand in, as SQL lists them.

    Values in a run's own cells are never objects, however much they look like one.
    """
    return ", ".join(
        f"CASE WHEN substr({c}, 1, 1) = '{BY_REFERENCE}' THEN {c} END" if c in VALUES else c
        for c in SPEAKING[table.name]
    )


def spoken_of(ask: Query, marks: Iterable[str]) -> set[str]:
    """Those of *marks* that some row speaks of."""
    wanted, found = set(marks), set[str]()
    for table in (AGENTS, VERSIONS, REVISIONS):
        for cells in _each(ask, table):
            found.update(wanted.intersection(marks_in(cells)))
    for column in ("fingerprint", *VALUES):
        sql = f"SELECT DISTINCT {column} FROM runs"
        if column in VALUES:
            sql += f" WHERE substr({column}, 1, 1) = '{BY_REFERENCE}'"
        found.update(wanted.intersection(marks_in(cell for (cell,) in ask(sql))))
    return found


def _each(ask: Query, table: Table) -> Iterator[tuple[object, ...]]:
    """The speaking cells of all rows, some at a time: there may be more than fit into memory."""
    width = len(table.key)
    keyed = ", ".join(table.key)
    places = ", ".join(f"${i}" for i in range(1, width + 1))
    sql = f"SELECT {keyed}, {referring(table)} FROM {table.name}"
    end = f" ORDER BY {keyed} LIMIT {_ROWS_AT_ONCE}"
    rows = ask(sql + end)
    while rows:
        for row in rows:
            yield row[width:]
        if len(rows) < _ROWS_AT_ONCE:
            return
        rows = ask(f"{sql} WHERE ({keyed}) > ({places}){end}", *rows[-1][:width])
