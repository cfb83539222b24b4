"""What can be asked: for each route a function from the project and the query to records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import NotFoundError, UsageError
from workbench.project import Project

__all__ = ["ROUTES", "ProjectInfo", "Query", "Read", "open_project"]


class Query(BaseModel):
    """What a client may say in the address. Other keys are ignored: Jupyter adds its own."""

    model_config = ConfigDict(frozen=True)

    path: str = Field(default="", description="folder of the project, from the server's root")
    limit: int = Field(default=50, ge=1, le=1000, description="how many runs or features")
    q: str = Field(default="", description="words that a feature must have; a source's name")


class ProjectInfo(BaseModel):
    """The project that a folder is in."""

    model_config = ConfigDict(frozen=True)

    name: str
    root: str
    folder: str | None
    """The project's root from the server's root; None if it is above the server's root."""


class SourceInfo(BaseModel):
    """A named source, and what was last read of it."""

    model_config = ConfigDict(frozen=True)

    name: str
    description: str
    owner: str
    tags: list[str]
    rows: int | None
    columns: int | None
    read_at: datetime | None
    contract: Literal["passed", "failed"] | None
    """What its contract found of the content that was checked last; None without one."""


class Report(BaseModel):
    """The column report of a source: markup and its style, without a script."""

    model_config = ConfigDict(frozen=True)

    name: str
    html: str


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

    return search(project, query.q, limit=query.limit)


def _sources(project: Project, server_root: Path, query: Query) -> list[SourceInfo]:
    from workbench.data import last_checks, list_datasets

    read = {dataset.name: dataset for dataset in reversed(list_datasets(project))}
    found = {check.source: check.outcome for check in reversed(last_checks(project))}
    return [
        SourceInfo(
            name=name,
            description=source.description,
            owner=source.owner,
            tags=source.tags,
            rows=read[name].rows if name in read else None,
            columns=len(read[name].columns) if name in read else None,
            read_at=read[name].read_at if name in read else None,
            contract=found.get(name),
        )
        for name, source in project.settings.sources.items()
    ]


def _report(project: Project, server_root: Path, query: Query) -> Report:
    from workbench.data import read, report

    return Report(name=query.q, html=report(read(query.q, project)).fragment())


ROUTES: Mapping[str, Read] = {
    "project": _project,
    "branch": _branch,
    "runs": _runs,
    "models": _models,
    "features": _features,
    "sources": _sources,
    "report": _report,
}
