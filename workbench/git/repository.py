"""One repository: read its state, commit, and work on a branch beside the user's work tree."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from workbench.errors import GitError
from workbench.store import file_lock

if TYPE_CHECKING:
    import git

__all__ = ["ChangedFile", "Repository", "Status"]

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


class Status(BaseModel):
    """Where the work tree stands. Outside Git, `branch` and `commit` are None."""

    model_config = ConfigDict(frozen=True)

    branch: str | None
    commit: str | None
    detached: bool
    changed: list[ChangedFile]


class Repository:
    """The Git repository at `root`, which may not be there: then `exists` is false."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def init(cls, root: Path, branch: str = "main") -> Repository:
        """Make a repository at `root`, whose first branch is `branch`."""
        import git

        with _as_git_error():
            git.Repo.init(root, initial_branch=branch)
        return cls(root)

    @cached_property
    def _repo(self) -> git.Repo | None:
        import git

        os.environ.setdefault("GIT_TERMINAL_PROMPT", "0")
        try:
            return git.Repo(self.root, search_parent_directories=True)
        except (git.InvalidGitRepositoryError, git.NoSuchPathError):
            return None

    @property
    def exists(self) -> bool:
        """Whether `root` is under Git at all."""
        return self._repo is not None

    def status(self) -> Status:
        """Read branch, commit and changed files; works unborn, detached and outside Git."""
        if self._repo is None:
            return Status(branch=None, commit=None, detached=False, changed=[])
        with _as_git_error():
            text = self._repo.git.status("--porcelain=v2", "--branch", "-z", "--", ".")
        return _parse_status(text)

    def commit(self, paths: Sequence[str], message: str) -> str:
        """Commit the given paths (from the root) and nothing else; return the commit's hash.

        Somebody without `user.email` still gets a commit, under a name that says so.
        """
        repo = self._require()
        with self._locked(), _as_git_error():
            repo.git.add("--", *paths)
            repo.git(c=self._identity()).commit("--quiet", "--message", message, "--", *paths)
            return str(repo.git.rev_parse("HEAD"))

    def check_name(self, branch: str) -> None:
        """Refuse a branch name that Git wouldn't take, options in disguise included."""
        import git

        try:
            self._require().git.check_ref_format("--branch", branch)
        except git.GitCommandError as error:
            raise GitError(f"{branch!r} is not a valid branch name") from error

    def branches(self) -> list[str]:
        """List the local branches."""
        return sorted(head.name for head in self._require().heads)

    @contextmanager
    def worktree(self, branch: str, path: Path) -> Iterator[Repository]:
        """Work on `branch` in a tree of its own at `path`, leaving the user's tree as it is.

        The branch starts at HEAD where it doesn't exist yet. The tree is removed at the end; what
        was committed there stays on the branch.
        """
        repo = self._require()
        self.check_name(branch)
        with self._locked(), _as_git_error():
            repo.git.worktree("prune")
            if path.exists():  # left by a process that was killed
                repo.git.worktree("remove", "--force", "--force", str(path))
            if branch in self.branches():
                repo.git.worktree("add", "--force", str(path), branch)
            else:
                repo.git.worktree("add", "-b", branch, str(path), "HEAD")
        try:
            yield Repository(path)
        finally:
            with self._locked(), _as_git_error():
                repo.git.worktree("remove", "--force", str(path))

    def _require(self) -> git.Repo:
        if self._repo is None:
            raise GitError(f"{self.root}: not a Git repository; `git init` makes it one")
        return self._repo

    def _identity(self) -> list[str]:
        reader = self._require().config_reader()
        if reader.get_value("user", "email", "") or os.environ.get("GIT_AUTHOR_EMAIL"):
            return []
        return ["user.name=Workbench", "user.email=workbench@localhost"]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with file_lock(Path(self._require().common_dir) / "workbench.lock"):
            yield


def _parse_status(text: str) -> Status:
    """Parse `git status --porcelain=v2 --branch -z` (git-status(1))."""
    branch: str | None = None
    commit: str | None = None
    changed: list[ChangedFile] = []
    fields = iter(text.split("\0"))
    for field in fields:
        kind, _, rest = field.partition(" ")
        if field.startswith("# branch.oid "):
            commit = None if field.endswith("(initial)") else field.rpartition(" ")[2]
        elif field.startswith("# branch.head "):
            branch = None if field.endswith("(detached)") else field.removeprefix("# branch.head ")
        elif kind == "?":
            changed.append(ChangedFile(path=rest, state="untracked"))
        elif kind == "1":
            changed.append(ChangedFile(path=rest.split(" ", 7)[7], state=_state(rest)))
        elif kind == "2":
            changed.append(ChangedFile(path=rest.split(" ", 8)[8], state="renamed"))
            next(fields)  # the path it was renamed from
        elif kind == "u":
            changed.append(ChangedFile(path=rest.split(" ", 9)[9], state="unmerged"))
    return Status(
        branch=branch,
        commit=commit,
        detached=branch is None and commit is not None,
        changed=sorted(changed, key=lambda file: file.path),
    )


def _state(rest: str) -> ChangeState:
    staged, unstaged = rest[0], rest[1]
    return _STATES[unstaged if unstaged != "." else staged]


@contextmanager
def _as_git_error() -> Iterator[None]:
    import git

    try:
        yield
    except git.GitCommandNotFound as error:
        raise GitError("git is not installed or not on the PATH") from error
    except git.GitCommandError as error:
        said = (error.stderr or error.stdout or "").strip().removeprefix("stderr: ").strip("'\n ")
        raise GitError(f"git: {said.splitlines()[-1] if said else error}") from error
