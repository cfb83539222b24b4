"""Whether a stored model's files are those that were logged."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import DataError
from workbench.project import Project
from workbench.tracking.store import client

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

__all__ = ["DIGEST", "check_files", "folder_digest"]

DIGEST = "workbench.digest"
"""The tag, of a logged model and of a version, with the digest of the model's files."""

_ADDED = {"registered_model_meta"}
"""What MLflow writes beside a model when it is fetched by its version."""

_COMPILED = "__pycache__"
"""What Python writes beside code when MLflow loads it from there; nothing of ours reads it."""


def folder_digest(folder: Path) -> str:
    """Return the digest of all files below a folder: SHA-256 over their paths and contents."""
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and _counts(path)):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return whole.hexdigest()


def _counts(path: Path) -> bool:
    return path.name not in _ADDED and path.parent.name != _COMPILED


def check_files(project: Project, uri: str, folder: Path) -> None:
    """Hold a model's files, as they were fetched to `folder`, against what the store knows of it.

    The store is asked by the name that the model goes by, and never by what its files say. Models
    that MLflow's own calls logged have no digest, so nothing can be said of them.

    Raises
    ------
    DataError
        If they were changed since the model was logged.
    """
    known = _known_digest(client(project), uri)
    if known and folder_digest(folder) != known:
        raise DataError(
            f"{uri}: its files were changed after it was logged; it isn't loaded. Register it "
            "anew from its run, or restore the artifacts"
        )


def _known_digest(mlflow: MlflowClient, uri: str) -> str:
    """Find the digest by `models:/ID`, `models:/NAME/VERSION` or `models:/NAME@ALIAS`."""
    if not uri.startswith("models:/"):
        return ""
    name, slash, version = uri.removeprefix("models:/").rpartition("/")
    if not slash and "@" in version:
        name, _, alias = version.partition("@")
        return _of_version(
            mlflow, name, str(mlflow.get_model_version_by_alias(name, alias).version)
        )
    if slash:
        return _of_version(mlflow, name, version)
    return str(mlflow.get_logged_model(version).tags.get(DIGEST, ""))


def _of_version(mlflow: MlflowClient, name: str, version: str) -> str:
    return str(mlflow.get_model_version(name, version).tags.get(DIGEST, ""))
