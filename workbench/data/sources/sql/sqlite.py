"""SQLite: the types that its tables declare, for it has none for what is in them."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Mapping
from contextlib import closing
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import FromClause, Select
from sqlalchemy.dialects import sqlite

from workbench.data.sources.declared import Declared
from workbench.data.sources.sql.database_files import DatabaseFile
from workbench.data.sources.sql.protocol import Column, Database
from workbench.data.sources.sql.statements import BATCH, compiled, everything, to_frame

__all__ = ["open_database"]

_DECLARED: tuple[tuple[str, pl.DataType], ...] = (
    ("INT", pl.Int64()),
    ("BOOL", pl.Boolean()),
    ("CHAR", pl.String()),
    ("CLOB", pl.String()),
    ("TEXT", pl.String()),
    ("BLOB", pl.Binary()),
    ("TIMESTAMPTZ", pl.Datetime("us", "UTC")),
    ("TIME ZONE", pl.Datetime("us", "UTC")),
    ("DATETIME", pl.Datetime("us")),
    ("TIMESTAMP", pl.Datetime("us")),
    ("DATE", pl.Date()),
    ("REAL", pl.Float64()),
    ("FLOA", pl.Float64()),
    ("DOUB", pl.Float64()),
    ("NUMERIC", pl.Float64()),
    ("DECIMAL", pl.Float64()),
)
"""What a declared type has in it, and what its values are then; SQLite's own rules first."""

_STORED: dict[str, pl.DataType] = {
    "integer": pl.Int64(),
    "real": pl.Float64(),
    "text": pl.String(),
    "blob": pl.Binary(),
}

_TIMES = (pl.Date, pl.Datetime)

_FLOATS = ("REAL", "FLOA", "DOUB")
"""Declared so, a column has floats alone; else whole numbers too, which may equal no float."""


def open_database(declared: Declared) -> Database:
    """Open `sqlite:///path`."""
    return _Sqlite(DatabaseFile(declared, ("-wal", "-journal")))


class _Sqlite:
    errors = (sqlite3.Error,)

    def __init__(self, file: DatabaseFile) -> None:
        self._file = file
        self._dialect = sqlite.dialect(paramstyle="qmark")

    def columns(self, relation: FromClause) -> dict[str, Column]:
        text, values = compiled(everything(relation), self._dialect)
        with closing(self._connect()) as connection:
            # A view knows what its columns were declared as in the tables that they come from.
            connection.execute(f"CREATE TEMP VIEW workbench_source AS {text}", values)
            rows = connection.execute("PRAGMA temp.table_info(workbench_source)").fetchall()
            return {row[1]: _column(connection, row[1], row[2]) for row in rows}

    def batches(
        self, statement: Select[Any], schema: Mapping[str, Column]
    ) -> Generator[pl.DataFrame]:
        text, values = compiled(statement, self._dialect)
        with closing(self._connect()) as connection:
            cursor = connection.execute(text, values)
            while rows := cursor.fetchmany(BATCH):
                yield to_frame(rows, schema)

    def tables(self) -> list[str]:
        listing = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
        with closing(self._connect()) as connection:
            return [name for (name,) in connection.execute(listing)]

    def mark(self, relation: FromClause) -> str:
        return self._file.mark()

    def written(self) -> datetime:
        return self._file.written()

    def is_missing(self, error: Exception) -> bool:
        return "no such table" in str(error)

    def _connect(self) -> sqlite3.Connection:
        self._file.check()
        address = f"{self._file.path.absolute().as_uri()}?mode=ro"
        # polars asks for batch after batch from whichever of its threads is free, one at a time.
        return sqlite3.connect(address, uri=True, check_same_thread=False)


def _column(connection: sqlite3.Connection, name: str, declared: str) -> Column:
    named = ((word, dtype) for word, dtype in _DECLARED if word in declared.upper())
    word, dtype = next(named, ("", None))
    if dtype is None:  # a computed column, or one that may hold anything: see what it holds
        quoted = '"' + name.replace('"', '""') + '"'
        listing = f"SELECT DISTINCT typeof({quoted}) FROM workbench_source"
        dtype = _common({kind for (kind,) in connection.execute(listing)} - {"null"})
    exact = dtype != pl.Float64 or word in _FLOATS
    return Column(dtype, comparable=exact and not isinstance(dtype, _TIMES))


def _common(kinds: set[str]) -> pl.DataType:
    if not kinds:
        return pl.Null()
    if len(kinds) == 1:
        return _STORED[kinds.pop()]
    return pl.Float64() if kinds == {"integer", "real"} else pl.String()
