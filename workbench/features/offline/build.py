"""What a view's function returned, made into rows to be stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import polars as pl

from workbench.errors import FeatureError
from workbench.features.definitions import FeatureView, Spine
from workbench.features.join import UTC, check_order, event_rows, known_rows, to_utc
from workbench.features.offline.sources import Sources
from workbench.store import now

__all__ = ["built", "comparable", "merged", "spine_rows", "stored_rows", "stored_types"]

_TIMES = ("__available", "__event", "__created")

_AHEAD = timedelta(minutes=5)
"""How far another machine's clock may be ahead of ours."""


def built(definition: FeatureView | Spine, sources: Sources) -> pl.LazyFrame:
    """Run the definition's function on its sources."""
    # What a stream still holds will be appended, or has been: only its columns count here.
    streamed = isinstance(definition, FeatureView) and definition.availability == "streaming"
    rows = sources.empty if streamed else sources.frame
    arguments: Mapping[str, pl.LazyFrame] = {name: rows(name) for name in definition.sources}
    return definition.run(**arguments)


def comparable(frame: pl.LazyFrame, view: FeatureView) -> pl.LazyFrame:
    """Give a view's rows the types in which keys and times are stored.

    Raises
    ------
    FeatureError
        If a key or a time is missing, or a time is naive.
    """
    what = f"feature view {view.name}"
    schema = frame.collect_schema()
    for key in view.entity:
        if key not in schema:
            raise FeatureError(f"{what}: no column {key!r}; there are: {', '.join(schema)}")
    texts = [key for key in view.entity if schema[key] in (pl.Categorical, pl.Enum)]
    frame = frame.with_columns(pl.col(texts).cast(pl.String))
    for column in filter(None, (view.event_time, view.created)):
        frame = to_utc(frame, column, what)
    return frame


def stored_rows(frame: pl.LazyFrame, view: FeatureView) -> pl.DataFrame:
    """Order a view's rows, or events, as they are stored: by entity, then by time.

    Raises
    ------
    FeatureError
        If a column is missing, or a time is naive or in the future.
    """
    rows = _collected(_ordered(comparable(frame, view), view), view.name)
    check_order(rows, f"feature view {view.name}", view.entity)
    _check_past(rows, f"feature view {view.name}")
    return rows


def stored_types(view: FeatureView, sources: Sources) -> pl.Schema:
    """Return the columns of a view as its function stores them, without reading any rows.

    Raises
    ------
    FeatureError
        If the function fails.
    """
    rows = view.run(**{name: sources.empty(name) for name in view.sources})
    return _ordered(comparable(rows, view), view).collect_schema()


def _collected(rows: pl.LazyFrame, name: str) -> pl.DataFrame:
    try:
        return rows.collect()
    except pl.exceptions.PolarsError as error:
        reason = str(error).partition("\n")[0]
        raise FeatureError(f"{name}: {reason}") from error


def _ordered(frame: pl.LazyFrame, view: FeatureView) -> pl.LazyFrame:
    if view.aggregates:
        return event_rows(frame, view).sort(view.entity, maintain_order=True)
    return known_rows(frame, view.entity, view.event_time, view.created, list(view.features))


def _check_past(rows: pl.DataFrame, what: str) -> None:
    """Refuse what can't have happened yet: it would be an answer before anyone could know it."""
    limit = now() + _AHEAD
    ahead = rows.filter(pl.col("__event") > pl.lit(limit, UTC))["__event"]
    if ahead.len():
        raise FeatureError(
            f"{what}: {ahead.len()} rows have an event time in the future, the latest "
            f"{str(ahead.max())[:16]} UTC; expected what has happened by now"
        )


def merged(parts: Sequence[pl.LazyFrame], view: FeatureView) -> pl.LazyFrame:
    """Put stored rows together as if they had been stored at once; the last part is the newest."""
    if len(parts) == 1:
        return parts[0]
    both = pl.concat(parts, how="vertical_relaxed")  # for columns that are null throughout
    keys, columns = list(view.entity), both.collect_schema().names()
    if view.aggregates:
        times = [name for name in _TIMES if name in columns]
        return both.sort(*keys, *times, maintain_order=True)
    created = "__created" if view.created else None
    features = [name for name in columns if name not in (*keys, *_TIMES)]
    return known_rows(both, keys, "__event", created, features)


def spine_rows(spine: Spine, sources: Sources) -> pl.DataFrame:
    """Return a spine's rows in order of time and key."""
    rows = built(spine, sources)
    for column in (spine.event_time, spine.label_time):
        rows = to_utc(rows, column, f"spine {spine.name}")
    return _collected(rows.sort(spine.event_time, spine.key), spine.name)
