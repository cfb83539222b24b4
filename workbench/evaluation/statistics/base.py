"""What the formulas share: means, ratios, and rows sorted once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["EPSILON", "Array", "Floats", "Statistic", "divided", "mean_of", "order_of", "tied"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Statistic = Callable[[Floats], Floats]

EPSILON = float(np.finfo(np.float64).eps)
"""How far from 0 and 1 a probability stays before its logarithm is taken."""


def mean_of(rows: Floats) -> Statistic:
    """The mean of one figure a row."""
    return lambda weights: divided(weights @ rows, weights.sum(axis=1))


def divided(above: Floats, below: Floats, otherwise: float = np.nan) -> Floats:
    """Divide, and give `otherwise` where there is nothing to divide by."""
    full = np.full(np.broadcast_shapes(above.shape, below.shape), otherwise)
    found: Floats = np.divide(above, below, out=full, where=below != 0)
    return found


def order_of(predictions: Array) -> tuple[Array, Array | None]:
    """Sort ascending; say where each group of equal predictions starts, if there are any."""
    order = np.argsort(predictions, kind="stable")
    sorted_ = predictions[order]
    starts = np.flatnonzero(np.concatenate([[True], sorted_[1:] != sorted_[:-1]]))
    return order, starts if starts.size < sorted_.size else None


def tied(weights: Floats, starts: Array | None) -> Floats:
    """Sum the weights of equal predictions."""
    return weights if starts is None else np.add.reduceat(weights, starts, axis=1)
