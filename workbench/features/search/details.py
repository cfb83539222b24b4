"""What a hit shows beside its definition: how fresh it is, and what its values are like."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from workbench.store import FeatureStatisticsRow, FeatureViewRow, MaterializationRow

__all__ = ["Sparkline", "materialized", "sparklines"]

_MOST_WINDOWS = 60


class Sparkline(BaseModel):
    """A feature's values, window by window of its event time: the newest windows there are.

    `points` are the means, None for a window without a value; or, where a mean makes no sense, the
    numbers of rows.
    """

    model_config = ConfigDict(frozen=True)

    since: datetime
    until: datetime
    rows: int
    points: list[float | None]


# Built once: a search would spend as much on writing its questions as on asking them.
_FINISHED = (
    select(MaterializationRow.view, func.max(MaterializationRow.finished_at).label("at"))
    .where(
        MaterializationRow.view.in_(bindparam("views", expanding=True)),
        MaterializationRow.finished_at.is_not(None),
    )
    .group_by(MaterializationRow.view)
)
_WINDOWS = (
    select(
        FeatureStatisticsRow.view,
        FeatureStatisticsRow.feature,
        FeatureStatisticsRow.digest,
        FeatureStatisticsRow.window_start,
        FeatureStatisticsRow.window_end,
        FeatureStatisticsRow.rows,
        FeatureStatisticsRow.statistics,
        FeatureViewRow.digest.label("registered"),
    )
    .outerjoin(FeatureViewRow, FeatureViewRow.name == FeatureStatisticsRow.view)
    .where(
        FeatureStatisticsRow.view.in_(bindparam("views", expanding=True)),
        FeatureStatisticsRow.feature.in_(bindparam("features", expanding=True)),
    )
    .order_by(FeatureStatisticsRow.computed_at, FeatureStatisticsRow.window_start)
)


def materialized(session: Session, views: Collection[str]) -> dict[str, datetime | None]:
    """Say when each view was last brought to an online store."""
    return {row.view: row.at for row in session.execute(_FINISHED, {"views": list(views)})}


def sparklines(
    session: Session, features: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Sparkline]:
    """Draw features (view, feature): as they are registered, or else as they last were."""
    views, names = ({pair[n] for pair in features} for n in (0, 1))
    asked = {"views": list(views), "features": list(names)}
    windows = defaultdict(list)
    for window in session.execute(_WINDOWS, asked):
        windows[window.view, window.feature].append(window)
    return {feature: _drawn(windows[feature]) for feature in features if feature in windows}


def _drawn(windows: list[Any]) -> Sparkline:
    current = [window for window in windows if window.digest == window.registered]
    last = current or [window for window in windows if window.digest == windows[-1].digest]
    shown = last[-_MOST_WINDOWS:]
    means = [window.statistics.get("mean") for window in shown]
    has_means = any(mean is not None for mean in means)
    return Sparkline(
        since=shown[0].window_start,
        until=shown[-1].window_end,
        rows=sum(window.rows for window in shown),
        points=means if has_means else [float(window.rows) for window in shown],
    )
