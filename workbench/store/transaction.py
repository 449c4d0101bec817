"""What a change with rules to keep sees and does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.store.connection import Rows
from workbench.store.index import Index
from workbench.store.tables import Change, Key, Row, Table, delete, put


class Transaction:
    """One transaction under way, in the writer's thread.

    Attributes:
        changes: All that it has changed, for the journal.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self.changes: list[Change] = []

    def query(self, sql: str, *parameters: object) -> Rows:
        """All rows *sql* answers with, as of this transaction."""
        return self._index.query(sql, *parameters)

    def row(self, table: Table, *key: object) -> Row | None:
        """The row of *table* with *key*, if there is one."""
        conditions = " AND ".join(f"{c} = ${i}" for i, c in enumerate(table.key, start=1))
        rows = self.query(f"SELECT {table.listed} FROM {table.name} WHERE {conditions}", *key)
        return table.image(rows[0]) if rows else None

    def put(self, table: Table, row: Row) -> None:
        """Have *row* in *table*, in place of the one with its key."""
        self._change([put(table, row)])

    def delete(self, table: Table, keys: Iterable[Key]) -> None:
        """Have no row with one of *keys* in *table*."""
        self._change([delete(table, key) for key in keys])

    def _change(self, changes: Sequence[Change]) -> None:
        self._index.apply(changes)
        self.changes += changes
