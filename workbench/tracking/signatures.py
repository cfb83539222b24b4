"""What goes into a model and what comes out, as MLflow writes it down.

The rows that a model saw are looked at once: each column's type, and whether it may be missing.
polars, pandas and NumPy rows of the same content give the same signature, for what a model asks
for doesn't depend on who read the file.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.errors import DataError, UsageError
from workbench.tracking.recorded import spread_rows

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    from mlflow.models import ModelSignature
    from mlflow.types import Schema

__all__ = [
    "Example",
    "named_columns",
    "output_schema",
    "signature_of",
    "sklearn_method",
    "take_example",
]

_ROWS = 5
"""How many rows are enough to see what a model answers."""


@dataclass(frozen=True)
class Example:
    """The types of all columns, and some rows as they came; `rows` is None for a library's own kind
    of table, which doesn't give them back.
    """

    inputs: Schema
    rows: Any
    real: bool = True
    """Whether the rows are data, and not stand-ins for them."""


def take_example(data: Any, columns: Sequence[str] | None = None) -> Example:
    """Look at the rows that a model was fitted on, or some like them.

    Parameters
    ----------
    data
        A polars or pandas frame; a matrix of shape (rows, features), sparse ones included; or
        XGBoost's `DMatrix`, LightGBM's `Dataset`, CatBoost's `Pool`.
    columns
        Which of a frame's columns, in which order; the names of a matrix's.

    Raises
    ------
    DataError
        If a column's type has no place in a signature.
    UsageError
        If it is no kind of table, or the columns don't fit it.
    """
    import pandas as pd
    import polars as pl

    named = _own_table(data)
    if named is not None:
        return Example(named, None)
    if not isinstance(data, (pl.DataFrame, pd.DataFrame)):
        matrix = _matrix(data)
        if columns is None:
            return _unnamed(matrix)
        if matrix.shape[1] != len(columns):
            raise UsageError(f"example: {matrix.shape[1]} columns, but {len(columns)} names")
        data = pd.DataFrame(matrix, columns=list(columns))
    elif columns is not None:
        _check_columns(data, columns)
        data = data[list(columns)]
    return Example(_frame_schema(data), spread_rows(data))


def named_columns(columns: Sequence[str]) -> Example:
    """Stand in for rows where only their columns' names are known: numbers that may be missing."""
    import numpy as np
    import pandas as pd
    from mlflow.types import ColSpec, Schema

    inputs = Schema([ColSpec("double", str(column), required=False) for column in columns])
    rows = pd.DataFrame(np.zeros((1, len(columns))), columns=list(columns))
    return Example(inputs, rows, real=False)


def signature_of(model: Any, flavor: str, example: Example) -> ModelSignature:
    """Say what the model asks for and what MLflow's `pyfunc` of it answers.

    Raises
    ------
    DataError
        If the model can't answer the example's rows.
    """
    from mlflow.models import ModelSignature

    rows = example.rows
    outputs = None if rows is None else output_schema(_answer(model, flavor, rows[:_ROWS]))
    return ModelSignature(example.inputs, outputs)


def output_schema(answer: Any) -> Schema:
    """Describe a prediction: one value a row, a matrix of them, or labels."""
    import numpy as np
    from mlflow.types import ColSpec, Schema, TensorSpec

    array = np.asarray(answer.toarray() if hasattr(answer, "toarray") else answer)
    if array.dtype.kind not in "biuf":
        return Schema([ColSpec("string")])
    return Schema([TensorSpec(array.dtype, (-1, *array.shape[1:]))])


def _own_table(data: Any) -> Schema | None:
    """Read the columns of a library's own table, which holds numbers and gives no rows back."""
    from mlflow.types import ColSpec, Schema

    kind = (type(data).__module__.partition(".")[0], type(data).__name__)
    if kind == ("xgboost", "DMatrix") or kind == ("xgboost", "QuantileDMatrix"):
        names = data.feature_names or _numbered(data.num_col())
    elif kind == ("lightgbm", "Dataset"):
        names = data.get_feature_name()
    elif kind == ("catboost", "Pool"):
        names = data.get_feature_names() or _numbered(data.num_col())
    else:
        return None
    return Schema([ColSpec("double", str(name), required=False) for name in names])


def _numbered(count: int) -> list[str]:
    return [str(index) for index in range(count)]


def _matrix(data: Any) -> Any:
    import numpy as np

    matrix = data if hasattr(data, "toarray") else np.asarray(data)
    if getattr(matrix, "ndim", 0) != 2:
        kind = f"{type(data).__module__}.{type(data).__name__}"
        raise UsageError(f"example: a {kind}; expected a polars or pandas frame, or a matrix")
    return matrix


def _unnamed(matrix: Any) -> Example:
    from mlflow.types import Schema, TensorSpec

    if matrix.dtype.kind not in "biuf":
        raise DataError(
            f"example: a matrix of {matrix.dtype}; give it as a frame, so that each column has "
            "its own type"
        )
    rows = spread_rows(matrix)
    rows = rows.toarray() if hasattr(rows, "toarray") else rows
    return Example(Schema([TensorSpec(matrix.dtype, (-1, matrix.shape[1]))]), rows)


