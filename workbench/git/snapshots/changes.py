"""What is different in the work tree, and what of that a snapshot takes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from workbench.git.snapshots.place import Place
from workbench.git.snapshots.records import LeftOut
from workbench.git.snapshots.session import GitSession

__all__ = ["Change", "Choice", "choose", "read_changes", "without_environments"]

_SUBMODULE = b"160000"
_CONFIGURES_ENVIRONMENT = b"pyvenv.cfg"


@dataclass(frozen=True)
class Change:
    """A path that differs from HEAD, from the top of the work tree.

    `head` is its mode and object there, None for one that isn't in it. `gone` says that the work
    tree doesn't have it any more.
    """

    path: bytes
    head: tuple[bytes, bytes] | None
    gone: bool = False
    dirty_submodule: bool = False


@dataclass
class Choice:
    """What becomes of the changes: read in, taken out, or left as HEAD has them."""

    read: list[bytes] = field(default_factory=list)
    remove: list[bytes] = field(default_factory=list)
    restore: list[Change] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def read_changes(git: GitSession) -> tuple[str | None, dict[bytes, Change]]:
    """Read the commit that is checked out, None if there is none yet, and what differs from it."""
    _look_at_hidden(git)
    status = git(
        "status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--no-renames",
        "--ignore-submodules=none",
    )  # fmt: skip
    base: str | None = None
    changes: dict[bytes, Change] = {}
    for entry in status.split(b"\0"):
        if entry.startswith(b"# branch.oid "):
            oid = entry.rpartition(b" ")[2]
            base = None if oid == b"(initial)" else oid.decode()
        elif change := _parse(entry):
            before = changes.get(change.path)  # taken out of the index, and there as a new file
            head = before.head if before else change.head
            changes[change.path] = Change(change.path, head, change.gone, change.dirty_submodule)
    return base, changes


def _look_at_hidden(git: GitSession) -> None:
    """Have Git compare the files that the user told it not to look at, where they exist."""
    hidden = [
        entry[2:]
        for entry in git("ls-files", "-v", "-z").split(b"\0")
        if entry[:1].islower() or entry[:1] == b"S"
    ]
    top = os.fsencode(git.place.top)
    there = [path for path in hidden if os.path.lexists(os.path.join(top, path))]  # noqa: PTH118
    if there:
        for option in ("--no-assume-unchanged", "--no-skip-worktree"):
            git("update-index", option, "-z", "--stdin", stdin=b"\0".join(there) + b"\0")


def _parse(entry: bytes) -> Change | None:
    """Parse an entry of `git status --porcelain=v2 -z` (git-status(1)) without renames."""
    kind = entry[:2]
    if kind == b"? ":
        return Change(entry[2:], head=None)
    if kind == b"1 ":
        _, _, submodule, mode, _, now, oid, _, path = entry.split(b" ", 8)
    elif kind == b"u ":  # what was there before the merge is the second of the three
        _, _, submodule, _, mode, _, now, _, oid, _, path = entry.split(b" ", 10)
    else:
        return None
    head = None if mode == b"000000" else (mode, oid)
    dirty = submodule[:1] == b"S" and (b"M" in submodule or b"U" in submodule)
    return Change(path, head, gone=now == b"000000", dirty_submodule=dirty)


def choose(
    place: Place,
    changes: Iterable[Change],
    *,
    limit_file: int,
    limit_total: int,
) -> Choice:
    """Choose what is read in: what can be, the smallest first until `limit_total` is reached."""
    choice = Choice()
    sized: list[tuple[int, Change]] = []
    for change in changes:
        size, problem = _look(place, change)
        if change.gone:
            choice.remove.append(change.path)
        elif problem:
            _leave_out(place, choice, change, size, problem)
        else:
            sized.append((size, change))
        if change.dirty_submodule:
            reason = "a submodule with changes of its own: only its commit is recorded"
            _note(place, choice, change, 0, reason)
    total = 0
    for size, change in sorted(sized, key=lambda pair: (pair[0], pair[1].path)):
        total += size
        if size > limit_file:
            _leave_out(place, choice, change, size, f"larger than {_shown(limit_file)}")
        elif total > limit_total:
            reason = f"the snapshot's changes would be larger than {_shown(limit_total)}"
            _leave_out(place, choice, change, size, reason)
        else:
            choice.read.append(change.path)
    return choice


def without_environments(
    place: Place, changes: dict[bytes, Change]
) -> tuple[list[Change], list[LeftOut]]:
    """Take out the virtual environments that nobody told Git to ignore: they aren't code."""
    folders = {
        path.removesuffix(_CONFIGURES_ENVIRONMENT)
        for path, change in changes.items()
        if change.head is None and path.endswith(b"/" + _CONFIGURES_ENVIRONMENT)
    }
    if not folders:
        return list(changes.values()), []
    left_out = [
        LeftOut(path=place.from_root(folder), bytes=0, reason="a virtual environment")
        for folder in sorted(folders)
    ]
    kept = [
        change
        for path, change in changes.items()
        if change.head is not None or folders.isdisjoint(_folders_of(path))
    ]
    return kept, left_out


def _folders_of(path: bytes) -> Iterator[bytes]:
    """Give the folders that `path` is in, from the top, each with its slash."""
    end = path.find(b"/")
    while end != -1:
        yield path[: end + 1]
        end = path.find(b"/", end + 1)


def _look(place: Place, change: Change) -> tuple[int, str | None]:
    """Look at the file: its size, and what is in the way of reading it."""
    if change.gone:
        return 0, None
    path = os.path.join(os.fsencode(place.top), change.path)  # noqa: PTH118
    try:
        status = os.lstat(path)
    except OSError:
        return 0, None  # it vanished meanwhile, which is for Git to find out
    if stat.S_ISDIR(status.st_mode):
        is_submodule = change.head is not None and change.head[0] == _SUBMODULE
        return 0, None if is_submodule else "a repository of its own"
    if stat.S_ISLNK(status.st_mode):
        return status.st_size, None
    if not stat.S_ISREG(status.st_mode):
        return 0, "not a regular file"
    return status.st_size, None if os.access(path, os.R_OK) else "not readable"


def _leave_out(place: Place, choice: Choice, change: Change, size: int, reason: str) -> None:
    _note(place, choice, change, size, reason)
    if change.head is None:
        choice.remove.append(change.path)  # from the index, where it may be staged
    else:
        choice.restore.append(change)


def _note(place: Place, choice: Choice, change: Change, size: int, reason: str) -> None:
    shown = place.from_root(change.path)
    choice.left_out.append(LeftOut(path=shown, bytes=size, reason=reason))


def _shown(size: int) -> str:
    return f"{size / 1e6:.3g} MB"
