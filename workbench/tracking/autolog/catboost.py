"""Autologging for CatBoost, for which MLflow has none: on its machinery, like its own ones.

Logged are the parameters as given and, after the fit, all that CatBoost chose itself; the metrics
of every iteration on every set that it was shown; the best iteration and what it reached; and the
importance of each feature as `feature_importance.json`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import mlflow
from mlflow.entities import Metric
from mlflow.utils.autologging_utils import (
    MlflowAutologgingQueueingClient,
    autologging_integration,
    safe_patch,
)

if TYPE_CHECKING:
    from workbench.tracking.autolog.listener import Listener

__all__ = ["autolog"]

_NAME = "workbench_catboost"
_KINDS = ("CatBoost", "CatBoostClassifier", "CatBoostRegressor", "CatBoostRanker")
_BATCH = 1000  # MLflow's limit
_REFUSED = r"[^\w\-. /:]"
"""What MLflow takes in no metric's name, and CatBoost's have (`Quantile:alpha=0.1`)."""


@autologging_integration(_NAME)  # type: ignore[untyped-decorator] # MLflow publishes no types
def autolog(
    listener: Listener,
    disable: bool = False,  # noqa: FBT001, FBT002 - the parameters that MLflow asks for
    silent: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Patch the `fit` of every kind of model; with `disable` MLflow takes the patches back."""
    import catboost

    for kind in _KINDS:
        patch = partial(_fit, listener)
        safe_patch(_NAME, getattr(catboost, kind), "fit", patch, manage_run=True)


def _fit(listener: Listener, original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
    """Fit, and log around it; MLflow catches what goes wrong with logging."""
    if not listener.is_outermost(self):
        return original(self, *args, **kwargs)
    run_id = mlflow.active_run().info.run_id
    given = {**self.get_params(), **_of_fit(kwargs)}
    sending = MlflowAutologgingQueueingClient()
    sending.log_params(run_id, given)
    first = sending.flush(synchronous=False)
    result = original(self, *args, **kwargs)
    chosen = {key: value for key, value in self.get_all_params().items() if key not in given}
    sending.log_params(run_id, chosen)
    sending.flush()
    _log_results(run_id, self, listener.prefix)
    first.await_completion()
    return result


def _of_fit(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Pick the settings among what `fit` was given; the rest is data, or how much to print."""
    silent = {"verbose", "verbose_eval", "silent", "plot", "log_cout", "log_cerr"}
    return {
        key: value
        for key, value in kwargs.items()
        if isinstance(value, (bool, int, float, str)) and key not in silent
    }


def _log_results(run_id: str, model: Any, prefix: str) -> None:
    client = mlflow.MlflowClient()
    now = int(time.time() * 1000)
    metrics = [
        Metric(prefix + re.sub(_REFUSED, "_", name), float(value), now, step)
        for name, value, step in (*_by_iteration(model), *_at_the_end(model))
    ]
    for start in range(0, len(metrics), _BATCH):
        client.log_batch(run_id, metrics=metrics[start : start + _BATCH])
    values = model.get_feature_importance(type="PredictionValuesChange")  # needs no data
    importance = dict(zip(map(str, model.feature_names_), map(float, values), strict=True))
    client.log_dict(run_id, importance, f"{prefix}feature_importance.json")


def _by_iteration(model: Any) -> Iterator[tuple[str, float, int]]:
    """Give each metric on each set: its name, value and iteration."""
    every = model.get_params().get("metric_period") or 1
    for where, scores in model.get_evals_result().items():
        for name, values in scores.items():
            for position, value in enumerate(values):
                yield f"{where}-{name}", value, position * every


def _at_the_end(model: Any) -> Iterator[tuple[str, float, int]]:
    yield "tree_count", model.tree_count_, 0
    best = model.get_best_iteration()
    if best is None:
        return
    yield "best_iteration", best, 0
    for where, scores in model.get_best_score().items():
        for name, value in scores.items():
            yield f"best-{where}-{name}", value, 0
