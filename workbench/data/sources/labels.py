"""What was known when: labels and rows that arrive after what they speak of."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from workbench.data.sources.declared import Declared
from workbench.data.sources.moments import as_moment
from workbench.data.sources.narrowing import check_columns
from workbench.errors import UsageError

__all__ = ["known"]

_ORDER = "__workbench_order"
_MOMENT = "__workbench_moment"


def known(declared: Declared, rows: pl.LazyFrame, as_of: datetime) -> pl.LazyFrame:
    """Keep what was known at `as_of`: rows that had arrived, and of a corrected one the newest.

    A row arrives at its `label_time`, or else when it was `created`; without such a time it
    hasn't. Rows of the same `key` and `event_time` are one row that was corrected, and keep the
    place of the correction.

    Raises
    ------
    UsageError
        If `as_of` has no time zone, or the source declares neither time.
    """
    settings = declared.settings
    arrival = settings.label_time or settings.created
    if arrival is None:
        raise UsageError(
            f"sources.{declared.name}: as_of needs its label_time (or created) in workbench.toml"
        )
    if as_of.tzinfo is None:
        raise UsageError(f"as_of={as_of.isoformat()}: expected a time zone, like +00:00")
    with declared.reading():
        schema = rows.collect_schema()
    one = [name for name in (*settings.key, settings.event_time) if name]
    check_columns(declared, [arrival, *one], schema)
    moment = as_moment(declared, arrival, schema[arrival])
    arrived = rows.filter(moment <= as_of.astimezone(UTC))
    if not settings.key:
        return arrived
    return (
        arrived.with_columns(moment.alias(_MOMENT))
        .with_row_index(_ORDER)
        .sort(_MOMENT, maintain_order=True)
        .unique(one, keep="last", maintain_order=True)
        .sort(_ORDER)
        .drop(_ORDER, _MOMENT)
    )
