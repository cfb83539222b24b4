"""Moments: microseconds in UTC everywhere, and a spine in the order of its moments."""

from __future__ import annotations

import polars as pl

from workbench.errors import FeatureError

__all__ = ["UTC", "in_order", "restored", "to_utc"]

UTC = pl.Datetime("us", "UTC")

_ROW = "__row"


def to_utc(frame: pl.LazyFrame, column: str, what: str) -> pl.LazyFrame:
    """Cast a time column to microseconds in UTC; a naive one is refused rather than guessed."""
    schema = frame.collect_schema()
    if column not in schema:
        raise FeatureError(f"{what}: no column {column!r}; there are: {', '.join(schema)}")
    dtype = schema[column]
    if not isinstance(dtype, pl.Datetime) or dtype.time_zone is None:
        raise FeatureError(f"{what}: {column!r} is {dtype}; expected an aware Datetime (UTC)")
    return frame.with_columns(pl.col(column).dt.convert_time_zone("UTC").cast(UTC))


def in_order(spine: pl.LazyFrame, moment: str) -> pl.LazyFrame:
    """Sort a spine by its moment, as `latest` needs it; `restored` gives its own order back."""
    return spine.with_row_index(_ROW).sort(moment)


def restored(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Give a frame from `in_order` the order it came with."""
    return frame.sort(_ROW).drop(_ROW)
