"""How much chance is in a figure: the percentile bootstrap (Efron 1979), of rows or of groups.

A resample draws as many rows as there are, with replacement, and so it is a weighting of the rows
by how often each was drawn. Where rows belong together (the orders of a customer) whole groups are
drawn, for their rows don't vary each on its own (Field and Welsh 2007, J. R. Stat. Soc. B 69).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import DataError, UsageError
from workbench.evaluation.metrics import Metric, Statistic, check_rows, find_metric
from workbench.evaluation.outcomes import Comparison, Interval, Task

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Floats = npt.NDArray[np.float64]

__all__ = ["Resampler", "compare", "interval_of", "numbered", "paired"]

_BLOCK = 1_000_000
"""Weights that are held at once: eight megabytes, which stay in a processor's cache."""

_FEWEST = 20
"""With fewer resamples in which the figure is defined, an interval would be made up."""


class Resampler:
    """Draws the same resamples of the same rows again and again: they depend on the seed alone.

    Parameters
    ----------
    rows
        How many rows there are.
    groups
        Shape (rows,), each row's group as a whole number from 0; None draws rows.
    purpose
        A word that, with the seed, begins the generator: resamples for one purpose don't change
        because those for another are no longer drawn.
    """

    def __init__(
        self,
        rows: int,
        *,
        groups: Array | None = None,
        seed: int = 0,
        resamples: int = 200,
        level: float = 0.95,
        purpose: str = "",
    ) -> None:
        if resamples < 1 or not 0 < level < 1:
            raise UsageError(
                f"resamples={resamples}, level={level}: expected at least one resample, and a "
                "level between 0 and 1"
            )
        self.rows = rows
        self.groups = groups
        self.units = rows if groups is None else int(groups.max()) + 1 if rows else 0
        self.resamples = resamples
        self.level = level
        self._seed = (seed, zlib.crc32(purpose.encode()))

    def weights(self) -> Iterator[Floats]:
        """Yield the weights in blocks of shape (some resamples, rows), always the same."""
        generator = np.random.default_rng(self._seed)
        size = max(1, min(self.resamples, _BLOCK // max(self.rows, 1)))
        for start in range(0, self.resamples, size):
            count = min(size, self.resamples - start)
            drawn = generator.integers(0, self.units, (count, self.units))
            drawn += np.arange(count)[:, None] * self.units
            times = np.bincount(drawn.ravel(), minlength=count * self.units)
            block = times.reshape(count, self.units)
            yield (block if self.groups is None else block[:, self.groups]).astype(np.float64)

    def replicates(self, statistics: Mapping[str, Statistic]) -> dict[str, Floats]:
        """Return each statistic in each of the same resamples, shape (resamples,)."""
        found: dict[str, list[Floats]] = {name: [] for name in statistics}
        if self.rows:
            for block in self.weights():
                for name, statistic in statistics.items():
                    found[name].append(statistic(block))
        return {name: np.concatenate(parts or [np.empty(0)]) for name, parts in found.items()}

    def interval(self, replicates: Floats) -> Interval | None:
        """Return the interval of replicates; None where too few are defined."""
        return interval_of(replicates, self.level)


def interval_of(replicates: Floats, level: float) -> Interval | None:
    """Return where the middle `level` of the replicates lie; None where too few are defined."""
    known = replicates[np.isfinite(replicates)]
    if known.size < min(_FEWEST, max(replicates.size, 1)):
        return None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Interval(low=float(low), high=float(high), level=level, resamples=int(known.size))


def numbered(groups: Array) -> Array:
    """Give each different value of `groups` (shape (rows,)) a whole number from 0."""
    try:
        return np.unique(groups, return_inverse=True)[1].reshape(-1)
    except TypeError as error:
        raise DataError(f"groups: values of one kind are expected, none missing: {error}") from None


def compare(
    metric: str | Metric,
    labels: npt.ArrayLike,
    ours: npt.ArrayLike,
    theirs: npt.ArrayLike,
    *,
    task: Task = "binary",
    groups: npt.ArrayLike | None = None,
    seed: int = 0,
    resamples: int = 500,
    level: float = 0.95,
) -> Comparison:
    """Compare two predictions of the same rows by a paired bootstrap.

    Both are measured in each resample, so what makes rows hard for both takes no part in the
    difference: it is known far better than either value (Efron and Tibshirani 1993, ch. 16).

    Parameters
    ----------
    metric
        A name, such as `"roc_auc"`; `"recall@0.3"` has a threshold.
    labels
        Shape (rows,), without missing values: Booleans or 1 and 0; class numbers from 0
        (multiclass); or numbers.
    ours, theirs
        Shape (rows,), or (rows, classes) of multiclass models.
    groups
        Shape (rows,), what rows belong together by; then groups are drawn. None draws rows.

    Raises
    ------
    NotFoundError
        If there is no such metric.
    DataError
        If the shapes differ, a value is missing, or the metric isn't defined on these rows.
    """
    one = find_metric(metric, task) if isinstance(metric, str) else metric
    truth, first = check_rows(labels, ours, one.task)
    _, second = check_rows(labels, theirs, one.task)
    drawn = None if groups is None else numbered(np.asarray(groups))
    if drawn is not None and drawn.shape != truth.shape:
        raise DataError(f"{truth.shape[0]} labels, {drawn.shape[0]} groups")
    resampler = Resampler(
        truth.size, groups=drawn, seed=seed, resamples=resamples, level=level, purpose="compare"
    )
    return paired(one, truth, first, second, resampler)


def paired(
    metric: Metric, labels: Array, ours: Array, theirs: Array, resampler: Resampler
) -> Comparison:
    """Compare two predictions of rows that have been checked, in the resampler's resamples.

    Raises
    ------
    DataError
        If the metric isn't defined on these rows.
    """
    statistics = {"ours": metric.prepare(labels, ours), "theirs": metric.prepare(labels, theirs)}
    whole = {name: float(of(np.ones((1, labels.size)))[0]) for name, of in statistics.items()}
    if not all(np.isfinite(value) for value in whole.values()):
        raise DataError(f"{metric.name} is not defined on these {labels.size} rows")
    found = resampler.replicates(statistics)
    interval = resampler.interval(metric.sign * (found["ours"] - found["theirs"]))
    if interval is None:
        raise DataError(f"{metric.name} is not defined in enough resamples of {labels.size} rows")
    difference = whole["ours"] - whole["theirs"]
    return Comparison(
        metric=metric.name,
        **whole,
        difference=difference,
        advantage=metric.sign * difference,
        interval=interval,
        rows=labels.size,
        groups=None if resampler.groups is None else resampler.units,
    )
