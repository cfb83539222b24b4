"""Taking a snapshot at a run's start, and adding to it what shows later."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from pathlib import Path

from workbench.errors import GitError
from workbench.git.snapshots.adding import add_contents, add_files, remove_files, restore_files
from workbench.git.snapshots.changes import Change, choose, read_changes, without_environments
from workbench.git.snapshots.place import Place, writing_place
from workbench.git.snapshots.reading import find_snapshot
from workbench.git.snapshots.records import LeftOut, Snapshot, ref_of
from workbench.git.snapshots.scratch import SCRATCH, scratch_folder
from workbench.git.snapshots.session import GitSession, copy_index
from workbench.store import file_lock

__all__ = [
    "LIMIT_FILE",
    "LIMIT_TOTAL",
    "RUN_FOLDER",
    "executed_path",
    "extend_snapshot",
    "place_files",
    "take_snapshot",
]

LIMIT_FILE = 10_000_000
"""A changed file that is larger, in bytes, isn't code: it stays out."""

LIMIT_TOTAL = 100_000_000
"""The changed files of one snapshot have this many bytes at most."""

RUN_FOLDER = ".workbench-run"
"""What a run adds to its snapshot is below this name, which files of the user don't have."""

_ATTEMPTS = 20


def take_snapshot(
    project_root: Path,
    state_dir: Path,
    run_id: str,
    *,
    notebook: tuple[str, bytes] | None = None,
    limit_file: int = LIMIT_FILE,
    limit_total: int = LIMIT_TOTAL,
) -> Snapshot:
    """Keep the work tree as it is: the last commit plus what was changed, deleted and is new.

    It becomes a commit under a hidden ref. The index, HEAD, the stash and every file stay as they
    are, and what Git ignores stays out. All of the repository is taken, as a project in a folder of
    a larger one imports from its other folders too. A second snapshot of a run takes the place of
    the first.

    Parameters
    ----------
    notebook
        Its path from the project's root and its content as executed, for `executed_path`.
    limit_file, limit_total
        How many bytes a changed file, and all of them, may have. What is larger is left as the last
        commit has it, and named in `left_out`.

    Raises
    ------
    GitError
        If Git isn't installed or the repository can't be written to.
    """
    ref = ref_of(run_id)
    place = writing_place(project_root, state_dir)
    with scratch_folder(place.git_dir) as scratch:
        git = GitSession(place, scratch / "index")
        base, changes = _compare(git, scratch / "index")
        changes = _without_ours(place, state_dir, changes)
        kept, left_out = without_environments(place, changes)
        left_out += _read_in(git, kept, limit_file, limit_total)
        if place.own:
            _keep_index(place, scratch / "index")
        added = {executed_path(notebook[0]): notebook[1]} if notebook else {}
        add_contents(git, {place.inside(path): added[path] for path in added}, scratch)
        missing = {entry.path for entry in left_out}
        shown = {place.from_root(change.path) for change in kept}
        snapshot = Snapshot(
            run_id=run_id,
            ref=ref,
            commit="",
            tree=git.line("write-tree"),
            base=base,
            dirty=bool(shown or left_out),
            changed=sorted(shown - missing),
            left_out=left_out,
            added=sorted(added),
            folder=place.folder,
            notes=[*([place.note] if place.note else []), *git.notes],
        )
        commit = _commit(git, snapshot, base)
        git("update-ref", ref, commit)
    return snapshot.model_copy(update={"commit": commit})


def extend_snapshot(
    project_root: Path, state_dir: Path, run_id: str, files: Mapping[str, bytes]
) -> Snapshot:
    """Add `files` to the run's snapshot, byte for byte, each at the `executed_path` of its name.

    So nothing of the user's is replaced. Several may do this at once for the same run, and none of
    them loses what another added.

    Raises
    ------
    NotFoundError
        If the run has no snapshot.
    """
    placed = {executed_path(path): content for path, content in files.items()}
    return place_files(project_root, state_dir, run_id, placed)


