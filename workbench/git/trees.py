"""Git's trees, the index and the files on disk, path by path, for steps that are all or nothing.

One idea: what a step changes is a table of paths, each with the entry it has before and the one
it gets. The table is built and checked first, in an index of our own; only then is a file touched,
and only where it is what the table says that it was, or already what it becomes. So a step that
was killed can be taken again.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from workbench.errors import GitError

if TYPE_CHECKING:
    from workbench.git.repository import Repository

__all__ = [
    "Changes",
    "Entries",
    "Entry",
    "blocked_paths",
    "empty_tree",
    "index_changes",
    "load_tree",
    "set_entries",
    "temporary_index",
    "tree_changes",
    "unstaged",
    "write_files",
    "write_tree",
]

_LOCK_PATIENCE = 3.0  # seconds for somebody's own `git add` to end


class Entry(NamedTuple):
    """What a tree or the index has at a path."""

    mode: str
    blob: str

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file, neither a link nor another repository."""
        return self.mode.startswith("100")

    @property
    def is_repository(self) -> bool:
        """Whether it is a submodule, whose files are its own."""
        return self.mode == "160000"


Entries = Mapping[str, Entry | None]
"""Paths from the top, with None where there is to be nothing."""

Changes = dict[str, tuple[Entry | None, Entry | None]]
"""Paths from the top, with what they were and what they are."""


def empty_tree(repository: Repository) -> str:
    """Give the tree without a file, which the first commit is compared with."""
    return repository.ask("hash-object", "-t", "tree", "--stdin")


def tree_changes(repository: Repository, old: str, new: str) -> Changes:
    """Compare two trees, or commits, path by path; a renamed file is one gone and one new."""
    asked = ("diff-tree", "-r", "-z", "--no-renames", "--no-abbrev", old, new)
    return _raw(repository.git(*asked).stdout)


def index_changes(repository: Repository, old: str, index: Path | None = None) -> Changes:
    """Compare a tree with the index: the user's, or one of ours."""
    asked = ("diff-index", "--cached", "-z", "--no-renames", "--no-abbrev")
    done = repository.git(*asked, "--ita-invisible-in-index", old, "--", index=index)
    return _raw(done.stdout)


def unstaged(repository: Repository, index: Path) -> dict[str, Entry | None]:
    """List the files that `index` hasn't, or has otherwise; what they are has no blob yet."""
    told = _raw(repository.git("diff-files", "-z", "--no-abbrev", index=index).stdout)
    listing = repository.git("ls-files", "--others", "--exclude-standard", "-z", index=index).stdout
    found = {path: new for path, (_, new) in told.items()}
    for path in os.fsdecode(listing).split("\0")[:-1]:
        place = repository.top / path
        regular = place.is_file() and not place.is_symlink()
        runs = regular and place.stat().st_mode & stat.S_IXUSR
        mode = "100755" if runs else "100644" if regular else "120000"
        found[path] = Entry(mode, "")
    return found


def _raw(said: bytes) -> Changes:
    """Parse `:100644 100755 BLOB BLOB M`, a path, and so on (git-diff-tree(1), raw format)."""
    fields = os.fsdecode(said).split("\0")[:-1]
    changes: Changes = {}
    for told, path in zip(fields[::2], fields[1::2], strict=True):
        mode, new_mode, blob, new_blob, _ = told[1:].split(" ")
        changes[path] = _entry(mode, blob), _entry(new_mode, new_blob)
    return changes


def _entry(mode: str, blob: str) -> Entry | None:
    return None if mode == "000000" else Entry(mode, blob)


@contextmanager
def temporary_index(repository: Repository) -> Iterator[Path]:
    """Give a copy of the user's index, with what it knows of the files, to change freely."""
    with tempfile.TemporaryDirectory(prefix="workbench-index-") as folder:
        copy = Path(folder) / "index"
        users = repository.top / repository.ask("rev-parse", "--git-path", "index")
        if users.exists():
            shutil.copyfile(users, copy)
        yield copy


def load_tree(repository: Repository, tree: str | None, index: Path) -> None:
    """Make `index` hold `tree`, keeping what it knows of files that are the same."""
    what = ("-i", "-m", tree) if tree else ("--empty",)  # -i: whatever the files are
    repository.git("read-tree", *what, index=index)


def write_tree(repository: Repository, index: Path) -> str:
    """Store what `index` holds as a tree."""
    return repository.ask("write-tree", index=index)


def set_entries(repository: Repository, entries: Entries, index: Path | None = None) -> None:
    """Put `entries` into the index, the user's unless another is given, and nothing else."""
    if not entries:
        return
    gone = [b"0 " + b"0" * 40 + b"\t" + os.fsencode(path) for path, e in entries.items() if not e]
    there = [
        f"{entry.mode} {entry.blob}\t".encode() + os.fsencode(path)
        for path, entry in entries.items()
        if entry
    ]
    # What goes makes room first: a file may become a folder.
    lines = b"".join(line + b"\0" for line in gone + there)
    _with_patience(repository, "update-index", "-z", "--index-info", stdin=lines, index=index)
    if index is None:  # so that Git needn't read these files again and again
        repository.git("update-index", "-q", "--refresh", accept=(0, 1, 128))


