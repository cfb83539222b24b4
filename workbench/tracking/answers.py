"""What a fitted model answers, in one shape whatever its library, and the rows that are kept of it.

When a model is logged, up to 1,000 of its example's rows are kept beside it with what the model in
memory answered. Whoever serves the stored one can be held against them: that is parity.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import DataError, NotFoundError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    Answers = npt.NDArray[np.float64]

__all__ = [
    "RECORDED_ROWS",
    "answers",
    "named_matrix",
    "read_recorded",
    "spread_rows",
    "write_recorded",
]

RECORDED_ROWS = 1_000
_OF_CLASSES = {"Logloss", "CrossEntropy", "MultiClass", "MultiClassOneVsAll"}
"""CatBoost's losses whose models tell classes apart; a plain `CatBoost` doesn't say so itself."""

_FILE = "recorded_rows.parquet"
_ANSWER = "__answer_"


def answers(model: Any, rows: Any) -> Answers:
    """Ask a fitted model of one of the four libraries, or a booster of one.

    Parameters
    ----------
    rows
        A polars or pandas frame, or a matrix.

    Returns
    -------
    numpy.ndarray
        Shape (rows,): probabilities of the positive class, numbers, or the places of the answered
        labels among the classes; shape (rows, classes) of probabilities of more than two.

    Raises
    ------
    DataError
        If it can't answer such rows.
    """
    first: Exception | None = None
    for given in _shapes(rows):
        try:
            with warnings.catch_warnings():
                # A model fitted on a matrix warns of the frame's names: not of the user's making.
                warnings.simplefilter("ignore")
                return _as_numbers(model, _asked(model, given))
        except Exception as error:
            first = first or error
    raise DataError(f"{type(model).__name__} can't answer the rows: {first}") from first


def _shapes(rows: Any) -> Iterator[Any]:
    """Give the rows as pandas' frame, as which most models were fitted, then as they are."""
    import numpy as np
    import polars as pl

    if isinstance(rows, np.ndarray) or hasattr(rows, "toarray"):
        yield rows
        return
    yield rows.to_pandas() if isinstance(rows, pl.DataFrame) else rows
    yield rows.to_numpy().astype(np.float64)


def _asked(model: Any, rows: Any) -> Any:
    name = type(model).__name__
    if hasattr(model, "predict_proba"):
        return model.predict_proba(rows)
    if name == "Booster" and type(model).__module__.startswith("xgboost"):
        return model.predict(_xgboost_rows(model, rows), validate_features=False)
    if name == "CatBoost" and model.get_all_params().get("loss_function") in _OF_CLASSES:
        return model.predict(rows, prediction_type="Probability")
    return model.predict(rows)


def _xgboost_rows(model: Any, rows: Any) -> Any:
    import xgboost

    if hasattr(rows, "iloc"):
        return xgboost.DMatrix(rows, enable_categorical=True)
    return xgboost.DMatrix(
        rows, feature_names=model.feature_names, feature_types=model.feature_types
    )


def named_matrix(model: Any, matrix: npt.NDArray[np.float64]) -> Any:
    """Give the columns the names that a scikit-learn model was fitted with, if it was."""
    names = getattr(model, "feature_names_in_", None)
    if names is None or not type(model).__module__.startswith("sklearn"):
        return matrix
    import pandas as pd

    return pd.DataFrame(matrix, columns=names)


def _as_numbers(model: Any, answer: Any) -> Answers:
    import numpy as np

    array = np.asarray(answer)
    if array.dtype.kind not in "biuf":
        labels = np.asarray(getattr(model, "classes_", np.unique(array)))
        array = np.searchsorted(labels, array)
    array = array.astype(np.float64)
    if array.ndim == 2 and array.shape[1] <= 2:
        return array[:, -1]
    return array


def spread_rows(data: Any, most: int = RECORDED_ROWS) -> Any:
    """Take at most so many rows of a table, evenly from all of it; the same each time."""
    import numpy as np

    height = data.shape[0]
    places = np.unique(np.linspace(0, height - 1, min(most, height)).astype(np.int64))
    return data.iloc[places] if hasattr(data, "iloc") else data[places]


def write_recorded(folder: Path, model: Any, rows: Any) -> bool:
    """Keep the rows with the model's answers in its folder; False if it can't answer them.

    A model is logged all the same: what isn't recorded only can't be held against anything.
    """
    import polars as pl

    try:
        frame = _frame(rows)
        found = answers(model, rows)
        matrix = found if found.ndim == 2 else found[:, None]
        said = {f"{_ANSWER}{place}": column for place, column in enumerate(matrix.T)}
        frame.with_columns(pl.DataFrame(said)).write_parquet(folder / _FILE)
    except (DataError, TypeError, ValueError, pl.exceptions.PolarsError):
        return False
    return True


def _frame(rows: Any) -> pl.DataFrame:
    import numpy as np
    import polars as pl

    if isinstance(rows, pl.DataFrame):
        return rows
    if isinstance(rows, np.ndarray):
        return pl.DataFrame(rows, schema=[str(place) for place in range(rows.shape[1])])
    if hasattr(rows, "iloc"):
        return pl.from_pandas(rows.reset_index(drop=True), nan_to_null=False)
    raise TypeError(type(rows).__name__)


def read_recorded(folder: Path) -> tuple[pl.DataFrame, Answers]:
    """Read the rows that were kept with a model, and what it answered when it was trained.

    Raises
    ------
    NotFoundError
        If none were kept: the model was logged without an example, or not by us.
    """
    import polars as pl

    path = folder / _FILE
    if not path.exists():
        raise NotFoundError("no rows were recorded with the model: log it with example=")
    frame = pl.read_parquet(path, glob=False)
    names = [name for name in frame.columns if name.startswith(_ANSWER)]
    found = frame.select(names).to_numpy()
    return frame.drop(names), found[:, 0] if len(names) == 1 else found
