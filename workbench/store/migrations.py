"""The history of the index's schema, one numbered SQL file for each step."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources

import duckdb

_HISTORY = (
    "CREATE TABLE IF NOT EXISTS schema_migrations (number INTEGER PRIMARY KEY, checksum TEXT)"
)


class ForeignSchema(Exception):
    """The index went through steps that are unknown here, or other ones of the same number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step of the schema's history."""

    number: int
    sql: str

    @property
    def checksum(self) -> str:
        """What shows that a step taken earlier was this one."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@cache
def migrations() -> tuple[Migration, ...]:
    """Every step, in order."""
    folder = resources.files("workbench.store") / "schema"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return tuple(
        Migration(number=int(file.name.split("_")[0]), sql=file.read_text()) for file in files
    )


def migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Take the steps that the index has not gone through yet.

    Raises:
        ForeignSchema: It went through others than the ones known here.
    """
    connection.execute(_HISTORY)
    taken = dict(connection.execute("SELECT number, checksum FROM schema_migrations").fetchall())
    known = {step.number: step.checksum for step in migrations()}
    if any(known.get(number) != checksum for number, checksum in taken.items()):
        raise ForeignSchema("its schema is not one of this workbench")
    for step in migrations():
        if step.number not in taken:
            _take(connection, step)


def _take(connection: duckdb.DuckDBPyConnection, step: Migration) -> None:
    connection.execute("BEGIN")
    try:
        connection.execute(step.sql)
        connection.execute(
            "INSERT INTO schema_migrations VALUES ($1, $2)", [step.number, step.checksum]
        )
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