def _check_columns(frame: Any, columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in list(frame.columns)]
    if missing:
        raise UsageError(f"example: has no column {', '.join(map(str, missing))}")


def _frame_schema(frame: Any) -> Schema:
    import polars as pl
    from mlflow.types import ColSpec, Schema

    columns = []
    for position, name in enumerate(frame.columns):
        if isinstance(frame, pl.DataFrame):
            dtype, missing = _of_polars(frame.to_series(position))
        else:
            dtype, missing = _of_pandas(frame.iloc[:, position], str(name))
        columns.append(
            ColSpec(_type(dtype, str(name), missing=missing), str(name), required=not missing)
        )
    return Schema(columns)


def _of_polars(series: pl.Series) -> tuple[pl.DataType, bool]:
    missing = series.null_count() > 0
    if not missing and series.dtype.is_float():
        missing = bool(series.is_nan().any())
    return series.dtype, missing


def _of_pandas(series: pd.Series[Any], name: str) -> tuple[pl.DataType, bool]:
    import numpy as np
    import pandas as pd
    import polars as pl

    missing = bool(series.isna().any())
    if not missing and pd.api.types.is_float_dtype(series.dtype):
        missing = bool(np.isnan(series.to_numpy(dtype="float64")).any())  # Arrow's aren't NA
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return pl.Datetime(), missing
    present = series.dropna().head(100) if missing else series.head(100)
    if isinstance(series.dtype, pd.CategoricalDtype):
        present = present.astype(series.dtype.categories.dtype)
    try:
        if len(present) == 0 and series.dtype == object:
            return pl.Null(), True
        return pl.Series(pl.from_pandas(present.rename(None), nan_to_null=True)).dtype, missing
    except (TypeError, ValueError, pl.exceptions.PolarsError, ImportError) as error:
        raise DataError(f"example: column {name} mixes types: {error}") from error


def _type(dtype: Any, name: str, *, missing: bool) -> Any:
    """Name MLflow's type of a column."""
    import polars as pl
    from mlflow.types import DataType
    from mlflow.types.schema import Array

    if isinstance(dtype, (pl.List, pl.Array)):
        return Array(_type(dtype.inner, name, missing=False))
    if missing and dtype.is_integer():
        return DataType.double  # pandas and JSON can't hold a missing integer as one
    for types, found in (
        ((pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16), DataType.integer),
        ((pl.Int64, pl.UInt32), DataType.long),
        ((pl.Float32,), DataType.float),
        ((pl.Float64, pl.Decimal, pl.UInt64, pl.Null), DataType.double),
        ((pl.Boolean,), DataType.boolean),
        ((pl.String, pl.Categorical, pl.Enum), DataType.string),
        ((pl.Binary,), DataType.binary),
        ((pl.Date, pl.Datetime), DataType.datetime),
    ):
        if isinstance(dtype, types):
            return found
    raise DataError(
        f"example: column {name} is {dtype}, which no model's signature can say; "
        "give it as a number, a text or a time"
    )


def _answer(model: Any, flavor: str, rows: Any) -> Any:
    """Predict as `pyfunc` will, which hands over a pandas frame or a matrix."""
    first: Exception | None = None
    for given in _shapes(rows):
        try:
            with warnings.catch_warnings():
                # A model fitted on a matrix warns of the frame's names: not of the user's making.
                warnings.simplefilter("ignore")
                return _predict(model, flavor, given)
        except Exception as error:
            first = first or error
    raise DataError(f"example: the model can't predict on it: {first}") from first


def _shapes(rows: Any) -> list[Any]:
    import numpy as np
    import polars as pl

    if isinstance(rows, np.ndarray):
        return [rows]
    frame = _as_pandas(rows) if isinstance(rows, pl.DataFrame) else rows
    return [frame, rows, frame.to_numpy()]


def _as_pandas(rows: pl.DataFrame) -> pd.DataFrame:
    """Convert with names put on afterwards: not every text is one that Arrow takes."""
    plain = {name: str(position) for position, name in enumerate(rows.columns)}
    frame = rows.rename(plain).to_pandas()
    frame.columns = rows.columns
    return frame


def _predict(model: Any, flavor: str, rows: Any) -> Any:
    if flavor == "xgboost" and type(model).__name__ == "Booster":
        import xgboost

        return model.predict(xgboost.DMatrix(rows), validate_features=False)
    if flavor == "lightgbm":
        return getattr(model, "booster_", model).predict(rows)
    if flavor in ("sklearn", "custom"):
        return getattr(model, sklearn_method(model))(rows)
    return model.predict(rows)


def sklearn_method(model: Any) -> str:
    """Name what answers for a scikit-learn model: probabilities where it has them."""
    known = ("predict_proba", "predict", "transform")
    for method in known:
        if hasattr(model, method):
            return method
    raise DataError(f"{type(model).__name__} has none of {', '.join(known)}: is it fitted?")
