"""Rows to explain, however they come: polars, pandas or a matrix.

What a model asks for is picked by name where it knows names, and by place where it was fitted on a
matrix. Each library then gets the rows in the form that it was made for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from workbench.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]

__all__ = ["Rows", "as_frame", "take_rows"]


@dataclass(frozen=True, eq=False)
class Rows:
    """The columns that a model asks for, in its order.

    `given` holds the same rows and columns as they came, for who takes them so.
    """

    frame: pl.DataFrame
    given: Any

    @property
    def columns(self) -> list[str]:
        """The columns' names."""
        return self.frame.columns

    def pick(self, places: Sequence[int] | None) -> Rows:
        """Keep the rows at `places`, or all."""
        if places is None:
            return self
        kept = list(places)
        given = self.given.iloc[kept] if hasattr(self.given, "iloc") else self.given[kept]
        return Rows(self.frame[kept], given)

    def matrix(self) -> Floats:
        """Give all columns as numbers, NaN for what is missing; shape (rows, columns).

        Raises
        ------
        UsageError
            If a column has no numbers.
        """
        for name, dtype in self.frame.schema.items():
            _check_number(name, dtype)
        if all(dtype == pl.Float64 for dtype in self.frame.dtypes):
            return self.frame.to_numpy()
        return self.frame.select(pl.all().cast(pl.Float64)).to_numpy()

    def pandas(self, categories: Collection[str] = ()) -> pd.DataFrame:
        """Give numbers as numbers, and the columns in `categories` as pandas categories.

        Raises
        ------
        UsageError
            If another column has no numbers.
        """
        import pandas as pd

        made = {}
        for place, name in enumerate(self.columns):
            series = self.frame.to_series(place)
            if name in categories:
                made[name] = _category(series)
            else:
                _check_number(name, series.dtype)
                made[name] = pd.Series(series.cast(pl.Float64).to_numpy())
        return pd.DataFrame(made)

    def named(self, model: Any) -> Any:
        """Give the columns as a scikit-learn model wants them: with names if it was fitted so."""
        if getattr(model, "feature_names_in_", None) is None:
            return self.given if _is_matrix(self.given) else self.matrix()
        if hasattr(self.given, "iloc"):
            return self.given
        return as_pandas(self.frame)


def take_rows(data: Any, columns: Sequence[str] | None, width: int | None = None) -> Rows:
    """Take from `data` what a model asks for.

    Parameters
    ----------
    data
        A polars or pandas frame, or a matrix of shape (rows, columns), sparse ones included.
    columns
        The names of what the model asks for, or of a matrix's columns; None if nobody knows them.
    width
        How many columns the model asks for, where that is all it knows.

    Raises
    ------
    NotFoundError
        If a column is missing; the message says which is nearest.
    UsageError
        If it is no table, has no rows, or not as many columns.
    """
    frame, given = _table(data, columns)
    if frame.is_empty():
        raise UsageError("no rows to explain: the frame is empty")
    if columns is not None:
        missing = [name for name in columns if name not in frame.columns]
        if missing:
            raise NotFoundError.named("column", missing[0], frame.columns, _more(missing))
        if list(columns) != frame.columns:
            places = [frame.columns.index(name) for name in columns]
            given = given.iloc[:, places] if hasattr(given, "iloc") else given[:, places]
            frame = frame.select(columns)
    elif width is not None and frame.width != width:
        raise UsageError(
            f"the model takes {width} columns and knows no names of them; given are {frame.width}"
        )
    return Rows(frame, given)


def as_frame(data: Any) -> pl.DataFrame | None:
    """Give a frame as polars; None for what is no frame."""
    if isinstance(data, pl.DataFrame):
        return data
    if type(data).__module__.partition(".")[0] == "pandas" and hasattr(data, "columns"):
        plain = data.reset_index(drop=True)
        plain.columns = [str(name) for name in data.columns]
        try:
            return pl.from_pandas(plain)
        except (TypeError, ValueError) as error:  # Arrow's are such too
            first = str(error).partition("\n")[0]
            raise UsageError(f"rows: pandas' frame can't be read: {first}") from error
    return None


def as_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    """Convert with names put on afterwards: not every text is one that Arrow takes."""
    plain = {name: str(place) for place, name in enumerate(frame.columns)}
    made = frame.rename(plain).to_pandas()
    made.columns = frame.columns
    return made


def _table(data: Any, columns: Sequence[str] | None) -> tuple[pl.DataFrame, Any]:
    frame = as_frame(data)
    if frame is not None:
        return frame, data
    import numpy as np

    matrix = np.asarray(data.toarray() if hasattr(data, "toarray") else data)
    if matrix.ndim != 2:
        kind = f"{type(data).__module__}.{type(data).__qualname__}"
        raise UsageError(f"rows: a {kind}; expected a polars or pandas frame, or a matrix")
    names = list(columns) if columns is not None else [str(i) for i in range(matrix.shape[1])]
    if len(names) != matrix.shape[1]:
        raise UsageError(f"the model takes {len(names)} columns; the matrix has {matrix.shape[1]}")
    if matrix.dtype == object:
        return pl.DataFrame({n: matrix[:, i].tolist() for i, n in enumerate(names)}), matrix
    frame = pl.DataFrame({name: matrix[:, place] for place, name in enumerate(names)})
    return frame, frame if columns is not None else matrix


def _is_matrix(data: Any) -> bool:
    import numpy as np

    return isinstance(data, np.ndarray)


def _more(missing: Sequence[str]) -> str:
    return f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""


def _check_number(name: str, dtype: pl.DataType) -> None:
    if not (dtype.is_numeric() or dtype in (pl.Boolean, pl.Null)):
        raise UsageError(f"column {name} is {dtype}; the model takes a number there")


def _category(series: pl.Series) -> Any:
    """Make pandas categories whose values are the column's own."""
    import pandas as pd

    if isinstance(series.dtype, (pl.Categorical, pl.Enum)):
        series = series.cast(pl.String)
    present = series.drop_nulls().unique().sort().to_list() or [""]  # XGBoost wants at least one
    return pd.Categorical(series.to_list(), categories=present)
