"""Of two classes: labels are 1 and 0, predictions the probability of 1."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from workbench.evaluation.statistics.base import (
    EPSILON,
    Array,
    Floats,
    Statistic,
    divided,
    mean_of,
    order_of,
    tied,
)

__all__ = [
    "accuracy",
    "average_precision",
    "base_rate",
    "brier",
    "f1",
    "log_loss",
    "precision",
    "recall",
    "roc_auc",
]


def roc_auc(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The chance that a positive row is above a negative one, ties counting half."""
    order, starts = order_of(predictions)
    positive = labels[order].astype(np.float64)

    def value(weights: Floats) -> Floats:
        sorted_ = np.take(weights, order, axis=1)
        above = sorted_ * positive
        below = sorted_ - above
        above, below = tied(above, starts), tied(below, starts)
        beneath = np.cumsum(below, axis=1)
        beneath -= below / 2
        pairs = np.einsum("ij,ij->i", above, beneath)
        return divided(pairs, above.sum(axis=1) * below.sum(axis=1))

    return value


def average_precision(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The mean precision over the positive rows, each taken at its own prediction."""
    order, starts = order_of(-predictions)
    positive = labels[order].astype(np.float64)

    def value(weights: Floats) -> Floats:
        sorted_ = np.take(weights, order, axis=1)
        hits, all_ = tied(sorted_ * positive, starts), tied(sorted_, starts)
        reached = divided(np.cumsum(hits, axis=1), np.cumsum(all_, axis=1), 0.0)
        return divided(np.einsum("ij,ij->i", hits, reached), hits.sum(axis=1))

    return value


def brier(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The mean squared error of the probabilities (Brier 1950)."""
    return mean_of((predictions - labels) ** 2)


def log_loss(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The mean negative logarithm of what was given to the class that came true."""
    clipped = np.clip(predictions, EPSILON, 1 - EPSILON)
    return mean_of(-np.log(np.where(labels == 1, clipped, 1 - clipped)))


def accuracy(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The share of rows on the right side of the threshold."""
    return mean_of(((predictions >= threshold) == (labels == 1)).astype(np.float64))


def base_rate(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The share of positive rows."""
    return mean_of(labels.astype(np.float64))


def precision(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The share of positives among the rows that are called so; 0 if none is."""
    return _ratio(labels, predictions, threshold, lambda hit, called, true: (hit, called))


def recall(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The share of the positives that are called so."""
    made = _ratio(labels, predictions, threshold, lambda hit, called, true: (hit, true))

    def value(weights: Floats) -> Floats:
        found: Floats = np.where(weights @ labels > 0, made(weights), np.nan)
        return found

    return value


def f1(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The harmonic mean of precision and recall; 0 if both are."""
    return _ratio(
        labels, predictions, threshold, lambda hit, called, true: (2 * hit, called + true)
    )


def _ratio(
    labels: Array,
    predictions: Array,
    threshold: float,
    of: Callable[[Floats, Floats, Floats], tuple[Floats, Floats]],
) -> Statistic:
    called = predictions >= threshold
    rows = np.column_stack([called & (labels == 1), called, labels == 1]).astype(np.float64)

    def value(weights: Floats) -> Floats:
        hit, calls, true = (weights @ rows).T
        return divided(*of(hit, calls, true), 0.0)

    return value