def place_files(
    project_root: Path, state_dir: Path, run_id: str, files: Mapping[str, bytes]
) -> Snapshot:
    """Add `files` to the run's snapshot at their paths from the project's root."""
    place, _ = find_snapshot(project_root, state_dir, run_id)
    inside = {place.inside(path): content for path, content in files.items()}
    names = {posixpath.normpath(path) for path in files}
    # One after the other, for each builds on what is there; in linked work trees each has its own
    # lock, and then the ref's old value decides.
    with file_lock(place.git_dir / f"{SCRATCH}/adding"):
        for _ in range(_ATTEMPTS):
            place, before = find_snapshot(project_root, state_dir, run_id)
            snapshot = _place(place, before, inside, names)
            if snapshot:
                return snapshot
    raise GitError(f"{before.ref}: changed by others each time that something was added to it")


def _place(
    place: Place, before: Snapshot, files: Mapping[str, bytes], names: set[str]
) -> Snapshot | None:
    """Make the child of the snapshot that has the files too; None if it is the latest no more."""
    with scratch_folder(place.git_dir) as scratch:
        git = GitSession(place, scratch / "index")
        git("read-tree", before.commit)
        add_contents(git, files, scratch)
        update = {"tree": git.line("write-tree"), "added": sorted({*before.added, *names})}
        snapshot = before.model_copy(update=update)
        commit = _commit(git, snapshot, before.commit)
        if git.tries("update-ref", before.ref, commit, before.commit) is None:
            return None
        return snapshot.model_copy(update={"commit": commit})


def executed_path(path: str) -> str:
    """Say where what a run adds under the name `path` is in its snapshot.

    >>> executed_path("notebooks/train.ipynb")
    '.workbench-run/notebooks/train.ipynb'
    """
    inside = posixpath.normpath(posixpath.join("/", path)).lstrip("/")
    return f"{RUN_FOLDER}/{inside.removeprefix(f'{RUN_FOLDER}/')}"


def _compare(git: GitSession, index: Path) -> tuple[str | None, dict[bytes, Change]]:
    """Compare the work tree with HEAD through a copy of the user's index, which makes it quick.

    One that can't be read is done without.
    """
    copy_index(git.place.git_dir / "index", index)
    try:
        base, changes = read_changes(git)
    except GitError:
        index.unlink(missing_ok=True)
        git.tries("read-tree", "HEAD")  # which may have no commit yet
        base, changes = read_changes(git)
    if git.place.own:
        _forget_ignored(git, changes)
    return base, changes


def _read_in(
    git: GitSession, changes: list[Change], limit_file: int, limit_total: int
) -> list[LeftOut]:
    choice = choose(git.place, changes, limit_file=limit_file, limit_total=limit_total)
    remove_files(git, choice.remove)
    restore_files(git, choice.restore)
    problems = add_files(git, choice.read)
    restore_files(git, [change for change in changes if change.path in problems])
    return [
        *choice.left_out,
        *(
            LeftOut(path=git.place.from_root(path), bytes=0, reason=reason)
            for path, reason in problems.items()
        ),
    ]


def _without_ours(
    place: Place, state_dir: Path, changes: dict[bytes, Change]
) -> dict[bytes, Change]:
    """Take out new files in the folders that are Workbench's own."""
    state = state_dir.resolve()
    folders = [place.inside(RUN_FOLDER)]
    if state.is_relative_to(place.top) and state != place.top:
        folders.append(state.relative_to(place.top).as_posix())
    ours = tuple(os.fsencode(f"{folder}/") for folder in folders)
    return {
        path: change
        for path, change in changes.items()
        if change.head is not None or not path.startswith(ours)
    }


def _forget_ignored(git: GitSession, changes: dict[bytes, Change]) -> None:
    """Drop what an earlier snapshot had and what is ignored since."""
    listing = git("ls-files", "-z", "--cached", "--ignored", "--exclude-standard")
    ignored = [path for path in listing.split(b"\0") if path]
    remove_files(git, ignored)
    for path in ignored:
        changes.pop(path, None)


def _keep_index(place: Place, index: Path) -> None:
    """Keep the index of our own repository: with it Git knows which files it has read already."""
    kept = index.with_name("kept")
    copy_index(index, kept)
    if kept.exists():
        kept.replace(place.git_dir / "index")


def _commit(git: GitSession, snapshot: Snapshot, parent: str | None) -> str:
    parents = ["-p", parent] if parent else []
    message = snapshot.message().encode()
    return git.line(
        "commit-tree", "--no-gpg-sign", *parents, "-F", "-", snapshot.tree, stdin=message
    )
