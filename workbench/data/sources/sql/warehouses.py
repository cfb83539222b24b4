"""Snowflake and BigQuery, through their Arrow drivers (ADBC)."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import polars as pl
from sqlalchemy import Dialect, FromClause, Select, select
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql import literal_column
from sqlalchemy.sql.compiler import IdentifierPreparer

from workbench.data.sources.declared import Declared
from workbench.data.sources.sql.arrow import arrow_column, arrow_frame
from workbench.data.sources.sql.protocol import Column, Database
from workbench.data.sources.sql.statements import compiled, everything
from workbench.errors import MissingExtraError

__all__ = ["Adbc", "open_database"]

_BIGQUERY = "adbc.bigquery.sql."


class _Backticks(IdentifierPreparer):
    def __init__(self, dialect: Dialect, **options: Any) -> None:
        super().__init__(dialect, initial_quote="`", escape_quote="`", **options)


class _BigQueryDialect(DefaultDialect):
    preparer: Any = _Backticks
    supports_statement_cache = False


def open_database(declared: Declared) -> Database:
    """Open `snowflake://user@account/DATABASE/SCHEMA` or `bigquery://project/dataset`.

    Options are the driver's own, by their full names (`adbc.snowflake.sql.warehouse`, ...).

    Raises
    ------
    MissingExtraError
        If the driver isn't installed.
    """
    kind = declared.scheme
    module = f"adbc_driver_{kind}"
    try:
        driver = importlib.import_module(f"{module}.dbapi")
    except ImportError as error:
        raise MissingExtraError.of(module.replace("_", "-"), kind) from error
    options = {key: str(value) for key, value in declared.options.items()}
    if kind == "bigquery":
        parts = urlsplit(declared.address)
        options = {
            f"{_BIGQUERY}project_id": parts.netloc,
            f"{_BIGQUERY}dataset_id": parts.path.strip("/"),
            **options,
        }
        checksum = "bit_xor(farm_fingerprint(to_json_string(source)))"
        return Adbc(
            driver, lambda: driver.connect(options), _BigQueryDialect(paramstyle="qmark"), checksum
        )
    address = declared.address.partition("://")[2]
    dialect = DefaultDialect(paramstyle="qmark")
    return Adbc(driver, lambda: driver.connect(address, options), dialect, "hash_agg(source.*)")


class Adbc:
    """A database by its ADBC driver.

    Parameters
    ----------
    driver
        The driver's module, for its errors.
    connect
        Makes a connection.
    checksum
        What the database calls a digest of all rows of `source`, in whatever order.
    """

    def __init__(
        self, driver: Any, connect: Callable[[], Any], dialect: Dialect, checksum: str | None
    ) -> None:
        self.errors: tuple[type[Exception], ...] = (driver.Error,)
        self._connect = connect
        self._dialect = dialect
        self._checksum = checksum

    def columns(self, relation: FromClause) -> dict[str, Column]:
        """Return the columns, of a result without rows."""
        with self._run(everything(relation).limit(0)) as cursor:
            return {field.name: arrow_column(field) for field in cursor.fetch_record_batch().schema}

    def batches(
        self, statement: Select[Any], schema: Mapping[str, Column]
    ) -> Generator[pl.DataFrame]:
        """Give the rows as the driver batches them."""
        with self._run(statement) as cursor:
            for batch in cursor.fetch_record_batch():
                yield arrow_frame(batch, schema)

    def tables(self) -> list[str]:
        """List the tables of all schemas."""
        with closing(self._connect()) as connection:
            catalogs = connection.adbc_get_objects(depth="tables").read_all().to_pylist()
        return sorted(
            table["table_name"]
            for catalog in catalogs
            for schema in catalog["catalog_db_schemas"] or ()
            for table in schema["db_schema_tables"] or ()
        )

    def mark(self, relation: FromClause) -> str | None:
        """Let the database count and digest the rows."""
        if self._checksum is None:
            return None
        source = relation.alias("source")
        what: Any = literal_column(f"count(*), {self._checksum}")
        with self._run(select(what).select_from(source)) as cursor:
            return " ".join(str(value) for value in cursor.fetchone())

    def written(self) -> datetime | None:
        """Return nothing: only the rows can tell."""
        return None

    def is_missing(self, error: Exception) -> bool:
        """Say whether the driver found no such table."""
        said = str(error).lower()
        return any(words in said for words in ("not found", "does not exist", "no such table"))

    @contextmanager
    def _run(self, statement: Select[Any]) -> Iterator[Any]:
        text, values = compiled(statement, self._dialect)
        with closing(self._connect()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(text, values or None)
            yield cursor
