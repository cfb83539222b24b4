"""The rows that are kept of a model, with what it answered when it was trained.

When a model is logged, up to 1,000 of its example's rows are kept beside it with what the model in
memory answered. Whoever serves the stored one can be held against them: that is parity.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import DataError, NotFoundError
from workbench.tracking.asking import answers

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    Answers = npt.NDArray[np.float64]

__all__ = ["RECORDED_ROWS", "read_recorded", "spread_rows", "write_recorded"]

RECORDED_ROWS = 1_000

_FILE = "recorded_rows.parquet"
_ANSWER = "__answer_"


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
