"""Take back what was changed since the last commit, in a way that can be undone.

One idea: what goes is stored as a commit under `refs/workbench/discarded` before a file is touched,
so that a click too many loses nothing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from workbench.errors import GitError, NotFoundError, UsageError
from workbench.git.command import shown
from workbench.git.commits import commit_tree
from workbench.git.trees import (
    Changes,
    index_changes,
    load_tree,
    set_entries,
    temporary_index,
    tree_changes,
    write_files,
    write_tree,
)

if TYPE_CHECKING:
    from workbench.git.repository import Repository

__all__ = ["Discarded", "discard", "undo_discard"]

_DISCARDED = "refs/workbench/discarded"
_ADD_NAMED = ("--literal-pathspecs", "add", "--all", "--pathspec-from-file=-")


class Discarded(BaseModel):
    """The paths that are again as they were committed, and the id by which `undo_discard` has
    what they were."""

    model_config = ConfigDict(frozen=True)

    id: str
    paths: tuple[str, ...]


def discard(repository: Repository, paths: Sequence[str]) -> Discarded:
    """Bring `paths` (from the root) back to the last commit; files that are new there go.

    Raises
    ------
    UsageError
        If no path is given.
    GitError
        Before the first commit, or if nothing differs there.
    """
    if not paths:
        raise UsageError("no paths to discard")
    with repository.locked():
        repository.require_settled()
        head = repository.head
        if head is None:
            raise GitError("there is no commit yet that the files could go back to")
        asked = [(repository.folder / path).as_posix() for path in paths]
        work, tree = _changed(repository, head, asked)
        staged = _within(index_changes(repository, head), asked)
        if not work and not staged:
            raise GitError(f"nothing to discard: {', '.join(map(shown, paths))}")
        made = commit_tree(repository, tree, [head], b"Discarded\n")
        repository.git("update-ref", f"{_DISCARDED}/{made}", made)
        _write(repository, work, back=True)
        set_entries(repository, {path: old for path, (old, _) in (staged | work).items()})
    return Discarded(
        id=made, paths=tuple(_from_root(repository, path) for path in sorted(work | staged))
    )


def undo_discard(repository: Repository, discarded_id: str) -> list[str]:
    """Bring back what was discarded, unless the files have changed since; list their paths.

    Raises
    ------
    NotFoundError
        If nothing was discarded under this id.
    GitError
        If a file has changed since then; nothing is overwritten.
    """
    with repository.locked():
        repository.require_settled()
        known = repository.git("for-each-ref", "--format=%(objectname)", _DISCARDED).stdout
        ids = known.decode().split()
        if discarded_id not in ids:
            raise NotFoundError.named("discarded work", discarded_id, ids)
        work = tree_changes(repository, f"{discarded_id}^", discarded_id)
        _write(repository, work, back=False)
        repository.git("update-ref", "-d", f"{_DISCARDED}/{discarded_id}", discarded_id)
    return [_from_root(repository, path) for path in sorted(work)]


def _changed(repository: Repository, head: str, asked: Sequence[str]) -> tuple[Changes, str]:
    """Store what lies on disk at the paths; submodules are their own."""
    named = b"".join(os.fsencode(path) + b"\0" for path in asked)
    with temporary_index(repository) as index:
        load_tree(repository, head, index)
        repository.git(*_ADD_NAMED, "--pathspec-file-nul", stdin=named, index=index)
        changes = index_changes(repository, head, index)
        own = {
            path: old
            for path, (old, new) in changes.items()
            if any(entry and entry.is_repository for entry in (old, new))
        }
        set_entries(repository, own, index)
        work = {path: pair for path, pair in changes.items() if path not in own}
        return work, write_tree(repository, index)


def _within(changes: Changes, asked: Sequence[str]) -> Changes:
    folders = tuple(f"{path.rstrip('/')}/" for path in asked)
    return {
        path: pair
        for path, pair in changes.items()
        if path in asked or path.startswith(folders) or "." in asked
    }


def _write(repository: Repository, work: Changes, *, back: bool) -> None:
    old = {path: pair[0] for path, pair in work.items()}
    new = {path: pair[1] for path, pair in work.items()}
    before, after = (new, old) if back else (old, new)
    write_files(repository, before, after)


def _from_root(repository: Repository, path: str) -> str:
    return shown(path.removeprefix(f"{repository.folder.as_posix()}/"))
