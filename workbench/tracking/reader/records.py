"""A run as a record, read a page at a time."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, select

from workbench.tracking.reader.conditions import among
from workbench.tracking.reader.tables import experiments, latest_metrics, params, runs, tags

__all__ = ["RunRecord", "at", "is_shown", "read_records"]


class RunRecord(BaseModel):
    """A run as it stands in MLflow."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    name: str
    experiment: str
    status: str
    start_time: datetime
    end_time: datetime | None
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    user: str = ""
    lifecycle_stage: str = "active"
    artifact_uri: str = ""


def at(milliseconds: int | None) -> datetime:
    """Read one of MLflow's times."""
    return datetime.fromtimestamp((milliseconds or 0) / 1000, tz=UTC)


def is_shown(tag: str) -> bool:
    """Leave out MLflow's own list of logged models, which is long and for itself alone."""
    return not tag.startswith("mlflow.log-model")


def read_records(connection: Connection, ids: Sequence[str]) -> list[RunRecord]:
    """Read the runs with these ids, in their order; one that has gone meanwhile is left out."""
    wanted = (
        select(runs, experiments.c.name.label("experiment"))
        .join(experiments, experiments.c.experiment_id == runs.c.experiment_id)
        .where(among(connection, runs.c.run_uuid, ids))
    )
    rows = {row.run_uuid: dict(row._mapping) for row in connection.execute(wanted)}
    measured: dict[str, dict[str, float]] = defaultdict(dict)
    numbers = select(latest_metrics).where(among(connection, latest_metrics.c.run_uuid, ids))
    for row in connection.execute(numbers.order_by(latest_metrics.c.key)):
        measured[row.run_uuid][row.key] = math.nan if row.is_nan else row.value
    given, tagged = _texts(connection, params, ids), _texts(connection, tags, ids)
    return [
        _record(rows[run_id], measured[run_id], given[run_id], tagged[run_id])
        for run_id in ids
        if run_id in rows
    ]


def _texts(connection: Connection, table: Any, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    chosen = select(table).where(among(connection, table.c.run_uuid, ids)).order_by(table.c.key)
    for row in connection.execute(chosen):
        found[row.run_uuid][row.key] = row.value
    return found


def _record(
    run: Mapping[str, Any],
    metrics: dict[str, float],
    params: dict[str, str],
    tags: dict[str, str],
) -> RunRecord:
    return RunRecord(
        run_id=run["run_uuid"],
        name=run["name"] or tags.get("mlflow.runName") or run["run_uuid"],
        experiment=run["experiment"],
        status=run["status"],
        start_time=at(run["start_time"]),
        end_time=at(run["end_time"]) if run["end_time"] else None,
        params=params,
        metrics=metrics,
        tags={key: value or "" for key, value in tags.items() if is_shown(key)},
        user=run["user_id"] or "",
        lifecycle_stage=run["lifecycle_stage"],
        artifact_uri=run["artifact_uri"] or "",
    )
