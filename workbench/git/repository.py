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

_NOBODY = {"user.name": "Workbench", "user.email": "workbench@localhost"}


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
    """The Git repository that `root` is in, which may not be there: then `exists` is false.

    `root` may be a folder of a larger repository. Paths, here and in a status, are from `root`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def init(cls, root: Path, branch: str = "main") -> Repository:
        """Make a repository at `root`, whose first branch is `branch`."""
        _before_import()
        import git

        with _as_git_error():
            git.Repo.init(root, initial_branch=branch)
        return cls(root)

    @cached_property
    def _repo(self) -> git.Repo | None:
        _before_import()
        import git

        try:
            return git.Repo(self.root, search_parent_directories=True)
        except (git.InvalidGitRepositoryError, git.NoSuchPathError):
            return None

    @cached_property
    def _git(self) -> git.Git:
        import git

        return git.Git(self.root)

    @cached_property
    def _folder(self) -> Path:
        """Where `root` is in its repository."""
        top = self._require().working_tree_dir
        if top is None:
            raise GitError(f"{self.root}: a bare repository has no files to work on")
        return self.root.resolve().relative_to(Path(top).resolve())

    @property
    def exists(self) -> bool:
        """Whether `root` is under Git at all."""
        return self._repo is not None

    def status(self) -> Status:
        """Read branch, commit and changed files; works unborn, detached and outside Git."""
        if self._repo is None:
            return Status(branch=None, commit=None, detached=False, changed=[])
        with _as_git_error():
            text = self._git.status("--porcelain=v2", "--branch", "-z", "--", ".")
        # A name that isn't UTF-8 comes with surrogates in it, which no JSON can hold.
        shown = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return _parse_status(shown, self._folder)

    def commit(self, paths: Sequence[str], message: str) -> str:
        """Commit the given paths (from the root) and nothing else; return the commit's hash.

        Somebody without `user.email` still gets a commit, under a name that says so.
        """
        self._require()
        there = [path for path in paths if os.path.lexists(self.root / path)]
        with self._locked(), _as_git_error():
            if there:  # one that is gone has nothing to add, and Git wouldn't find it
                self._git(literal_pathspecs=True).add("--", *there)
            with_options = self._git(literal_pathspecs=True, c=self._identity())
            with_options.commit("--quiet", "--message", message, "--", *paths)
            return str(self._git.rev_parse("HEAD"))

    def check_name(self, branch: str) -> None:
        """Refuse a branch name that Git wouldn't take, options in disguise included."""
        self._require()
        import git

        try:
            self._git.check_ref_format("--branch", branch)
        except git.GitCommandError as error:
            raise GitError(f"{branch!r} is not a valid branch name") from error

    def branches(self) -> list[str]:
        """List the local branches."""
        return sorted(head.name for head in self._require().heads)

    @contextmanager
    def worktree(self, branch: str, path: Path) -> Iterator[Repository]:
        """Work on `branch` in a tree of its own at `path`, leaving the user's tree as it is.

        The branch starts at HEAD where it doesn't exist yet; one that is checked out elsewhere is
        refused, for a commit would change what that tree is compared with. The tree is removed at
        the end; what was committed there stays on the branch.
        """
        self.check_name(branch)
        git = self._git
        with self._locked(), _as_git_error():
            git.worktree("prune")
            if path.exists() and any(path.iterdir()):  # left by a process that was killed
                git.worktree("remove", "--force", "--force", str(path))
            if branch in self.branches():
                git.worktree("add", str(path), branch)
            else:
                git.worktree("add", "-b", branch, str(path), "HEAD")
        try:
            yield Repository(path / self._folder)
        finally:
            with self._locked(), _as_git_error():
                if path.exists():
                    git.worktree("remove", "--force", str(path))
                git.worktree("prune")

    def _require(self) -> git.Repo:
        if self._repo is None:
            raise GitError(f"{self.root}: not a Git repository; `git init` makes it one")
        return self._repo

    def _identity(self) -> list[str]:
        # Git is asked, not GitPython, which doesn't read all the files that Git does.
        return [
            f"{key}={stand_in}"
            for key, stand_in in _NOBODY.items()
            if not self._git.config("--get", key, with_exceptions=False)
        ]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with file_lock(Path(self._require().common_dir) / "workbench.lock"):
            yield


def _before_import() -> None:
    """Let Git ask nobody for a password, and GitPython look for `git` when it is used."""
    os.environ.setdefault("GIT_TERMINAL_PROMPT", "0")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")


def _parse_status(text: str, folder: Path) -> Status:
    """Parse `git status --porcelain=v2 --branch -z` (git-status(1)); its paths are from the top."""

    def changed_file(path: str, state: ChangeState) -> ChangedFile:
        inside = path if folder == Path() else path.removeprefix(f"{folder.as_posix()}/")
        return ChangedFile(path=inside or ".", state=state)

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
            changed.append(changed_file(rest, "untracked"))
        elif kind == "1":
            changed.append(changed_file(rest.split(" ", 7)[7], _state(rest)))
        elif kind == "2":
            changed.append(changed_file(rest.split(" ", 8)[8], "renamed"))
            next(fields)  # the path it was renamed from
        elif kind == "u":
            changed.append(changed_file(rest.split(" ", 9)[9], "unmerged"))
    return Status(
        branch=branch,
        commit=commit,
        detached=branch is None and commit is not None,
        changed=sorted(changed, key=lambda file: file.path),
    )


def _state(rest: str) -> ChangeState:
    staged, unstaged = rest[0], rest[1]
    if staged == "A" and unstaged != "D":
        return "added"  # and changed since: to the last commit it is still new
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
