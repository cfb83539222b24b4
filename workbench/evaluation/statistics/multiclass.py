"""Of several classes: labels are numbers from 0, predictions have a column for each class."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from workbench.evaluation.statistics.base import EPSILON, Array, Floats, Statistic, divided, mean_of
from workbench.evaluation.statistics.binary import roc_auc as of_one

__all__ = [
    "accuracy",
    "balanced_accuracy",
    "brier",
    "log_loss",
    "macro_f1",
    "macro_precision",
    "macro_recall",
    "roc_auc",
]


def roc_auc(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The mean ROC AUC of each class against the rest."""
    each = [
        of_one((labels == number).astype(np.float64), predictions[:, number], threshold)
        for number in range(predictions.shape[1])
    ]
    return lambda weights: np.mean([one(weights) for one in each], axis=0)


def log_loss(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The mean negative logarithm of what was given to the class that came true."""
    given = predictions[np.arange(labels.size), labels]
    return mean_of(-np.log(np.clip(given, EPSILON, 1 - EPSILON)))


def brier(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The mean over rows of the squared errors, summed over classes (Brier 1950)."""
    came = labels[:, None] == np.arange(predictions.shape[1])
    return mean_of(((predictions - came) ** 2).sum(axis=1))


def accuracy(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The share of rows whose likeliest class came true."""
    return mean_of((predictions.argmax(axis=1) == labels).astype(np.float64))


def balanced_accuracy(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The mean over the classes that occur of their recall."""
    return _by_class(labels, predictions, lambda hit, called, true: (hit, true))


def macro_recall(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The mean of the classes' recall; of a class that is called but doesn't occur it is 0."""
    return _by_class(
        labels,
        predictions,
        lambda hit, called, true: (hit, np.where(called > 0, true + _TINY, true)),
    )


def macro_precision(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The mean of the classes' precision; of a class that occurs but is never called it is 0."""
    return _by_class(
        labels,
        predictions,
        lambda hit, called, true: (hit, np.where(true > 0, called + _TINY, called)),
    )


def macro_f1(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The mean of the F1 of the classes that occur or are called."""
    return _by_class(labels, predictions, lambda hit, called, true: (2 * hit, called + true))


_TINY = 1e-300
"""Turns 0 / 0 into 0 and leaves every count from 1 what it is."""


def _by_class(
    labels: Array,
    predictions: Array,
    of: Callable[[Floats, Floats, Floats], tuple[Floats, Floats]],
) -> Statistic:
    """The mean over classes of a ratio, of those classes in which it is one."""
    called = predictions.argmax(axis=1)[:, None] == np.arange(predictions.shape[1])
    true = labels[:, None] == np.arange(predictions.shape[1])
    rows = np.hstack([called & true, called, true]).astype(np.float64)

    def value(weights: Floats) -> Floats:
        above, below = of(*np.split(weights @ rows, 3, axis=1))
        ratios = divided(above, below, 0.0)
        return divided(ratios.sum(axis=1), (below > 0).sum(axis=1).astype(np.float64))

    return value
