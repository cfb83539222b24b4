"""Runs as records and frames: one, a page of them, or all; and what may be changed of them.

In a local or a PostgreSQL store they are read by SQL, in milliseconds and without importing
MLflow; elsewhere through MLflow's own API. The answers are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from workbench.access import refusals, require
from workbench.errors import NotFoundError, UsageError
from workbench.project import Project
from workbench.tracking import reader
from workbench.tracking.reader import Facets, Lifecycle, RunRecord
from workbench.tracking.store import client

if TYPE_CHECKING:
    import polars as pl
    from mlflow import MlflowClient

__all__ = [
    "Facets",
    "RunRecord",
    "delete_run",
    "facets",
    "get_run",
    "list_runs",
    "metric_history",
    "restore_run",
    "runs_frame",
    "tag_run",
]


def get_run(project: Project, run_id: str) -> RunRecord:
    """Return one run, by its id or by its beginning: four characters or more that it alone has.

    Raises
    ------
    NotFoundError
        If there is none.
    UsageError
        If several begin so.
    """
    return reader.find_run(project, run_id)


def list_runs(
    project: Project,
    filter: str | None = None,  # noqa: A002 - MLflow's word, and the option's
    order_by: str | None = None,
    limit: int = 50,
    *,
    offset: int = 0,
    experiments: Sequence[str] | None = None,
    lifecycle: Lifecycle = "active",
) -> list[RunRecord]:
    """List runs of the project, newest first unless `order_by` says otherwise.

    Parameters
    ----------
    filter
        MLflow's filter language: `metrics.roc_auc > 0.7 and params.library = 'xgboost'`.
    order_by
        `metrics.roc_auc desc`, `start_time`, …; several separated by commas.
    limit, offset
        A page: so many runs, after so many.
    experiments
        Names of MLflow experiments; the project's own if there are none.

    Raises
    ------
    UsageError
        If the filter or the order can't be understood; the message says what was expected.
    """
    if limit < 1 or offset < 0:
        raise UsageError(f"limit {limit}, offset {offset}: expected 1 or more, and 0 or more")
    return reader.answer(
        project,
        _request(project, filter, order_by, experiments, lifecycle),
        lambda connection, search: reader.read_records(
            connection, reader.run_ids(connection, search, limit, offset)
        ),
        lambda records: list(islice(records, offset, offset + limit)),
    )


def runs_frame(
    project: Project,
    filter: str | None = None,  # noqa: A002 - MLflow's word, and the option's
    order_by: str | None = None,
    *,
    columns: Sequence[str] | None = None,
    experiments: Sequence[str] | None = None,
    lifecycle: Lifecycle = "active",
) -> pl.DataFrame:
    """Read all runs found into one frame: a row a run, in the order of `list_runs`.

    Columns are `run_id`, `name`, `status`, `start_time`, `end_time`, then `metrics.*`, `params.*`
    and `tags.*`: all that some run has, or those named in `columns`. What a run hasn't is null;
    a metric that is NaN is NaN.

    Raises
    ------
    UsageError
        If the filter or the order can't be understood, or the frame would fill the memory.
    NotFoundError
        If no run has one of the columns named.
    """
    return reader.answer(
        project,
        _request(project, filter, order_by, experiments, lifecycle),
        lambda connection, search: reader.wide_frame(connection, search, columns),
        lambda records: reader.records_frame(records, columns),
    )


def facets(
    project: Project,
    filter: str | None = None,  # noqa: A002 - MLflow's word, and the option's
    *,
    experiments: Sequence[str] | None = None,
    lifecycle: Lifecycle = "active",
) -> Facets:
    """Count what the runs found can be narrowed by.

    Raises
    ------
    UsageError
        If the filter can't be understood.
    """
    return reader.answer(
        project,
        _request(project, filter, None, experiments, lifecycle),
        reader.count_facets,
        reader.records_facets,
    )


def metric_history(project: Project, run_id: str, key: str) -> pl.DataFrame:
    """Read every value that a run logged of a metric: `step`, `timestamp` (UTC) and `value`.

    Raises
    ------
    NotFoundError
        If there is no such run, or it has no such metric.
    """
    run = get_run(project, run_id)
    if key not in run.metrics:
        raise NotFoundError.named("metric", key, run.metrics, f" of run {run.run_id[:8]}")
    return reader.read_history(project, run.run_id, key)


def tag_run(project: Project, run_id: str, key: str, value: str | None) -> None:
    """Set a tag of a run, or take it away with None.

    Raises
    ------
    NotFoundError
        If there is no such run.
    UsageError
        If MLflow refuses it.
    """
    run = get_run(project, run_id)
    if value is not None:
        _change(project, lambda mlflow: mlflow.set_tag(run.run_id, key, value))
    elif key in run.tags:
        _change(project, lambda mlflow: mlflow.delete_tag(run.run_id, key))


def delete_run(project: Project, run_id: str) -> None:
    """Mark a run as deleted; `restore_run` brings it back.

    Raises
    ------
    NotFoundError
        If there is no such run.
    """
    run = get_run(project, run_id)
    _change(project, lambda mlflow: mlflow.delete_run(run.run_id))


def restore_run(project: Project, run_id: str) -> None:
    """Bring back a run that was deleted.

    Raises
    ------
    NotFoundError
        If there is no such run.
    """
    run = get_run(project, run_id)
    _change(project, lambda mlflow: mlflow.restore_run(run.run_id))


def _change(project: Project, step: Callable[[MlflowClient], object]) -> None:
    from mlflow.exceptions import MlflowException

    what = "change what runs say"
    require(project, "developer", what)
    try:
        with refusals(what):
            step(client(project))
    except MlflowException as error:
        raise UsageError(f"runs: {error.message}") from error


def _request(
    project: Project,
    filter_: str | None,
    order_by: str | None,
    experiments: Sequence[str] | None,
    lifecycle: Lifecycle,
) -> reader.Request:
    return reader.Request(
        tuple(experiments or [project.name]),
        filter_ or "",
        order_by or "start_time desc",
        lifecycle,
    )
