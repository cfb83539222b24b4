"""What runs can be narrowed by: the values there are, and how many runs have each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, Connection, func, select

from workbench.tracking.reader.conditions import among
from workbench.tracking.reader.queries import Search, run_ids
from workbench.tracking.reader.records import RunRecord, is_shown
from workbench.tracking.reader.tables import latest_metrics, params, runs, tags

__all__ = ["Facets", "count_facets", "records_facets"]

SOURCE, BRANCH = "mlflow.source.name", "mlflow.source.git.branch"


class Facets(BaseModel):
    """By value: the number of runs that have it, most first. By key: the number that log it."""

    model_config = ConfigDict(frozen=True)

    statuses: dict[str, int]
    users: dict[str, int]
    sources: dict[str, int]
    branches: dict[str, int]
    metrics: dict[str, int]
    params: dict[str, int]
    tags: dict[str, int]


def count_facets(connection: Connection, search: Search) -> Facets:
    """Count in the database."""
    ids = run_ids(connection, search)
    everything = len(ids) == connection.scalar(select(func.count()).select_from(runs))

    def counted(column: Any, run_uuid: Any, *clauses: ColumnElement[bool]) -> dict[str, int]:
        # Asking of a million values whether each belongs to one of all runs takes seconds.
        chosen = clauses if everything else (among(connection, run_uuid, ids), *clauses)
        counts = select(column, func.count()).where(*chosen).group_by(column)
        return _most_first({value: count for value, count in connection.execute(counts) if value})

    keys = counted(tags.c.key, tags.c.run_uuid)
    return Facets(
        statuses=counted(runs.c.status, runs.c.run_uuid),
        users=counted(runs.c.user_id, runs.c.run_uuid),
        sources=counted(tags.c.value, tags.c.run_uuid, tags.c.key == SOURCE),
        branches=counted(tags.c.value, tags.c.run_uuid, tags.c.key == BRANCH),
        metrics=counted(latest_metrics.c.key, latest_metrics.c.run_uuid),
        params=counted(params.c.key, params.c.run_uuid),
        tags={key: count for key, count in keys.items() if is_shown(key)},
    )


def records_facets(records: Iterable[RunRecord]) -> Facets:
    """Count the same in records that are in memory."""
    rows = list(records)
    return Facets(
        statuses=_tally([row.status] for row in rows),
        users=_tally([row.user] for row in rows),
        sources=_tally([row.tags.get(SOURCE, "")] for row in rows),
        branches=_tally([row.tags.get(BRANCH, "")] for row in rows),
        metrics=_tally(list(row.metrics) for row in rows),
        params=_tally(list(row.params) for row in rows),
        tags=_tally(list(row.tags) for row in rows),
    )


def _tally(values: Iterable[Sequence[str]]) -> dict[str, int]:
    return _most_first(Counter(value for each in values for value in each if value))


def _most_first(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
