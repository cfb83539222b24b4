"""Point-in-time joins: the value that was known, never the one that came later.

Both joins are one backward as-of search for each question, over rows that were put in order when
they were stored. They are pure: frames in, frame out, the same rows in the same order.

The bitemporal rule. A row is *true* from its event time and *known* from its created time. At a
moment t the answer is, among the rows known by t, the one with the latest event time. Ordered by
`available = max(event, created)`, and without the rows whose event time is older than one that was
already available, that is a single as-of join on `available`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC as _UTC
from datetime import datetime, timedelta

import polars as pl

from workbench.errors import FeatureError

__all__ = [
    "UTC",
    "asof_features",
    "check_order",
    "event_totals",
    "in_order",
    "known_rows",
    "restored",
    "to_utc",
    "window_features",
]

UTC = pl.Datetime("us", "UTC")

_EVENT, _AVAILABLE, _ROW = "__event", "__available", "__row"

_ALWAYS = datetime(1, 1, 1, tzinfo=_UTC)


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
    """Sort a spine by its moment, as the joins need it; `restored` gives its own order back."""
    return spine.with_row_index(_ROW).sort(moment)


def restored(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Give a frame from `in_order` the order it came with."""
    return frame.sort(_ROW).drop(_ROW)


def check_order(rows: pl.DataFrame, name: str) -> None:
    """Assert that rows to be stored are in the order that the joins rely on."""
    if not rows[_AVAILABLE].is_sorted():
        raise FeatureError(f"{name}: its rows aren't in order of time")


def known_rows(
    frame: pl.LazyFrame,
    entity: Sequence[str],
    event_time: str | None,
    created: str | None,
    features: Sequence[str],
) -> pl.LazyFrame:
    """Order a view's rows for `asof_features`: one row for each change of what is known.

    Ties of event time go to the latest created row. Rows with a null key or time are left out,
    for they can never match.
    """
    keys = list(entity)
    # What has always been true is true since before the first moment anyone asks about.
    event = pl.col(event_time) if event_time else pl.lit(_ALWAYS, UTC)
    known = pl.max_horizontal(event, pl.col(created)) if created else event
    return (
        frame.with_columns(event.alias(_EVENT), known.alias(_AVAILABLE))
        .drop_nulls([*keys, _EVENT, *([created] if created else [])])
        .sort(_AVAILABLE, _EVENT, *([created] if created else []), maintain_order=True)
        .filter(pl.col(_EVENT) >= pl.col(_EVENT).cum_max().over(keys))
        .unique([*keys, _AVAILABLE], keep="last", maintain_order=True)
        .select(*keys, _EVENT, _AVAILABLE, *features)
    )


def asof_features(
    spine: pl.LazyFrame,
    rows: pl.LazyFrame,
    entity: Sequence[str],
    moment: str,
    features: Sequence[str],
    ttl: timedelta | None,
    prefix: str,
) -> pl.LazyFrame:
    """Join to each row of an ordered spine what was known at its `moment`, unless older than `ttl`.

    `rows` are those of `known_rows`.
    """
    # Joined under names of their own: a column of the spine may be called like a feature.
    own = {name: f"{name}@{prefix}" for name in features}
    fresh = pl.lit(value=True) if ttl is None else pl.col(_EVENT) >= pl.col(moment) - ttl
    wanted = rows.select(*entity, _EVENT, _AVAILABLE, *features).rename(own)
    joined = _asof(spine, wanted, list(entity), moment)
    return joined.with_columns(
        pl.when(fresh).then(pl.col(own[name])).alias(f"{prefix}__{name}") for name in features
    ).drop(_EVENT, *own.values())


def event_totals(
    frame: pl.LazyFrame, entity: Sequence[str], event_time: str, columns: Sequence[str]
) -> pl.LazyFrame:
    """Order events for `window_features`, with running totals for each entity.

    A window's total is then the difference of two running totals, whatever its length.
    """
    keys = list(entity)
    totals = [pl.int_range(1, pl.len() + 1).over(keys).alias("__events")]
    for column in columns:
        # A NaN is no answer either, and in a running total it would stay for ever.
        value = pl.col(column).cast(pl.Float64).fill_nan(None)
        totals.append(value.is_not_null().cum_sum().over(keys).alias(f"{column}__known"))
        totals.append(value.fill_null(0.0).cum_sum().over(keys).alias(f"{column}__sum"))
    return (
        frame.drop_nulls([*keys, event_time])
        .sort(event_time, maintain_order=True)
        .select(*keys, pl.col(event_time).alias(_AVAILABLE), *totals)
        .unique([*keys, _AVAILABLE], keep="last", maintain_order=True)
    )


def window_features(
    spine: pl.LazyFrame,
    totals: pl.LazyFrame,
    entity: Sequence[str],
    moment: str,
    windows: Sequence[tuple[str, str | None, str, timedelta]],
    prefix: str,
) -> pl.LazyFrame:
    """Join to an ordered spine the aggregates over the events in (moment - over, moment].

    `totals` are those of `event_totals`; `windows` holds (feature, column or None, kind, over).
    """
    keys = list(entity)
    names = [name for name in totals.collect_schema() if name not in (*keys, _AVAILABLE)]

    def at(edge: str) -> pl.LazyFrame:
        return totals.rename({name: f"{name}@{edge}" for name in names})

    joined = _asof(spine, at("now"), keys, moment)
    lengths = sorted({over for *_, over in windows})
    for over in lengths:
        start = f"__start@{over}"
        joined = joined.with_columns((pl.col(moment) - over).alias(start))
        joined = _asof(joined, at(str(over)), keys, start).drop(start)
    result = joined.with_columns(
        _aggregate(column, kind, over).alias(f"{prefix}__{name}")
        for name, column, kind, over in windows
    )
    return result.drop(f"{name}@{edge}" for edge in ("now", *lengths) for name in names)


def _aggregate(column: str | None, kind: str, over: timedelta) -> pl.Expr:
    def within(total: str) -> pl.Expr:
        return pl.col(f"{total}@now").fill_null(0) - pl.col(f"{total}@{over}").fill_null(0)

    if kind == "count":
        return within("__events").cast(pl.Int64)
    known = within(f"{column}__known")
    return pl.when(known > 0).then(within(f"{column}__sum") / known)


def _asof(spine: pl.LazyFrame, rows: pl.LazyFrame, keys: list[str], moment: str) -> pl.LazyFrame:
    # polars can't check the order of groups, and answers from the future where it is wrong: the
    # left side comes from `in_order`, the right side was checked when it was stored.
    return spine.join_asof(
        rows,
        left_on=moment,
        right_on=_AVAILABLE,
        by=keys,
        strategy="backward",
        check_sortedness=False,
    ).drop(_AVAILABLE, strict=False)
