"""Merge the branch that won: worked out and chosen first, carried out in one go.

One idea: as long as a conflict has no choice, nothing changes: no file, no index, no branch. The
merge is always a commit of its own, so that a choice is in the history.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from workbench.errors import GitError, NotebookError, NotFoundError, UsageError
from workbench.git.command import shown
from workbench.git.commits import make_commit, move_head, run_hook
from workbench.git.merge_plan import Conflict, Merged, Standing, merge_trees, read_blob
from workbench.git.notebook_merge import Choice, Own, merge3
from workbench.git.notebooks import parse, to_bytes
from workbench.git.status import only_ran
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
    "Choice",
    "Conflict",
    "MergeConflictError",
    "MergePlan",
    "MergeResult",
    "Own",
    "merge",
    "plan_merge",
]


class MergePlan(BaseModel):
    """What a merge would do, and what is to be chosen for it."""

    model_config = ConfigDict(frozen=True)

    name: str
    ours: str
    theirs: str
    standing: Standing
    files: tuple[str, ...]  # that would change
    conflicts: tuple[Conflict, ...]


class MergeResult(BaseModel):
    """A merge that was made; where there was nothing to merge, the commit is the old one."""

    model_config = ConfigDict(frozen=True)

    name: str
    commit: str
    standing: Standing
    files: tuple[str, ...]


class MergeConflictError(GitError):
    """A merge that needs choices; nothing has changed. `conflicts` has the texts of both sides."""

    def __init__(self, name: str, conflicts: tuple[Conflict, ...]) -> None:
        ids = ", ".join(shown(conflict.id) for conflict in conflicts)
        super().__init__(
            f"merging {name!r} needs a choice (ours, theirs, both, base or text) for {ids}; "
            "nothing has changed"
        )
        self.conflicts = conflicts


def plan_merge(
    repository: Repository, name: str, *, choices: Mapping[str, Choice] | None = None
) -> MergePlan:
    """Work out what `merge` would do; nothing changes.

    Raises
    ------
    NotFoundError
        If there is no such branch, or a choice's conflict doesn't exist.
    GitError
        Before the first commit, for unrelated histories, or while a merge is under way.
    """
    ours, theirs = _both_sides(repository, name)
    merged = merge_trees(repository, ours, theirs, choices or {})
    return MergePlan(
        name=name,
        ours=ours,
        theirs=theirs,
        standing=merged.standing,
        files=tuple(tree_changes(repository, ours, merged.tree)),
        conflicts=tuple(merged.conflicts),
    )


def merge(
    repository: Repository,
    name: str,
    *,
    choices: Mapping[str, Choice] | None = None,
    message: str | None = None,
) -> MergeResult:
    """Merge the branch `name` into the one that is checked out, by a commit with two parents.

    A notebook that has run since its last commit keeps the outputs of the cells that stay as
    they are. The hooks `pre-merge-commit`, `prepare-commit-msg`, `commit-msg` and `post-merge`
    run as they do for `git merge`.

    Parameters
    ----------
    choices
        An answer for each conflict of `plan_merge`, by its id.

    Raises
    ------
    MergeConflictError
        If a conflict has no choice.
    GitError
        If work that isn't committed would be overwritten. Whatever is raised, nothing has changed.
    """
    with repository.locked():
        ours, theirs = _both_sides(repository, name)
        merged = merge_trees(repository, ours, theirs, choices or {})
        if merged.conflicts:
            raise MergeConflictError(name, tuple(merged.conflicts))
        if merged.standing == "merged":
            return MergeResult(name=name, commit=ours, standing="merged", files=())
        text = message or f"Merge branch '{name}'"
        commit, files = _carry_out(repository, name, (ours, theirs), merged, text)
    return MergeResult(name=name, commit=commit, standing=merged.standing, files=tuple(files))


def _both_sides(repository: Repository, name: str) -> tuple[str, str]:
    repository.check_name(name)
    repository.require_settled()
    ours, theirs = repository.head, repository.resolve(f"refs/heads/{name}")
    if theirs is None:
        raise NotFoundError.named("branch", name, repository.branches())
    if ours is None:
        raise GitError(f"no commit to merge {name!r} into yet: commit first, or switch to it")
    if name == repository.branch:
        raise UsageError(f"{name!r} is the current branch: switch to the one that is to have it")
    return ours, theirs


def _carry_out(
    repository: Repository, name: str, sides: tuple[str, str], merged: Merged, message: str
) -> tuple[str, list[str]]:
    ours = sides[0]
    with temporary_index(repository) as index:
        load_tree(repository, merged.tree, index)
        run_hook(repository, "pre-merge-commit", index=index)
        tree = write_tree(repository, index)
        changes = tree_changes(repository, ours, tree)
        before, after = _on_disk(repository, changes)
        _refuse_overwriting(repository, name, changes, before, after)
        commit = make_commit(repository, tree, sides, message, index=index)
    write_files(repository, before, after)
    set_entries(repository, {path: new for path, (_, new) in changes.items()})
    try:
        move_head(repository, commit, ours, f"merge {name}")
    except GitError:
        write_files(repository, after, before)
        set_entries(repository, {path: old for path, (old, _) in changes.items()})
        raise
    run_hook(repository, "post-merge", "0", may_refuse=False)
    return commit, sorted(changes)


_Files = dict[str, Entry | None]


def _on_disk(repository: Repository, changes: Changes) -> tuple[_Files, _Files]:
    """Say what files there are and what they become: a notebook that only ran has outputs."""
    before: _Files = {}
    after: _Files = {}
    for path, (old, new) in changes.items():
        if any(entry and entry.is_repository for entry in (old, new)):
            continue  # a submodule's files are its own
        before[path], after[path] = old, new
        if old and new and new.is_file and only_ran(repository, path, old.blob):
            before[path], after[path] = _with_outputs(repository, path, old, new)
    return before, after


def _with_outputs(repository: Repository, path: str, old: Entry, new: Entry) -> tuple[Entry, Entry]:
    """Give a notebook as it ran, and merged with the outputs of the cells that stay the same."""
    content = (repository.top / path).read_bytes()
    try:
        base, theirs = (parse(read_blob(repository, entry)) for entry in (old, new))
        merged = to_bytes(merge3(base, parse(content), theirs).notebook)
    except NotebookError:
        return old, new
    return (
        Entry(old.mode, _stored(repository, path, content)),
        Entry(new.mode, _stored(repository, path, merged)),
    )


def _stored(repository: Repository, path: str, content: bytes) -> str:
    asked = ("hash-object", "-w", "--stdin", f"--path={path}")
    return repository.git(*asked, stdin=content).stdout.decode().strip()


def _refuse_overwriting(
    repository: Repository, name: str, changes: Changes, before: _Files, after: _Files
) -> None:
    blocked = set(blocked_paths(repository, before, after))
    for path, (_, staged) in index_changes(repository, "HEAD").items():
        if path in changes and staged != changes[path][1]:
            blocked.add(path)
    if blocked:
        names = ", ".join(map(shown, sorted(blocked)))
        raise GitError(
            f"merging {name!r} would overwrite work that isn't committed: {names}; commit it "
            "first; nothing has changed"
        )
