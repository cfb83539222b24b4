"""Reading snapshots: which there are, what is in them, how two of them differ."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from workbench.errors import NotFoundError
from workbench.git.snapshots.place import Place, places
from workbench.git.snapshots.records import REFS, Snapshot, ref_of
from workbench.git.snapshots.session import GitSession

__all__ = [
    "find_snapshot",
    "get_snapshot",
    "list_snapshots",
    "prune_snapshots",
    "read_file",
    "snapshot_diff",
]


def list_snapshots(root: Path, state_dir: Path) -> list[str]:
    """List the runs that have a snapshot."""
    return sorted({run for place in places(root, state_dir) for run in _runs(GitSession(place))})


def get_snapshot(root: Path, state_dir: Path, run_id: str) -> Snapshot:
    """Read what is known of the run's snapshot; NotFoundError says which runs have one."""
    return find_snapshot(root, state_dir, run_id)[1]


def find_snapshot(root: Path, state_dir: Path, run_id: str) -> tuple[Place, Snapshot]:
    """Find the run's snapshot and the place that keeps it."""
    ref = ref_of(run_id)
    for place in places(root, state_dir):
        git = GitSession(place)
        commit = git.tries("rev-parse", "--verify", "--quiet", ref)
        if commit is not None:
            found = commit.decode().strip()
            return place, Snapshot.read(found, git("cat-file", "commit", found))
    raise NotFoundError.named("snapshot of run", run_id, list_snapshots(root, state_dir))


def read_file(root: Path, state_dir: Path, run_id: str, path: str) -> bytes:
    """Read a file of the run's snapshot, by its path from the project's root.

    Raises
    ------
    NotFoundError
        If the run has no snapshot, or that no such file; the message says what exists.
    """
    place, snapshot = find_snapshot(root, state_dir, run_id)
    git = GitSession(place)
    inside = place.inside(path)
    content = git.tries("cat-file", "blob", f"{snapshot.commit}:{inside}")
    if content is None:
        listing = git("ls-tree", "-r", "-z", "--name-only", "--full-tree", snapshot.commit)
        existing = [place.from_root(name) for name in listing.split(b"\0") if name]
        raise NotFoundError.named("file", path, existing, f" in the snapshot of run {run_id}")
    return content


def snapshot_diff(root: Path, state_dir: Path, run_a: str, run_b: str) -> str:
    """Compare two runs' snapshots: a unified diff, whose paths are from the repository's top."""
    place_a, a = find_snapshot(root, state_dir, run_a)
    place_b, b = find_snapshot(root, state_dir, run_b)
    users = place_b if place_a.own else place_a
    own = place_a if place_a.own else place_b
    git = GitSession(users, borrow_from=own if own != users else None)
    diff = git(
        "diff-tree", "-r", "-p", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames",
        "--src-prefix=a/", "--dst-prefix=b/", a.commit, b.commit,
    )  # fmt: skip
    return diff.decode("utf-8", "replace")


def prune_snapshots(
    root: Path,
    state_dir: Path,
    keep: Collection[str],
    *,
    among: Collection[str] | None = None,
) -> list[str]:
    """Let go of the snapshots of runs that aren't in `keep`, and say which these were.

    Their refs go; the files that only they had follow when Git collects garbage.

    Parameters
    ----------
    among
        The snapshots to choose from: `list_snapshots` as it was before `keep` was read. Then that
        of a run which began in between isn't taken for one that nobody wants.
    """
    pruned: set[str] = set()
    for place in places(root, state_dir):
        git = GitSession(place)
        old = [run for run in _runs(git) if run not in keep and (among is None or run in among)]
        deletions = "".join(f"delete {REFS}{run}\n" for run in old)
        git("update-ref", "--stdin", stdin=deletions.encode())
        if place.own:
            git("gc", "--auto", "--quiet")  # nobody else ever does it there
        pruned.update(old)
    return sorted(pruned)


def _runs(git: GitSession) -> list[str]:
    listing = git("for-each-ref", "--format=%(refname)", REFS)
    return [line.removeprefix(REFS) for line in listing.decode().splitlines()]