def _with_patience(
    repository: Repository, *arguments: str, stdin: bytes, index: Path | None
) -> None:
    """Run Git, waiting a moment for another process that has the index."""
    until = time.monotonic() + _LOCK_PATIENCE
    while True:
        try:
            repository.git(*arguments, stdin=stdin, index=index)
            return
        except GitError as error:
            if "index.lock" not in str(error) or time.monotonic() > until:
                raise
        time.sleep(0.05)


def blocked_paths(repository: Repository, before: Entries, after: Entries) -> list[str]:
    """List the paths that `write_files` would have to overwrite something unexpected for."""
    unlike = _unlike(repository, before) & _unlike(repository, after)
    in_the_way = {
        place
        for path, entry in after.items()
        if entry
        for place in _obstacles(repository, path, after)
    }
    return sorted(unlike | in_the_way)


def _unlike(repository: Repository, entries: Entries) -> set[str]:
    """Find the paths whose file on disk isn't what `entries` says."""
    files = {path: e for path, e in entries.items() if e and not e.is_repository}
    unlike = {path for path, e in entries.items() if not e and _is_there(repository, path)}
    if files:
        with tempfile.TemporaryDirectory(prefix="workbench-index-") as folder:
            index = Path(folder) / "index"
            set_entries(repository, files, index)
            repository.git("update-index", "-q", "--refresh", index=index, accept=(0, 1))
            told = repository.git("diff-files", "--name-only", "-z", index=index).stdout
        unlike |= set(os.fsdecode(told).split("\0")[:-1])
    return unlike


def _is_there(repository: Repository, path: str) -> bool:
    """Tell whether there is a file or a link at `path`; a folder is looked at by `_obstacles`."""
    try:
        mode = (repository.top / path).lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    linked = any((repository.top / folder).is_symlink() for folder in _folders(path))
    return not stat.S_ISDIR(mode) and not linked


def _obstacles(repository: Repository, path: str, after: Entries) -> Iterator[str]:
    """Find what stands where `path` is to be written and doesn't go by itself."""
    for folder in _folders(path):
        place = repository.top / folder
        stands = place.is_symlink() or (place.exists() and not place.is_dir())
        if stands and after.get(folder, True):
            yield folder
    place = repository.top / path
    if place.is_dir() and not place.is_symlink() and not _is_repository(after[path]):
        for file in _files_below(place):
            inside = file.relative_to(repository.top).as_posix()
            if after.get(inside, True):
                yield inside


def _is_repository(entry: Entry | None) -> bool:
    return entry is not None and entry.is_repository


def _folders(path: str) -> list[str]:
    """List the folders that a path leads through, from the top."""
    return [str(folder) for folder in reversed(PurePosixPath(path).parents)][1:]


def _files_below(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(where) / name).is_symlink()]
        yield from (Path(where) / name for name in [*names, *links])


def write_files(repository: Repository, before: Entries, after: Entries) -> None:
    """Bring the files on disk from `before` to `after`; neither HEAD nor the index is touched.

    Raises
    ------
    GitError
        Before anything is changed, if a file is neither as it was nor as it is to be.
    """
    blocked = blocked_paths(repository, before, after)
    if blocked:
        raise GitError(f"files that would be overwritten: {', '.join(blocked)}")
    to_do = _unlike(repository, after)
    for path in sorted(to_do):
        if after[path] is None:
            _remove(repository, path)
    files = {path: e for path, e in after.items() if e and path in to_do}
    # Attributes say how other files are written; Git reads them once a process.
    attributes = {path: e for path, e in files.items() if path.endswith(".gitattributes")}
    for batch in (attributes, {path: e for path, e in files.items() if path not in attributes}):
        _check_out(repository, batch)


def _remove(repository: Repository, path: str) -> None:
    """Remove a file, and the folders that it leaves empty; but never the project's own."""
    place = repository.top / path
    place.unlink()
    for folder in place.parents:
        if folder in (repository.top, repository.root) or any(folder.iterdir()):
            return
        folder.rmdir()


def _check_out(repository: Repository, entries: Mapping[str, Entry]) -> None:
    if not entries:
        return
    paths: Iterable[bytes] = (os.fsencode(path) + b"\0" for path in entries)
    with tempfile.TemporaryDirectory(prefix="workbench-index-") as folder:
        index = Path(folder) / "index"
        set_entries(repository, entries, index)
        asked = ("checkout-index", "--force", "-z", "--stdin")
        repository.git(*asked, stdin=b"".join(paths), index=index)
