"""DuckDB's INTERVAL as polars' Duration, which is a number of microseconds and knows no months."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["with_durations"]

_CELL = [("months", "i4"), ("days", "i4"), ("nanoseconds", "i8")]
"""A cell of Arrow's month_day_nano_interval."""

_DAY = 86_400_000_000


def with_durations(table: pa.Table) -> pa.Table:
    """Turn columns of intervals into durations; a day has 24 hours.

    Raises
    ------
    DataError
        If an interval has months, which are of no one length, or polars hasn't a column's type.
    """
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        if pa.types.is_interval(field.type):
            made = pa.chunked_array(
                [_durations(chunk, field.name) for chunk in table.column(place).chunks],
                pa.duration("us"),
            )
            table = table.set_column(place, field.name, made)
        elif _is_strange(field.type):
            raise DataError(f"SQL: {field.name}: polars has no {field.type}; cast it to another")
    return table


def _durations(chunk: pa.Array, name: str) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    cells = np.frombuffer(chunk.buffers()[1], dtype=_CELL)[chunk.offset : chunk.offset + len(chunk)]
    missing = chunk.is_null().to_numpy(zero_copy_only=False)
    if cells["months"][~missing].any():
        raise DataError(
            f"SQL: {name}: an INTERVAL of months has no one length; cast it to VARCHAR, or ask for "
            "its parts, as in date_part('month', …)"
        )
    microseconds = cells["days"] * np.int64(_DAY) + cells["nanoseconds"] // 1_000
    return pa.array(microseconds, pa.duration("us"), mask=missing)


def _is_strange(kind: Any) -> bool:
    """Look for what polars can't take, also within lists and structs."""
    import pyarrow as pa

    if pa.types.is_interval(kind) or pa.types.is_union(kind):
        return True
    return any(_is_strange(kind.field(place).type) for place in range(kind.num_fields))
