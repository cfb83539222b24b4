"""DuckDB: rows come as Arrow."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl
from sqlalchemy import FromClause, Select
from sqlalchemy.dialects import postgresql

from workbench.data.sources.declared import Declared
from workbench.data.sources.sql.arrow import arrow_column, arrow_frame
from workbench.data.sources.sql.database_files import DatabaseFile
from workbench.data.sources.sql.protocol import Column, Database
from workbench.data.sources.sql.statements import BATCH, compiled, everything
from workbench.errors import MissingExtraError

if TYPE_CHECKING:
    import duckdb

__all__ = ["open_database"]


def open_database(declared: Declared) -> Database:
    """Open `duckdb:///path`.

    Raises
    ------
    MissingExtraError
        If DuckDB isn't installed.
    """
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtraError.of("duckdb", "duckdb") from error
    return _DuckDB(DatabaseFile(declared, (".wal",)), (duckdb.Error,))


class _DuckDB:
    def __init__(self, file: DatabaseFile, errors: tuple[type[Exception], ...]) -> None:
        self._file = file
        self.errors = errors
        # It speaks PostgreSQL's dialect, and numbers its parameters.
        self._dialect = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]

    def columns(self, relation: FromClause) -> dict[str, Column]:
        text, values = compiled(everything(relation), self._dialect)
        with closing(self._connect()) as connection:
            found = connection.sql(text, params=values)
            fields = found.to_arrow_reader(1).schema
            return {
                field.name: _column(field, str(kind))
                for field, kind in zip(fields, found.types, strict=True)
            }

    def batches(
        self, statement: Select[Any], schema: Mapping[str, Column]
    ) -> Generator[pl.DataFrame]:
        text, values = compiled(statement, self._dialect)
        with closing(self._connect()) as connection:
            for batch in connection.sql(text, params=values).to_arrow_reader(BATCH):
                yield arrow_frame(batch, schema)

    def tables(self) -> list[str]:
        listing = "SELECT table_schema, table_name FROM information_schema.tables"
        with closing(self._connect()) as connection:
            found = connection.execute(listing).fetchall()
        return [name if schema == "main" else f"{schema}.{name}" for schema, name in found]

    def mark(self, relation: FromClause) -> str:
        return self._file.mark()

    def written(self) -> datetime:
        return self._file.written()

    def is_missing(self, error: Exception) -> bool:
        return type(error).__name__ == "CatalogException"

    def _connect(self) -> duckdb.DuckDBPyConnection:
        import duckdb

        self._file.check()
        connection = duckdb.connect(str(self._file.path), read_only=True)
        connection.execute("SET TimeZone = 'UTC'")
        return connection


def _column(field: Any, kind: str) -> Column:
    """Return a column's type; a UUID comes as text, but isn't compared as such."""
    column = arrow_column(field)
    if column.dtype == pl.String and kind != "VARCHAR":
        return replace(column, comparable=False)
    return column
