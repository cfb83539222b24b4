"""The metrics of many runs in one question."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import select

from workbench.errors import NotFoundError
from workbench.project import Project
from workbench.tracking.reader import api
from workbench.tracking.reader.conditions import among
from workbench.tracking.reader.request import Request
from workbench.tracking.reader.schema import SchemaError, connected
from workbench.tracking.reader.tables import latest_metrics, plain_rows

__all__ = ["run_metrics"]

_AT_ONCE = 200
"""Ids in one filter of MLflow's."""


def run_metrics(project: Project, run_ids: Collection[str]) -> dict[str, dict[str, float]]:
    """Return the last value of every metric of each run; nothing of one that isn't there."""
    ids = sorted(set(run_ids))
    if not ids:
        return {}
    try:
        with connected(project.tracking_uri) as connection:
            if connection is None:
                return {}
            table = latest_metrics.c
            wanted = select(table.run_uuid, table.key, table.value, table.is_nan)
            chosen = wanted.where(among(connection, table.run_uuid, ids)).order_by(table.key)
            found: dict[str, dict[str, float]] = defaultdict(dict)
            for run_id, key, value, is_nan in plain_rows(connection, chosen):
                found[run_id][key] = math.nan if is_nan else value
            return dict(found)
    except SchemaError:
        pass
    return _asked(project, ids)


def _asked(project: Project, ids: list[str]) -> dict[str, dict[str, float]]:
    """Ask MLflow's API: of the project's own runs many at once, of any other one by one."""
    found: dict[str, dict[str, float]] = {}
    for start in range(0, len(ids), _AT_ONCE):
        listed = ", ".join(f"'{run_id}'" for run_id in ids[start : start + _AT_ONCE])
        request = Request([project.name], f"attributes.run_id IN ({listed})", lifecycle="all")
        found |= {record.run_id: record.metrics for record in api.search(project, request)}
    for run_id in ids:
        if run_id not in found:
            try:
                found[run_id] = api.get_run(project, run_id).metrics
            except NotFoundError:
                continue
    return found
