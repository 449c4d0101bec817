"""DuckDB as it is used here: locked down, one connection that writes, cursors that read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import duckdb

from workbench.store.tables import check_text

Rows = list[tuple[Any, ...]]

DAMAGE = (
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.IOException,
    duckdb.SerializationException,
    duckdb.ConnectionException,
)

_FULL = ("No space left on device", "File too large", "Disk quota exceeded")

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 2,
    "memory_limit": "1GB",
    # The journal is what must outlive a power cut; flushing the index as well would only make
    # the journal's own flush wait.
    "fsync_mode": "NONE",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_unsigned_extensions": False,
    "python_enable_replacements": False,
}
_LOCK_DOWN = (
    "SET enable_external_access = false",
    "SET GLOBAL TimeZone = 'UTC'",
    "SET allowed_configs = ['max_execution_time']",
    "SET lock_configuration = true",
)


class Query(Protocol):
    """A way to ask the index: SQL with `$1`, and what stands for it."""

    def __call__(self, sql: str, *parameters: object) -> Rows:
        """All rows of the answer."""
        ...


def connect(path: Path) -> duckdb.DuckDBPyConnection:
    """The one connection that writes to the file at *path*, with everything shut that can be.

    Raises:
        duckdb.Error: The file is no database, or a damaged one.
    """
    connection = duckdb.connect(path, config=_CONFIG)
    try:
        for statement in _LOCK_DOWN:
            connection.execute(statement)
        path.chmod(0o600)
    except BaseException:
        connection.close()
        raise
    return connection


def is_damage(error: duckdb.Error) -> bool:
    """Whether *error* says that the database is unusable rather than the statement wrong."""
    # Checksum errors come as the bare base class.
    return isinstance(error, DAMAGE) or type(error) is duckdb.Error


def is_full(error: duckdb.Error) -> bool:
    """Whether *error* says that the disk takes no more, which is no fault of the database."""
    return any(words in str(error) for words in _FULL)


def ask(connection: duckdb.DuckDBPyConnection, sql: str, parameters: tuple[object, ...]) -> Rows:
    """All rows *sql* answers with.

    Raises:
        InvalidRequest: A text among the parameters is none that could be kept.
    """
    for parameter in parameters:
        if isinstance(parameter, str):
            check_text(parameter)
    return connection.execute(sql, list(parameters)).fetchall()


class Gate:
    """Lets many read at a time, or one alone replace what they read from."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._shut = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        """While inside, nobody is alone."""
        with self._changed:
            while self._shut:
                self._changed.wait()
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While inside, nobody else is."""
        with self._changed:
            self._shut = True
            while self._inside:
                self._changed.wait()
        try:
            yield
        finally:
            with self._changed:
                self._shut = False
                self._changed.notify_all()
