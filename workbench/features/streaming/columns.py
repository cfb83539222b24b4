"""What of an event is kept for the windows, in values that SQLite and JSON hold as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import polars as pl

from workbench.features.definitions import FeatureView
from workbench.features.streaming.windows import Slot

__all__ = ["Column", "kept_columns", "kept_type", "slots_of"]

_CREATED = "__created"
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Column:
    """A column of an event, in one of the forms that it is kept in.

    A Decimal has two: totals are of floats, as offline, and what is counted by its value or served
    again is exact, a text.
    """

    name: str
    form: Literal["physical", "float", "text"]

    def kept(self, rows: pl.DataFrame) -> list[object]:
        """Return the column's values."""
        column = rows[self.name]
        if self.form == "physical":
            return column.to_physical().to_list()
        return column.cast(pl.Float64 if self.form == "float" else pl.String).to_list()


def kept_columns(view: FeatureView, schema: pl.Schema) -> list[Column]:
    """List what the windows need; of the newest of events at one time, when it was created too."""
    columns = [_column(a.column, a.kind, schema) for a in view.aggregates if a.column is not None]
    if view.created and any(aggregate.kind == "last" for aggregate in view.aggregates):
        columns.append(Column(_CREATED, "physical"))
    return list(dict.fromkeys(columns))


def slots_of(view: FeatureView, columns: Sequence[Column]) -> list[Slot]:
    """Say which of the columns each aggregate is of."""
    at = {(column.name, column.form): index for index, column in enumerate(columns)}
    created = at.get((_CREATED, "physical"))
    slots = []
    for aggregate in view.aggregates:
        forms = ("float", "physical") if aggregate.kind in _TOTALS else ("text", "physical")
        found = [at[name, form] for name, form in at if name == aggregate.column and form in forms]
        value = found[0] if found else None
        slots.append(Slot(aggregate.kind, value, aggregate.length // _MICROSECOND, created))
    return slots


def kept_type(dtype: pl.DataType) -> pl.DataType:
    """Return the type that a last value is kept in."""
    if isinstance(dtype, pl.Categorical | pl.Enum | pl.Decimal):
        return pl.String()
    return pl.Series(dtype=dtype).to_physical().dtype


_TOTALS = ("sum", "mean", "rate")


def _column(name: str, kind: str, schema: pl.Schema) -> Column:
    dtype = schema[name]
    if isinstance(dtype, pl.Decimal):
        return Column(name, "float" if kind in _TOTALS else "text")
    return Column(name, "text" if isinstance(dtype, pl.Categorical | pl.Enum) else "physical")
