"""Runs as records: created, finished, listed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from workbench.errors import NotFoundError, UsageError
from workbench.project import Project
from workbench.tracking.store import client, initialise

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun

__all__ = [
    "RunRecord",
    "create_run",
    "finish_run",
    "get_run",
    "list_runs",
    "read_json",
    "store_file",
]

FinalStatus = Literal["FINISHED", "FAILED", "KILLED"]


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


def create_run(
    project: Project, name: str, *, tags: Mapping[str, str], params: Mapping[str, Any]
) -> str:
    """Create a run in the project's experiment and return its id."""
    from mlflow.entities import Param

    experiment_id = initialise(project)
    mlflow = client(project)
    run = mlflow.create_run(experiment_id, run_name=name, tags=dict(tags))
    mlflow.log_batch(run.info.run_id, params=[Param(key, str(params[key])) for key in params])
    return str(run.info.run_id)


def finish_run(project: Project, run_id: str, status: FinalStatus) -> None:
    """Set how the run ended."""
    client(project).set_terminated(run_id, status)


def store_file(project: Project, run_id: str, path: Path, folder: str) -> None:
    """Copy a file into the run's artifacts under `folder`."""
    client(project).log_artifact(run_id, str(path), folder)


def read_json(project: Project, run_id: str, path: str) -> Any:
    """Read a JSON artifact of the run.

    Raises
    ------
    NotFoundError
        If the run has no such artifact.
    """
    from mlflow.exceptions import MlflowException

    with tempfile.TemporaryDirectory() as folder:
        try:
            local = client(project).download_artifacts(run_id, path, folder)
        except (MlflowException, OSError) as error:
            raise NotFoundError(f"run {run_id} has no artifact {path}") from error
        return json.loads(Path(local).read_text(encoding="utf-8"))


def get_run(project: Project, run_id: str) -> RunRecord:
    """Return one run.

    Raises
    ------
    NotFoundError
        If there is none with this id.
    """
    from mlflow.exceptions import MlflowException

    try:
        return _record(client(project).get_run(run_id), project.name)
    except MlflowException as error:
        raise NotFoundError(f"unknown run {run_id!r}; see `workbench runs list`") from error


def list_runs(
    project: Project,
    filter: str | None = None,  # noqa: A002 - MLflow's word, and the option's
    order_by: str | None = None,
    limit: int = 50,
) -> list[RunRecord]:
    """List runs of the project, newest first unless `order_by` says otherwise.

    Parameters
    ----------
    filter
        MLflow's filter language: `metrics.roc_auc > 0.7 and params.library = 'xgboost'`.
    order_by
        `metrics.roc_auc desc`, `start_time`, …; several separated by commas.

    Raises
    ------
    UsageError
        If MLflow can't parse the filter or the order.
    """
    from mlflow.exceptions import MlflowException

    order = [part.strip() for part in (order_by or "start_time desc").split(",")]
    experiment_id = initialise(project)
    try:
        found = client(project).search_runs(
            [experiment_id], filter_string=filter or "", order_by=order, max_results=limit
        )
    except MlflowException as error:
        raise UsageError(f"runs: {error.message}") from error
    return [_record(run, project.name) for run in found]


def _record(run: MlflowRun, experiment: str) -> RunRecord:
    return RunRecord(
        run_id=run.info.run_id,
        name=run.info.run_name or run.info.run_id,
        experiment=experiment,
        status=run.info.status,
        start_time=_time(run.info.start_time),
        end_time=_time(run.info.end_time) if run.info.end_time else None,
        params=dict(run.data.params),
        metrics=dict(run.data.metrics),
        tags={k: v for k, v in run.data.tags.items() if not k.startswith("mlflow.log-model")},
    )


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
