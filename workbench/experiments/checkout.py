"""A run's code brought back into a folder, and the code of runs that are gone let go."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from workbench.errors import NotFoundError
from workbench.git.snapshots import checkout_snapshot, list_snapshots, prune_snapshots
from workbench.project import Project
from workbench.tracking import RunRecord, get_run, list_runs, runs_frame
from workbench.tracking.sending import LOCAL_ID, LOCAL_PREFIX

__all__ = ["CheckedOut", "Garbage", "checkout_run", "collect_garbage", "find_snapshot"]

_MOST_RUNS = 1_000_000


class CheckedOut(BaseModel):
    """Where a run's code was put, and what its snapshot had left out."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    folder: Path
    commit: str | None
    left_out: list[str]


class Garbage(BaseModel):
    """The runs whose snapshots were let go, and how many stay, those of other projects included."""

    model_config = ConfigDict(frozen=True)

    pruned: list[str]
    kept: int


def checkout_run(project: Project, run_id: str, folder: Path) -> CheckedOut:
    """Bring the code of a run, as it was when the run began, into a new or empty folder.

    Raises
    ------
    NotFoundError
        If there is no such run, or it has no snapshot.
    UsageError
        If the folder holds something.
    """
    run = get_run(project, run_id)
    snapshot_id = find_snapshot(project, run)
    snapshot = checkout_snapshot(project.root, project.state, snapshot_id, folder)
    return CheckedOut(
        run_id=run.run_id,
        folder=folder,
        commit=snapshot.base,
        left_out=[file.path for file in snapshot.left_out],
    )


def find_snapshot(project: Project, run: RunRecord) -> str:
    """Return the id under which the run's code is kept: a local one if the store was away then.

    Raises
    ------
    NotFoundError
        If it isn't kept.
    """
    kept = list_snapshots(project.root, project.state)
    for name in (run.run_id, run.tags.get(LOCAL_ID)):
        if name in kept:
            return name
    raise NotFoundError(
        f"run {run.run_id} has no snapshot: it was let go by `workbench gc`, or none was taken"
    )


def collect_garbage(project: Project, *, dry_run: bool = False) -> Garbage:
    """Let go of the snapshots of runs that were deleted; one that is restored has none then.

    What isn't known here as deleted stays: the repository may have other projects in it, and runs
    in stores that are elsewhere. With `dry_run` nothing is deleted, and `pruned` says what would
    be.
    """
    snapshots = set(list_snapshots(project.root, project.state))
    gone = snapshots & _deleted(project)
    if not dry_run:
        gone = set(prune_snapshots(project.root, project.state, keep=(), among=gone))
    return Garbage(pruned=sorted(gone), kept=len(snapshots - gone))


def _deleted(project: Project) -> set[str]:
    """List the ids of deleted runs, and those that they had while the store was away."""
    ids = set(runs_frame(project, columns=[], lifecycle="deleted")["run_id"])
    began_away = f"tags.`{LOCAL_ID}` LIKE '{LOCAL_PREFIX}%'"
    runs = list_runs(project, began_away, limit=_MOST_RUNS, lifecycle="deleted")
    return ids.union(run.tags[LOCAL_ID] for run in runs)
