"""All that is known of one feature: what its values are, how fresh they are and who uses it.

Nothing is computed of any data: these are the records of when it was materialised and used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from workbench.features.catalogue import FeatureEntry, entry
from workbench.features.online.freshness import Freshness, freshness_of
from workbench.features.statistics import FeatureStatistics, FeatureSummary, statistics, summary
from workbench.project import Project

__all__ = ["FeatureProfile", "FeatureWindow", "Frequent", "Histogram", "profile"]

_MOST = 10


class FeatureWindow(BaseModel):
    """What the values were between two moments of event time."""

    model_config = ConfigDict(frozen=True)

    start: datetime
    rows: int
    nulls: int
    mean: float | None


class Histogram(BaseModel):
    """How often numbers lay between two edges, and how often below the first and above the last."""

    model_config = ConfigDict(frozen=True)

    edges: list[float]
    counts: list[int]
    below: int
    above: int


class Frequent(BaseModel):
    """A value of a feature that isn't continuous, and how often it was seen."""

    model_config = ConfigDict(frozen=True)

    value: str
    count: int


class FeatureProfile(BaseModel):
    """A feature with its values, window by window and in all, and how fresh it is."""

    model_config = ConfigDict(frozen=True)

    entry: FeatureEntry
    summary: FeatureSummary | None = Field(description="null before it is materialised")
    windows: list[FeatureWindow] = Field(description="by event time, the oldest first")
    histogram: Histogram | None = Field(description="null where it isn't a number")
    top: list[Frequent] = Field(description="the most frequent values, of what isn't continuous")
    freshness: Freshness | None = Field(description="null of what a request brings along")


def profile(project: Project, name: str) -> FeatureProfile:
    """Return all that is known of the feature `view:feature`.

    Raises
    ------
    NotFoundError
        If there is none of that name.
    """
    found = entry(project, name)
    windows = statistics(project, name)
    is_online = found.availability != "request"
    return FeatureProfile(
        entry=found,
        summary=summary(project, name),
        windows=[
            FeatureWindow(
                start=window.window_start,
                rows=window.rows,
                nulls=window.statistics["nulls"],
                mean=window.statistics.get("mean"),
            )
            for window in windows
        ],
        histogram=_histogram(windows),
        top=_top(windows),
        freshness=freshness_of(project, found.view, found.freshness) if is_online else None,
    )


def _histogram(windows: Sequence[FeatureStatistics]) -> Histogram | None:
    """Add up the windows' histograms, which have the same bins."""
    found = [w.statistics["histogram"] for w in windows if "histogram" in w.statistics]
    if not found:
        return None
    edges = found[-1]["edges"]
    counts = [one["counts"] for one in found if one["edges"] == edges]
    below, *within, above = (sum(column) for column in zip(*counts, strict=True))
    return Histogram(edges=edges, counts=within, below=below, above=above)


def _top(windows: Sequence[FeatureStatistics]) -> list[Frequent]:
    """Add up the windows' most frequent values."""
    seen: Counter[str] = Counter()
    for window in windows:
        for value, count in window.statistics.get("top", []):
            seen[str(value)] += count
    return [Frequent(value=value, count=count) for value, count in seen.most_common(_MOST)]
