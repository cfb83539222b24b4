"""Any other database that SQLAlchemy has a dialect for, by the driver that its address names."""

from __future__ import annotations

import decimal
from collections.abc import Generator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import polars as pl
from sqlalchemy import FromClause, Select, create_engine, inspect
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import NoSuchModuleError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.expression import TableClause
from sqlalchemy.types import TypeEngine

from workbench.data.sources.declared import Declared
from workbench.data.sources.sql.protocol import Column, Database
from workbench.data.sources.sql.statements import BATCH, everything, to_frame
from workbench.errors import MissingExtraError

__all__ = ["open_database"]

_TYPES: dict[type, pl.DataType] = {
    bool: pl.Boolean(),
    int: pl.Int64(),
    float: pl.Float64(),
    str: pl.String(),
    bytes: pl.Binary(),
    date: pl.Date(),
    datetime: pl.Datetime("us"),
    time: pl.Time(),
    timedelta: pl.Duration("us"),
}

_MOST_DIGITS = 38

_SAMPLE = 1_000
"""Rows from which a query's types are told, where the driver doesn't say them."""


def open_database(declared: Declared) -> Database:
    """Open `kind+driver://…`; options are the driver's.

    Raises
    ------
    MissingExtraError
        If the driver isn't installed.
    """
    url = _local(declared, make_url(declared.address))
    try:
        engine = create_engine(
            url, poolclass=NullPool, hide_parameters=True, connect_args=dict(declared.options)
        )
    except (ImportError, NoSuchModuleError) as error:
        kind = f"{declared.scheme}://"
        raise MissingExtraError(f"{kind} needs a driver that isn't installed: {error}") from error
    return _Alchemy(engine)


def _local(declared: Declared, url: URL) -> URL:
    """Resolve the path of a database that is a file as every path is resolved."""
    if url.get_backend_name() == "sqlite" and url.database:
        return url.set(database=str(declared.local(url.database)))
    return url


class _Alchemy:
    errors = (SQLAlchemyError,)

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def columns(self, relation: FromClause) -> dict[str, Column]:
        if isinstance(relation, TableClause):
            found = inspect(self._engine).get_columns(relation.name, relation.schema)
            return {column["name"]: _declared(column["type"]) for column in found}
        with self._engine.connect() as connection:
            result = connection.execute(everything(relation).limit(_SAMPLE))
            names, rows = list(result.keys()), result.all()
        sample = pl.DataFrame(
            [tuple(row) for row in rows], names, orient="row", infer_schema_length=None
        )
        return {name: Column(dtype, comparable=False) for name, dtype in sample.schema.items()}

    def batches(
        self, statement: Select[Any], schema: Mapping[str, Column]
    ) -> Generator[pl.DataFrame]:
        with self._engine.connect() as connection:
            streamed = connection.execution_options(stream_results=True, yield_per=BATCH)
            for rows in streamed.execute(statement).partitions():
                yield to_frame(rows, schema)

    def tables(self) -> list[str]:
        inspector = inspect(self._engine)
        return [*inspector.get_table_names(), *inspector.get_view_names()]

    def mark(self, relation: FromClause) -> str | None:
        return None

    def written(self) -> datetime | None:
        return None

    def is_missing(self, error: Exception) -> bool:
        return isinstance(error, NoSuchTableError)


def _declared(kind: TypeEngine[Any]) -> Column:
    """Return the type of a column as the database declares it; an unknown one is text."""
    try:
        python = kind.python_type
    except NotImplementedError:
        python = object
    if python is decimal.Decimal:
        digits, scale = getattr(kind, "precision", None), getattr(kind, "scale", None)
        exact = digits is not None and digits <= _MOST_DIGITS
        dtype = pl.Decimal(digits, scale or 0) if exact else pl.Float64()
        return Column(dtype, comparable=False)
    found = _TYPES.get(python)
    if found is None:
        return Column(pl.String(), as_text=True, comparable=False)
    # Of a driver that isn't known, only what every database does alike is asked.
    return Column(found, comparable=isinstance(found, pl.Int64 | pl.String))
