"""Work of a branch that isn't committed: looked at, committed, or taken back."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.access import require
from workbench.git import Repository, discarding, file_diffs
from workbench.git.discarding import Discarded
from workbench.git.file_diffs import FileDiff
from workbench.project import Project

__all__ = ["commit_work", "diff_file", "discard_work", "undo_discard"]


def commit_work(paths: Sequence[str], message: str, *, project: Project | None = None) -> str:
    """Commit files (from the project's root) and nothing else; return the commit's hash.

    Notebooks are committed without their outputs unless the project's settings keep them.
    """
    project = project or Project.find()
    require(project, "developer", "commit")
    keep = project.settings.keep_outputs
    return Repository(project.root).commit(paths, message, keep_outputs=keep)


def discard_work(paths: Sequence[str], *, project: Project | None = None) -> Discarded:
    """Bring files back to the last commit; `undo_discard` has them again as they were."""
    project = project or Project.find()
    require(project, "developer", "discard changes")
    return discarding.discard(Repository(project.root), paths)


def undo_discard(discarded_id: str, *, project: Project | None = None) -> list[str]:
    """Bring back what was discarded, where nothing has changed since; list the paths."""
    project = project or Project.find()
    require(project, "developer", "bring discarded changes back")
    return discarding.undo_discard(Repository(project.root), discarded_id)


def diff_file(
    path: str,
    *,
    base: str | None = "HEAD",
    other: str | None = None,
    was: str | None = None,
    project: Project | None = None,
) -> FileDiff:
    """Compare two versions of a file: branches or commits, and None for the file on disk."""
    project = project or Project.find()
    return file_diffs.diff_file(Repository(project.root), path, base=base, other=other, was=was)
