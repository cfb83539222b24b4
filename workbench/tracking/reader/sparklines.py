"""How metrics went, drawn small: some points of each run's history, however long it is."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, literal, select

from workbench.errors import NotFoundError
from workbench.project import Project
from workbench.tracking.reader import api
from workbench.tracking.reader.conditions import among
from workbench.tracking.reader.schema import SchemaError, connected
from workbench.tracking.reader.tables import latest_metrics, metrics

__all__ = ["POINTS", "Sparklines", "read_sparklines"]

POINTS = 40
"""How many points a line has at most; each is the mean of what was logged in its part."""

Sparklines = dict[str, dict[str, list[float | None]]]
"""By run and metric; None stands for a part in which only NaN was logged."""


def read_sparklines(
    project: Project, run_ids: Sequence[str], keys: Sequence[str] = (), most: int | None = None
) -> Sparklines:
    """Read how metrics went: of each run those of which two points or more were logged.

    Parameters
    ----------
    keys
        The metrics that come first.
    most
        How many lines of each run, of what was logged by steps; None for all, of whatever.

    Raises
    ------
    StoreError
        If the store can't be read.
    """
    try:
        with connected(project.tracking_uri) as connection:
            if connection is None:
                return {}
            found = _by_sql(connection, run_ids, _stepped(connection, run_ids, keys, most))
    except SchemaError:
        found = _by_api(project, run_ids)
    return {run_id: _first(lines, keys, most) for run_id, lines in found.items()}


def _first(
    lines: dict[str, list[float | None]], keys: Sequence[str], most: int | None
) -> dict[str, list[float | None]]:
    named = [key for key in keys if key in lines]
    ordered = [*named, *(key for key in lines if key not in named)]
    return {key: lines[key] for key in ordered[:most]}


def _stepped(
    connection: Connection, run_ids: Sequence[str], keys: Sequence[str], most: int | None
) -> set[str] | None:
    """Name the metrics to read; None for all. That one has steps its last value tells."""
    if most is None:
        return None
    latest = select(latest_metrics.c.run_uuid, latest_metrics.c.key).where(
        among(connection, latest_metrics.c.run_uuid, run_ids), latest_metrics.c.step > 0
    )
    lines: dict[str, dict[str, list[float | None]]] = defaultdict(dict)
    for run_id, key in connection.execute(latest.order_by(latest_metrics.c.key)):
        lines[run_id][key] = []
    return {key for each in lines.values() for key in _first(each, keys, most)}


def _by_sql(
    connection: Connection, run_ids: Sequence[str], keys: Collection[str] | None
) -> Sparklines:
    """Let the database take the means: a history may have a million rows."""
    wanted = [among(connection, metrics.c.run_uuid, run_ids)]
    if keys is not None:
        wanted.append(metrics.c.key.in_(keys))
    step, time = metrics.c.step, metrics.c.timestamp
    spans = (
        select(
            metrics.c.run_uuid,
            metrics.c.key,
            func.min(step).label("first"),
            func.max(step).label("last"),
            func.min(time).label("begin"),
            func.max(time).label("end"),
        )
        .where(*wanted)
        .group_by(metrics.c.run_uuid, metrics.c.key)
        .having(func.count() > 1)
        .subquery()
    )
    # What was logged without steps all has step 0: then it is told apart by time.
    part = case(
        (spans.c.last > spans.c.first, _part(step, spans.c.first, spans.c.last)),
        else_=_part(time, spans.c.begin, spans.c.end),
    ).label("part")
    value = case((metrics.c.is_nan, None), else_=metrics.c.value)
    same = (metrics.c.run_uuid == spans.c.run_uuid) & (metrics.c.key == spans.c.key)
    means = (
        select(metrics.c.run_uuid, metrics.c.key, part, func.avg(value))
        .join(spans, same)
        .where(*wanted)
        .group_by(metrics.c.run_uuid, metrics.c.key, part)
        .order_by(metrics.c.run_uuid, metrics.c.key, part)
    )
    found: Sparklines = defaultdict(dict)
    for (run_id, key), rows in groupby(connection.execute(means), lambda row: (row[0], row[1])):
        points = [row[3] for row in rows]
        if len(points) > 1:
            found[run_id][key] = points
    return dict(found)


def _part(column: ColumnElement[Any], low: Any, high: Any) -> ColumnElement[Any]:
    part: ColumnElement[Any] = (column - low) * literal(POINTS) // (high - low + 1)
    return part


def _by_api(project: Project, run_ids: Sequence[str]) -> Sparklines:
    found: Sparklines = {}
    for run_id in run_ids:
        try:
            logged = api.get_run(project, run_id).metrics
        except NotFoundError:
            continue
        lines = {key: _thinned(api.metric_history(project, run_id, key)) for key in logged}
        if drawn := {key: points for key, points in lines.items() if len(points) > 1}:
            found[run_id] = drawn
    return found


def _thinned(logged: Iterable[tuple[int, int, float]]) -> list[float | None]:
    rows = sorted(logged)
    if len(rows) < 2:
        return []
    place = 0 if rows[-1][0] > rows[0][0] else 1
    low, high = rows[0][place], rows[-1][place]
    parts: dict[int, list[float]] = defaultdict(list)
    for row in rows:
        parts[int((row[place] - low) * POINTS // (high - low + 1))].append(row[2])
    return [_mean([value for value in parts[each] if not math.isnan(value)]) for each in parts]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
