"""Any model that predicts: SHAP values by walks from background rows to the row in question.

A walk begins at a row of the background and puts in the row's own values, a column at a time, in
some order; what the prediction does at each step is credited to that column (Štrumbelj and
Kononenko, 2014). Every background row is walked from twice, in an order and in its reverse, which
cancels much of the noise (Mitchell et al., 2022). Each walk ends at what the model says, so the
mean of them adds up exactly; how far the mean may be from that over all orders is the error given.

The orders hang on the number of columns alone: the same row, model and background give the same
values, whichever rows are asked about beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from workbench.errors import DataError, UsageError
from workbench.explanation.frames import Rows, as_pandas
from workbench.explanation.ways import Answer, Background, Way

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Places = npt.NDArray[np.intp]

__all__ = ["BACKGROUND", "walking_way"]

BACKGROUND = 50
"""So many rows of the background are walked from."""

_ROWS = 100
"""So many rows are explained unless more are asked for: one takes 100 walks."""

_AT_ONCE = 20_000
"""So many rows are predicted in a call."""


def walking_way(
    model: Any, background: Background, rows: Rows | None, notes: tuple[str, ...] = ()
) -> Way:
    """Explain by what the model says of rows that are partly the background's.

    Raises
    ------
    UsageError
        If the model has nothing to predict with, or the background has no rows.
    """
    method, units = _question(model)
    if rows is None:
        raise UsageError("the background is a mean; this model is compared with rows: give some")
    count = len(rows.frame)
    chosen = rows
    told = background.told
    if count > BACKGROUND:
        import numpy as np

        places = np.sort(np.random.default_rng(0).choice(count, BACKGROUND, replace=False))
        chosen, told = rows.pick(places.tolist()), f"{BACKGROUND} of {told}"
    return Way(
        method="walks between rows",
        flavor="approximation",
        units=units,
        run=partial(_run, partial(_asked, model, method), model, chosen),
        single=True,
        affordable=_ROWS,
        background=Background(told, rows=chosen.frame),
        notes=notes,
    )


def _question(model: Any) -> tuple[str, str]:
    """Choose what the model is asked, the finest answer that it has, and say its units."""
    for method, units in (
        ("predict_proba", "probability"),
        ("decision_function", "margin"),
        ("predict", "prediction"),
    ):
        if callable(getattr(model, method, None)):
            return method, units
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    raise UsageError(
        f"a {kind} can't be explained: it has none of predict_proba, decision_function, predict"
    )


def _asked(model: Any, method: str, table: Any) -> Floats:
    """Ask; shape (outputs, rows), of two probabilities only the second."""
    import numpy as np

    answer = getattr(model, method)(table)
    said = np.asarray(answer.to_numpy() if hasattr(answer, "to_numpy") else answer)
    if said.dtype.kind not in "biuf" or said.ndim > 2:
        raise DataError(
            f"{type(model).__name__}.{method} answers with {said.dtype}; values are of numbers, "
            "such as predict_proba gives"
        )
    said = said.astype(np.float64)
    if said.ndim == 1:
        return said[None, :]
    return said.T[1:] if method == "predict_proba" and said.shape[1] == 2 else said.T


def _form(model: Any, rows: Rows) -> Any:
    """Give the rows as they came if the model was fitted on names or takes more than numbers."""
    numeric = all(dtype.is_numeric() or dtype == pl.Boolean for dtype in rows.frame.dtypes)
    library = type(model).__module__.partition(".")[0]
    if not numeric or library not in ("sklearn", "xgboost", "lightgbm", "catboost"):
        return rows.given
    known = getattr(model, "feature_names_in_", None) is not None and library == "sklearn"
    return rows.given if known else rows.named(model)


def _run(ask: Callable[[Any], Floats], model: Any, background: Rows, rows: Rows) -> Answer:
    import numpy as np

    table = _form(model, rows)
    behind = _alike(table, background)
    said, base = ask(table), ask(behind).mean(axis=1)
    stacked = _stacked(behind, table)
    count, columns = len(background.frame), len(rows.columns)
    shape = (len(said), len(rows.frame), columns)
    values, errors = np.empty(shape), np.zeros(shape)
    orders = _orders(columns, count)
    known = _steps(orders)
    for row in range(len(rows.frame)):
        pairs = np.concatenate(list(_pairs(ask, stacked, count + row, orders, known)))
        values[:, row] = pairs.mean(axis=0)
        if count > 1:
            errors[:, row] = pairs.std(axis=0, ddof=1) / np.sqrt(count)
    return Answer(values, base, said, errors)


def _orders(columns: int, count: int) -> Places:
    """Choose an order of the columns for each row of the background; shape (count, columns)."""
    import numpy as np

    random = np.random.default_rng(columns)
    return np.stack([random.permutation(columns) for _ in range(count)])


def _steps(orders: Places) -> npt.NDArray[np.bool_]:
    """Say which columns are the row's after each step, there and back.

    The shape is (orders, 2, columns + 1, columns).
    """
    import numpy as np

    ranks = np.argsort(orders, axis=1)
    there = ranks[:, None, :] < np.arange(orders.shape[1] + 1)[:, None]
    return np.stack([there, ~there[:, ::-1]], axis=1)


def _pairs(
    ask: Callable[[Any], Floats],
    stacked: Any,
    row: int,
    orders: Places,
    known: npt.NDArray[np.bool_],
) -> Iterator[Floats]:
    """Walk to `row`, and yield what each column did, by pair; shape (walks, outputs, columns)."""
    import numpy as np

    columns = orders.shape[1]
    at_once = max(_AT_ONCE // (2 * (columns + 1)), 1)
    for start in range(0, len(orders), at_once):
        part = orders[start : start + at_once]
        origin = np.arange(start, start + len(part))[:, None, None, None]
        places = np.where(known[start : start + at_once], row, origin).reshape(-1, columns)
        said = ask(_taken(stacked, places)).reshape(-1, len(part), 2, columns + 1)
        steps = np.diff(said, axis=3)
        both = steps[:, :, 0] + steps[:, :, 1, ::-1]  # by step; the way back is the reverse
        pairs = np.empty_like(both)
        np.put_along_axis(pairs, np.broadcast_to(part, both.shape), both / 2, axis=2)
        yield np.moveaxis(pairs, 1, 0)


def _alike(table: Any, background: Rows) -> Any:
    """Give the background as the same kind of table."""
    import numpy as np

    if isinstance(table, np.ndarray):
        given = background.given
        return given if isinstance(given, np.ndarray) else background.matrix()
    if isinstance(table, pl.DataFrame):
        return background.frame
    return background.given if hasattr(background.given, "iloc") else as_pandas(background.frame)


def _stacked(behind: Any, table: Any) -> Any:
    """Put the background's rows above the others."""
    import numpy as np

    if isinstance(table, np.ndarray):
        return np.concatenate([behind, table])
    if isinstance(table, pl.DataFrame):
        return pl.concat([behind, table], how="vertical_relaxed")
    import pandas as pd

    return pd.concat([behind, table], ignore_index=True)


def _taken(stacked: Any, places: Places) -> Any:
    """Take each cell from the row that `places` says; shape (rows, columns)."""
    import numpy as np

    if isinstance(stacked, np.ndarray):
        return stacked[places, np.arange(places.shape[1])]
    if isinstance(stacked, pl.DataFrame):
        return pl.DataFrame(
            [column.gather(places[:, place]) for place, column in enumerate(stacked)]
        )
    import pandas as pd

    columns = [
        stacked.iloc[:, place].take(places[:, place]).reset_index(drop=True)
        for place in range(places.shape[1])
    ]
    return pd.concat(columns, axis=1)
