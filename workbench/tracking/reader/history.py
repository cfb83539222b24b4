"""Every value that a run logged of one metric."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from workbench.project import Project
from workbench.tracking.reader import api
from workbench.tracking.reader.schema import SchemaError, connected
from workbench.tracking.reader.tables import metrics

if TYPE_CHECKING:
    import polars as pl

__all__ = ["read_history"]


def read_history(project: Project, run_id: str, key: str) -> pl.DataFrame:
    """Read `step`, `timestamp` (UTC) and `value`, in the order of steps; an unknown key has none.

    Raises
    ------
    StoreError
        If the store can't be read.
    """
    import polars as pl

    try:
        with connected(project.tracking_uri) as connection:
            rows = _rows(connection, run_id, key) if connection is not None else []
    except SchemaError:
        rows = api.metric_history(project, run_id, key)
    schema = {"step": pl.Int64, "timestamp": pl.Int64, "value": pl.Float64}
    frame = pl.DataFrame(rows, schema=schema, orient="row").sort("step", "timestamp")
    moment = pl.Datetime("us", "UTC")
    return frame.with_columns((pl.col("timestamp") * 1000).cast(moment))


def _rows(connection: Connection, run_id: str, key: str) -> list[tuple[int, int, float]]:
    wanted = select(metrics).where(metrics.c.run_uuid == run_id, metrics.c.key == key)
    return [
        (row.step, row.timestamp, math.nan if row.is_nan else row.value)
        for row in connection.execute(wanted)
    ]
