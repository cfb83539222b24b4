"""Aggregates over the events of a past window, exact and bitemporal.

An event counts from the moment it is known until it is as old as the window is long: over the
half-open interval [available, event + over). So what a window holds at a moment is what has begun
by then less what has ended by then, and both are running totals, found by one as-of join each,
whatever the number of events. Nothing of that is stored but the events, so appending some never
touches what is there.

Differences of running totals are exact here: of whole numbers by nature, of floats because they
are added as whole numbers too (`_fixed`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import polars as pl

from workbench.errors import NotFoundError
from workbench.features.definitions import Aggregate, FeatureView

__all__ = ["event_rows", "window_features"]

_EVENT, _AVAILABLE, _CREATED = "__event", "__available", "__created"

_BITS = 125
"""How large the sum of all of an entity's floats may get as a whole number of 128 bits."""


def event_rows(frame: pl.LazyFrame, view: FeatureView) -> pl.LazyFrame:
    """Order a view's events for `window_features`: one row an event, by when it is known.

    Columns: the entity's, `__event`, `__available`, `__created` if the view has it, then those that
    the aggregates need. Events with a null key or time are left out, for they can never count. The
    rows of several calls put together, and sorted by `__available`, are those of one call.
    """
    assert view.event_time is not None
    keys = list(view.entity)
    event = pl.col(view.event_time)
    created = [pl.col(view.created).alias(_CREATED)] if view.created else []
    return (
        frame.select(
            *keys,
            event.alias(_EVENT),
            pl.max_horizontal(event, *created).alias(_AVAILABLE),
            *created,
            *view.inputs,
        )
        .drop_nulls([*keys, _EVENT, *([_CREATED] if created else [])])
        .sort(_AVAILABLE, _EVENT, *([_CREATED] if created else []), maintain_order=True)
    )


def window_features(
    spine: pl.LazyFrame, rows: pl.LazyFrame, view: FeatureView, names: Sequence[str], moment: str
) -> pl.LazyFrame:
    """Join to a spine the view's aggregates `names`, as `view__name`, at each row's `moment`.

    `rows` are those of `event_rows`, in any order, but for events that are equal in all times: of
    those the last one listed is the newest. The spine's rows stay in their order.
    """
    declared = {aggregate.name: aggregate for aggregate in view.aggregates}
    if unknown := [name for name in names if name not in declared]:
        raise NotFoundError.named("feature", unknown[0], declared, f" of view {view.name}")
    wanted = {name: declared[name] for name in names}
    row = f"__{view.name}@row"
    # The order is made here and not trusted: on rows out of order polars' as-of join, which can't
    # check that of groups, answers from the future.
    ordered = spine.with_row_index(row).sort(moment)
    join = _Join(ordered, rows.sort(_AVAILABLE, maintain_order=True), view, moment)
    features = {
        **_additive(join, [a for a in wanted.values() if a.kind not in ("distinct", "last")]),
        **_distinct(join, [a for a in wanted.values() if a.kind == "distinct"]),
        **_last(join, [a for a in wanted.values() if a.kind == "last"]),
    }
    return (
        join.spine.with_columns(features[name].alias(f"{view.name}__{name}") for name in wanted)
        .sort(row)
        .drop(row, *join.added)
    )


@dataclass
class _Join:
    """A spine as it grows by what is looked up for it, under names that are nobody else's."""

    spine: pl.LazyFrame
    rows: pl.LazyFrame
    view: FeatureView
    moment: str
    added: list[str] = field(default_factory=list)

    @property
    def keys(self) -> list[str]:
        return list(self.view.entity)

    def column(self, name: str, mark: str) -> pl.Expr:
        """The looked-up column `name` of the table with that `mark`."""
        return pl.col(f"__{self.view.name}@{mark}@{name}")

    def look_up(self, table: pl.LazyFrame, mark: str, earlier: timedelta | None = None) -> None:
        """Add the table's newest row of the entity at the moment, or that much earlier."""
        names = [name for name in table.collect_schema() if name not in self.keys]
        own = {name: self.column(name, mark).meta.output_name() for name in names}
        at = self.moment
        if earlier is not None:
            at = f"__{self.view.name}@{mark}"
            self.spine = self.spine.with_columns((pl.col(self.moment) - earlier).alias(at))
            self.added.append(at)
        self.spine = self.spine.join_asof(
            table.rename(own),
            left_on=at,
            right_on=own[_AVAILABLE],
            by=self.keys,
            strategy="backward",
            check_sortedness=False,
        )
        self.added += own.values()


# Counts, sums, means and rates: running totals of what begins less those of what ends.


def _additive(join: _Join, wanted: Sequence[Aggregate]) -> dict[str, pl.Expr]:
    if not wanted:
        return {}
    schema = join.rows.collect_schema()
    columns = list(dict.fromkeys(a.column for a in wanted if a.column is not None))
    events = join.rows.with_columns(
        pl.lit(1, pl.Int64).alias("__events"),
        *(part for column in columns for part in _parts(column, schema[column], join.keys)),
    )
    amounts = [
        "__events",
        *(f"__{kind}@{column}" for column in columns for kind in ("known", "sum")),
    ]
    scales = [f"__scale@{column}" for column in columns if _is_inexact(schema[column])]
    begun = _totals(events, join.keys, amounts, scales)
    join.look_up(begun, "begun")
    for over in sorted({a.length for a in wanted}):
        if join.view.created is None:  # all are known when they happen: the same, shifted
            join.look_up(begun.drop(scales), f"ended@{over}", over)
        else:
            # One that is known too late for the window ends as it begins.
            end = pl.max_horizontal(pl.col(_EVENT) + over, _AVAILABLE)
            ended = events.with_columns(end.alias(_AVAILABLE)).sort(_AVAILABLE)
            join.look_up(_totals(ended, join.keys, amounts, []), f"ended@{over}")
    return {a.name: _additive_value(join, a, schema) for a in wanted}


