"""How well the predictions of a window came true, with how much chance there is in the figures."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from workbench.evaluation import measure_all

__all__ = ["FIGURES", "ReliabilityBin", "Z", "figures", "reliability", "standard_errors"]

FIGURES = ("roc_auc", "average_precision", "brier", "log_loss", "base_rate")
Z = 1.96
"""Standard errors a figure has to be worse by: chance alone does that once in forty windows."""


class ReliabilityBin(BaseModel):
    """Rows with about the same prediction, and how often the event came."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    predicted: float
    observed: float
    rows: int


def figures(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> dict[str, float | None]:
    """Performance of `scores` (n probabilities) on `labels` (n Booleans); None is undefined.

    Ranking needs both classes: with one alone only the Brier score and the base rate have a value.
    """
    if not labels.size:
        return dict.fromkeys(FIGURES)
    one_class = labels.all() or not labels.any()
    found = measure_all(labels, scores, ("brier", "base_rate") if one_class else FIGURES)
    return {name: found.get(name) for name in FIGURES}


def standard_errors(
    labels: NDArray[np.bool_], scores: NDArray[np.float64], roc_auc: float
) -> dict[str, float]:
    """Standard error of the ROC AUC and of the Brier score, both classes present.

    ROC AUC after Hanley and McNeil (Radiology 143, 1982), Brier as the mean of n squared errors.
    """
    positives = int(labels.sum())
    negatives = labels.size - positives
    squared = (scores - labels) ** 2
    return {
        "roc_auc": _hanley_mcneil(roc_auc, positives, negatives),
        "brier": float(squared.std(ddof=0) / math.sqrt(labels.size)),
    }


def reliability(
    labels: NDArray[np.bool_], scores: NDArray[np.float64], bins: int = 10
) -> tuple[ReliabilityBin, ...]:
    """Mean prediction against the observed share, in at most `bins` groups of like predictions.

    Groups are cut at the quantiles of the predictions; equal predictions are never parted.
    """
    frame = pl.DataFrame({"score": scores, "label": labels})
    order = (pl.col("score").rank("min") - 1) * bins // max(frame.height, 1)
    grouped = frame.group_by(order.alias("bin")).agg(
        predicted=pl.col("score").mean(), observed=pl.col("label").mean(), rows=pl.len()
    )
    rows = grouped.sort("predicted").drop("bin").iter_rows(named=True)
    return tuple(ReliabilityBin(**row) for row in rows)


def _hanley_mcneil(auc: float, positives: int, negatives: int) -> float:
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (positives - 1) * (q1 - auc**2) + (negatives - 1) * (q2 - auc**2)
    return math.sqrt(max(variance, 0.0) / (positives * negatives))
