"""Bringing a snapshot back into a folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import uuid4

from workbench.errors import GitError, UsageError
from workbench.git.snapshots.place import Place
from workbench.git.snapshots.reading import find_snapshot
from workbench.git.snapshots.records import Snapshot
from workbench.git.snapshots.scratch import scratch_folder
from workbench.git.snapshots.session import GitSession

__all__ = ["checkout_snapshot"]


def checkout_snapshot(root: Path, state_dir: Path, run_id: str, directory: Path) -> Snapshot:
    """Bring the code behind a run back into `directory`, which is new or empty.

    It is written beside and renamed, so the folder is whole or not there. Content filters run as at
    any checkout; where one fails (Git LFS isn't installed, its server is away) the files stay as
    the repository has them, and `notes` says so.

    Raises
    ------
    NotFoundError
        If the run has no snapshot.
    UsageError
        If `directory` has something in it, or is a place where no work tree can be.
    """
    place, snapshot = find_snapshot(root, state_dir, run_id)
    target = directory.expanduser().resolve()
    _check(target, place)
    beside = target.with_name(f".{target.name}.{uuid4().hex[:12]}.tmp")
    try:
        beside.mkdir(parents=True)
        notes = _write(place, snapshot, beside)
        beside.rename(target)  # takes the place of an empty folder, of nothing else
    except OSError as error:
        raise GitError(f"{target}: can't be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return snapshot.model_copy(update={"notes": [*snapshot.notes, *notes]})


def _check(target: Path, place: Place) -> None:
    if ".git" in target.parts or target.is_relative_to(place.git_dir):
        raise UsageError(f"{target} is inside a Git repository's own folder: choose another one")
    if not target.exists():
        return
    if not target.is_dir():
        raise UsageError(f"{target} is a file: choose a new or an empty folder")
    if any(target.iterdir()):
        raise UsageError(f"{target} is not empty: choose a new or an empty folder")
    if target == Path.cwd():
        raise UsageError(f"{target} is the working directory: choose another folder, or a new one")


def _write(place: Place, snapshot: Snapshot, folder: Path) -> list[str]:
    """Write the files; Git follows no symbolic link on the way, so none is outside of `folder`.

    `folder` is the work tree, so that the attributes that count are those in the snapshot.
    """
    with scratch_folder(place.git_dir) as scratch:
        git = GitSession(place, scratch / "index", work_tree=folder)
        git("-c", "core.sparseCheckout=false", "read-tree", snapshot.commit)
        git("-c", "core.sparseCheckout=false", "checkout-index", "--all", "--force", "--quiet")
        return git.notes