def _totals(
    events: pl.LazyFrame, keys: list[str], amounts: Sequence[str], others: Sequence[str]
) -> pl.LazyFrame:
    totals = (pl.col(amount).cum_sum().over(keys) for amount in amounts)
    return events.select(*keys, _AVAILABLE, *totals, *others)


def _parts(column: str, dtype: pl.DataType, keys: list[str]) -> list[pl.Expr]:
    """Return what is added up of a column: whether there is a value, the value, its scale."""
    known = f"__known@{column}"
    if not _is_inexact(dtype):
        # Overflow wraps around in both totals, so their difference is right all the same.
        value = pl.col(column).cast(pl.Int64)
        return [
            value.is_not_null().cast(pl.Int64).alias(known),
            value.fill_null(0).alias(f"__sum@{column}"),
        ]
    value, scale = _fixed(column, keys)
    return [
        _finite(column).is_not_null().cast(pl.Int64).alias(known),
        value.alias(f"__sum@{column}"),
        scale.alias(f"__scale@{column}"),
    ]


def _fixed(column: str, keys: list[str]) -> tuple[pl.Expr, pl.Expr]:
    """Return floats as whole numbers of 128 bits, and what they were multiplied by.

    As floats, one large value would take the small ones' digits out of every later total. The
    scale is a power of two and an entity's own, from its largest value and the number of its
    events, so that nothing depends on which other entities are there.
    """
    value = _finite(column)
    largest = value.abs().max().over(keys).log(2).floor() + 1
    events = pl.len().over(keys).log(2).ceil()
    scale = pl.lit(2.0).pow((_BITS - largest - events).clip(-1000, 1000)).fill_null(1.0)
    return (value * scale).round().cast(pl.Int128).fill_null(0), scale


def _finite(column: str) -> pl.Expr:
    value = pl.col(column).cast(pl.Float64)
    return pl.when(value.is_finite()).then(value)


def _additive_value(join: _Join, aggregate: Aggregate, schema: pl.Schema) -> pl.Expr:
    def within(amount: str) -> pl.Expr:
        ended = join.column(amount, f"ended@{aggregate.length}")
        return join.column(amount, "begun") - ended.fill_null(0)

    if aggregate.kind == "count":
        return within("__events").fill_null(0)
    column = aggregate.column
    assert column is not None
    total = within(f"__sum@{column}")
    if _is_inexact(schema[column]):
        total = total.cast(pl.Float64) / join.column(f"__scale@{column}", "begun")
    if aggregate.kind == "sum":
        return total.fill_null(0)
    known = within(f"__known@{column}")
    return pl.when(known > 0).then(total / known)


def _is_inexact(dtype: pl.DataType) -> bool:
    return dtype.is_float() or dtype.is_decimal()


# Different values: the time in which at least one event has a value is one interval or several.


def _distinct(join: _Join, wanted: Sequence[Aggregate]) -> dict[str, pl.Expr]:
    features = {}
    for aggregate in wanted:
        assert aggregate.column is not None
        mark = aggregate.name
        join.look_up(_presence(join, aggregate.column, aggregate.length), mark)
        features[mark] = join.column("__present", mark).fill_null(0)
    return features


def _presence(join: _Join, column: str, over: timedelta) -> pl.LazyFrame:
    """Return how many different values there are, from each moment at which that changes.

    An event adds to its value's time only what the events known before it haven't covered yet.
    """
    value = pl.col(column)
    if join.rows.collect_schema()[column].is_float():
        value = _finite(column)
    begin, end, covered = pl.col(_AVAILABLE), pl.col("__end"), pl.col("__covered")
    pieces = (
        join.rows.select(
            *join.keys, _AVAILABLE, value.alias("__value"), __end=pl.col(_EVENT) + over
        )
        .drop_nulls("__value")
        .with_columns(__covered=end.cum_max().shift(1).over([*join.keys, "__value"]))
        .with_columns(__begin=pl.max_horizontal(begin, covered))
        .filter(end > pl.col("__begin"))
    )
    one = pl.lit(1, pl.Int64)
    begins = pieces.select(*join.keys, pl.col("__begin").alias(_AVAILABLE), __present=one)
    ends = pieces.select(*join.keys, end.alias(_AVAILABLE), __present=-one)
    changes = pl.concat([begins, ends]).sort(_AVAILABLE)
    return _totals(changes, join.keys, ["__present"], [])


# The newest event: the same for all windows, unless it is older than they are.


def _last(join: _Join, wanted: Sequence[Aggregate]) -> dict[str, pl.Expr]:
    if not wanted:
        return {}
    columns = list(dict.fromkeys(a.column for a in wanted if a.column is not None))
    order = [_AVAILABLE, _EVENT, *([_CREATED] if join.view.created else [])]
    newest = (
        join.rows.sort(order, maintain_order=True)
        .filter(pl.col(_EVENT) >= pl.col(_EVENT).cum_max().over(join.keys))
        .select(*join.keys, _AVAILABLE, _EVENT, *columns)
    )
    join.look_up(newest, "last")
    event = join.column(_EVENT, "last")
    return {
        a.name: pl.when(event > pl.col(join.moment) - a.length).then(
            join.column(str(a.column), "last")
        )
        for a in wanted
    }
