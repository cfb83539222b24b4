"""Where MLflow keeps its records, initialised once before anyone uses it.

Simultaneous first use of a fresh MLflow database races in its migrations and loses runs; so the
tables and the project's experiment are made here, under a lock, before any job starts.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import StoreError
from workbench.project import Project
from workbench.store import file_lock

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["client", "initialise"]

# No usage data is sent, no bar is drawn for a few kilobytes; read when mlflow is imported.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")


def client(project: Project) -> MlflowClient:
    """Return MLflow's client on the project's store, which is initialised first."""
    return _open(project.tracking_uri, project.name, project.state)


def initialise(project: Project) -> str:
    """Make MLflow's tables and the project's experiment; return the experiment's id."""
    found = client(project).get_experiment_by_name(project.name)
    assert found is not None, "the client is opened with the experiment made"
    return str(found.experiment_id)


@lru_cache(maxsize=8)
def _open(uri: str, experiment: str, state: Path) -> MlflowClient:
    # MLflow announces every migration of a new database; that is no news to the user.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        with file_lock(state / "mlflow.lock"):
            opened = MlflowClient(tracking_uri=uri, registry_uri=uri)
            if opened.get_experiment_by_name(experiment) is None:
                if uri.startswith("sqlite:///"):
                    _use_wal(Path(uri.removeprefix("sqlite:///")))
                    location = (state / "artifacts").resolve().as_uri()
                    opened.create_experiment(experiment, artifact_location=location)
                else:
                    opened.create_experiment(experiment)
    except MlflowException as error:
        raise StoreError(f"MLflow at {uri}: {error.message}") from error
    return opened


def _use_wal(path: Path) -> None:
    """Let readers and a writer work at the same time; the mode stays with the file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma journal_mode=wal")
