"""What a kind of database has to give."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import polars as pl
from sqlalchemy import FromClause, Select

__all__ = ["Column", "Database"]


@dataclass(frozen=True)
class Column:
    """A column's type in polars, and what has to be asked of it in SQL.

    Parameters
    ----------
    as_text
        Whether polars has no such type, so that the database has to write it as text.
    comparable
        Whether comparing in SQL is comparing what polars sees; not of times kept as text.
    """

    dtype: pl.DataType
    as_text: bool = False
    comparable: bool = True


class Database(Protocol):
    """A kind of database, read through whatever driver is best for it."""

    def columns(self, relation: FromClause) -> dict[str, Column]:
        """Return the columns of a table or query, without its rows."""

    def batches(
        self, statement: Select[Any], schema: Mapping[str, Column]
    ) -> Generator[pl.DataFrame]:
        """Run a statement and give its rows batch by batch; its columns are `schema`'s."""

    def tables(self) -> list[str]:
        """List what could have been meant by a table that isn't there."""

    def mark(self, relation: FromClause) -> str | None:
        """Return what changes with the content, if that is cheaper to know than to read it."""

    def written(self) -> datetime | None:
        """Return when anything was last written, if that is known."""

    def is_missing(self, error: Exception) -> bool:
        """Say whether an error is that of a table that isn't there."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """The errors of the driver."""
