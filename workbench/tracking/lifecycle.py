"""A run's life: created, ended, with files stored and read back."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from workbench.access import refusals
from workbench.errors import NotFoundError
from workbench.project import Project
from workbench.tracking.bulk import insert_run, sqlite_file
from workbench.tracking.delivery import deliver
from workbench.tracking.entries import PARAM_LIMIT, TAG_LIMIT, check_name, check_text
from workbench.tracking.store import StoreAwayError, client, initialise
from workbench.tracking.writer import Writer, release, writer_of

__all__ = ["FinalStatus", "create_run", "finish_run", "read_json", "read_text"]

FinalStatus = Literal["FINISHED", "FAILED", "KILLED"]


def create_run(
    project: Project, name: str, *, tags: Mapping[str, str], params: Mapping[str, Any]
) -> str:
    """Create a run in the project's experiment and return its id.

    Raises
    ------
    StoreAwayError
        If the store doesn't answer; then nothing was begun.
    ForbiddenError
        If the store's server doesn't let who is logged in there.
    """
    texts = {key: check_text("parameter", key, value) for key, value in params.items()}
    run_id = _created(project, name, tags, texts)
    if run_id is not None:
        return run_id
    experiment_id = initialise(project)
    with refusals(f"log run {name}"):
        run = client(project).create_run(experiment_id, run_name=name, tags=dict(tags))
    run_id = str(run.info.run_id)
    writer = Writer(project, run_id)
    writer.params(params)
    left = writer.close()
    if left.waiting:
        raise StoreAwayError(f"run {run_id}: its parameters can't be stored: {left.reason}")
    return run_id


def _created(
    project: Project, name: str, tags: Mapping[str, str], params: Mapping[str, str]
) -> str | None:
    """Create a run in a SQLite store without MLflow; None if that takes MLflow."""
    path = sqlite_file(project.tracking_uri)
    limited = ((tags, TAG_LIMIT), (params, PARAM_LIMIT))
    if path is None or any(len(v) > limit for texts, limit in limited for v in texts.values()):
        return None
    for key in params:
        check_name("parameter", key)
    try:
        return insert_run(path, project.name, name, tags, params)
    except sqlite3.Error:
        return None  # MLflow says better what is wrong with it


def finish_run(project: Project, run_id: str, status: FinalStatus) -> None:
    """Set how the run ended, once all is stored that it logged, in this process or in one gone.

    While the store is away this waits in the spool with the rest.
    """
    deliver(project, run_id)
    writer = writer_of(project, run_id)
    writer.end(status)
    writer.close()
    release(project, run_id)


def read_json(project: Project, run_id: str, path: str) -> Any:
    """Read a JSON artifact of the run.

    Raises
    ------
    NotFoundError
        If the run has no such artifact.
    """
    return json.loads(read_text(project, run_id, path))


def read_text(project: Project, run_id: str, path: str) -> str:
    """Read a text artifact of the run.

    Raises
    ------
    NotFoundError
        If the run has no such artifact.
    """
    from mlflow.exceptions import MlflowException

    with tempfile.TemporaryDirectory() as folder:
        try:
            local = client(project).download_artifacts(run_id, path, folder)
            return Path(local).read_text(encoding="utf-8")
        except (MlflowException, OSError) as error:
            raise NotFoundError(f"run {run_id} has no artifact {path}") from error
