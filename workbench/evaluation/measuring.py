"""Metrics of rows with their intervals, of all rows and of slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.evaluation.bootstrap import Resampler, numbered
from workbench.evaluation.evidence import Evidence, Options, Side
from workbench.evaluation.metrics import Metric
from workbench.evaluation.outcomes import MetricValue, SliceResult, finite
from workbench.evaluation.slicing import Part

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Floats = npt.NDArray[np.float64]

__all__ = ["Measured", "measured", "sliced", "values", "with_references"]

_FEWEST_ROWS = 30
"""A slice with fewer rows isn't judged: its interval would be as wide as the scale."""


@dataclass(frozen=True)
class Measured:
    """Metrics of the same rows, and their values in each resample."""

    metrics: tuple[MetricValue, ...]
    replicates: Mapping[str, Floats]


def values(metrics: Sequence[Metric], labels: Array, predictions: Floats) -> dict[str, float]:
    """Compute metrics without intervals; NaN where one isn't defined."""
    ones = np.ones((1, labels.size))
    return {
        metric.name: float(metric.prepare(labels, predictions)(ones)[0])
        if labels.size and _defined(metric, predictions)
        else np.nan
        for metric in metrics
    }


def measured(
    metrics: Sequence[Metric], labels: Array, predictions: Floats, resampler: Resampler
) -> Measured:
    """Compute metrics with their intervals."""
    whole = values(metrics, labels, predictions)
    defined = [metric for metric in metrics if np.isfinite(whole[metric.name])]
    statistics = {metric.name: metric.prepare(labels, predictions) for metric in defined}
    replicates = resampler.replicates(statistics)
    found = tuple(
        MetricValue(
            name=metric.name,
            value=finite(whole[metric.name]),
            interval=resampler.interval(replicates[metric.name]) if metric in defined else None,
            higher_is_better=metric.higher_is_better,
        )
        for metric in metrics
    )
    return Measured(found, replicates)


def _defined(metric: Metric, predictions: Floats) -> bool:
    """Whether the predictions are what the metric judges: a probability lies from 0 to 1."""
    return not metric.probabilities or bool(((predictions >= 0) & (predictions <= 1)).all())


def with_references(
    evidence: Evidence, metrics: Sequence[MetricValue], train: Side | None
) -> tuple[MetricValue, ...]:
    """Put beside each metric what a constant prediction gets, and what the training rows gave."""
    asked = evidence.options.metrics
    constant = values(asked, evidence.test.labels, evidence.constant)
    learned = values(asked, train.labels, train.predictions) if train is not None else {}
    return tuple(
        metric.model_copy(
            update={
                "baseline": finite(constant[metric.name]),
                "train": finite(learned.get(metric.name)),
            }
        )
        for metric in metrics
    )


def sliced(
    parts: Sequence[Part], side: Side, groups: Array | None, options: Options
) -> tuple[tuple[SliceResult, ...], dict[str, Floats]]:
    """Measure each part; return also the primary metric's replicates by slice."""
    found, replicates = [], {}
    for part in parts:
        mask = part.mask.to_numpy()
        rows = int(mask.sum())
        one = SliceResult(
            name=part.name, by=part.by, kind=part.kind, rows=rows, share=rows / max(side.rows, 1)
        )
        if rows < _FEWEST_ROWS:
            few = f"too few rows to judge: {rows}, expected at least {_FEWEST_ROWS}"
            found.append(one.model_copy(update={"note": few}))
            continue
        inside = None if groups is None else numbered(groups[mask])
        resampler = options.resampler(rows, f"slice:{part.name}", inside)
        figures = measured(options.metrics, side.labels[mask], side.predictions[mask], resampler)
        replicates[part.name] = figures.replicates.get(options.primary.name, np.empty(0))
        note = _note(figures.metrics, options.primary.name)
        found.append(one.model_copy(update={"metrics": figures.metrics, "note": note}))
    return tuple(found), replicates


def _note(metrics: Sequence[MetricValue], primary: str) -> str:
    undefined = any(metric.name == primary and metric.value is None for metric in metrics)
    return f"{primary} is not defined on these rows" if undefined else ""
