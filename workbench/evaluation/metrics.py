"""The metrics by name, as scikit-learn defines them, and what is good in each.

>>> from workbench.evaluation import measure
>>> measure("roc_auc", [True, False, True, False], [0.9, 0.1, 0.4, 0.6])
0.75
>>> measure("recall@0.3", [True, False, True, False], [0.9, 0.1, 0.4, 0.6])
1.0

A metric is a function of the rows' *weights*: `Metric.prepare` looks at labels and predictions
once (sorts them, takes each row's loss), and what it returns is asked for many weightings at once.
A bootstrap resample is a weighting by how often each row was drawn, so two hundred of them cost
matrix products and no sorting.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from workbench.errors import DataError, NotFoundError, UsageError
from workbench.evaluation.outcomes import Task
from workbench.evaluation.statistics import binary, multiclass, regression
from workbench.evaluation.statistics.base import Statistic

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__ = [
    "Metric",
    "Statistic",
    "check_rows",
    "find_metric",
    "measure",
    "measure_all",
    "metric_names",
]

_NUMBER = re.compile(r"\d*\.?\d+")


@dataclass(frozen=True)
class Metric:
    """One metric of a task."""

    name: str
    make: Callable[[Array, Array, float], Statistic]
    best: Literal["highest", "lowest"] | None
    """None for what only describes the rows."""
    task: Task = "binary"
    thresholded: bool = False
    """Whether it depends on the probability from which on a row is called positive."""
    threshold: float = 0.5
    probabilities: bool = True
    """Whether it has no meaning for predictions outside of 0 to 1."""

    def prepare(self, labels: Array, predictions: Array) -> Statistic:
        """Look at the rows once.

        Parameters
        ----------
        labels
            Shape (rows,): 1.0 and 0.0 (binary), class numbers from 0 (multiclass) or numbers.
        predictions
            Shape (rows,), or (rows, classes) of a multiclass model.
        """
        return self.make(labels, predictions, self.threshold)

    @property
    def higher_is_better(self) -> bool | None:
        """None for what only describes the rows."""
        return None if self.best is None else self.best == "highest"

    @property
    def sign(self) -> int:
        """What to multiply differences by so that positive is better."""
        return -1 if self.best == "lowest" else 1


def metric_names(task: Task) -> list[str]:
    """Name the metrics of a task; all of them are computed unless others are asked for."""
    return list(_KNOWN[task])


def find_metric(name: str, task: Task = "binary") -> Metric:
    """Return the metric of that name; `recall@0.3` is `recall` at the threshold 0.3.

    Raises
    ------
    NotFoundError
        If the task has no such metric; the message has those that it has.
    UsageError
        If the threshold isn't one between 0 and 1, or the metric takes none.
    """
    word, at, threshold = name.partition("@")
    if word not in _KNOWN[task]:
        raise NotFoundError.named("metric", word, _KNOWN[task], f" of a {task} task")
    metric = _KNOWN[task][word]
    if not at:
        return metric
    if not (metric.thresholded and _NUMBER.fullmatch(threshold) and 0 < float(threshold) < 1):
        known = ", ".join(one for one, found in _KNOWN[task].items() if found.thresholded)
        raise UsageError(
            f"metric {name!r}: expected NAME@THRESHOLD with a number between 0 and 1; metrics of a "
            f"{task} task with a threshold: {known or 'none'}"
        )
    return replace(metric, name=name, threshold=float(threshold))


def measure(
    name: str, labels: npt.ArrayLike, predictions: npt.ArrayLike, *, task: Task = "binary"
) -> float:
    """Compute one metric.

    Parameters
    ----------
    labels
        Shape (rows,): Booleans or 1 and 0; class numbers from 0 (multiclass); or numbers.
    predictions
        Shape (rows,), probabilities of the positive class or numbers; (rows, classes) of
        probabilities (multiclass).

    Returns
    -------
    float
        NaN where the metric isn't defined: a ROC AUC of one class only, say.

    Raises
    ------
    NotFoundError
        If there is no such metric.
    DataError
        If there are no rows, the shapes differ, or a value is missing.
    """
    import numpy as np

    metric = find_metric(name, task)
    truth, answer = check_rows(labels, predictions, task)
    return float(metric.prepare(truth, answer)(np.ones((1, truth.size)))[0])


def measure_all(
    labels: npt.ArrayLike,
    predictions: npt.ArrayLike,
    names: Iterable[str] | None = None,
    *,
    task: Task = "binary",
) -> dict[str, float]:
    """Compute several metrics of the same rows.

    Parameters
    ----------
    labels, predictions
        As `measure` takes them.
    names
        Which ones; by default those that need no threshold: `roc_auc`, `average_precision`,
        `brier`, `log_loss` and the `base_rate` that they are read beside (binary); `roc_auc`,
        `brier`, `log_loss`, `accuracy` (multiclass); `rmse`, `mae`, `r2` (regression).

    Returns
    -------
    dict
        Each metric that is defined on these rows: a ROC AUC of one class only, or a Brier score of
        predictions outside of 0 to 1, isn't there.

    Raises
    ------
    NotFoundError
        If there is no such metric.
    DataError
        If there are no rows, the shapes differ, or a value is missing.
    """
    import numpy as np

    truth, answer = check_rows(labels, predictions, task)
    probable = bool(((answer >= 0) & (answer <= 1)).all())
    ones, found = np.ones((1, truth.size)), {}
    for metric in (find_metric(name, task) for name in names or _HEADLINE[task]):
        if probable or not metric.probabilities:
            found[metric.name] = float(metric.prepare(truth, answer)(ones)[0])
    return {name: value for name, value in found.items() if np.isfinite(value)}


def check_rows(
    labels: npt.ArrayLike, predictions: npt.ArrayLike, task: Task
) -> tuple[Array, Array]:
    """Return labels and predictions as the metrics take them.

    Raises
    ------
    DataError
        If there are no rows, the shapes differ, or a value is missing or is no label.
    """
    import numpy as np

    truth, answer = np.asarray(labels), np.asarray(predictions, dtype=np.float64)
    truth = truth.astype(np.int64 if task == "multiclass" else np.float64)
    wanted = 2 if task == "multiclass" else 1
    if answer.ndim != wanted or answer.shape[:1] != truth.shape:
        raise DataError(
            f"labels of shape {truth.shape}, predictions of shape {answer.shape}: expected as many "
            f"rows in both, and {'one column for each class' if wanted == 2 else 'no columns'}"
        )
    if truth.size == 0:
        raise DataError("there are no rows to evaluate")
    if not (np.isfinite(truth).all() and np.isfinite(answer).all()):
        raise DataError("a label or a prediction is missing: null, NaN or infinite")
    if task == "binary" and not np.isin(truth, (0.0, 1.0)).all():
        raise DataError("labels of a binary task: expected true and false, or 1 and 0")
    if task == "multiclass" and not ((truth >= 0) & (truth < answer.shape[1])).all():
        raise DataError(f"class numbers: expected 0 to {answer.shape[1] - 1}")
    return truth, answer


def _known(task: Task, *metrics: Metric) -> dict[str, Metric]:
    return {metric.name: replace(metric, task=task) for metric in metrics}


_BINARY = _known(
    "binary",
    Metric("roc_auc", binary.roc_auc, "highest", probabilities=False),
    Metric("average_precision", binary.average_precision, "highest", probabilities=False),
    Metric("brier", binary.brier, "lowest"),
    Metric("log_loss", binary.log_loss, "lowest"),
    Metric("accuracy", binary.accuracy, "highest", thresholded=True),
    Metric("f1", binary.f1, "highest", thresholded=True),
    Metric("precision", binary.precision, "highest", thresholded=True),
    Metric("recall", binary.recall, "highest", thresholded=True),
    Metric("base_rate", binary.base_rate, None, probabilities=False),
)
_MULTICLASS = _known(
    "multiclass",
    Metric("roc_auc", multiclass.roc_auc, "highest", probabilities=False),
    Metric("brier", multiclass.brier, "lowest"),
    Metric("log_loss", multiclass.log_loss, "lowest"),
    Metric("accuracy", multiclass.accuracy, "highest"),
    Metric("balanced_accuracy", multiclass.balanced_accuracy, "highest"),
    Metric("f1", multiclass.macro_f1, "highest"),
    Metric("precision", multiclass.macro_precision, "highest"),
    Metric("recall", multiclass.macro_recall, "highest"),
)
_REGRESSION = _known(
    "regression",
    Metric("rmse", regression.rmse, "lowest", probabilities=False),
    Metric("mae", regression.mae, "lowest", probabilities=False),
    Metric(
        "median_absolute_error", regression.median_absolute_error, "lowest", probabilities=False
    ),
    Metric("mape", regression.mape, "lowest", probabilities=False),
    Metric("r2", regression.r2, "highest", probabilities=False),
    Metric("bias", regression.bias, None, probabilities=False),
)
_HEADLINE: dict[Task, tuple[str, ...]] = {
    "binary": ("roc_auc", "average_precision", "brier", "log_loss", "base_rate"),
    "multiclass": ("roc_auc", "brier", "log_loss", "accuracy"),
    "regression": ("rmse", "mae", "r2"),
}
_KNOWN: dict[Task, dict[str, Metric]] = {
    "binary": _BINARY,
    "multiclass": _MULTICLASS,
    "regression": _REGRESSION,
}
