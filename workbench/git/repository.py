"""One repository: read its state, commit, and work on a branch beside the user's work tree."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from subprocess import CompletedProcess

from workbench.errors import GitError
from workbench.git import commits
from workbench.git.command import run_git, shown
from workbench.git.status import ChangedFile, Status, read_status
from workbench.store import file_lock

__all__ = ["ChangedFile", "Repository", "Status"]

_NOBODY = {"user.name": "Workbench", "user.email": "workbench@localhost"}

# The file in Git's folder that says what was begun and is not at its end, and what ends it.
_UNDER_WAY = {
    "MERGE_HEAD": ("merge", "`git merge --continue` or `git merge --abort`"),
    "CHERRY_PICK_HEAD": ("cherry-pick", "`git cherry-pick --continue` or `--abort`"),
    "REVERT_HEAD": ("revert", "`git revert --continue` or `--abort`"),
    "rebase-merge": ("rebase", "`git rebase --continue` or `git rebase --abort`"),
    "rebase-apply": ("rebase", "`git rebase --continue` or `git rebase --abort`"),
}


class Repository:
    """The Git repository that `root` is in, which may not be there: then `exists` is false.

    `root` may be a folder of a larger repository. Paths, here and in a status, are from `root`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def init(cls, root: Path, branch: str = "main") -> Repository:
        """Make a repository at `root`, whose first branch is `branch`."""
        root.mkdir(parents=True, exist_ok=True)
        run_git(root, "init", "--quiet", f"--initial-branch={branch}")
        return cls(root)

    @cached_property
    def exists(self) -> bool:
        """Whether `root` is under Git at all; one that Git won't read for its owner is there."""
        if not _may_be_inside(self.root):  # and Git, installed or not, has nothing to say
            return False
        done = run_git(self.root, "rev-parse", "--git-dir", accept=(0, 128))
        return done.returncode == 0 or b"dubious ownership" in done.stderr

    def git(
        self,
        *arguments: str,
        stdin: bytes = b"",
        index: Path | None = None,
        accept: tuple[int, ...] = (0,),
    ) -> CompletedProcess[bytes]:
        """Run Git at the top of the work tree, on another index than the user's if one is given."""
        env = {} if index is None else {"GIT_INDEX_FILE": str(index)}
        return run_git(self.top, *arguments, stdin=stdin, env=env, accept=accept)

    def ask(self, *arguments: str, index: Path | None = None) -> str:
        """Run Git for an answer of one line."""
        return _line(self.git(*arguments, index=index).stdout)

    @cached_property
    def top(self) -> Path:
        """The work tree's own folder, which `root` is or is in."""
        self.require()
        if _line(run_git(self.root, "rev-parse", "--is-inside-work-tree").stdout) != "true":
            raise GitError(f"{self.root}: a bare repository has no files to work on; clone it")
        return Path(_line(run_git(self.root, "rev-parse", "--show-toplevel").stdout))

    @cached_property
    def folder(self) -> Path:
        """Where `root` is in its repository."""
        return self.root.resolve().relative_to(self.top.resolve())

    @cached_property
    def git_dir(self) -> Path:
        """Where Git keeps this work tree's own state: HEAD, the index, a merge under way."""
        self.require()
        return Path(_line(run_git(self.root, "rev-parse", "--absolute-git-dir").stdout))

    @cached_property
    def _common_dir(self) -> Path:
        self.require()
        said = _line(run_git(self.root, "rev-parse", "--git-common-dir").stdout)
        return (self.root / said).resolve()

    @property
    def head(self) -> str | None:
        """The commit that is checked out; None before the first."""
        return self.resolve("HEAD")

    @property
    def branch(self) -> str | None:
        """The branch that is checked out, unborn or not; None if HEAD is detached."""
        done = self.git("symbolic-ref", "--quiet", "HEAD", accept=(0, 1))
        return _line(done.stdout).removeprefix("refs/heads/") or None

    def resolve(self, name: str) -> str | None:
        """Find the commit that `name` means; None if there is none of this name."""
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return _line(self.git(*asked, accept=(0, 1, 128)).stdout) or None

    def status(self, *, keep_outputs: bool = False) -> Status:
        """Read branch, commit and changed files; works unborn, detached and outside Git.

        A notebook is unchanged as long as a commit of it would change nothing: it may have been
        executed since, and its outputs aren't committed. `keep_outputs` is for those who do.
        """
        if not self.exists:
            return Status(branch=None, commit=None, detached=False, changed=[])
        return read_status(self, keep_outputs=keep_outputs)

    def commit(self, paths: Sequence[str], message: str, *, keep_outputs: bool = False) -> str:
        """Commit the given paths (from the root) and nothing else; return the commit's hash.

        Notebooks are committed without outputs unless `keep_outputs`; the files stay as they are.
        Somebody without `user.email` still gets a commit, under a name that says so.
        """
        self.require()
        with self.locked():
            return commits.commit(self, paths, message, keep_outputs=keep_outputs)

    def check_name(self, branch: str) -> None:
        """Refuse a branch name that Git wouldn't take, options in disguise included."""
        self.require()
        done = run_git(self.root, "check-ref-format", "--branch", branch, accept=(0, 1, 128, 129))
        # `@{-1}` is answered with the branch it stands for, which isn't the name that was given.
        if done.returncode != 0 or _line(done.stdout) != branch:
            raise GitError(f"{branch!r} is not a valid branch name")

    def branches(self) -> list[str]:
        """List the local branches."""
        self.require()
        listing = ("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads")
        names = os.fsdecode(run_git(self.root, *listing).stdout)
        return sorted(names.splitlines())

    @contextmanager
    def worktree(self, branch: str, path: Path) -> Iterator[Repository]:
        """Work on `branch` in a tree of its own at `path`, leaving the user's tree as it is.

        The branch starts at HEAD where it doesn't exist yet; one that is checked out elsewhere is
        refused, for a commit would change what that tree is compared with. The tree is removed at
        the end; what was committed there stays on the branch.
        """
        self.check_name(branch)
        place = str(path.absolute())
        with self.locked():
            self.git("worktree", "prune")
            if path.exists() and any(path.iterdir()):  # left by a process that was killed
                self.git("worktree", "remove", "--force", "--force", place)
            if branch in self.branches():
                self.git("worktree", "add", place, branch)
            else:
                self.git("worktree", "add", "-b", branch, place, "HEAD")
        try:
            yield Repository(path / self.folder)
        finally:
            with self.locked():
                if path.exists():
                    self.git("worktree", "remove", "--force", place)
                self.git("worktree", "prune")

    def require(self) -> None:
        """Refuse to go on outside Git."""
        if not self.exists:
            raise GitError(f"{self.root}: not a Git repository; `git init` makes it one")

    def require_settled(self) -> None:
        """Refuse to go on while something of Git's own is under way, which owns the index."""
        for name, (what, ends) in _UNDER_WAY.items():
            if (self.git_dir / name).exists():
                raise GitError(f"a {what} is under way in {self.top}: end it with {ends}")
        listing = self.git("ls-files", "--unmerged", "-z").stdout.split(b"\0")[:-1]
        if listing:
            names = sorted({shown(os.fsdecode(line.partition(b"\t")[2])) for line in listing})
            raise GitError(f"conflicts to resolve and `git add` first: {', '.join(names)}")

    def identity(self) -> list[str]:
        """Give the options that put a stand-in where the user has set no name or no address."""
        missing = {key: stand_in for key, stand_in in _NOBODY.items() if key not in self._set()}
        if os.environ.get("EMAIL"):  # Git takes this one too
            missing.pop("user.email", None)
        return [word for key, value in missing.items() for word in ("-c", f"{key}={value}")]

    def user(self) -> tuple[str, ...]:
        """Return the address and the name that the user has set, as far as they have."""
        found = self._set()
        return tuple(found[key] for key in ("user.email", "user.name") if key in found)

    def _set(self) -> dict[str, str]:
        asked = ("config", "-z", "--get-regexp", r"^user\.(name|email)$")
        said = self.git(*asked, accept=(0, 1)).stdout.decode("utf-8", "replace").split("\0")
        pairs = (line.partition("\n") for line in said)
        return {key: value.strip() for key, _, value in pairs if value.strip()}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the repository's one lock; not to be taken twice by the same call."""
        with file_lock(self._common_dir / "workbench.lock"):
            yield


def _may_be_inside(root: Path) -> bool:
    """Tell whether `root` or a folder above it looks like a repository, a bare one included."""
    if not root.is_dir():
        return False
    place = root.resolve()
    return any(
        (folder / ".git").exists() or (folder / "HEAD").exists()
        for folder in (place, *place.parents)
    )


def _line(said: bytes) -> str:
    return os.fsdecode(said.removesuffix(b"\n"))
