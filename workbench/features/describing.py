"""The numbers of columns, by window: one pass over all rows, the rest over a sample."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import polars as pl

__all__ = ["binned", "described", "edges_of", "frequent"]

_BINS = 20
_MOST = 10
_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
_LONGEST = 100


def described(
    rows: pl.LazyFrame, window: str, features: Sequence[str]
) -> dict[tuple[str, datetime], dict[str, Any]]:
    """Return rows, nulls, range, mean and spread of each feature in each window."""
    schema = rows.collect_schema()
    numbers = {
        f"{position}@{name}": expression
        for position, feature in enumerate(features)
        for name, expression in _numbers(feature, schema[feature]).items()
    }
    aggregated = (
        rows.group_by(window)
        .agg(pl.len().alias("rows"), *(value.alias(name) for name, value in numbers.items()))
        .sort(window)
        .collect(engine="streaming")
    )
    found = {}
    for row in aggregated.to_dicts():
        for position, feature in enumerate(features):
            own = {
                name.partition("@")[2]: plain(value)
                for name, value in row.items()
                if name.startswith(f"{position}@")
            }
            found[feature, row[window]] = {"rows": row["rows"], **own}
    return found


def _numbers(feature: str, dtype: pl.DataType) -> dict[str, pl.Expr]:
    value = pl.col(feature)
    numbers = {"nulls": value.null_count()}
    if dtype.is_temporal():
        return {**numbers, "min": value.min(), "max": value.max()}
    if dtype == pl.Boolean:
        return {**numbers, "mean": value.mean()}
    if not dtype.is_numeric():
        return numbers
    finite = _finite(feature)
    return {
        **numbers,
        "not_finite": value.cast(pl.Float64).is_finite().not_().sum(),
        **{"min": finite.min(), "max": finite.max(), "mean": finite.mean(), "std": finite.std()},
    }


def edges_of(values: pl.Series) -> list[float]:
    """Choose the edges of a histogram: even bins over all but the rarest numbers; none if it isn't
    of numbers.
    """
    if not values.dtype.is_numeric():
        return []
    known = values.to_frame("x").select(_finite("x")).to_series().drop_nulls()
    if known.is_empty():
        return []
    low, high = (float(known.quantile(level) or 0.0) for level in (0.01, 0.99))
    if not low < high or not math.isfinite(high - low):
        low, high = low - 0.5, low + 0.5
    return [low + (high - low) * number / _BINS for number in range(_BINS)] + [high]


def binned(
    sample: pl.DataFrame, window: str, feature: str, edges: Sequence[float]
) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """Give quantiles and histogram of a feature of numbers in each window."""
    low, high = edges[0], edges[-1]
    bins = len(edges) - 1
    value = pl.col("x")
    place = ((value - low) / (high - low) * bins).floor().clip(-1, bins)
    rows = (
        sample.select(pl.col(window), _finite(feature).alias("x"))
        .drop_nulls("x")
        .with_columns(
            pl.when(value == high).then(bins - 1).otherwise(place).cast(pl.Int32).alias("place")
        )
    )
    counts: dict[datetime, list[int]] = {}
    for start, at, count in rows.group_by(window, "place").len().iter_rows():
        counts.setdefault(start, [0] * (bins + 2))[at + 1] = count
    levels = rows.group_by(window).agg(
        value.quantile(level, "linear").alias(str(level)) for level in _LEVELS
    )
    for row in levels.to_dicts():
        start = row.pop(window)
        yield (
            start,
            {"quantiles": row, "histogram": {"edges": list(edges), "counts": counts[start]}},
        )


def frequent(
    sample: pl.DataFrame, window: str, feature: str
) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """Give the different values and the most frequent ones of a feature that isn't continuous."""
    dtype = sample.schema[feature]
    if dtype.is_float() or dtype.is_decimal() or dtype.is_nested() or dtype == pl.Object:
        return
    counted = (
        sample.select(window, pl.col(feature).alias("x"))
        .drop_nulls("x")
        .group_by(window, "x")
        .len()
        .sort("len", "x", descending=[True, False])
        .group_by(window)
        .agg(pl.len().alias("distinct"), pl.struct("x", "len").head(_MOST).alias("top"))
    )
    for start, distinct, top in counted.iter_rows():
        pairs = [[plain(pair["x"]), pair["len"]] for pair in top]
        yield start, {"distinct": distinct, "top": pairs}


def plain(value: Any) -> Any:
    """Return a value that JSON has; a long text is cut."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, str):
        return value[:_LONGEST]
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _finite(feature: str) -> pl.Expr:
    value = pl.col(feature).cast(pl.Float64)
    return pl.when(value.is_finite()).then(value)
