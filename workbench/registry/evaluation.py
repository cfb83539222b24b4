"""How good predicted probabilities are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["binary_metrics"]


def binary_metrics(labels: npt.ArrayLike, scores: npt.ArrayLike) -> dict[str, float]:
    """Judge probabilities of the positive class against what happened.

    Parameters
    ----------
    labels
        Shape (rows,), true or false (or 1 and 0), without missing values.
    scores
        Shape (rows,), probabilities from 0 to 1.

    Returns
    -------
    dict
        `roc_auc` and `average_precision` (higher is better; their chance values are 0.5 and the
        base rate), `brier` (mean squared error, Brier 1950) and `log_loss` (lower is better), and
        `base_rate`, the share of positives; all as scikit-learn defines them.

    Raises
    ------
    DataError
        If the shapes differ, there are no rows, or only one class occurs.
    """
    import numpy as np
    from sklearn import metrics

    truth: npt.NDArray[np.bool_] = np.asarray(labels, dtype=bool)
    probability: npt.NDArray[np.float64] = np.asarray(scores, dtype=np.float64)
    if truth.shape != probability.shape:
        raise DataError(f"{truth.shape[0]} labels, {probability.shape[0]} scores")
    if truth.size == 0 or truth.all() or not truth.any():
        raise DataError("both classes are needed to judge a classifier")
    return {
        "roc_auc": float(metrics.roc_auc_score(truth, probability)),
        "average_precision": float(metrics.average_precision_score(truth, probability)),
        "brier": float(metrics.brier_score_loss(truth, probability)),
        "log_loss": float(metrics.log_loss(truth, probability)),
        "base_rate": float(truth.mean()),
    }
