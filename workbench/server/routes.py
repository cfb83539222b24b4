"""What can be asked: for each route a function from the project and the query to records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import NotFoundError, UsageError
from workbench.project import Project

__all__ = ["ROUTES", "ProjectInfo", "Query", "Read", "open_project"]


class Query(BaseModel):
    """What a client may say in the address. Other keys are ignored: Jupyter adds its own."""

    model_config = ConfigDict(frozen=True)

    path: str = Field(default="", description="folder of the project, from the server's root")
    limit: int = Field(default=50, ge=1, le=1000, description="how many runs, newest first")
    q: str = Field(default="", description="words that a feature must have")


class ProjectInfo(BaseModel):
    """The project that a folder is in."""

    model_config = ConfigDict(frozen=True)

    name: str
    root: str
    folder: str | None
    """The project's root from the server's root; None if it is above the server's root."""


Read: TypeAlias = Callable[[Project, Path, Query], Any]


def open_project(server_root: Path, path: str) -> Project:
    """Open the project that the folder `path`, relative to `server_root`, is in.

    Raises
    ------
    UsageError
        If `path` leads out of the server's root, by `..`, an absolute path or a link.
    NotFoundError
        If there is no such folder.
    NotAProjectError
        If it isn't in a project.
    """
    root = server_root.resolve()
    try:
        folder = (root / path).resolve()
        if not folder.is_relative_to(root):
            raise UsageError(f"{path}: outside the folder that the Jupyter server serves")
        if not folder.is_dir():
            raise NotFoundError(f"{path}: there is no such folder")
    except (OSError, RuntimeError) as error:  # a name that is too long, links in a circle
        raise UsageError(f"{path}: can't be followed") from error
    return Project.find(folder)


def _project(project: Project, server_root: Path, query: Query) -> ProjectInfo:
    root, served = project.root, server_root.resolve()
    folder = root.relative_to(served).as_posix() if root.is_relative_to(served) else None
    return ProjectInfo(name=project.name, root=str(root), folder="" if folder == "." else folder)


# The imports are inside: MLflow alone takes three seconds, and the server should start at once.


def _branch(project: Project, server_root: Path, query: Query) -> Any:
    from workbench.git import Repository

    return Repository(project.root).status()


def _runs(project: Project, server_root: Path, query: Query) -> Any:
    from workbench.tracking import list_runs

    return list_runs(project, limit=query.limit)


def _models(project: Project, server_root: Path, query: Query) -> Any:
    from workbench.registry import list_models

    return list_models(project)


def _features(project: Project, server_root: Path, query: Query) -> Any:
    from workbench.features import search

    return search(project, query.q)


ROUTES: Mapping[str, Read] = {
    "project": _project,
    "branch": _branch,
    "runs": _runs,
    "models": _models,
    "features": _features,
}
