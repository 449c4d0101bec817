"""The tables as they are described are the tables as they are made."""

import duckdb
import pytest

from workbench.errors import HomeUnreadable
from workbench.store.migrations import migrate, migrations
from workbench.store.tables import TABLES, USERS, change_from_json, delete, put


def test_columns_and_keys_are_those_of_the_schema():
    with duckdb.connect(":memory:") as connection:
        migrate(connection)
        columns, keys = {}, {}
        for table in TABLES.values():
            described = connection.execute(f"PRAGMA table_info('{table.name}')").fetchall()
            kinds = {"VARCHAR": "TEXT"}
            columns[table.name] = {row[1]: kinds.get(row[2], row[2]) for row in described}
            keys[table.name] = tuple(row[1] for row in described if row[5])

    assert columns == {name: dict(table.columns) for name, table in TABLES.items()}
    assert keys == {name: table.key for name, table in TABLES.items()}


def test_migrations_are_taken_once_in_the_order_of_their_numbers():
    with duckdb.connect(":memory:") as connection:
        migrate(connection)
        migrate(connection)
        taken = connection.execute("SELECT number FROM schema_migrations").fetchall()

    numbers = [step.number for step in migrations()]
    assert numbers == sorted(set(numbers))
    assert taken == [(step.number,) for step in migrations()]


def test_a_change_comes_back_from_json_as_it_was():
    row = {"name": "ada", "role": "author", "created_at": "2026-11-20T12:00:00"}
    for change in (put(USERS, row), delete(USERS, ("ada",))):
        assert change_from_json(change.as_json()) == change


@pytest.mark.parametrize(
    "value", [["put", "customers", {}], ["drop", "users"], ["delete", "users", "ada"], {}, None]
)
def test_a_change_unknown_here_is_refused(value):
    with pytest.raises(HomeUnreadable):
        change_from_json(value)
