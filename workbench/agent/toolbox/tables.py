"""Data frames and files of the run's folder, asked by SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from threading import Timer
from typing import Any

from workbench.agent.speech import situation
from workbench.agent.tools import Tool, tool
from workbench.agent.values import InvalidResult, as_json

MOST_ROWS = 100
SECONDS = 30.0


def sql(**frames: Any) -> Sequence[Tool]:
    """A tool for SELECTs over *frames*, by their names, and over files in the run's folder.

    DuckDB answers, which the environment must have. It reads and never writes, reaches no other
    file and no network, and loads no extension.

    Raises:
        ModuleNotFoundError: There is no DuckDB in this environment.
    """
    return asking(frames)


def asking(frames: Mapping[str, Any], *, seconds: float = SECONDS) -> Sequence[Tool]:
    """As `sql`, where a question may take *seconds*.

    Raises:
        ModuleNotFoundError: There is no DuckDB in this environment.
    """
    try:
        # Not by name: nothing here may need it that asks for no SQL.
        duckdb = import_module("duckdb")
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "The tool sql needs the package duckdb, which this environment does not have.",
            name="duckdb",
        ) from None
    database = _confined(duckdb, frames)

    def sql(query: str) -> dict[str, Any]:
        said = duckdb.extract_statements(query)
        if len(said) != 1 or said[0].type != duckdb.StatementType.SELECT:
            raise PermissionError("One SELECT at a time, and nothing else.")
        timer = Timer(seconds, database.interrupt)
        timer.start()
        try:
            found = database.execute(query)
            columns = [column[0] for column in found.description]
            rows = found.fetchmany(MOST_ROWS + 1)
        finally:
            timer.cancel()
        shown = [dict(zip(columns, map(_plain, row), strict=True)) for row in rows[:MOST_ROWS]]
        return {"rows": shown, "more": len(rows) > MOST_ROWS}

    sql.__doc__ = _told(frames)
    return [tool(sql, effects="read")]


def _confined(duckdb: Any, frames: Mapping[str, Any]) -> Any:
    folder = str(situation().folder.resolve())
    config = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    database = duckdb.connect(":memory:", config=config)
    for name, frame in frames.items():
        database.register(name, frame)
    database.execute("SET allowed_directories = $folder", {"folder": [folder]})
    database.execute("SET file_search_path = $folder", {"folder": folder})
    for word in (
        "enable_external_access = false",
        # Variables of the notebook are nobody's tables unless they are given.
        "python_enable_replacements = false",
        "lock_configuration = true",
    ):
        database.execute(f"SET {word}")
    return database


def _told(frames: Mapping[str, Any]) -> str:
    tables = [f"{name} ({_columns(frame)})" for name, frame in frames.items()]
    known = f" Tables: {'; '.join(tables)}." if tables else ""
    return (
        "Ask by one SELECT of DuckDB's SQL; files of the working folder are tables, as in"
        f" FROM 'data.csv'.{known}\n\n"
        f"    Args:\n        query: The SELECT; at most {MOST_ROWS} rows come back.\n"
    )


def _columns(frame: Any) -> str:
    # Told by what it can do: a frame of pandas has names for its kinds.
    kinds: Any = getattr(frame, "dtypes", None)
    pairs = kinds.items() if hasattr(kinds, "items") else ()
    return ", ".join(f"{name} {kind}" for name, kind in pairs)


def _plain(value: object) -> object:
    try:
        return as_json(value)
    except InvalidResult:
        return str(value)
