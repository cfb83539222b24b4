"""Choosing rows and columns of a lazy frame, so that polars takes both down to the files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from workbench.data.sources.declared import Declared
from workbench.errors import NotFoundError, UsageError

__all__ = ["check_columns", "narrow"]


def narrow(
    declared: Declared,
    frame: pl.LazyFrame,
    columns: Sequence[str] | None,
    where: pl.Expr | None,
) -> pl.LazyFrame:
    """Filter by `where` and select `columns`.

    Raises
    ------
    UsageError
        If they aren't a list of names and an expression.
    NotFoundError
        If the source has no such column.
    """
    if columns is None and where is None:
        return frame
    if isinstance(columns, str):
        raise UsageError(f"columns: expected a list of names, like [{columns!r}]")
    if where is not None and not isinstance(where, pl.Expr):
        kind = type(where).__name__
        raise UsageError(f"where: expected an expression like pl.col('x') > 1, found a {kind}")
    named = [*(columns or ()), *(where.meta.root_names() if where is not None else ())]
    with declared.reading():
        check_columns(declared, named, frame.collect_schema())
    if where is not None:
        frame = frame.filter(where)
    return frame if columns is None else frame.select(columns)


def check_columns(declared: Declared, named: Iterable[str], existing: Iterable[str]) -> None:
    """Refuse a column that the source doesn't have."""
    known = list(existing)
    for column in named:
        if column not in known:
            raise NotFoundError.named("column", column, known, f" in source {declared.name}")
