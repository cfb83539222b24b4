"""Projects for tests, made once and copied: MLflow migrates a new one's tables for a second."""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import chdir, closing
from functools import cache
from pathlib import Path

from workbench.factory.scaffold import create_project
from workbench.project import Project
from workbench.store import database
from workbench.tracking import initialise

__all__ = ["copied", "copy_folder", "ready_project"]

_ADDRESSES = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "storage_location",
}
"""Where MLflow's tables say in which folder files are."""


def ready_project(folder: Path) -> Project:
    """Make a project from the blank template, with all tables there already and nothing in them.

    Its name is `project`, whatever the folder's is.
    """
    return copied(_blank(), folder)


@cache
def _blank() -> Project:
    folder = tempfile.mkdtemp(prefix="workbench-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    project = create_project(Path(folder) / "project")
    database(project)
    with chdir(project.root):  # in which MLflow's own first experiment has its files
        initialise(project)
    return project


def copy_folder(source: Path, folder: Path) -> Path:
    """Copy a folder that may have a database which this process has open.

    Another process does it: one that closes any file of a SQLite database gives up all its locks
    on it, whichever part of it holds them, and the next writer may then ruin it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", "--", source, folder], check=True)
    return folder


def copied(project: Project, folder: Path) -> Project:
    """Copy a project that nobody writes to, with its records; its files are then in the copy."""
    from mlflow.tracking._tracking_service import utils

    for store in project.state.glob("*.db"):
        with closing(sqlite3.connect(store)) as source:
            source.execute("pragma wal_checkpoint(truncate)")
    copy_folder(project.root, folder)
    there = folder.resolve()
    moves = [(project.root.as_uri(), there.as_uri()), (str(project.root), str(there))]
    state = folder / project.state.relative_to(project.root)
    with closing(sqlite3.connect(state / "mlflow.db")) as store, store:
        for table, column in _ADDRESSES.items():
            update = f"update {table} set {column} = replace({column}, ? || '/', ? || '/')"
            store.executemany(update, moves)
    utils._artifact_repos_cache.clear()  # MLflow's, in which the same run is in the same place
    return Project.find(folder)
