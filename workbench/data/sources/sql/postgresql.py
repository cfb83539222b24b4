"""PostgreSQL: a cursor on the server, in a transaction that can't write."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import (
    Connection,
    FromClause,
    Select,
    create_engine,
    func,
    inspect,
    make_url,
    select,
)
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql import literal_column

from workbench.data.sources.declared import Declared
from workbench.data.sources.sql.protocol import Column, Database
from workbench.data.sources.sql.statements import BATCH, everything, to_frame
from workbench.errors import MissingExtraError

__all__ = ["open_database"]

_TYPES: dict[str, pl.DataType] = {
    "bool": pl.Boolean(),
    "int2": pl.Int16(),
    "int4": pl.Int32(),
    "int8": pl.Int64(),
    "oid": pl.Int64(),
    "float4": pl.Float32(),
    "float8": pl.Float64(),
    "text": pl.String(),
    "varchar": pl.String(),
    "bpchar": pl.String(),
    "name": pl.String(),
    "bytea": pl.Binary(),
    "date": pl.Date(),
    "time": pl.Time(),
    "timestamp": pl.Datetime("us"),
    "timestamptz": pl.Datetime("us", "UTC"),
}
"""Any other type is asked for as text."""

_MOST_DIGITS = 38


def open_database(declared: Declared) -> Database:
    """Open `postgresql://user:${PASSWORD}@host/database`; options are libpq's.

    Raises
    ------
    MissingExtraError
        If psycopg isn't installed.
    """
    try:
        import psycopg
    except ImportError as error:
        raise MissingExtraError.of("psycopg", "postgres") from error
    url = make_url(declared.address).set(drivername="postgresql+psycopg")
    engine = create_engine(
        url, poolclass=NullPool, hide_parameters=True, connect_args=dict(declared.options)
    )
    return _PostgreSQL(engine, (DBAPIError, psycopg.Error))


class _PostgreSQL:
    def __init__(self, engine: Engine, errors: tuple[type[Exception], ...]) -> None:
        self._engine = engine
        self.errors = errors

    def columns(self, relation: FromClause) -> dict[str, Column]:
        from psycopg import adapters

        with self._connect() as connection:
            cursor: Any = connection.execute(everything(relation).limit(0)).cursor
            described: dict[str, Column] = {}
            for column in cursor.description:
                known = adapters.types.get(column.type_code)
                # An array is found by its elements' type.
                exact = known is not None and known.oid == column.type_code
                described[column.name] = _column(known.name if exact else "", column)
            return described

    def batches(
        self, statement: Select[Any], schema: Mapping[str, Column]
    ) -> Generator[pl.DataFrame]:
        options = {"render_postcompile": True}
        made = statement.compile(dialect=self._engine.dialect, compile_kwargs=options)
        with self._connect() as connection:
            # The driver's own cursor: SQLAlchemy's rows would take as long as the reading.
            driver: Any = connection.connection.driver_connection
            with driver.cursor(name="workbench", binary=True) as cursor:
                cursor.execute(str(made), made.params)
                while rows := cursor.fetchmany(BATCH):
                    yield to_frame(rows, schema)

    def tables(self) -> list[str]:
        inspector = inspect(self._engine)
        own = inspector.default_schema_name
        schemas = [s for s in inspector.get_schema_names() if s != "information_schema"]
        return [
            name if schema == own else f"{schema}.{name}"
            for schema in schemas
            for name in (*inspector.get_table_names(schema), *inspector.get_view_names(schema))
        ]

    def mark(self, relation: FromClause) -> str:
        """Let the server count the rows and add up their hashes: no row has to come here."""
        source = relation.alias("source")
        row = func.hashtextextended(literal_column("source::text"), 0)
        statement = select(func.count(), func.sum(row)).select_from(source)
        with self._connect() as connection:
            rows, hashes = connection.execute(statement).one()
        return f"{rows} {hashes}"

    def written(self) -> datetime | None:
        return None

    def is_missing(self, error: Exception) -> bool:
        code = getattr(getattr(error, "orig", None), "sqlstate", None)
        return code in ("42P01", "3F000")  # no such table, no such schema

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            reading = connection.execution_options(postgresql_readonly=True)
            reading.exec_driver_sql("SET TIME ZONE 'UTC'")
            yield reading


def _column(name: str, description: Any) -> Column:
    if name == "numeric":
        digits, scale = description.precision, description.scale
        exact = digits is not None and digits <= _MOST_DIGITS
        # Without a declared precision a number may have any number of digits: none fits them all.
        return Column(pl.Decimal(digits, scale) if exact else pl.Float64(), comparable=False)
    dtype = _TYPES.get(name)
    if dtype is None:
        return Column(pl.String(), as_text=True, comparable=False)
    return Column(dtype, comparable=name != "bpchar")  # which ignores spaces at its end
