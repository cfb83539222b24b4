"""How a fitted model is asked, whatever its library: the one way of batch scoring, SQL, checks.

Rows of numbers go as one matrix of Float64. Where a column is a text or a time, or the model has
categories of its own, they go as a pandas frame, which each of the four libraries knows columns of
all types in; of texts the boosters that have a type for categories get that. A class of the
project's own is given polars rows as they are.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from workbench.errors import DataError, UsageError
from workbench.tracking.libraries import flavor_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    Answers = npt.NDArray[np.float64]

__all__ = ["answers", "gives_probabilities", "probabilities", "takes_matrix", "values"]

_BOOSTERS = {"Booster", "CatBoost"}
_OF_CLASSES = {"Logloss", "CrossEntropy", "MultiClass", "MultiClassOneVsAll"}
"""CatBoost's losses whose models tell classes apart; a plain `CatBoost` doesn't say so itself."""


def answers(model: Any, rows: Any) -> Answers:
    """Ask for what a model says of each row, as numbers.

    Parameters
    ----------
    model
        Of one of the four libraries, a booster of one, or any object with `predict_proba` or
        `predict`; or a function of the rows.
    rows
        A polars or pandas frame, or a matrix, of the columns that it was fitted on.

    Returns
    -------
    numpy.ndarray
        Shape (rows,): probabilities of the positive class, numbers, or the places of the answered
        labels among the classes; shape (rows, classes) of probabilities of more than two; shape
        (rows, outputs) of a model that predicts several numbers.

    Raises
    ------
    DataError
        If it can't answer such rows.
    """
    array = _answered(model, rows)
    if array.ndim == 1:
        return array
    one = array.shape[1] == 1 or (array.shape[1] == 2 and gives_probabilities(model))
    return array[:, -1] if one else array


def probabilities(model: Any, rows: Any) -> Answers:
    """Ask for each class's probability; shape (rows, classes).

    Raises
    ------
    DataError
        If it gives none, or can't answer such rows.
    """
    import numpy as np

    if not gives_probabilities(model):
        raise DataError(f"{type(model).__name__} gives no probabilities")
    shares = _answered(model, rows)
    # A booster of two classes gives the positive one's alone.
    return np.column_stack([1 - shares, shares]) if shares.ndim == 1 else shares


def values(model: Any, rows: pl.DataFrame) -> Answers:
    """Ask for one number for each row; shape (rows,).

    Raises
    ------
    DataError
        If it predicts something else, or can't answer such rows.
    """
    answer = answers(model, rows)
    if answer.shape != (rows.height,):
        raise DataError(
            f"{type(model).__name__} answers {answer.shape} for {rows.height:,} rows; expected one "
            "number for each"
        )
    return answer


def gives_probabilities(model: Any) -> bool:
    """Tell whether a model may be asked for probabilities; of a booster only its answer shows."""
    return hasattr(model, "predict_proba") or type(model).__name__ in _BOOSTERS


def _answered(model: Any, rows: Any) -> Answers:
    first: Exception | None = None
    for shape in _shapes(model, rows):
        try:
            with warnings.catch_warnings():
                # A model fitted on a matrix warns of the frame's names: not of the user's making.
                warnings.simplefilter("ignore")
                return _as_numbers(model, _asked(model, shape()))
        except Exception as error:
            first = first or error
    said = f"{type(first).__name__}: {str(first).strip().partition(chr(10))[0]}"
    raise DataError(f"{type(model).__name__} can't answer the rows: {said}") from first


def takes_matrix(model: Any) -> bool:
    """Tell whether rows of numbers may go as a matrix: CatBoost's categories are never 1.0."""
    return _library(model) != "catboost" or not model.get_cat_feature_indices()


def _shapes(model: Any, rows: Any) -> Iterator[Callable[[], Any]]:
    """Give the rows in the shape that the library takes them in, then in the other one."""
    import numpy as np
    import polars as pl

    library = _library(model)
    if library is None or hasattr(rows, "toarray"):
        yield lambda: rows
    elif isinstance(rows, np.ndarray):
        yield lambda: _named(model, rows)
    elif isinstance(rows, pl.DataFrame):
        if _are_numbers(rows) and takes_matrix(model):
            yield lambda: _named(model, rows.select(pl.all().cast(pl.Float64)).to_numpy())
        yield lambda: _frame(library, rows)
    else:
        yield lambda: rows
        yield lambda: rows.to_numpy().astype(np.float64)


def _library(model: Any) -> str | None:
    try:
        return flavor_of(model)
    except UsageError:
        return None


def _are_numbers(rows: pl.DataFrame) -> bool:
    import polars as pl

    return all(dtype.is_numeric() or dtype in (pl.Boolean, pl.Null) for dtype in rows.dtypes)


def _named(model: Any, matrix: Answers) -> Any:
    """Give the columns the names that a scikit-learn model was fitted with, if it was."""
    names = getattr(model, "feature_names_in_", None)
    if names is None or not type(model).__module__.startswith("sklearn"):
        return matrix
    import pandas as pd

    return pd.DataFrame(matrix, columns=names)


def _frame(library: str, rows: pl.DataFrame) -> Any:
    import polars as pl

    if library in {"xgboost", "lightgbm"}:
        rows = rows.with_columns(pl.col(pl.String).cast(pl.Categorical))
    return rows.to_pandas()


def _asked(model: Any, rows: Any) -> Any:
    name = type(model).__name__
    if hasattr(model, "predict_proba"):
        return model.predict_proba(rows)
    if name == "Booster" and type(model).__module__.startswith("xgboost"):
        return model.predict(_xgboost_rows(model, rows), validate_features=False)
    if name == "CatBoost" and model.get_all_params().get("loss_function") in _OF_CLASSES:
        return model.predict(rows, prediction_type="Probability")
    return model.predict(rows) if hasattr(model, "predict") else model(rows)


def _xgboost_rows(model: Any, rows: Any) -> Any:
    import xgboost

    if hasattr(rows, "iloc"):
        return xgboost.DMatrix(rows, enable_categorical=True)
    return xgboost.DMatrix(
        rows, feature_names=model.feature_names, feature_types=model.feature_types
    )


def _as_numbers(model: Any, answer: Any) -> Answers:
    import numpy as np

    array = np.asarray(answer)
    if array.dtype.kind not in "biuf":
        labels = np.asarray(getattr(model, "classes_", np.unique(array)))
        array = np.searchsorted(labels, array)
    return array.astype(np.float64)
