"""What is checked out, and what of it isn't committed."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from workbench.experiments import commit_work, diff_file, discard_work, undo_discard
from workbench.git import Repository, Status
from workbench.git.discarding import Discarded
from workbench.git.file_diffs import FileDiff
from workbench.project import Project
from workbench.server.operation import Operation, Query

__all__ = ["OPERATIONS"]

Paths = Annotated[
    list[Annotated[str, Field(min_length=1)]],
    Field(min_length=1, description="files, from the project's root"),
]


class DiffQuery(Query):
    """Which file, and in which versions."""

    file: str = Field(min_length=1, description="a file, from the project's root")
    was: str = Field(default="", description="its path before it was renamed")
    base: str = Field(default="HEAD", description="a branch or a commit")
    other: str = Field(default="", description="a branch or a commit; else the file on disk")


class CommitBody(BaseModel):
    """What is to be committed, and why."""

    model_config = ConfigDict(extra="forbid")

    message: str = Field(min_length=1)
    paths: Paths


class Committed(BaseModel):
    """The commit that was made."""

    model_config = ConfigDict(frozen=True)

    commit: str


class PathsBody(BaseModel):
    """Some files."""

    model_config = ConfigDict(extra="forbid")

    paths: Paths


class DiscardedBody(BaseModel):
    """Which discarded changes."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(description="as the answer to discarding said")


class Brought(BaseModel):
    """The files that were brought back."""

    model_config = ConfigDict(frozen=True)

    paths: list[str]


def get_branch(project: Project) -> Status:
    """Say which branch is checked out, and which files differ from its last commit."""
    keep = project.settings.keep_outputs
    return Repository(project.root).status(keep_outputs=keep)


def diff_changed_file(project: Project, query: DiffQuery) -> FileDiff:
    """Say how a file differs between two versions; a notebook by its cells."""
    return diff_file(
        query.file,
        base=query.base,
        other=query.other or None,
        was=query.was or None,
        project=project,
    )


def commit_files(project: Project, body: CommitBody) -> Committed:
    """Commit some files and nothing else."""
    return Committed(commit=commit_work(body.paths, body.message, project=project))


def discard_files(project: Project, body: PathsBody) -> Discarded:
    """Bring files back to the last commit; it can be undone."""
    return discard_work(body.paths, project=project)


def undo_discarding(project: Project, body: DiscardedBody) -> Brought:
    """Bring back what was discarded."""
    return Brought(paths=undo_discard(body.id, project=project))


OPERATIONS = (
    Operation("GET", "/branch", get_branch),
    Operation("GET", "/branch/diff", diff_changed_file),
    Operation("POST", "/branch/commit", commit_files, status=201),
    Operation("POST", "/branch/discard", discard_files),
    Operation("POST", "/branch/undo-discard", undo_discarding),
)
