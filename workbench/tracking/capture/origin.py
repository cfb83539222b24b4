"""Where a run's code is from: commit, branch, and a snapshot of what wasn't committed."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from workbench.errors import GitError, NotFoundError
from workbench.git import Repository, Status
from workbench.project import Project

__all__ = [
    "BRANCH",
    "COMMIT",
    "DIRTY",
    "JOB_TAG",
    "LEFT_OUT",
    "LINEAR",
    "NOTEBOOK",
    "SNAPSHOT",
    "code_status",
    "keep_code",
    "origin_tags",
    "session_notebook",
    "snapshot_tags",
]

NOTEBOOK, SOURCE_TYPE = "mlflow.source.name", "mlflow.source.type"
COMMIT, BRANCH = "mlflow.source.git.commit", "mlflow.source.git.branch"
JOB_TAG = "workbench.job"
DIRTY, SNAPSHOT = "workbench.dirty", "workbench.snapshot"
LEFT_OUT = "workbench.snapshot.left_out"
"""Tags of a run: MLflow's own names where it has one."""

LINEAR = "execution.linear"
"""The tag that says whether the cells ran as the notebook reads, from the top."""

_LONGEST_TAG = 5000  # of MLflow, in characters

_logger = logging.getLogger("workbench.tracking")


def code_status(root: Path) -> Status:
    """Read where the code at `root` stands; if Git can't say, say why once and go on without it."""
    try:
        repository = Repository(root)
        if not repository.exists:
            _say_without_git(root)
        return repository.status()
    except GitError as error:
        _logger.warning("runs will name no commit: %s", error)
        return Status(branch=None, commit=None, detached=False, changed=[])


@cache
def _say_without_git(root: Path) -> None:
    _logger.warning(
        "%s is not under Git: runs have no branch, and their code is kept in the project's records",
        root,
    )


def origin_tags(status: Status, notebook: str | None, kind: str) -> dict[str, str]:
    """Name the code as tags: `kind` is MLflow's `JOB`, `NOTEBOOK` or `LOCAL`."""
    tags = {
        NOTEBOOK: notebook,
        SOURCE_TYPE: kind,
        COMMIT: status.commit,
        BRANCH: status.branch,
        DIRTY: str(bool(status.changed)).lower(),
    }
    return {key: value for key, value in tags.items() if value is not None}


def snapshot_tags(
    project: Project, root: Path, run_id: str, notebook: tuple[str, bytes] | None = None
) -> dict[str, str]:
    """Keep the code at `root` as it is under the run's hidden ref; return the tags that say so.

    A snapshot that can't be made is no reason to lose a run: the tag says what was in the way.

    Parameters
    ----------
    notebook
        Its path from the root and its content as it is executed, where that isn't the file's.
    """
    from workbench.git.snapshots import take_snapshot

    try:
        snapshot = take_snapshot(
            root,
            project.state,
            run_id,
            notebook=notebook,
            limit_file=int(project.settings.snapshot_file_mb * 1_000_000),
            limit_total=int(project.settings.snapshot_total_mb * 1_000_000),
        )
    except (GitError, OSError) as error:
        _logger.warning("the code of run %s is not kept: %s", run_id, error)
        return {SNAPSHOT: f"none: {error}"[:_LONGEST_TAG]}
    for note in snapshot.notes:
        _logger.warning("snapshot of run %s: %s", run_id, note)
    tags = {SNAPSHOT: snapshot.commit}
    if snapshot.left_out:
        left_out = [file.model_dump(mode="json") for file in snapshot.left_out]
        tags[LEFT_OUT] = json.dumps(left_out)[:_LONGEST_TAG]
        names = ", ".join(file.path for file in snapshot.left_out[:3])
        _logger.warning(
            "%d files are not in the snapshot of run %s (%s…): see its tag %s",
            *(len(snapshot.left_out), run_id, names, LEFT_OUT),
        )
    return tags


def keep_code(
    project: Project,
    root: Path,
    run_id: str,
    *,
    modules: Sequence[Path] = (),
    files: Mapping[str, bytes] | None = None,
) -> None:
    """Add what is known only later to the run's snapshot; what is in the way is said.

    Parameters
    ----------
    modules
        The user's own modules that were imported, of which those are added that Git hadn't kept.
    files
        Cells as they were executed, by the name of the notebook.
    """
    from workbench.git.snapshots import add_modules, extend_snapshot

    try:
        if modules:
            add_modules(root, project.state, run_id, modules)
        if files:
            extend_snapshot(root, project.state, run_id, files)
    except (GitError, NotFoundError, OSError) as error:
        _logger.warning("the snapshot of run %s lacks code: %s", run_id, error)


def session_notebook() -> Path | None:
    """Return the notebook of this kernel: Jupyter's server names it in the environment."""
    named = os.environ.get("JPY_SESSION_NAME", "")
    path = Path(named)
    return path if path.suffix == ".ipynb" and path.is_absolute() else None
