"""The tables, and the row images that journal and index exchange.

A row image holds only what JSON can: moments are ISO texts in UTC without an offset, structures
are JSON texts. The same image is journaled, indexed, compared and dumped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workbench.errors import HomeUnreadable, InvalidRequest

Cell = str | int | bool | None
Row = dict[str, Cell]
Key = tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One kind of row.

    Attributes:
        name: In the journal and in SQL.
        key: The columns that tell rows apart.
        columns: Each column's SQL type, in order.
    """

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, str]

    @property
    def listed(self) -> str:
        """All columns, as SQL lists them."""
        return ", ".join(self.columns)

    def key_of(self, row: Row) -> Key:
        """What tells *row* from the others."""
        return tuple(row[column] for column in self.key)

    def image(self, values: Sequence[Any]) -> Row:
        """The row image of *values*, which SQL gave in the order of `columns`."""
        return {
            column: value.isoformat() if isinstance(value, datetime) else value
            for column, value in zip(self.columns, values, strict=True)
        }


def _table(name: str, key: str, /, *columns: str) -> Table:
    """A table with these *columns*: names, and behind those that share a type the type."""
    listed: dict[str, str] = {}
    for group in columns:
        *names, kind = group.split()
        listed |= dict.fromkeys(names, kind)
    return Table(name=name, key=tuple(key.split()), columns=listed)


USERS = _table(
    "users",
    "name",
    "name role TEXT",
    "created_at TIMESTAMP",
)
TOKENS = _table(
    "tokens",
    "id",
    "id name user_name digest TEXT",
    "created_at expires_at revoked_at TIMESTAMP",
)
AGENTS = _table(
    "agents",
    "id",
    "id owner name description draft current_version published visibility metadata tags TEXT",
    "created_at updated_at archived_at TIMESTAMP",
)
VERSIONS = _table(
    "versions",
    "agent_id number",
    "agent_id number stage definition changelog published_by TEXT",
    "published_at deprecated_at TIMESTAMP",
    "deprecation_note TEXT",
    "archived_at TIMESTAMP",
)
REVISIONS = _table(
    "revisions",
    "agent_id number",
    "agent_id TEXT",
    "number INTEGER",
    "definition saved_by TEXT",
    "saved_at TIMESTAMP",
)
AGENT_TEXTS = _table(
    "agent_texts",
    "agent_id",
    "agent_id owner draft published TEXT",
)
FORMER_ADDRESSES = _table(
    "former_addresses",
    "owner name",
    "owner name agent_id TEXT",
    "left_at TIMESTAMP",
)
RUNS = _table(
    "runs",
    "id",
    "id agent_id owner agent_name version fingerprint user_name parameters TEXT",
    "test BOOLEAN",
    "status reason result error TEXT",
    "attempt INTEGER",
    "attempts TEXT",
    "due_at TIMESTAMP",
    "boot isolation resource_usage cells TEXT",
    "created_at started_at completed_at TIMESTAMP",
    "model usage effects parent_id TEXT",
)
MODEL_CALLS = _table(
    "model_calls",
    "id",
    "id run_id agent_id owner agent_name version user_name upstream asked used api source TEXT",
    "input_tokens cached_tokens written_tokens output_tokens reasoning_tokens picodollars BIGINT",
    "price_source TEXT",
    "estimated BOOLEAN",
    "microseconds first_microseconds BIGINT",
    "status INTEGER",
    "error TEXT",
    "test BOOLEAN",
    "question TEXT",
    "created_at TIMESTAMP",
)
IDEMPOTENCY_KEYS = _table(
    "idempotency_keys",
    "user_name idempotency_key",
    "user_name idempotency_key fingerprint run_id TEXT",
    "created_at TIMESTAMP",
)

TABLES = {
    t.name: t
    for t in (
        USERS,
        TOKENS,
        AGENTS,
        VERSIONS,
        REVISIONS,
        AGENT_TEXTS,
        FORMER_ADDRESSES,
        RUNS,
        IDEMPOTENCY_KEYS,
        MODEL_CALLS,
    )
}


@dataclass(frozen=True, slots=True)
class Change:
    """One row as it stands from now on.

    Attributes:
        table: The row's kind.
        key: What tells it from the others.
        row: Its image; None if there is no such row any more.
    """

    table: Table
    key: Key
    row: Row | None

    def as_json(self) -> list[object]:
        """The change as the journal writes it."""
        if self.row is None:
            return ["delete", self.table.name, list(self.key)]
        return ["put", self.table.name, self.row]


def check_text(text: str) -> str:
    """*text*, if a database can keep it.

    Raises:
        InvalidRequest: Half a surrogate pair or a NUL is in it.
    """
    # A journaled row that the index then refuses would be refused on every rebuild again.
    if "\0" in text or not _is_unicode(text):
        raise InvalidRequest("A text holds characters that are not Unicode.")
    return text


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def put(table: Table, row: Row) -> Change:
    """The change after which *row* is there, in place of the one with its key.

    Raises:
        InvalidRequest: A text in it is none that could be kept.
    """
    check_text("".join(cell for cell in row.values() if isinstance(cell, str)))
    return Change(table, table.key_of(row), row)


def delete(table: Table, key: Key) -> Change:
    """The change after which there is no row with *key*."""
    return Change(table, key, None)


def change_from_json(value: Any) -> Change:
    """The change that `Change.as_json` wrote.

    Raises:
        HomeUnreadable: It is of a kind or a table unknown here.
    """
    match value:
        case ["put", str(name), dict(row)] if name in TABLES:
            table = TABLES[name]
            return Change(table, table.key_of(row), row)
        case ["delete", str(name), list(key)] if name in TABLES:
            return delete(TABLES[name], tuple(key))
    raise HomeUnreadable(f"The journal holds a change unknown here: {str(value)[:80]}")
