"""What a feature's values were, window by window of their event time, stored as they are stored.

A window is a calendar month, or a day where all the rows are of less than sixty days. Counts, mean,
spread and range are of all rows; quantiles, different values and the histogram are of a sample
where there are more than a million, and say so. The histogram's bins are those of the definition's
first rows for as long as it stays the same, so that windows can be compared.

An aggregate has a value at any moment: its statistics are of its values at the view's own events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict
from sqlalchemy import delete, select

from workbench.errors import NotFoundError
from workbench.features.definitions import FeatureView
from workbench.features.describing import binned, described, edges_of, frequent
from workbench.features.join.windows import window_features
from workbench.project import Project
from workbench.store import FeatureStatisticsRow, FeatureViewRow, database, now

__all__ = [
    "FeatureStatistics",
    "FeatureSummary",
    "compute_statistics",
    "sparkline",
    "statistics",
    "store_statistics",
    "summary",
]

_EVENT, _AVAILABLE, _WINDOW = "__event", "__available", "__window"
_SAMPLE = 1_000_000
_QUESTIONS = 100_000
_SHORT = timedelta(days=60)
_ALWAYS = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_BARS = "▁▂▃▄▅▆▇█"


class FeatureStatistics(BaseModel):
    """What the values of a feature were between two moments of event time, the end not included.

    `statistics` has `nulls`; of numbers `not_finite`, `min`, `max`, `mean`, `std`, `quantiles`
    (level → value) and `histogram` (`edges`, and `counts` with one more on either side); of times
    `min` and `max`; of what isn't continuous `distinct` and `top` (value and count, the most
    frequent first); and `sampled`, where those are of one row in so many.
    """

    model_config = ConfigDict(frozen=True, from_attributes=True)

    view: str
    feature: str
    window_start: datetime
    window_end: datetime
    rows: int
    statistics: dict[str, Any]


class FeatureSummary(BaseModel):
    """A feature at one glance: `points` draw its mean (or number of rows) window by window."""

    model_config = ConfigDict(frozen=True)

    view: str
    feature: str
    since: datetime
    until: datetime
    rows: int
    nulls: float
    min: float | str | None
    max: float | str | None
    mean: float | None
    points: list[float | None]
    histogram: list[int]


def compute_statistics(
    view: FeatureView, rows: pl.LazyFrame, edges: Mapping[str, Sequence[float]] | None = None
) -> list[FeatureStatistics]:
    """Describe each feature of a view in each window.

    Parameters
    ----------
    rows
        What is stored of the view: features by `__event`, or the events of its aggregates.
    edges
        The bins of features whose histograms have some already.
    """
    if view.aggregates:
        rows = _at_events(view, rows)
    count, first, last = (
        rows.select(
            pl.len(), pl.col(_EVENT).min().alias("first"), pl.col(_EVENT).max().alias("last")
        )
        .collect(engine="streaming")
        .row(0)
    )
    if not count:
        return []
    lasting = view.event_time is None
    every = "1d" if not lasting and last - first < _SHORT else "1mo"
    window = pl.lit(_ALWAYS[0]) if lasting else pl.col(_EVENT).dt.truncate(every)
    windowed = rows.select(window.alias(_WINDOW), *view.features)
    found = _described(windowed, count, edges or {})
    return [
        FeatureStatistics(
            view=view.name,
            feature=feature,
            window_start=start,
            window_end=_ALWAYS[1] if lasting else _end(start, every),
            rows=numbers.pop("rows"),
            statistics=numbers,
        )
        for (feature, start), numbers in found.items()
    ]


def store_statistics(project: Project, view: FeatureView, rows: pl.LazyFrame) -> None:
    """Describe all that is stored of a view, in place of what was known of this definition."""
    own = (FeatureStatisticsRow.view == view.name, FeatureStatisticsRow.digest == view.digest)
    with database(project).session() as session:
        known = session.scalars(select(FeatureStatisticsRow).where(*own)).all()
    edges = {
        row.feature: row.statistics["histogram"]["edges"]
        for row in known
        if "histogram" in row.statistics
    }
    found = compute_statistics(view, rows, edges)
    at = now()
    with database(project).session() as session:
        session.execute(delete(FeatureStatisticsRow).where(*own))
        session.add_all(
            FeatureStatisticsRow(**window.model_dump(), digest=view.digest, computed_at=at)
            for window in found
        )


def statistics(project: Project, name: str) -> list[FeatureStatistics]:
    """Return what is known of the feature `view:feature`, the oldest window first.

    Of the definition that is registered; or, if there is nothing of that, of the last one that was
    materialised.

    Raises
    ------
    NotFoundError
        If no such feature was ever applied or materialised.
    """
    view, _, feature = name.partition(":")
    own = (FeatureStatisticsRow.view == view, FeatureStatisticsRow.feature == feature)
    with database(project).session() as session:
        rows = session.scalars(
            select(FeatureStatisticsRow).where(*own).order_by(FeatureStatisticsRow.window_start)
        ).all()
        views = {row.name: row for row in session.scalars(select(FeatureViewRow))}
    registered = views.get(view)
    if not rows and (registered is None or feature not in registered.definition["features"]):
        existing = [f"{v}:{f}" for v, row in views.items() for f in row.definition["features"]]
        raise NotFoundError.named("feature", name, existing)
    current = [row for row in rows if registered is not None and row.digest == registered.digest]
    newest = max(rows, key=lambda row: row.computed_at).digest if rows else None
    shown = current or [row for row in rows if row.digest == newest]
    return [FeatureStatistics.model_validate(row) for row in shown]


def summary(project: Project, name: str) -> FeatureSummary | None:
    """Put the windows of the feature `view:feature` together; None if there are none yet.

    Raises
    ------
    NotFoundError
        If no such feature was ever applied or materialised.
    """
    windows = statistics(project, name)
    if not windows:
        return None
    rows = sum(window.rows for window in windows)
    found = [window.statistics for window in windows]
    known = [(w.rows - w.statistics["nulls"], w.statistics.get("mean")) for w in windows]
    weighted = [(count, mean) for count, mean in known if mean is not None and count]
    weight = sum(count for count, _ in weighted)
    counts = [f["histogram"]["counts"] for f in found if "histogram" in f]
    return FeatureSummary(
        view=windows[0].view,
        feature=windows[0].feature,
        since=windows[0].window_start,
        until=windows[-1].window_end,
        rows=rows,
        nulls=sum(f["nulls"] for f in found) / rows,
        min=min((f["min"] for f in found if f.get("min") is not None), default=None),
        max=max((f["max"] for f in found if f.get("max") is not None), default=None),
        mean=sum(count * mean for count, mean in weighted) / weight if weight else None,
        points=[mean for _, mean in known] if weighted else [float(w.rows) for w in windows],
        histogram=[sum(column) for column in zip(*counts, strict=True)] if counts else [],
    )


def sparkline(values: Sequence[float | None]) -> str:
    """Draw numbers as a line of bars; a space for None.

    >>> sparkline([1, 2, None, 8])
    '▁▂ █'
    """
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, span = min(known), (max(known) - min(known)) or 1
    last = len(_BARS) - 1
    return "".join(
        " " if value is None else _BARS[round((value - low) / span * last)] for value in values
    )


def _described(
    rows: pl.LazyFrame, count: int, edges: Mapping[str, Sequence[float]]
) -> dict[tuple[str, datetime], dict[str, Any]]:
    """Return the numbers of each feature and window, those of all rows and those of a sample."""
    features = [name for name in rows.collect_schema() if name != _WINDOW]
    found = described(rows, _WINDOW, features)
    step = -(-count // _SAMPLE)
    sample = rows.gather_every(step).collect(engine="streaming")
    for feature in features:
        frozen = edges.get(feature) or edges_of(sample[feature])
        of_sample = list(frequent(sample, _WINDOW, feature))
        if frozen:
            of_sample += binned(sample, _WINDOW, feature, frozen)
        for start, numbers in of_sample:
            found[feature, start].update(numbers)
    if step > 1:
        for numbers in found.values():
            numbers["sampled"] = step
    return found


def _at_events(view: FeatureView, rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return a view's aggregates as they were when its events became known, of some entities."""
    keys = list(view.entity)
    count = rows.select(pl.len()).collect(engine="streaming").item()
    if count > _SAMPLE:  # whole entities: a window needs all its events
        rows = rows.filter(pl.struct(keys).hash(seed=0) % (-(-count // _SAMPLE)) == 0)
    events = rows.collect(engine="streaming")
    step = -(-events.height // _QUESTIONS) or 1
    asked = events.gather_every(step).lazy().select(*keys, pl.col(_AVAILABLE).alias(_EVENT))
    names = list(view.features)
    frame = window_features(asked, events.lazy(), view, names, _EVENT)
    return frame.select(_EVENT, *(pl.col(f"{view.name}__{name}").alias(name) for name in names))


def _end(start: datetime, every: str) -> datetime:
    if every == "1d":
        return start + timedelta(days=1)
    months = start.year * 12 + start.month
    return start.replace(year=months // 12, month=months % 12 + 1)
