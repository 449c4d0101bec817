"""The index: the journal's rows where they can be asked for, in a file that can be thrown away.

It knows how far it has followed the journal. What it has not seen it replays on opening; row
images make that harmless from any earlier point. An index that is missing, damaged or not ours
is set aside and made anew.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import duckdb

from workbench.errors import Unavailable
from workbench.store.connection import Gate, Query, Rows, ask, connect, is_full
from workbench.store.journal import Journal
from workbench.store.migrations import ForeignSchema, migrate
from workbench.store.tables import TABLES, Cell, Change, Key, Row, Table

T = TypeVar("T")

REPLAYED_AT_ONCE = 5_000
"""How many rows a replay takes into one transaction."""
_ROWS_AT_ONCE = 100
"""How many rows go into one statement; for many more DuckDB leaves the key's index aside."""

_log = logging.getLogger("workbench.store")


class Index:
    """The DuckDB file of one home; written by one thread, read through cursors by others."""

    def __init__(
        self,
        path: Path,
        journal: Journal,
        *,
        clock: Callable[[], datetime],
        read_seconds: float = 10.0,
    ) -> None:
        """Open the index at *path*, or make it anew from *journal*.

        Raises:
            HomeUnreadable: The journal is damaged.
            Unavailable: The disk does not take an index.
        """
        self._path = path
        self._journal = journal
        self._clock = clock
        self._read_ms = round(read_seconds * 1000)
        self._gate = Gate()
        self._local = threading.local()
        self._cursors: list[duckdb.DuckDBPyConnection] = []
        self._connection: duckdb.DuckDBPyConnection | None = None
        self.generation = 0
        self.applied = 0
        if path.exists():
            self.reopen()
        else:
            self.make_anew("it was missing" if journal.last else None)

    def query(self, sql: str, *parameters: object) -> Rows:
        """What the writer sees, its own unfinished transaction included."""
        return ask(self._writing, sql, parameters)

    def read(self, question: Callable[[Query], T]) -> T:
        """What *question* makes of the committed rows; for any thread but the writer's."""
        with self._gate.shared():
            cursor = self._cursor()
            return question(lambda sql, *parameters: ask(cursor, sql, parameters))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Whatever is applied inside is kept together, or not at all."""
        self._writing.execute("BEGIN")
        try:
            yield
        except BaseException:
            # A database that is past saving has no transaction left to take back.
            with suppress(duckdb.Error):
                self._writing.execute("ROLLBACK")
            raise
        # A failed COMMIT needs no ROLLBACK.
        self._writing.execute("COMMIT")

    def apply(self, changes: Iterable[Change], *, rows_at_once: int = _ROWS_AT_ONCE) -> None:
        """Make the rows as *changes* say, inside the transaction under way."""
        last = {(change.table.name, change.key): change for change in changes}
        puts: defaultdict[str, list[Row]] = defaultdict(list)
        deletes: defaultdict[str, list[Key]] = defaultdict(list)
        tables: dict[str, Table] = {}
        for change in last.values():
            tables[change.table.name] = change.table
            if change.row is None:
                deletes[change.table.name].append(change.key)
            else:
                puts[change.table.name].append(change.row)
        for name, table in tables.items():
            for keys in _pieces(deletes[name], rows_at_once):
                self._run(_delete_sql(table), table.key, keys)
            for rows in _pieces(puts[name], rows_at_once):
                self._run(_put_sql(table), table.columns, [_cells(table, row) for row in rows])

    def note(self, applied: int) -> None:
        """Remember, inside the transaction under way, that all records up to *applied* are in."""
        self.query("UPDATE meta SET value = $1 WHERE name = 'applied'", str(applied))
        self.applied = applied

    def reopen(self) -> None:
        """Open the file again and replay what it has missed; set it aside if it is unusable.

        Raises:
            HomeUnreadable: The journal is damaged.
            Unavailable: The disk does not take what was missed, or a new index.
        """
        with self._gate.alone():
            try:
                self._close()
                self._open()
            except duckdb.Error as error:
                # An index is not thrown away for want of room: another would need more of it.
                if is_full(error):
                    raise Unavailable("The disk is full.") from error
                why = str(error).splitlines()[0]
            except ForeignSchema as error:
                why = str(error)
            else:
                return
        self.make_anew(why)

    def make_anew(self, why: str | None, *, keep: bool = True) -> None:
        """Make the index from the journal and say *why*; *keep* the old file under another name.

        Raises:
            HomeUnreadable: The journal is damaged.
            Unavailable: The disk does not take an index.
        """
        began = time.monotonic()
        with self._gate.alone():
            self._close()
            try:
                aside = self._set_aside(keep=keep)
                self._open()
            except (duckdb.Error, OSError) as error:
                raise Unavailable(f"The index cannot be made: {error}") from error
        if why is not None:
            _log.warning(
                "The index was made anew from %d journal records in %.1f s because %s%s.",
                self.applied - self._journal.base,
                time.monotonic() - began,
                why,
                f"; the old one is {aside}" if aside else "",
            )

    def every(self) -> Iterator[tuple[Table, list[Row]]]:
        """All rows, table by table in the order of their keys, some at a time."""
        with self._gate.shared(), self._writing.cursor() as cursor:
            for table in TABLES.values():
                keyed = ", ".join(table.key)
                cursor.execute(f"SELECT {table.listed} FROM {table.name} ORDER BY {keyed}")
                while found := cursor.fetchmany(REPLAYED_AT_ONCE):
                    yield table, [table.image(values) for values in found]

    def close(self) -> None:
        """Let go of the file."""
        with self._gate.alone():
            self._close()

    @property
    def _writing(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            raise duckdb.ConnectionException("the index is closed")
        return self._connection

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        generation, cursor = getattr(self._local, "cursor", (-1, None))
        if cursor is None or generation != self.generation:
            cursor = self._writing.cursor()
            cursor.execute(f"SET max_execution_time = {self._read_ms}")
            self._cursors.append(cursor)
            self._local.cursor = self.generation, cursor
        return cursor

    def _open(self) -> None:
        self._connection = connect(self._path)
        self.generation += 1
        self._refuse_foreign()
        migrate(self._writing)
        self._follow()

    def _refuse_foreign(self) -> None:
        tables = self.query(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'"
        )
        if tables and ("schema_migrations",) not in tables:
            raise ForeignSchema("it is a database of something else")

    def _follow(self) -> None:
        """Replay what the journal says and the index has not seen."""
        meta: dict[str, str] = dict(self.query("SELECT name, value FROM meta"))
        if not meta:
            meta = {"journal": self._journal.id, "applied": "0"}
            with self.transaction():
                for name, value in meta.items():
                    self.query("INSERT INTO meta (name, value) VALUES ($1, $2)", name, value)
        self.applied = int(meta["applied"])
        if meta["journal"] != self._journal.id:
            raise ForeignSchema("it belongs to another journal")
        if self.applied > self._journal.last:
            raise ForeignSchema("it is ahead of the journal")
        if 0 < self.applied < self._journal.base:
            raise ForeignSchema("it is older than the journal's snapshot")
        self._replay()

    def _replay(self) -> None:
        waiting: list[Change] = []
        n, fresh, empty = self.applied, True, self.applied == 0
        for record in self._journal.records(after=self.applied):
            if len(waiting) >= REPLAYED_AT_ONCE or (fresh and not record.first):
                self._take_in(waiting, n, fresh=fresh and empty)
                waiting = []
            waiting += record.changes
            n, fresh = record.n, record.first
        if n > self.applied:
            self._take_in(waiting, n, fresh=fresh and empty)

    def _take_in(self, changes: Sequence[Change], applied: int, *, fresh: bool) -> None:
        with self.transaction():
            if fresh:
                self._append(changes)
            else:
                self.apply(changes, rows_at_once=REPLAYED_AT_ONCE)
            self.note(applied)

    def _append(self, changes: Sequence[Change]) -> None:
        """Put in rows that are all new: the one thing here that only DuckDB knows."""
        puts: defaultdict[str, list[list[Cell]]] = defaultdict(list)
        for change in changes:
            if change.row is not None:
                puts[change.table.name].append(_cells(change.table, change.row))
        for name, rows in puts.items():
            appender = self._writing.appender(name, columns=list(TABLES[name].columns))
            appender.append_rows(rows)
            appender.flush()

    def _close(self) -> None:
        connections = [*self._cursors, self._connection]
        self._cursors, self._connection = [], None
        for connection in connections:
            if connection is not None:
                # Closing may try a last checkpoint, and fail for the very reason it is closed.
                with suppress(duckdb.Error):
                    connection.close()

    def _set_aside(self, *, keep: bool) -> str | None:
        stamp = self._clock().strftime("%Y%m%dT%H%M%S%f")
        aside = None
        for path in (self._path, self._path.with_name(self._path.name + ".wal")):
            if path.exists() and keep:
                kept = path.rename(path.with_name(f"{path.name}.set-aside-{stamp}"))
                aside = aside or kept.name
            else:
                path.unlink(missing_ok=True)
        return aside

    def _run(self, sql: str, columns: Iterable[str], rows: Sequence[Sequence[Cell]]) -> None:
        lists = [[_spelled(row[i]) for row in rows] for i, _ in enumerate(columns)]
        self._writing.execute(sql, lists)


def _pieces(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (rows[i : i + size] for i in range(0, len(rows), size))


def _spelled(cell: Cell) -> str | None:
    return None if cell is None else str(cell)


def _cells(table: Table, row: Row) -> list[Cell]:
    # A column that came after the row was journaled is empty in it.
    return [row.get(column) for column in table.columns]


def _put_sql(table: Table) -> str:
    keyed = ", ".join(table.key)
    values = ", ".join(
        f"CAST(unnest(CAST(${i} AS TEXT[])) AS {kind})"
        for i, kind in enumerate(table.columns.values(), start=1)
    )
    others = ", ".join(f"{c} = excluded.{c}" for c in table.columns if c not in table.key)
    return (
        f"INSERT INTO {table.name} ({table.listed}) SELECT {values}"
        f" ON CONFLICT ({keyed}) DO UPDATE SET {others}"
    )


def _delete_sql(table: Table) -> str:
    keyed = ", ".join(table.key)
    keys = ", ".join(
        f"CAST(unnest(CAST(${i} AS TEXT[])) AS {table.columns[column]})"
        for i, column in enumerate(table.key, start=1)
    )
    return f"DELETE FROM {table.name} WHERE ({keyed}) IN (SELECT {keys})"
