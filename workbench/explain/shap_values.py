"""SHAP values and their summary."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from workbench.errors import DataError, MissingExtraError
from workbench.tracking.flavors import flavor_of, positive_probability

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Matrix = npt.NDArray[np.float64]

__all__ = ["ShapSummary", "shap_summary"]

_TOLERANCE = 1e-3
"""Largest difference of a row's summed values from its log-odds; XGBoost computes in float32."""


class ShapSummary(BaseModel):
    """Mean absolute SHAP value of each feature, in log-odds, largest first."""

    model_config = ConfigDict(frozen=True)

    importance: dict[str, float]
    base_value: float
    rows: int
    additivity_error: float


def shap_summary(model: Any, features: Matrix, names: Sequence[str]) -> ShapSummary:
    """Explain `model` on `features` of shape (rows, len(names)).

    Raises
    ------
    DataError
        If a row's values don't add up to what the model said of it.
    """
    import numpy as np

    contributions = _CONTRIBUTIONS[flavor_of(model)](model, features)
    values, base = contributions[:, :-1], contributions[:, -1]
    probability = np.clip(positive_probability(model, features), 1e-12, 1 - 1e-12)
    error = float(np.abs(values.sum(axis=1) + base - np.log(probability / (1 - probability))).max())
    if error > _TOLERANCE:
        raise DataError(f"SHAP values miss the model's log-odds by {error:.2g}: not additive")
    mean = np.abs(values).mean(axis=0)
    order = np.argsort(-mean, kind="stable")
    return ShapSummary(
        importance={names[i]: float(mean[i]) for i in order},
        base_value=float(base.mean()),
        rows=len(features),
        additivity_error=error,
    )


def _xgboost(model: Any, features: Matrix) -> Matrix:
    import numpy as np
    import xgboost

    booster = model.get_booster() if hasattr(model, "get_booster") else model
    values = booster.predict(xgboost.DMatrix(features), pred_contribs=True)
    return np.asarray(values, dtype=np.float64)


def _lightgbm(model: Any, features: Matrix) -> Matrix:
    import numpy as np

    return np.asarray(model.predict(features, pred_contrib=True), dtype=np.float64)


def _catboost(model: Any, features: Matrix) -> Matrix:
    import catboost
    import numpy as np

    values = model.get_feature_importance(catboost.Pool(features), type="ShapValues")
    return np.asarray(values, dtype=np.float64)


def _sklearn(model: Any, features: Matrix) -> Matrix:
    import numpy as np

    if importlib.util.find_spec("shap") is None:
        raise MissingExtraError.of("shap", "explain")
    import shap

    explanation = shap.TreeExplainer(model)(features, check_additivity=False)
    base = np.broadcast_to(np.reshape(explanation.base_values, (-1, 1)), (len(features), 1))
    return np.hstack([explanation.values, base])


_CONTRIBUTIONS: dict[str, Callable[[Any, Matrix], Matrix]] = {
    "xgboost": _xgboost,
    "lightgbm": _lightgbm,
    "catboost": _catboost,
    "sklearn": _sklearn,
}
