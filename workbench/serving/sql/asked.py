"""How each library is asked, so that it answers as when it was called by itself.

Numbers go as one matrix of Float64, the way that batch scoring takes. Where a column is a text or a
time they go as a pandas frame, which each of the four libraries knows columns of all types in; of
texts the boosters that have a type for categories get that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from workbench.errors import DataError, UsageError
from workbench.tracking.models import flavor_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["probabilities", "values"]


def probabilities(model: Any, rows: pl.DataFrame) -> npt.NDArray[np.float64]:
    """Return each class's probability; shape (rows, classes)."""
    import numpy as np

    flavor = _flavor(model)
    asked = _asked(model, flavor, rows)
    if hasattr(model, "predict_proba"):
        answer = model.predict_proba(asked)
    elif flavor == "catboost":
        answer = model.predict(asked, prediction_type="Probability")
    elif flavor in {"lightgbm", "xgboost"}:
        answer = model.predict(asked)
    else:
        raise DataError(f"{type(model).__name__} gives no probabilities")
    shares = np.asarray(answer, dtype=np.float64)
    # A booster of two classes gives the positive one's alone.
    return np.column_stack([1 - shares, shares]) if shares.ndim == 1 else shares


def values(model: Any, rows: pl.DataFrame) -> npt.NDArray[Any]:
    """Return what the model predicts, one number for each row; shape (rows,)."""
    import numpy as np

    answer = np.asarray(model.predict(_asked(model, _flavor(model), rows)))
    if answer.size != rows.height:
        raise DataError(
            f"{type(model).__name__} answers {answer.shape} for {rows.height:,} rows; expected one "
            "number for each"
        )
    return answer.reshape(rows.height)


def _flavor(model: Any) -> str:
    try:
        return flavor_of(model)
    except UsageError:
        return ""  # a class of the project's own, which is given the rows as they are


def _asked(model: Any, flavor: str, rows: pl.DataFrame) -> Any:
    if not flavor:
        return rows
    numbers = all(dtype == pl.Float64 for dtype in rows.dtypes)
    matrix = rows.to_numpy() if numbers else _frame(flavor, rows)
    if flavor == "xgboost" and type(model).__name__ == "Booster":
        import xgboost

        names, types = model.feature_names, model.feature_types
        if not numbers:
            return xgboost.DMatrix(matrix, enable_categorical=True)
        return xgboost.DMatrix(matrix, feature_names=names, feature_types=types)
    if flavor == "sklearn" and numbers:
        names = getattr(model, "feature_names_in_", None)
        return matrix if names is None else _named(matrix, names)
    return matrix


def _named(matrix: Any, names: Any) -> Any:
    import pandas as pd

    return pd.DataFrame(matrix, columns=names)


def _frame(flavor: str, rows: pl.DataFrame) -> Any:
    if flavor in {"xgboost", "lightgbm"}:
        rows = rows.with_columns(pl.col(pl.String).cast(pl.Categorical))
    return rows.to_pandas()
