"""Of numbers."""

from __future__ import annotations

import numpy as np

from workbench.evaluation.statistics.base import EPSILON, Array, Floats, Statistic, divided, mean_of

__all__ = ["bias", "mae", "mape", "median_absolute_error", "r2", "rmse"]


def rmse(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The square root of the mean squared error."""
    mean = mean_of((predictions - labels) ** 2)
    return lambda weights: np.sqrt(mean(weights))


def mae(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The mean absolute error."""
    return mean_of(np.abs(predictions - labels))


def mape(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The mean absolute error as a share of the label; huge where labels are near 0."""
    return mean_of(np.abs(predictions - labels) / np.maximum(np.abs(labels), EPSILON))


def bias(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The mean of prediction minus label."""
    return mean_of(predictions - labels)


def r2(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The share of the labels' variance that is explained; below 0 is worse than their mean."""
    centred = labels - labels.mean()  # so that the difference of squares keeps its digits
    rows = np.column_stack([(predictions - labels) ** 2, centred, centred**2])

    def value(weights: Floats) -> Floats:
        error, first, second = (weights @ rows).T
        spread = second - divided(first**2, weights.sum(axis=1))
        return 1 - divided(error, np.where(spread > EPSILON * second, spread, 0.0))

    return value


def median_absolute_error(labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The middle absolute error; of an even number of rows the mean of the two in the middle."""
    errors = np.abs(predictions - labels)
    order = np.argsort(errors, kind="stable")
    errors = errors[order]

    def value(weights: Floats) -> Floats:
        reached = np.cumsum(np.take(weights, order, axis=1), axis=1)
        half = reached[:, -1:] / 2
        low = np.argmax(reached >= half, axis=1)
        high = np.argmax(reached > half, axis=1)
        found: Floats = (errors[low] + errors[high]) / 2
        return found

    return value
