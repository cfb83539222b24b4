"""Autologging without pictures: MLflow draws some at each fit, which takes longer than most fits.

The numbers stay: metrics as ever, and the importances of XGBoost's features, of which MLflow can
only leave out both the picture and the numbers.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from workbench.project import Project
from workbench.tracking.store import client

__all__ = ["log_importance", "without_plots"]


def without_plots(library: str, undo: ExitStack) -> dict[str, Any]:
    """Let the library's autologger draw nothing; return what to call it with."""
    if library == "xgboost":
        return {"importance_types": []}
    if library == "sklearn":
        from mlflow.sklearn import utils

        draws = getattr(utils, "_get_classifier_artifacts", None)
        if draws is not None:
            utils._get_classifier_artifacts = lambda *_, **__: []
            undo.callback(setattr, utils, "_get_classifier_artifacts", draws)
    return {}


def log_importance(project: Project, run_id: str, model: Any) -> None:
    """Store what MLflow would have beside its picture of an XGBoost model, under the same name."""
    if type(model).__module__.partition(".")[0] == "xgboost":
        booster = model.get_booster() if hasattr(model, "get_booster") else model
        scores = booster.get_score(importance_type="weight")
        client(project).log_dict(run_id, scores, "feature_importance_weight.json")
