"""What every kind of source can answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import polars as pl

__all__ = ["Source"]


class Source(Protocol):
    """Rows that somebody else keeps, seen and never changed.

    Opening one reads nothing. Whatever can't be read is a `DataError` of one line that names the
    source's address, without a credential in it; what only shows when a lazy frame is collected is
    an error of polars, as of every lazy frame.
    """

    def schema(self) -> pl.Schema:
        """Return the columns and their types, reading as little as the kind allows."""

    def scan(
        self, columns: Sequence[str] | None = None, where: pl.Expr | None = None
    ) -> pl.LazyFrame:
        """Return the rows for which `where` is true, and of them `columns`, in that order.

        Both go down to where the rows are, and so does what is asked of the lazy frame later.
        """

    def stamp(self) -> str:
        """Return a mark that changes when the content does, as cheaply as that can be known."""

    def freshness(self) -> datetime | None:
        """Return the newest moment that it is known to hold (UTC), if it can say one."""

    def digest(self) -> str:
        """Return the digest of the content, `frame_digest` of all its rows."""
