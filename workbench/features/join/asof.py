"""Rows of a view as they were known: kept in an order in which a search finds them.

The rows of an entity stand together, in order of the time from which they were available. Numbered
by entity, entity and time together are one ascending integer for each row, and all questions are
answered by one binary search for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC as _UTC
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from workbench.errors import FeatureError
from workbench.features.join.asked import ROOM, Asked, Integers, first_of_each
from workbench.features.join.times import UTC

__all__ = ["asof_features", "check_order", "known_rows", "latest"]

_EVENT, _AVAILABLE, _CREATED = "__event", "__available", "__created"

_ALWAYS = datetime(1, 1, 1, tzinfo=_UTC)
_MICROSECOND = timedelta(microseconds=1)


def known_rows(
    frame: pl.LazyFrame,
    entity: Sequence[str],
    event_time: str | None,
    created: str | None,
    features: Sequence[str],
) -> pl.LazyFrame:
    """Order a view's rows for `asof_features`: one row for each change of what is known.

    Ties of event time go to the latest created row, and then to the one listed last. Rows with a
    null key or time are left out, for they can never match. What was known of some rows and of
    more is what is known of all: `known(known(A) + B)` is `known(A + B)`.
    """
    keys = list(entity)
    # What has always been true is true since before the first moment anyone asks about.
    event = pl.col(event_time) if event_time else pl.lit(_ALWAYS, UTC)
    times = {_EVENT: event, _AVAILABLE: event}
    if created:
        times[_AVAILABLE] = pl.max_horizontal(event, pl.col(created))
        times[_CREATED] = pl.col(created)
    wanted = [name for name in features if name not in keys]
    return _without_overruled(
        frame.select(*keys, *(time.alias(name) for name, time in times.items()), *wanted)
        .drop_nulls([*keys, *times])
        .sort(*keys, _AVAILABLE, _EVENT, *([_CREATED] if created else []), maintain_order=True),
        keys,
    )


def _without_overruled(ordered: pl.LazyFrame, keys: list[str]) -> pl.LazyFrame:
    moment = [pl.col(name) for name in (*keys, _AVAILABLE)]
    last = pl.any_horizontal(column.ne_missing(column.shift(-1)) for column in moment)
    return ordered.filter(pl.col(_EVENT) >= pl.col(_EVENT).cum_max().over(keys)).filter(last)


def check_order(rows: pl.DataFrame, name: str, entity: Sequence[str]) -> None:
    """Assert that rows to be stored are in the order that the joins rely on."""
    starts = first_of_each(rows, entity)
    entities = rows.select(pl.struct(entity).gather(np.flatnonzero(starts))).to_series()
    available = rows[_AVAILABLE].to_physical().to_numpy()
    back = (available[1:] < available[:-1]) & ~starts[1:]
    if back.any() or not entities.is_unique().all():
        raise FeatureError(f"{name}: its rows aren't in order of entity and time")


def asof_features(
    asked: Asked,
    runs: Sequence[pl.DataFrame],
    features: Sequence[str],
    ttl: timedelta | None,
    prefix: str,
) -> pl.DataFrame:
    """Find what was known at each moment asked about, unless it was older than `ttl`.

    Parameters
    ----------
    asked
        Entities and moments.
    runs
        Rows of `known_rows`, each run by itself; of equal rows that of the last run counts.

    Returns
    -------
    polars.DataFrame
        `prefix__feature` for each of `features`, and a row for each moment, ordered as `asked`.
    """
    position, event = _found(asked, runs)
    if ttl is not None:
        position[event < asked.times - ttl // _MICROSECOND] = -1
    index = pl.Series(position).replace(-1, None)
    rows = runs[0]
    if len(runs) > 1:  # relaxed, for columns that are null throughout a run
        rows = pl.concat([run.select(features) for run in runs], how="vertical_relaxed")
    return rows.select(pl.col(name).gather(index).alias(f"{prefix}__{name}") for name in features)


def _found(asked: Asked, runs: Sequence[pl.DataFrame]) -> tuple[Integers, Integers]:
    """Find the answer among the answers of the runs: latest event, then latest created.

    Each is the best of its own run, so the best of them is the best of all.
    """
    if len(runs) == 1:
        position = _search(asked, runs[0])
        return position, _at(runs[0], _EVENT, position)
    best = np.full(asked.height, -1, np.int64)
    best_event = np.full(asked.height, np.iinfo(np.int64).min)
    best_created = best_event.copy()
    first = 0
    for run in runs:
        position = _search(asked, run)
        event, created = (_at(run, name, position) for name in (_EVENT, _CREATED))
        newer = (event > best_event) | ((event == best_event) & (created >= best_created))
        newer &= position >= 0
        best = np.where(newer, position + first, best)
        best_event = np.where(newer, event, best_event)
        best_created = np.where(newer, created, best_created)
        first += run.height
    return best, best_event


def _at(run: pl.DataFrame, name: str, position: Integers) -> Integers:
    """Return a time of the rows found; where none was found anything may stand."""
    if name not in run.columns or not run.height:
        return np.zeros(len(position), np.int64)
    times: Integers = run[name].to_physical().to_numpy()[position]
    return times


def _search(asked: Asked, rows: pl.DataFrame) -> Integers:
    """Find the last row of the entity asked about that was available by then; -1 if there is none.

    Entity and time have to fit into one integer, so it may take a few searches, each of a stretch
    of the entities. Only the order of times matters, so those before the first moment asked about
    and after the last are cut to it: the integers stay small.
    """
    found = np.full(asked.height, -1, np.int64)
    if not rows.height or not asked.height:
        return found
    starts = np.flatnonzero(first_of_each(rows, asked.keys))
    codes = _codes(asked, rows, starts)
    earliest, latest_ = asked.times.min(), asked.times.max()
    span = int(latest_ - earliest) + 2
    times = rows[_AVAILABLE].to_physical().to_numpy().clip(earliest, latest_ + 1) - earliest
    bounds = np.append(starts, rows.height)
    step = max(1, ROOM // span)
    for first in range(0, len(starts), step):
        last = min(first + step, len(starts))
        low, high = bounds[first], bounds[last]
        within = _stretch(codes, first, last)
        code = codes[within] - first
        entity = np.repeat(np.arange(last - first), np.diff(bounds[first : last + 1]))
        needles = code * span + (asked.times[within] - earliest)
        position = np.searchsorted(entity * span + times[low:high], needles, side="right") - 1
        position += low
        mine = (code >= 0) & (code < last - first)
        mine &= position >= bounds[codes[within].clip(0)]
        found[within] = np.where(mine, position, found[within])
    return found


def _codes(asked: Asked, rows: pl.DataFrame, starts: Integers) -> Integers:
    """Number the entity asked about in each question as `rows` have it; -1 where they haven't."""
    stored = rows.select(pl.col(key).gather(starts) for key in asked.keys)
    numbered = stored.with_row_index("__code")
    joined = asked.entities.join(numbered, on=asked.keys, how="left", maintain_order="left")
    code = joined["__code"].cast(pl.Int64).fill_null(-1).to_numpy()
    codes: Integers = code[asked.entity]
    return codes


def _stretch(codes: Integers, first: int, last: int) -> slice[Any, Any, Any]:
    """Find where the questions about entities `first` to `last` stand; others may be in between."""
    reached = np.maximum.accumulate(codes)  # entities are in the same order on both sides
    low, high = np.searchsorted(reached, [first, last])
    return slice(int(low), int(high))


def latest(
    spine: pl.LazyFrame, rows: pl.LazyFrame, keys: Sequence[str], moment: str
) -> pl.LazyFrame:
    """Join to each row of an ordered spine the last of `rows` that was available at `moment`."""
    # polars can't check the order of groups, and answers from the future where it is wrong: the
    # left side comes from `in_order`, the right side was checked when it was stored.
    return spine.join_asof(
        rows,
        left_on=moment,
        right_on=_AVAILABLE,
        by=list(keys),
        strategy="backward",
        check_sortedness=False,
    ).drop(_AVAILABLE, strict=False)
