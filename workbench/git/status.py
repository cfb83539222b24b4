"""What differs from the last commit, as people see it: a notebook that only ran has not changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from workbench.git.command import shown
from workbench.git.notebooks import clean_bytes

if TYPE_CHECKING:
    from workbench.git.repository import Repository

__all__ = ["ChangedFile", "Status", "only_ran", "read_status"]

ChangeState = Literal["added", "modified", "deleted", "renamed", "unmerged", "untracked"]

_STATES: dict[str, ChangeState] = {
    "A": "added",
    "M": "modified",
    "T": "modified",
    "D": "deleted",
    "R": "renamed",
    "C": "added",
    "U": "unmerged",
}


class ChangedFile(BaseModel):
    """A path that differs from the last commit."""

    model_config = ConfigDict(frozen=True)

    path: str
    state: ChangeState
    was: str | None = None  # its path before it was renamed


class Status(BaseModel):
    """Where the work tree stands. Outside Git, `branch` and `commit` are None."""

    model_config = ConfigDict(frozen=True)

    branch: str | None
    commit: str | None
    detached: bool
    changed: list[ChangedFile]


class _Entry(NamedTuple):
    """A path from the top; `blob` is what Git has of a file that was changed on disk alone."""

    path: str
    state: ChangeState
    blob: str | None = None
    was: str | None = None


def read_status(repository: Repository, *, keep_outputs: bool) -> Status:
    """Read `git status`, without taking a lock that somebody's own Git may want just then."""
    asked = ("status", "--porcelain=v2", "--branch", "--untracked-files=normal", "-z", "--")
    here = f":(literal){repository.folder.as_posix()}" if repository.folder != Path() else "."
    said = repository.git("--no-optional-locks", *asked, here).stdout
    head, entries = _parse(os.fsdecode(said))
    oid, branch = head["branch.oid"], head["branch.head"]
    changed = [
        ChangedFile(
            path=_inside(entry.path, repository.folder),
            state=entry.state,
            was=entry.was and _inside(entry.was, repository.folder),
        )
        for entry in entries
        if keep_outputs or entry.blob is None or not only_ran(repository, entry.path, entry.blob)
    ]
    commit = None if oid == "(initial)" else oid
    detached = branch == "(detached)" and commit is not None
    return Status(
        branch=None if detached else branch,
        commit=commit,
        detached=detached,
        changed=sorted(changed, key=lambda file: file.path),
    )


def only_ran(repository: Repository, path: str, blob: str) -> bool:
    """Tell whether the notebook at `path` (from the top), cleaned, is `blob`."""
    file = repository.top / path
    if not path.endswith(".ipynb") or file.is_symlink() or not file.is_file():
        return False
    cleaned = clean_bytes(file.read_bytes())
    # Git is asked, not a digest of ours: filters of the path belong to it.
    done = repository.git("hash-object", "--stdin", f"--path={path}", stdin=cleaned)
    return done.stdout.decode().strip() == blob


def _parse(text: str) -> tuple[dict[str, str], list[_Entry]]:
    """Parse `git status --porcelain=v2 --branch -z` (git-status(1)); its paths are from the top."""
    head: dict[str, str] = {}
    entries: list[_Entry] = []
    fields = iter(text.split("\0"))
    for field in fields:
        kind, _, rest = field.partition(" ")
        if kind == "#":
            key, _, value = rest.partition(" ")
            head[key] = value
        elif kind:
            entries.append(_entry(kind, rest, fields))
    return head, entries


def _entry(kind: str, rest: str, fields: Iterator[str]) -> _Entry:
    if kind == "?":
        return _Entry(rest, "untracked")
    if kind == "u":
        return _Entry(rest.split(" ", 9)[9], "unmerged")
    if kind == "2":
        was = next(fields)
        return _Entry(rest.split(" ", 8)[8], "renamed", was=was)
    changed, _, _, index_mode, tree_mode, _, index_blob, path = rest.split(" ", 7)
    on_disk_alone = changed == ".M" and index_mode == tree_mode
    return _Entry(path, _state(changed), index_blob if on_disk_alone else None)


def _state(changed: str) -> ChangeState:
    staged, unstaged = changed[0], changed[1]
    if staged == "A" and unstaged != "D":
        return "added"  # and changed since: to the last commit it is still new
    return _STATES[unstaged if unstaged != "." else staged]


def _inside(path: str, folder: Path) -> str:
    """Give a path from the top as one from `folder`."""
    inside = path if folder == Path() else path.removeprefix(f"{folder.as_posix()}/")
    return shown(inside or ".")
