"""Run by itself, in a folder and an environment that hold only what was stored of a model.

It knows nothing of Workbench: MLflow loads the model as it would for anybody.
"""

import importlib
import sys
import warnings
from typing import Any

import mlflow
import numpy as np
import pandas as pd

warnings.simplefilter("ignore")


def answer(model: Any, rows: Any) -> Any:
    """Probabilities where the model has them, else what it predicts."""
    if hasattr(model, "predict_proba"):
        return model.predict_proba(rows)
    if type(model).__module__.startswith("xgboost") and type(model).__name__ == "Booster":
        import xgboost

        return model.predict(xgboost.DMatrix(rows), validate_features=False)
    if type(model).__module__.startswith("catboost") and type(model).__name__ == "CatBoost":
        losses = ("Logloss", "CrossEntropy", "MultiClass", "MultiClassOneVsAll")
        classes = model.get_all_params().get("loss_function") in losses
        return model.predict(rows, prediction_type="Probability" if classes else "RawFormulaVal")
    return model.predict(rows)


def as_numbers(model: Any, found: Any) -> Any:
    """One number a row, or one for each of more than two classes."""
    array = np.asarray(found)
    if array.dtype.kind not in "biuf":
        array = np.searchsorted(np.asarray(getattr(model, "classes_", np.unique(array))), array)
    array = array.astype(np.float64)
    return array[:, -1] if array.ndim == 2 and array.shape[1] <= 2 else array


def main(folder: str, rows_file: str, answers_file: str) -> None:
    """Load, answer, write."""
    flavors = mlflow.models.Model.load(folder).flavors
    flavor = next(name for name in flavors if name != "python_function")
    library = "mlflow.pyfunc" if flavor == "custom" else f"mlflow.{flavor}"
    model = importlib.import_module(library).load_model(folder)
    frame = pd.read_parquet(rows_file)
    try:
        found = answer(model, frame)
    except (TypeError, ValueError, KeyError):
        if not all(pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes):
            raise
        found = answer(model, frame.to_numpy(dtype=float))  # as it was fitted
    np.save(answers_file, as_numbers(model, found), allow_pickle=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
