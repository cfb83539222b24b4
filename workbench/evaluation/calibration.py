"""Calibration: whether what is given a probability of 0.3 comes true three times in ten.

- The *calibration error* is the mean over ten groups of like predictions of |observed - predicted|
  (ECE with groups of equal size; Nguyen and O'Connor 2015, Naeini et al. 2015).
- Chance alone makes it larger than 0. How large is found by drawing the labels from the
  predictions themselves, as they would come of a calibrated model (Bröcker and Smith 2007).
- *Slope* and *intercept* are those of a logistic regression of the labels on the predictions'
  log-odds (Cox 1958): 1 and 0 of a calibrated model; a slope below 1 is too sure of itself.

Of several classes the likeliest class's probability is looked at, against how often it was right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.evaluation.bootstrap import Resampler, interval_of
from workbench.evaluation.outcomes import CurvePoint

if TYPE_CHECKING:
    import numpy.typing as npt

    from workbench.evaluation.evidence import Evidence, Side

    Array = npt.NDArray[Any]
    Floats = npt.NDArray[np.float64]

__all__ = ["BINS", "by_chance", "error", "groups_of", "line", "pairs_of", "reliability", "slopes"]

BINS = 10
_STEPS = 25
_CLOSE = 1e-10
_FAR = 1e4
_EDGE = 1e-6
"""Log-odds are taken of probabilities at least this far from 0 and 1."""


def pairs_of(side: Side) -> tuple[Floats, Floats] | None:
    """Return probabilities and what came true, both of shape (rows,); None if they are none."""
    predictions = side.predictions
    if predictions.ndim == 2:
        first = predictions.argmax(axis=1)
        came = (first == side.labels).astype(np.float64)
        predictions = predictions.max(axis=1)
    else:
        came = side.labels.astype(np.float64)
    inside = predictions.size and ((predictions >= 0) & (predictions <= 1)).all()
    return (predictions, came) if inside else None


def groups_of(predictions: Floats) -> Array:
    """Put like predictions together, ten groups of about the same size; equal ones never part."""
    order = np.argsort(predictions, kind="stable")
    sorted_ = predictions[order]
    first = np.searchsorted(sorted_, sorted_, side="left")
    groups = np.empty(predictions.size, dtype=np.int64)
    groups[order] = first * BINS // predictions.size
    return np.unique(groups, return_inverse=True)[1]


def error(predictions: Floats, came: Floats, weights: Floats) -> Floats:
    """Return the calibration error in each resample, shape (resamples,)."""
    rows = _indicator(groups_of(predictions))
    off = weights @ (rows * (came - predictions)[:, None])
    found: Floats = np.abs(off).sum(axis=1) / weights.sum(axis=1)
    return found


def by_chance(predictions: Floats, seed: int, draws: int, level: float) -> float:
    """Return how large the error of a calibrated model is at most, at this level."""
    rows = _indicator(groups_of(predictions))
    generator = np.random.default_rng([seed, 5])
    found = [
        np.abs(((generator.random(predictions.size) < predictions) - predictions) @ rows).sum()
        for _ in range(draws)
    ]
    return float(np.quantile(found, level)) / predictions.size


def _indicator(groups: Array) -> Floats:
    rows = np.zeros((groups.size, int(groups.max()) + 1))
    rows[np.arange(groups.size), groups] = 1.0
    return rows


def line(predictions: Floats, came: Floats) -> tuple[Floats, Floats]:
    """Fit intercept and slope, by Newton's method; return them and each row's scores.

    The scores, of shape (rows, 5), are the two entries of the gradient and the three of the
    Hessian: their weighted sums give each resample's estimate in one further step.
    """
    clipped = np.clip(predictions, _EDGE, 1 - _EDGE)
    odds = np.log(clipped / (1 - clipped))
    rate = np.clip(came.mean(), _EDGE, 1 - _EDGE)
    found = np.array([np.log(rate / (1 - rate)), 0.0])  # from where Newton's method goes uphill
    scores = _scores(found, odds, came)
    for _ in range(_STEPS):
        step = _step(scores.sum(axis=0)[None, :])[0]
        found = found + step
        if not np.isfinite(found).all() or np.abs(found).max() > _FAR:
            return np.array([np.nan, np.nan]), scores  # the classes lie apart: no finite slope
        scores = _scores(found, odds, came)
        if np.abs(step).max() < _CLOSE:
            break
    return found, scores


def _scores(at: Floats, odds: Floats, came: Floats) -> Floats:
    fitted = 1 / (1 + np.exp(-np.clip(at[0] + at[1] * odds, -500, 500)))
    left, spread = came - fitted, fitted * (1 - fitted)
    return np.column_stack([left, left * odds, spread, spread * odds, spread * odds**2])


def _step(sums: Floats) -> Floats:
    """Solve for Newton's step of each resample; sums are of shape (resamples, 5)."""
    one, two, a, b, c = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        both = np.column_stack([c * one - b * two, a * two - b * one])
        step: Floats = both / (a * c - b * b)[:, None]
    return step


def slopes(found: Floats, scores: Floats, resampler: Resampler) -> Floats:
    """Return the slope in each resample, by one Newton step (Moulton and Zeger 1991)."""
    steps = [_step(weights @ scores)[:, 1] for weights in resampler.weights()]
    drawn: Floats = np.concatenate(steps) + found[1]
    return drawn


def reliability(evidence: Evidence) -> tuple[CurvePoint, ...]:
    """Return the reliability curve with an interval for each point."""
    pairs = None if evidence.task == "regression" else pairs_of(evidence.test)
    if pairs is None:
        return ()
    predictions, came = pairs
    rows = _indicator(groups_of(predictions))
    resampler = evidence.resampler("reliability")
    counts, hits = rows.sum(axis=0), came @ rows
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = np.concatenate(
            [(block @ (rows * came[:, None])) / (block @ rows) for block in resampler.weights()]
        )
    means = (predictions @ rows) / counts
    return tuple(
        CurvePoint(
            predicted=float(means[place]),
            observed=float(hits[place] / counts[place]),
            rows=int(counts[place]),
            interval=interval_of(drawn[:, place], resampler.level),
        )
        for place in range(counts.size)
    )
