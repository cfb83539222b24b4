"""Reading through MLflow's own API: servers, files, other databases, and filters it alone reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from workbench.access import refusal
from workbench.errors import NotFoundError, UsageError
from workbench.project import Project
from workbench.tracking.reader.records import RunRecord, at, is_shown
from workbench.tracking.store import client

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun

    from workbench.tracking.reader.request import Request

__all__ = ["get_run", "metric_history", "search"]

_PAGE = 1000
_PART = re.compile(r"""(?:[^,`"]|`[^`]*`|"[^"]*")+""")


def search(project: Project, request: Request) -> Iterator[RunRecord]:
    """Search page by page, as far as the caller goes on asking.

    Raises
    ------
    UsageError
        If MLflow can't do what is asked.
    """
    from mlflow.entities import ViewType
    from mlflow.exceptions import MlflowException

    views = {
        "active": ViewType.ACTIVE_ONLY,
        "deleted": ViewType.DELETED_ONLY,
        "all": ViewType.ALL,
    }
    mlflow = client(project)
    token = None
    try:
        found = [mlflow.get_experiment_by_name(name) for name in request.experiments]
        names = {each.experiment_id: each.name for each in found if each is not None}
        while names:
            page = mlflow.search_runs(
                list(names),
                filter_string=request.filter,
                run_view_type=views[request.lifecycle],
                order_by=[part.strip() for part in _PART.findall(request.order_by)],
                max_results=_PAGE,
                page_token=token,
            )
            yield from (_record(run, names[run.info.experiment_id]) for run in page)
            token = page.token
            if not token:
                return
    except MlflowException as error:
        told = refusal(error, "read runs", "viewer")
        raise told or UsageError(f"runs: {error.message}") from error


def get_run(project: Project, run_id: str) -> RunRecord:
    """Return the run with this id.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    from mlflow.exceptions import MlflowException

    mlflow = client(project)
    try:
        run = mlflow.get_run(run_id)
        return _record(run, mlflow.get_experiment(run.info.experiment_id).name)
    except MlflowException as error:
        told = refusal(error, f"read run {run_id}", "viewer")
        unknown = NotFoundError(f"unknown run {run_id!r}; see `workbench runs list`")
        raise told or unknown from error


def metric_history(project: Project, run_id: str, key: str) -> list[tuple[int, int, float]]:
    """Return step, time and value of everything logged of a metric."""
    logged = client(project).get_metric_history(run_id, key)
    return [(each.step, each.timestamp, each.value) for each in logged]


def _record(run: MlflowRun, experiment: str) -> RunRecord:
    return RunRecord(
        run_id=run.info.run_id,
        name=run.info.run_name or run.info.run_id,
        experiment=experiment,
        status=run.info.status,
        start_time=at(run.info.start_time),
        end_time=at(run.info.end_time) if run.info.end_time else None,
        params=dict(run.data.params),
        metrics=dict(run.data.metrics),
        tags={key: value for key, value in run.data.tags.items() if is_shown(key)},
        user=run.info.user_id or "",
        lifecycle_stage=run.info.lifecycle_stage,
        artifact_uri=run.info.artifact_uri or "",
    )
