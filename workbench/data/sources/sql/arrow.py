"""Rows that come as Arrow: their types in polars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from workbench.data.sources.sql.protocol import Column

__all__ = ["arrow_column", "arrow_frame"]


def arrow_column(field: Any) -> Column:
    """Return a field's type; one that polars doesn't have is asked for as text."""
    import pyarrow

    if not pyarrow.types.is_interval(field.type):
        try:
            empty = pyarrow.table([pyarrow.array([], field.type)], names=[field.name])
            [dtype] = _frame(empty).dtypes
            return Column(_utc(dtype))
        except (pl.exceptions.PolarsError, pyarrow.ArrowException):
            pass
    return Column(pl.String(), as_text=True, comparable=False)


def arrow_frame(batch: Any, schema: Mapping[str, Column]) -> pl.DataFrame:
    """Return a batch as a frame of the types in `schema`."""
    frame = _frame(batch)
    return frame.select(
        pl.col(found).cast(column.dtype).alias(name)
        for found, (name, column) in zip(frame.columns, schema.items(), strict=True)
    )


def _frame(content: Any) -> pl.DataFrame:
    frame = pl.from_arrow(content)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _utc(dtype: pl.DataType) -> pl.DataType:
    """Spell UTC one way; a moment's zone is how it is shown, not what it is."""
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return pl.Datetime(dtype.time_unit, "UTC")
    return dtype
