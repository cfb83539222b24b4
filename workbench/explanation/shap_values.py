"""SHAP values' summary, as a training notebook logs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from workbench.explanation.explaining import explain
from workbench.tracking.libraries import flavor_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Matrix = npt.NDArray[np.float64]

__all__ = ["ShapSummary", "shap_summary"]


class ShapSummary(BaseModel):
    """Mean absolute SHAP value of each feature, in the model's own units, largest first."""

    model_config = ConfigDict(frozen=True)

    importance: dict[str, float]
    base_value: float
    rows: int
    additivity_error: float


def shap_summary(model: Any, features: Matrix, names: Sequence[str]) -> ShapSummary:
    """Explain a model of one of the four libraries on `features` of shape (rows, len(names)).

    Raises
    ------
    DataError
        If a row's values don't add up to what the model said of it.
    """
    flavor_of(model)
    explained = explain(model, features, columns=names)
    return ShapSummary(
        importance=explained.importance,
        base_value=float(explained.base[0]),
        rows=len(explained.data),
        additivity_error=explained.additivity_error,
    )
