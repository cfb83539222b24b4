"""Reading files into an index, whatever one of them does meanwhile."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from workbench.git.snapshots.changes import Change
from workbench.git.snapshots.session import GitSession

__all__ = ["add_contents", "add_files", "remove_files", "restore_files"]


_ENTRIES = ("update-index", "--add", "--replace", "-z", "--index-info")
_AT_ONCE = 500  # names on one command line


def add_files(git: GitSession, paths: Sequence[bytes]) -> dict[bytes, str]:
    """Read the files at `paths` in; return those that can't be, and why.

    Git stops at the first file that it can't store, one that is being written to for instance, and
    keeps none. Halving finds that one: it is read here, in one piece, and handed over.
    """
    if not paths:
        return {}
    options = ("--add", "--remove", "--replace", "-z", "--stdin")
    if git.tries("update-index", *options, stdin=_joined(paths)) is not None:
        return {}
    if len(paths) > 1:
        middle = len(paths) // 2
        return add_files(git, paths[:middle]) | add_files(git, paths[middle:])
    problem = _add_alone(git, paths[0])
    return {paths[0]: problem} if problem else {}


def remove_files(git: GitSession, paths: Sequence[bytes]) -> None:
    """Take the files at `paths` out of the index."""
    if paths:
        git("update-index", "--force-remove", "-z", "--stdin", stdin=_joined(paths))


def restore_files(git: GitSession, changes: Sequence[Change]) -> None:
    """Bring the files into the index as HEAD has them."""
    remove_files(git, [change.path for change in changes])  # also the stages of a conflict
    entries = [_entry(*change.head, change.path) for change in changes if change.head]
    if entries:
        git(*_ENTRIES, stdin=_joined(entries))


def add_contents(git: GitSession, files: Mapping[str, bytes], scratch: Path) -> None:
    """Bring files with the given contents into the index, byte for byte."""
    stored: list[bytes] = []
    contents = list(files.values())
    for start in range(0, len(contents), _AT_ONCE):
        written = []
        for number, content in enumerate(contents[start : start + _AT_ONCE]):
            written.append(str(scratch / f"content-{number}"))
            Path(written[-1]).write_bytes(content)
        stored += git("hash-object", "-w", "--no-filters", "--", *written).split()
    entries = [
        _entry(b"100644", oid, os.fsencode(path)) for oid, path in zip(stored, files, strict=True)
    ]
    if entries:
        git(*_ENTRIES, stdin=_joined(entries))


def _add_alone(git: GitSession, path: bytes) -> str | None:
    file = git.place.top / os.fsdecode(path)
    try:
        status = file.lstat()
        is_link = stat.S_ISLNK(status.st_mode)
        content = os.fsencode(file.readlink()) if is_link else file.read_bytes()
    except FileNotFoundError:
        remove_files(git, [path])
        return None
    except OSError as error:
        return f"can't be read: {error.strerror}"
    as_at = [] if is_link else [f"--path={os.fsdecode(path)}"]
    command = ("hash-object", "-w", "--stdin")
    stored = git.tries(*command, *as_at, stdin=content) if as_at else None
    if stored is None:
        stored = git(*command, "--no-filters", stdin=content)
    executable = bool(status.st_mode & stat.S_IXUSR)
    mode = b"120000" if is_link else b"100755" if executable else b"100644"
    entry = _entry(mode, stored.strip(), path)
    taken = git.tries(*_ENTRIES, stdin=_joined([entry])) is not None
    return None if taken else "Git doesn't take a file of this name"


def _entry(mode: bytes, oid: bytes, path: bytes) -> bytes:
    return b"%s %s\t%s" % (mode, oid, path)


def _joined(items: Sequence[bytes]) -> bytes:
    return b"".join(item + b"\0" for item in items)
