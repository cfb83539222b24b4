"""Types of stored rows: what comes as another one is cast where that loses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from workbench.errors import FeatureError

__all__ = ["changed", "conformed"]

_TEXTS = (pl.String, pl.Categorical, pl.Enum)


def changed(have: Mapping[str, pl.DataType], types: Mapping[str, pl.DataType]) -> list[str]:
    """Name the columns that have another type than `types` says."""
    # Of a column that is null where there are no rows nobody knows the type.
    return [name for name, dtype in types.items() if dtype not in (pl.Null, have[name])]


def conformed(
    rows: pl.DataFrame, types: Mapping[str, pl.DataType], what: str, todo: str
) -> pl.DataFrame:
    """Cast rows to `types`.

    Raises
    ------
    FeatureError
        If a value would be another one then; `todo` says what to do.
    """
    names = changed(rows.schema, types)
    for name in names:
        if not _lossless(rows[name], types[name]):
            raise FeatureError(f"{what}: {name!r} is {rows.schema[name]}; expected {todo}")
    return rows.cast({name: types[name] for name in names})


def _lossless(column: pl.Series, dtype: pl.DataType) -> bool:
    if column.dtype == pl.Null:
        return True
    if _kind(column.dtype) != _kind(dtype):
        return False
    try:
        cast = column.cast(dtype, strict=False)
        back = cast.cast(column.dtype, strict=False)
    except pl.exceptions.PolarsError:
        return False
    return cast.null_count() == column.null_count() and back.equals(column)


def _kind(dtype: pl.DataType) -> Any:
    """Say with which types this one has values in common."""
    if dtype.is_numeric():
        return "number"
    if dtype in _TEXTS:
        return "text"
    if isinstance(dtype, pl.Datetime):
        return "moment" if dtype.time_zone else "naive"
    return dtype.base_type()
