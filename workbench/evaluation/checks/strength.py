"""How well one feature alone tells the label.

A feature's values are put into groups (32 of like numbers, or each word its own) and each group is
given the mean label of *another half* of the rows. So a name that occurs once tells nothing, and
what isn't monotone is seen as well. Of numbers the plain order counts too, whichever is stronger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from workbench.evaluation.metrics import find_metric
from workbench.evaluation.outcomes import Task

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Floats = npt.NDArray[np.float64]

__all__ = ["Strength", "strength_of"]

_GROUPS = 32


@dataclass(frozen=True)
class Strength:
    """What a feature alone is worth: ROC AUC of classes, R² of numbers; and its predictions."""

    column: str
    value: float
    predictions: Floats


def strength_of(
    series: pl.Series, labels: Array, task: Task, classes: int, seed: int
) -> Strength | None:
    """Measure one feature; None if its type has no order and no values, or nothing is defined."""
    if series.dtype.is_nested() or series.dtype in (pl.Object, pl.Binary, pl.Null):
        return None
    found = [_encoded(_groups(series), _targets(labels, task, classes), seed)]
    if series.dtype.is_numeric() or series.dtype.is_temporal() or series.dtype == pl.Boolean:
        plain = series.to_physical().cast(pl.Float64)
        if plain.is_finite().sum() == len(plain):
            found += _ordered(plain.to_numpy(), labels, task)
    metric = find_metric("r2" if task == "regression" else "roc_auc", task)
    ones = np.ones((1, labels.size))
    with np.errstate(over="ignore", invalid="ignore"):  # of numbers near the largest there are
        values = [float(metric.prepare(labels, one)(ones)[0]) for one in found]
    best = int(np.nanargmax(values)) if np.isfinite(values).any() else None
    return None if best is None else Strength(series.name, values[best], found[best])


def _groups(series: pl.Series) -> Array:
    """Number the groups of like values; a missing value is a group of its own."""
    if series.dtype.is_float():
        series = series.fill_nan(None)
    ranks = series.to_physical().rank("dense").fill_null(0).cast(pl.Int64)
    if ranks.n_unique() > _GROUPS and (series.dtype.is_numeric() or series.dtype.is_temporal()):
        places = series.to_physical().rank("min").fill_null(0).cast(pl.Int64)
        ranks = pl.Series(1 + (places - 1) * _GROUPS // max(len(series), 1)) * (places > 0)
    return np.unique(ranks.to_numpy(), return_inverse=True)[1]


def _targets(labels: Array, task: Task, classes: int) -> Floats:
    if task != "multiclass":
        return labels.reshape(-1, 1).astype(np.float64)
    came: Floats = (labels[:, None] == np.arange(classes)).astype(np.float64)
    return came


def _encoded(groups: Array, targets: Floats, seed: int) -> Floats:
    """Give each row the mean target of its group in the other half of the rows."""
    half = np.random.default_rng([seed, 1]).random(groups.size) < 0.5
    found = np.empty_like(targets)
    for inside in (half, ~half):
        others = groups[~inside]
        counts = np.bincount(others, minlength=int(groups.max()) + 1)
        overall = targets[~inside].mean(axis=0) if others.size else targets.mean(axis=0)
        for place in range(targets.shape[1]):
            sums = np.bincount(others, targets[~inside, place], minlength=counts.size)
            # One row of the mean is added, so that a group that is never seen has a value.
            means = (sums + overall[place]) / (counts + 1)
            found[inside, place] = means[groups[inside]]
    return found[:, 0] if targets.shape[1] == 1 else found


def _ordered(values: Floats, labels: Array, task: Task) -> list[Floats]:
    """Take a number as it is, the right way up; of several classes no order is the right one."""
    if task == "multiclass" or values.std() == 0 or labels.std() == 0:
        return []
    if task == "binary":
        return [values, -values]
    slope, start = np.polyfit(values - values.mean(), labels, 1)
    return [slope * (values - values.mean()) + start]
