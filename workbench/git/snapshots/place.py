"""Which repository keeps the snapshots: the user's where there is one, else one of our own.

Where the project isn't under Git, or Git won't work there (somebody else owns the repository, its
configuration is broken), a bare repository among the project's records takes its place, with the
project as its work tree. Everything above works on a `Place` and doesn't know the difference.
"""

from __future__ import annotations

import os
import posixpath
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from workbench.errors import GitError, StoreError, UsageError
from workbench.git.command import run_git
from workbench.store import file_lock

__all__ = ["OWN_REPOSITORY", "Place", "places", "writing_place"]

OWN_REPOSITORY = "snapshots.git"

# What no one means by "my code", where there is no .gitignore that says so.
_JUNK = (
    "__pycache__/",
    "*.py[co]",
    ".ipynb_checkpoints/",
    ".venv/",
    "node_modules/",
    ".mypy_cache/",
    ".pytest_cache/",
    ".ruff_cache/",
    ".tox/",
    ".DS_Store",
)


@dataclass(frozen=True)
class Place:
    """A repository that keeps snapshots of the work tree at `top`.

    `folder` is where the project is below `top`: empty when it is the top. `note` says why the
    user's own repository isn't used, if there is something to say.
    """

    git_dir: Path
    top: Path
    folder: str
    own: bool = False
    note: str | None = None

    def inside(self, path: str) -> str:
        """Turn a path from the project's root into one from the top, which it may not leave."""
        inside = posixpath.normpath(posixpath.join(self.folder, path))
        if posixpath.isabs(path) or inside.split("/")[0] in ("..", "."):
            raise UsageError(f"{path!r} is not a file of the project")
        return inside

    def from_root(self, path: bytes) -> str:
        """Turn a path from the top, as Git says it, into one from the project's root, to show."""
        text = path.decode("utf-8", "replace")
        if not self.folder:
            return text
        return posixpath.relpath(text, self.folder) + ("/" if text.endswith("/") else "")


def writing_place(root: Path, state_dir: Path) -> Place:
    """Decide where a new snapshot goes; our own repository is made on first use."""
    users, note = _users_place(root)
    if users:
        return users
    repository = state_dir / OWN_REPOSITORY
    if not repository.exists():
        _make_own(repository, root, state_dir)
    return _own_place(repository, root, note)


def places(root: Path, state_dir: Path) -> list[Place]:
    """List where snapshots may be: a project may have come under Git after its first runs."""
    users, note = _users_place(root)
    repository = state_dir / OWN_REPOSITORY
    own = [_own_place(repository, root, note)] if repository.exists() else []
    return [users, *own] if users else own


def _users_place(root: Path) -> tuple[Place | None, str | None]:
    """Find the repository whose work tree `root` is in; else say what is wrong with it."""
    done = run_git(root, "rev-parse", "--absolute-git-dir", "--show-toplevel", accept=(0, 128))
    if done.returncode != 0:
        return None, _complaint(done.stderr)
    said = os.fsdecode(done.stdout)
    here = root.resolve()
    for top in (here, *here.parents):
        if said.endswith(f"\n{top}\n"):  # a name may have line breaks in it: so from its end
            git_dir = Path(said.removesuffix(f"\n{top}\n"))
            if top != here and _is_foreign_to(top, here):
                return None, None
            folder = here.relative_to(top).as_posix()
            return Place(git_dir, top, "" if folder == "." else folder), None
    return None, None  # its work tree is somewhere else


def _complaint(stderr: bytes) -> str | None:
    text = stderr.decode("utf-8", "replace")
    reason = re.search(r"^fatal: (.*)$", text, re.MULTILINE)
    said = reason[1] if reason else text.strip()
    if said.startswith("not a git repository"):
        return None
    hint = re.search(r"^\s*(git config --global --add safe\.directory .*)$", text, re.MULTILINE)
    ending = f"; to use it: {hint[1]}" if hint else ""
    return f"the repository here can't be used, snapshots are kept apart: {said}{ending}"


def _is_foreign_to(top: Path, root: Path) -> bool:
    """Whether the repository around `root` ignores it and has none of its files.

    Somebody who keeps the home folder under Git has such a repository around every project.
    """
    ignored = run_git(top, "check-ignore", "-q", str(root), accept=(0, 1, 128)).returncode == 0
    return ignored and not run_git(root, "ls-files", "-z", "--", ".").stdout


def _own_place(repository: Path, root: Path, note: str | None) -> Place:
    return Place(repository.resolve(), root.resolve(), "", own=True, note=note)


def _make_own(repository: Path, root: Path, state_dir: Path) -> None:
    """Make our bare repository: beside its place first, so that nobody meets half of it."""
    try:
        with file_lock(state_dir / f"{OWN_REPOSITORY}.lock"):
            if repository.exists():
                return
            beside = repository.with_name(f".{repository.name}.{uuid4().hex[:12]}.tmp")
            try:
                environment = {"GIT_DIR": str(beside.absolute())}
                options = ("--bare", "--quiet", "--template=", "--initial-branch=main")
                run_git(state_dir, "init", *options, str(beside), env=environment)
                (beside / "info").mkdir(exist_ok=True)
                (beside / "info" / "exclude").write_text(_exclude(root, state_dir))
                beside.rename(repository)
            finally:
                shutil.rmtree(beside, ignore_errors=True)
    except (OSError, StoreError) as error:
        raise GitError(f"{repository}: can't be made, snapshots have no place: {error}") from error


def _exclude(root: Path, state_dir: Path) -> str:
    state, top = state_dir.resolve(), root.resolve()
    ours = f"/{state.relative_to(top).as_posix()}/" if state.is_relative_to(top) else ""
    return "\n".join([*_JUNK, re.sub(r"([\\*?\[\]!# ])", r"\\\1", ours)]) + "\n"
