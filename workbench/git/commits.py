"""A commit of some paths, with notebooks cleaned, that leaves files and staged work alone.

One idea: the commit is built in an index of our own, from HEAD and the given paths; the user's
index gets just these paths afterwards. The branch moves only if it still is where it was.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import GitError, UsageError
from workbench.git.command import run_git, shown
from workbench.git.notebooks import clean_bytes
from workbench.git.trees import (
    Changes,
    Entry,
    empty_tree,
    index_changes,
    load_tree,
    set_entries,
    temporary_index,
    tree_changes,
    unstaged,
    write_tree,
)

if TYPE_CHECKING:
    from workbench.git.repository import Repository

__all__ = ["commit", "commit_tree", "make_commit", "move_head", "run_hook"]


def commit(
    repository: Repository, paths: Sequence[str], message: str, *, keep_outputs: bool
) -> str:
    """Commit `paths` (from the root; `.` is all of it) on HEAD; the lock is the caller's.

    The hooks `pre-commit`, `prepare-commit-msg`, `commit-msg` and `post-commit` run as they do
    for `git commit`. A staged version of a committed path gives way to the one on disk, as there;
    whatever else is staged stays so.
    """
    if not paths:
        raise UsageError("no paths to commit; '.' is all of the project")
    repository.require_settled()
    head = repository.head
    with temporary_index(repository) as index:
        changes = _changes(repository, index, head, paths, keep_outputs=keep_outputs)
        if not changes:
            asked = ", ".join(map(shown, paths))
            found = "the same as in the last commit" if head else "no files there"
            raise GitError(f"nothing to commit: {asked}: {found}")
        load_tree(repository, head, index)
        set_entries(repository, {path: new for path, (_, new) in changes.items()}, index)
        run_hook(repository, "pre-commit", index=index)  # which may put its own changes there
        tree = write_tree(repository, index)
        made = make_commit(repository, tree, [head] if head else [], message, index=index)
    move_head(repository, made, head, "commit" if head else "commit (initial)")
    committed = tree_changes(repository, head or empty_tree(repository), tree)
    set_entries(repository, {path: new for path, (_, new) in committed.items()})
    run_hook(repository, "post-commit", may_refuse=False)
    return made


def make_commit(
    repository: Repository, tree: str, parents: Sequence[str], message: str, *, index: Path
) -> str:
    """Store a commit of `tree` that nothing points to yet, after the hooks of its message.

    Raises
    ------
    GitError
        If there is no message, or a hook refuses.
    """
    text = _message(repository, message, index)
    sign = repository.git("config", "--type=bool", "--get", "commit.gpgSign", accept=(0, 1)).stdout
    return commit_tree(repository, tree, parents, text, sign=sign.strip() == b"true")


def move_head(repository: Repository, made: str, was: str | None, action: str) -> None:
    """Let HEAD, or the branch that it stands on, be `made`.

    Raises
    ------
    GitError
        If it isn't where it was any more: somebody's own Git was quicker.
    """
    subject = repository.ask("log", "-1", "--no-show-signature", "--format=%s", made)
    old = was or "0" * len(made)
    # Git needs a name for the log of what a branch was, too.
    asked = ("update-ref", "-m", f"{action}: {subject}", "HEAD", made, old)
    repository.git(*repository.identity(), *asked)


def commit_tree(
    repository: Repository,
    tree: str,
    parents: Sequence[str],
    message: bytes,
    *,
    sign: bool = False,
) -> str:
    """Store a commit that nothing points to yet."""
    ancestry = [word for parent in parents for word in ("-p", parent)]
    options = ["-S"] if sign else []
    asked = [*repository.identity(), "commit-tree", *options, *ancestry, tree]
    return repository.git(*asked, stdin=message).stdout.decode().strip()


def run_hook(
    repository: Repository,
    name: str,
    *arguments: str,
    index: Path | None = None,
    may_refuse: bool = True,
) -> None:
    """Run the user's hook of that name, if there is one; it sees `index` as Git's own would."""
    hooks = repository.top / repository.ask("rev-parse", "--git-path", "hooks")
    if not (hooks / name).exists():
        return
    codes = tuple(range(256))
    asked = ("hook", "run", "--ignore-missing", name, "--", *arguments)
    done = repository.git(*asked, index=index, accept=codes)
    if done.returncode and may_refuse:
        said = (done.stderr.strip() or done.stdout.strip()).decode("utf-8", "replace")
        raise GitError(f"the {name} hook refused: {said or f'exit code {done.returncode}'}")


def _message(repository: Repository, message: str, index: Path) -> bytes:
    """Let the hooks of the message at it, and tidy it as Git does."""
    file = index.with_name("COMMIT_EDITMSG")
    file.write_text(message.rstrip() + "\n", encoding="utf-8")
    run_hook(repository, "prepare-commit-msg", str(file), "message", index=index)
    run_hook(repository, "commit-msg", str(file), index=index)
    text = repository.git("stripspace", stdin=file.read_bytes()).stdout
    if not text:
        raise GitError("a commit needs a message")
    return text


def _changes(
    repository: Repository,
    index: Path,
    head: str | None,
    paths: Sequence[str],
    *,
    keep_outputs: bool,
) -> Changes:
    """Stage `paths` in our index as `git add` would, and compare them with HEAD."""
    base = head or empty_tree(repository)
    asked = {_from_top(repository, path) for path in paths}
    staged = index_changes(repository, base, index)
    removed = {path: old for path, (old, new) in staged.items() if new is None}
    # What `git rm` took from the index is still a path that can be named.
    set_entries(repository, {p: old for p, old in removed.items() if _is_within(p, asked)}, index)
    cleaned: set[str] = set()
    if keep_outputs:
        _add(repository, index, paths)
    else:
        _add(repository, index, paths, "--dry-run")  # it knows what may be added
        cleaned = _stage_cleaned(repository, index, asked)
    changes = {}
    for path, (old, new) in index_changes(repository, base, index).items():
        if not _is_within(path, asked):
            continue
        if new is not None and not keep_outputs and path not in cleaned:
            new = _cleaned(repository, path, new)  # which was staged with outputs
        if new != old:
            changes[path] = old, new
    return changes


def _add(repository: Repository, index: Path, paths: Iterable[str], *options: str) -> None:
    run_git(
        repository.root,
        "--literal-pathspecs",
        "add",
        "--all",
        *options,
        "--pathspec-from-file=-",
        "--pathspec-file-nul",
        stdin=b"".join(os.fsencode(path) + b"\0" for path in paths),
        env={"GIT_INDEX_FILE": str(index)},
    )


def _stage_cleaned(repository: Repository, index: Path, asked: set[str]) -> set[str]:
    """Stage what lies within the paths that were asked for, and notebooks cleaned; list these.

    `git add` alone would store every notebook with its outputs first, megabytes that no commit has.
    """
    on_disk = {
        path: entry
        for path, entry in unstaged(repository, index).items()
        if _is_within(path, asked)
    }
    notebooks = {
        path: _cleaned(repository, path, entry)
        for path, entry in on_disk.items()
        if entry and entry.is_file and path.endswith(".ipynb")
    }
    others = [str(repository.top / path) for path in on_disk if path not in notebooks]
    if others:
        _add(repository, index, others)
    set_entries(repository, notebooks, index)
    return set(notebooks)


def _from_top(repository: Repository, path: str) -> str:
    top = repository.top.resolve()
    return os.path.relpath(top / repository.folder / path, top)


def _is_within(path: str, asked: set[str]) -> bool:
    folders = path.split("/")
    return "." in asked or any(
        "/".join(folders[:depth]) in asked for depth in range(1, len(folders) + 1)
    )


def _cleaned(repository: Repository, path: str, entry: Entry) -> Entry:
    """Store a notebook without what running it left, through the path's own filters."""
    if not path.endswith(".ipynb") or not entry.is_file:
        return entry
    content = (repository.top / path).read_bytes()
    cleaned = clean_bytes(content)
    stored = ("hash-object", "-w", "--stdin", f"--path={path}")
    return Entry(entry.mode, repository.git(*stored, stdin=cleaned).stdout.decode().strip())
