"""A table or a query of a database as a source."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from functools import cached_property
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source
from sqlalchemy import FromClause, Select, String, cast, func, select, table, text
from sqlalchemy.sql import quoted_name

from workbench.data.digest import frame_digest
from workbench.data.sources.declared import Declared
from workbench.data.sources.moments import newest_moment
from workbench.data.sources.narrowing import narrow
from workbench.data.sources.sql.filters import named, to_sql
from workbench.data.sources.sql.protocol import Column, Database
from workbench.errors import NotFoundError

__all__ = ["DatabaseSource"]

_logger = logging.getLogger("workbench.data")


class DatabaseSource:
    """Rows of a database.

    A table has no order of its own: where `key` or `event_time` are declared its rows come in
    theirs, and have the same digest every time.
    """

    def __init__(self, declared: Declared, database: Database) -> None:
        self._declared = declared
        self._database = database

    def schema(self) -> pl.Schema:
        """Return the columns and their types, from the database's own catalogue."""
        return pl.Schema({name: column.dtype for name, column in self._columns.items()})

    def scan(
        self, columns: Sequence[str] | None = None, where: pl.Expr | None = None
    ) -> pl.LazyFrame:
        """Return rows and columns; both, and a limit, are asked of the database."""
        rows = register_io_source(self._rows, schema=self.schema(), validate_schema=True)
        return narrow(self._declared, rows, columns, where)

    def stamp(self) -> str:
        """Return a mark of the file, or a checksum that the server made; else the digest."""
        with self._declared.reading(*self._database.errors):
            # A checksum of rows as text says nothing of what their columns are called.
            columns = [f"{name} {dtype}" for name, dtype in self.schema().items()]
            mark = self._database.mark(self._relation) if columns else None
        asked = "\n".join([self._declared.settings.query or "", *columns])
        query = hashlib.sha256(asked.encode()).hexdigest()[:12]
        return f"{self._declared.shown} {query} {mark or self.digest()}"

    def freshness(self) -> datetime | None:
        """Return the newest declared time in it; else when the database's file was written."""
        settings = self._declared.settings
        moments = [settings.created, settings.label_time, settings.event_time]
        column = next((moment for moment in moments if moment in self._columns), None)
        if column is None:
            with self._declared.reading(*self._database.errors):
                return self._database.written()
        known = self._columns[column]
        statement = select(func.max(named(column)).label(column)).select_from(self._relation)
        frames = list(self._run(statement, {column: known}))
        return newest_moment(self._declared, pl.concat(frames)[column]) if frames else None

    def digest(self) -> str:
        """Return the digest of all rows."""
        with self._declared.reading():
            return frame_digest(self.scan().collect())

    @cached_property
    def _columns(self) -> dict[str, Column]:
        with self._declared.reading(*self._database.errors):
            try:
                return self._database.columns(self._relation)
            except self._database.errors as error:
                self._check_table(error)
                raise

    @cached_property
    def _relation(self) -> FromClause:
        settings = self._declared.settings
        if settings.query:
            # Text as it is, so no colon in it may be taken for a parameter.
            query = settings.query.strip().rstrip(";").replace(":", r"\:")
            # On lines of its own: its last one may be a comment.
            return text(f"{query}\n").columns().subquery("source")
        schema, _, name = (settings.table or "").rpartition(".")
        quoted = quoted_name(schema, quote=True) if schema else None
        return table(quoted_name(name, quote=True), schema=quoted)

    def _rows(
        self,
        columns: list[str] | None,
        where: pl.Expr | None,
        limit: int | None,
        _batch: int | None,
    ) -> Iterator[pl.DataFrame]:
        """Give what polars' optimizer found to be needed."""
        schema = {name: self._columns[name] for name in columns or self._columns}
        statement = select(*(_selected(name, column) for name, column in schema.items()))
        statement = self._ordered(statement.select_from(self._relation))
        if where is not None:
            condition = to_sql(where, self._columns)
            if condition is not None:
                statement = statement.where(condition)
        elif limit is not None:
            statement = statement.limit(limit)
        with closing(self._run(statement, schema)) as frames:
            for frame in frames:
                kept = frame if where is None else frame.filter(where)
                yield kept if limit is None else kept.head(limit)
                limit = None if limit is None else max(limit - kept.height, 0)

    def _ordered(self, statement: Select[Any]) -> Select[Any]:
        settings = self._declared.settings
        if settings.query:
            return statement
        order = [name for name in (settings.event_time, *settings.key) if name in self._columns]
        return statement.order_by(*map(named, order))

    def _run(self, statement: Select[Any], schema: dict[str, Column]) -> Generator[pl.DataFrame]:
        _logger.debug("%s: %s", self._declared.name, " ".join(str(statement).split()))
        batches = self._database.batches(statement, schema)
        with self._declared.reading(ValueError, *self._database.errors), closing(batches):
            yield from batches

    def _check_table(self, error: Exception) -> None:
        name = self._declared.settings.table
        if name is not None and self._database.is_missing(error):
            where = f" in {self._declared.settings.address}"
            raise NotFoundError.named("table", name, self._database.tables(), where) from None


def _selected(name: str, column: Column) -> Any:
    if not column.as_text:
        return named(name)
    return cast(named(name), String).label(quoted_name(name, quote=True))
