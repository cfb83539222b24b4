"""Rows as a model's signature has them: each column in its type, or told which one isn't."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from workbench.errors import DataError
from workbench.tracking.asking import takes_matrix

__all__ = ["typed"]

_DTYPES: dict[str, type[pl.DataType]] = {
    "boolean": pl.Boolean,
    "integer": pl.Int32,
    "long": pl.Int64,
    "float": pl.Float32,
    "double": pl.Float64,
    "string": pl.String,
    "binary": pl.Binary,
    "datetime": pl.Datetime,
}
"""MLflow's types of a signature, as polars has them."""

_NUMBERS = {"boolean", "integer", "long", "float", "double"}


def typed(model: Any, rows: pl.DataFrame, types: Sequence[str], told: str) -> pl.DataFrame:
    """Give rows of a model's columns the types that it was fitted on; numbers alone are a matrix.

    Parameters
    ----------
    types
        The signature's type of each column; empty of a matrix whose columns have no names.
    told
        How an error names the model.

    Raises
    ------
    DataError
        If a column is something else: a text of digits is no number.
    """
    if not types:
        return rows.select(_number(column, "a number", told) for column in rows)
    if _NUMBERS.issuperset(types) and takes_matrix(model):
        return rows.select(_number(column, "a number", told) for column in rows)
    return rows.select(_typed(column, kind, told) for column, kind in zip(rows, types, strict=True))


def _typed(column: pl.Series, kind: str, told: str) -> pl.Series:
    if kind in _NUMBERS:
        number = _number(column, kind, told)
        whole = kind in ("integer", "long", "boolean")
        return (number.fill_nan(None) if whole else number).cast(_DTYPES[kind])
    if kind not in _DTYPES:
        return column  # a list, say: the model itself judges
    dtype = column.dtype
    same = isinstance(dtype, (_DTYPES[kind], pl.Null))
    is_text = kind == "string" and isinstance(dtype, (pl.Categorical, pl.Enum))
    if not same and not is_text and not (kind == "datetime" and dtype.is_temporal()):
        raise _other(column, kind, told)
    return column if kind == "datetime" else column.cast(_DTYPES[kind])


def _number(column: pl.Series, wanted: str, told: str) -> pl.Series:
    dtype = column.dtype
    if not (dtype.is_numeric() or isinstance(dtype, (pl.Boolean, pl.Null))):
        raise _other(column, wanted, told)
    return column.cast(pl.Float64)


def _other(column: pl.Series, wanted: str, told: str) -> DataError:
    return DataError(f"{told}: column {column.name} is {column.dtype}; expected {wanted}")
