"""Times as sources have them: as such, as dates, or as text."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from workbench.data.sources.declared import Declared

__all__ = ["as_moment", "newest_moment"]

_MOMENT = pl.Datetime("us", "UTC")


def as_moment(declared: Declared, column: str, dtype: pl.DataType) -> pl.Expr:
    """Return a column as moments in UTC; what has no time zone is taken to be UTC.

    Raises
    ------
    DataError
        If the column isn't of a type that holds times.
    """
    value = pl.col(column)
    match dtype:
        case pl.Datetime(time_zone=None):
            return value.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        case pl.Datetime():
            return value.cast(_MOMENT)
        case pl.Date():
            return value.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        case pl.String():
            return value.str.to_datetime(time_unit="us", time_zone="UTC")
    raise declared.error(f"expected times in column {column!r}, found {dtype}")


def newest_moment(declared: Declared, values: pl.Series) -> datetime | None:
    """Return the newest of some times, if there is any."""
    with declared.reading():
        moment = as_moment(declared, values.name, values.dtype)
        newest = values.to_frame().select(moment.max()).item()
    return None if newest is None else newest.astimezone(UTC)
