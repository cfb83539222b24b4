"""Where MLflow keeps its records, initialised once before anyone uses it.

Simultaneous first use of a fresh MLflow database races in its migrations and loses runs; so the
tables and the project's experiment are made here, under a lock, before any job starts.
"""

from __future__ import annotations

import importlib
import logging
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.access import refusal, refusals, shown_address
from workbench.errors import StoreError
from workbench.project import Project
from workbench.store import file_lock, use_wal
from workbench.tracking.bulk import experiment_id, sqlite_file

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = [
    "StoreAwayError",
    "ask_experiment",
    "ask_model",
    "check_reachable",
    "client",
    "initialise",
    "initialise_apart",
    "shown_address",
]

_INITIALISE = """
import sys
from workbench.project import Project
from workbench.tracking.store import initialise
initialise(Project.find(sys.argv[1]))
"""

_NOBODYS = "workbench.nobody_sets_this"
"""A tag that no experiment and no model has."""

_PATIENCE_SECONDS = 3.0
_AWAY = {502, 503, 504}
_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}

# No usage data is sent, no bar is drawn for a few kilobytes; read when mlflow is imported.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# A server that is away for ten seconds is waited for; MLflow would hold a cell up for minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")


class StoreAwayError(StoreError):
    """MLflow's store doesn't answer, or takes nothing just now; later it may."""


def client(project: Project) -> MlflowClient:
    """Return MLflow's client on the project's store, which is initialised first."""
    return _open(project.tracking_uri, project.name, project.state, _artifacts(project))


def ask_experiment(project: Project, what: str) -> None:
    """Ask a server whether who is logged in there may log, before something is begun.

    The question is a write that changes nothing: to take away a tag that nobody has set needs the
    right that a real write needs, whatever keeps the server's logins. A store that is no server
    asks nobody who they are; one that is away, or fails, says so when it is written to.

    Parameters
    ----------
    what
        What is about to be done, as it stands in the refusal.

    Raises
    ------
    ForbiddenError
        If the server says no.
    """
    _ask(project, what, lambda mlflow: mlflow.delete_experiment_tag(initialise(project), _NOBODYS))


def ask_model(project: Project, model: str, what: str) -> None:
    """Ask a server, in the same way, whether who is logged in there may change a model.

    Raises
    ------
    ForbiddenError
        If the server says no.
    """
    _ask(project, what, lambda mlflow: mlflow.delete_registered_model_tag(model, _NOBODYS))


def _ask(project: Project, what: str, write: Callable[[MlflowClient], None]) -> None:
    if not project.tracking_uri.startswith(("http:", "https:")):
        return
    from mlflow.exceptions import MlflowException

    try:
        check_reachable(project.tracking_uri)
        with refusals(what):
            write(client(project))
    except (MlflowException, StoreError):
        return  # there is no such tag, which only who may write is told


def check_reachable(uri: str) -> None:
    """See within seconds whether somebody answers at the store's address.

    MLflow itself would try again for minutes before it says so.

    Raises
    ------
    StoreAwayError
        If nobody does.
    """
    scheme = uri.partition(":")[0]
    if scheme in ("http", "https"):
        _check_server(uri)
    elif scheme.partition("+")[0] in _PORTS:
        _check_database(uri, _PORTS[scheme.partition("+")[0]])


def initialise(project: Project) -> str:
    """Make MLflow's tables and the project's experiment; return the experiment's id.

    Raises
    ------
    StoreAwayError
        If the store doesn't answer.
    StoreError
        If it can't be used.
    """
    path = sqlite_file(project.tracking_uri)
    known = _known_experiment(path, project.name) if path is not None else None
    if known is not None:
        return known
    check_reachable(project.tracking_uri)
    found = client(project).get_experiment_by_name(project.name)
    assert found is not None, "the client is opened with the experiment made"
    return str(found.experiment_id)


def initialise_apart(project: Project) -> None:
    """Initialise a new SQLite store in a process of its own; if that fails, nothing is said.

    Who runs thousands of jobs needn't import MLflow for their runs, but for this it would have to.
    """
    path = sqlite_file(project.tracking_uri)
    imported = "mlflow" in sys.modules
    if path is None or imported or _known_experiment(path, project.name) is not None:
        return
    subprocess.run(
        [sys.executable, "-c", _INITIALISE, str(project.root)],
        env={**os.environ, "WORKBENCH_STATE_DIR": str(project.state)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )


def _known_experiment(path: Path, name: str) -> str | None:
    try:
        return experiment_id(path, name)
    except sqlite3.Error:
        return None  # MLflow says better what is wrong with it


@lru_cache(maxsize=8)
def _open(uri: str, experiment: str, state: Path, artifacts: str | None) -> MlflowClient:
    # MLflow announces every migration of a new database, which is no news to the user, and prints
    # a traceback of every error that it raises as well.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    if not uri.startswith(("http:", "https:")):
        importlib.import_module("workbench.tracking.ahead")
    check_reachable(uri)
    try:
        with file_lock(state / "mlflow.lock"):
            opened = MlflowClient(tracking_uri=uri, registry_uri=uri)
            if opened.get_experiment_by_name(experiment) is None:
                if uri.startswith("sqlite:///"):
                    with closing(sqlite3.connect(uri.removeprefix("sqlite:///"))) as store:
                        use_wal(store)
                with refusals(f"make experiment {experiment}"):
                    opened.create_experiment(experiment, artifact_location=artifacts)
    except MlflowException as error:
        told = refusal(error, f"read experiment {experiment}", "viewer")
        raise told or StoreError(f"MLflow at {shown_address(uri)}: {error.message}") from error
    return opened


def _artifacts(project: Project) -> str | None:
    """Say where runs' files go: a server decides that itself; beside a database it is for us.

    MLflow would take `mlruns` in whatever the working directory is.
    """
    if project.settings.artifacts_uri:
        return project.settings.artifacts_uri
    if project.tracking_uri.startswith(("http:", "https:")):
        return None
    return (project.state / "artifacts").resolve().as_uri()


def _check_server(uri: str) -> None:
    import requests

    try:
        answer = requests.get(f"{uri.rstrip('/')}/health", timeout=_PATIENCE_SECONDS)
    except requests.RequestException as error:
        raise StoreAwayError(
            f"MLflow at {shown_address(uri)}: no answer ({type(error).__name__})"
        ) from error
    if answer.status_code in _AWAY:
        raise StoreAwayError(f"MLflow at {shown_address(uri)}: answers {answer.status_code}")


def _check_database(uri: str, usual_port: int) -> None:
    from sqlalchemy import make_url

    address = make_url(uri)
    if not address.host:
        return  # a socket on this machine
    place = address.host, address.port or usual_port
    try:
        socket.create_connection(place, timeout=_PATIENCE_SECONDS).close()
    except OSError as error:
        raise StoreAwayError(f"MLflow at {shown_address(uri)}: no answer ({error})") from error
