"""Where the columns come from that a step makes and names nothing of: one is moved at a time.

A column whose values are all alike, as those of one row are, is given others: where values come
from doesn't hang on which rows are asked about.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

__all__ = ["dense", "probed"]

_ODD = "\ue000"
"""Makes a text another one, that nobody wrote."""


def probed(step: Any, rows: Any, width: int) -> list[int | str]:
    """Move one column at a time and see which outputs move with it.

    Returns
    -------
    list
        Of each output the number of the column that it came from; the step's name where that is
        none or several.
    """
    import numpy as np

    before = _numbers(step.transform(rows))
    moved = np.zeros((width, before.shape[1]), dtype=bool)
    for place in range(width):
        moved[place] = _differs(before, step.transform(_rolled(rows, place)))
        if not moved[place].any():
            with suppress(Exception), np.errstate(all="ignore"):  # it may refuse what we make up
                moved[place] = _differs(before, step.transform(_invented(rows, place)))
    return [int(np.flatnonzero(by)[0]) if by.sum() == 1 else type(step).__name__ for by in moved.T]


def _differs(before: Any, sent: Any) -> Any:
    import numpy as np

    return ~np.isclose(before, _numbers(sent), rtol=0, atol=0, equal_nan=True).all(axis=0)


def _numbers(sent: Any) -> Any:
    import numpy as np

    return np.asarray(dense(sent), dtype=np.float64)


def dense(sent: Any) -> Any:
    """Give what a step made as an array or a frame."""
    return sent.toarray() if hasattr(sent, "toarray") else sent


def _rolled(rows: Any, place: int) -> Any:
    """Shift one column down by a row."""
    import numpy as np
    import polars as pl

    order = np.roll(np.arange(len(rows)), 1)
    if isinstance(rows, pl.DataFrame):
        return _replaced(rows, place, rows.to_series(place).gather(order))
    return _replaced(rows, place, _column(rows, place)[order])


def _invented(rows: Any, place: int) -> Any:
    """Put other values into a column: larger numbers, later times, texts that nobody wrote."""
    import numpy as np

    column = np.asarray(_column(rows, place))
    kind = column.dtype.kind
    made: Any
    if kind == "M":
        made = column + np.timedelta64(1, "D")
    elif kind == "b":
        made = ~column
    elif kind in "iuf":
        made = np.where(np.isnan(column), 1, column + np.abs(column) + 1)
    else:
        made = [f"{value}{_ODD}" for value in column]
    return _replaced(rows, place, made)


def _column(rows: Any, place: int) -> Any:
    if hasattr(rows, "iloc"):
        return rows.iloc[:, place].to_numpy()
    return rows[:, place].to_numpy() if hasattr(rows, "to_series") else rows[:, place]


def _replaced(rows: Any, place: int, values: Any) -> Any:
    import polars as pl

    if isinstance(rows, pl.DataFrame):
        return rows.with_columns(pl.Series(rows.columns[place], values))
    changed = rows.copy()
    if hasattr(rows, "iloc"):
        changed.isetitem(place, values)
    else:
        changed[:, place] = values
    return changed
