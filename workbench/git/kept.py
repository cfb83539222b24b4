"""Work that isn't committed, kept with the branch that it was made on.

One idea: `refs/workbench/work/<branch>` holds two commits on top of the branch's: what was staged,
and what lay on disk. The ref is written before a file is touched, and goes when all of its files
are there again; whatever is killed between, the work is in one of the two places.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from workbench.errors import GitError
from workbench.git.command import shown
from workbench.git.commits import commit_tree
from workbench.git.trees import (
    Changes,
    Entry,
    blocked_paths,
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

__all__ = [
    "ASIDE",
    "WORK",
    "bring_back",
    "dirty_paths",
    "kept_paths",
    "put_aside",
    "stays",
    "take_away",
    "take_files",
]

WORK = "refs/workbench/work"
ASIDE = "refs/workbench/aside"

_ADD_NAMED = ("--literal-pathspecs", "add", "--pathspec-from-file=-", "--pathspec-file-nul")


def take_away(repository: Repository, branch: str, head: str, leave: Sequence[str]) -> list[str]:
    """Keep all work with `branch`, and bring the files and the index to `head`.

    Parameters
    ----------
    leave
        Folders whose untracked files are nobody's work, from the root: they stay where they are.

    Returns
    -------
    list
        The paths that were kept.
    """
    staged_tree, work_tree = _trees(repository, leave)
    return _take(repository, branch, head, staged_tree, work_tree)


def take_files(repository: Repository, branch: str, head: str, paths: Iterable[str]) -> list[str]:
    """Keep just these files, of which nothing is staged, with `branch`."""
    with temporary_index(repository) as index:
        load_tree(repository, head, index)
        named = b"".join(os.fsencode(path) + b"\0" for path in paths)
        repository.git(*_ADD_NAMED, stdin=named, index=index)
        return _take(repository, branch, head, head, write_tree(repository, index))


def _take(
    repository: Repository, branch: str, head: str, staged_tree: str, work_tree: str
) -> list[str]:
    staged = tree_changes(repository, head, staged_tree)
    work = _files(tree_changes(repository, head, work_tree))
    if not staged and not work:
        return []
    staged_tree = repository.ask("rev-parse", f"{staged_tree}^{{tree}}")
    stage = commit_tree(repository, staged_tree, [head], b"What was staged\n")
    message = f"Work kept with {branch}\n".encode()
    kept = commit_tree(repository, work_tree, [head, stage], message)
    repository.git("update-ref", f"{WORK}/{branch}", kept, "0" * len(kept))
    write_files(
        repository,
        {path: new for path, (_, new) in work.items()},
        {path: old for path, (old, _) in work.items()},
    )
    set_entries(repository, {path: old for path, (old, _) in (staged | work).items()})
    return sorted({*staged, *work})


def _trees(repository: Repository, leave: Sequence[str]) -> tuple[str, str]:
    """Store what is staged, and what is on disk, as trees."""
    listing = ("ls-files", "--others", "--exclude-standard", "-z")
    others = os.fsdecode(repository.git(*listing).stdout).split("\0")[:-1]
    left = tuple(f"{(repository.folder / folder).as_posix()}/" for folder in leave)
    # With a slash at its end it is somebody's other repository.
    new = [path for path in others if not path.endswith("/") and not path.startswith(left)]
    named = b"".join(os.fsencode(path) + b"\0" for path in new)
    with temporary_index(repository) as index:
        staged = write_tree(repository, index)
        repository.git("add", "--update", "--", ".", index=index)
        if new:
            repository.git(*_ADD_NAMED, stdin=named, index=index)
        return staged, write_tree(repository, index)


def _files(changes: Changes) -> Changes:
    """Leave out submodules: their files are their own, and stay."""
    return {
        path: pair
        for path, pair in changes.items()
        if not any(entry and entry.is_repository for entry in pair)
    }


def kept_paths(repository: Repository, branch: str) -> set[str]:
    """List the paths of the work that is kept with `branch`."""
    kept = repository.resolve(f"{WORK}/{branch}")
    if kept is None:
        return set()
    trees = (kept, f"{kept}^2")
    return {path for tree in trees for path in tree_changes(repository, f"{kept}^1", tree)}


def dirty_paths(repository: Repository, head: str) -> set[str]:
    """List what differs from `head` on disk or in the index, files that are new included."""
    repository.git("update-index", "-q", "--refresh", accept=(0, 1, 128))
    asked = (
        ("diff-index", "--name-only", "--no-renames", "-z", head, "--"),
        ("diff-index", "--cached", "--name-only", "--no-renames", "-z", head, "--"),
        ("ls-files", "--others", "--exclude-standard", "-z"),
    )
    said = "".join(os.fsdecode(repository.git(*words).stdout) for words in asked)
    return set(said.split("\0")) - {""}


def bring_back(repository: Repository, branch: str) -> list[str]:
    """Bring the work that is kept with `branch`, which is checked out, to the files and the index.

    Raises
    ------
    GitError
        If that would overwrite something, or the branch has changed in the same places: then
        nothing is changed, and the work is kept as before.
    """
    kept, head = repository.resolve(f"{WORK}/{branch}"), repository.head
    if kept is None or head is None:
        return []
    work = _files(_onto(repository, head, kept, branch))
    staged = _onto(repository, head, f"{kept}^2", branch)
    paths = {path: old for path, (old, _) in (staged | work).items()}
    files = {path: old for path, old in paths.items() if path in work or not _link(staged[path])}
    after = {path: work[path][1] if path in work else old for path, old in files.items()}
    index = {path: staged[path][1] if path in staged else old for path, old in paths.items()}
    blocked = set(blocked_paths(repository, files, after))
    for path, (_, now) in index_changes(repository, head).items():
        if path in index and now != index[path]:
            blocked.add(path)
    if blocked:
        names = ", ".join(map(shown, sorted(blocked)))
        raise GitError(f"the work kept with {branch} would overwrite {names}; {stays(branch)}")
    write_files(repository, files, after)
    set_entries(repository, index)
    repository.git("update-ref", "-d", f"{WORK}/{branch}", kept)
    return sorted(paths)


def _link(pair: tuple[Entry | None, Entry | None]) -> bool:
    return any(entry and entry.is_repository for entry in pair)


def _onto(repository: Repository, head: str, kept: str, branch: str) -> Changes:
    """Give the changes of `kept` as ones of `head`, which may have gone on since."""
    if repository.resolve(f"{kept}^1") == head:
        return tree_changes(repository, head, kept)
    done = repository.git(
        "merge-tree", "--write-tree", "--name-only", "-z", head, kept, accept=(0, 1)
    )
    tree, *said = os.fsdecode(done.stdout).split("\0")
    if done.returncode:
        names = ", ".join(map(shown, said[: said.index("")]))
        raise GitError(f"{branch} and the work kept with it both change {names}; {stays(branch)}")
    return tree_changes(repository, head, tree)


def stays(branch: str) -> str:
    """Say where the work of `branch` is, and what can be done about it."""
    return (
        f"it stays in {WORK}/{branch}: make room and bring it back (`workbench branch bring-back`),"
        f" or put it aside (`workbench branch put-aside {branch}`)"
    )


def put_aside(repository: Repository, branch: str) -> str | None:
    """Keep the work of `branch` under `refs/workbench/aside`, out of the way; return its ref."""
    kept = repository.resolve(f"{WORK}/{branch}")
    if kept is None:
        return None
    ref = f"{ASIDE}/{branch}/{kept[:12]}"
    steps = f"create {ref} {kept}\ndelete {WORK}/{branch} {kept}\n"
    repository.git("update-ref", "--stdin", stdin=os.fsencode(steps))
    return ref
