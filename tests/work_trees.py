"""Work trees for tests of snapshots: make one, read one, and see that nobody touched one."""

from __future__ import annotations

import os
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from workbench.git import snapshots
from workbench.git.snapshots import Snapshot

ADA = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")


def forget_settings(home: Path, patch: pytest.MonkeyPatch) -> None:
    """Be a user without any settings of Git, whatever there is on this machine."""
    for name in list(os.environ):
        if name.startswith("GIT_") or name == "EMAIL":
            patch.delenv(name)
    home.mkdir()
    patch.setenv("HOME", str(home))
    patch.setenv("XDG_CONFIG_HOME", str(home))
    patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    patch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))


@dataclass(frozen=True)
class WorkTree:
    """A project's folder, with its records beside it, and Git in it."""

    root: Path
    state: Path

    def git(self, *arguments: str, cwd: Path | None = None, check: bool = True) -> str:
        """Run Git as somebody with a name."""
        done = subprocess.run(
            ["git", *ADA, *arguments],
            cwd=cwd or self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def write(self, path: str, content: str | bytes = "text\n") -> Path:
        """Write a file, and the folders above it."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def commit(self, message: str = "Go on") -> None:
        """Commit all that there is."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)

    def take(self, run_id: str = "run", **options: object) -> Snapshot:
        """Take a snapshot, and check that what is the user's didn't change by it."""
        before = untouched(self.root)
        snapshot = snapshots.take_snapshot(self.root, self.state, run_id, **options)  # type: ignore[arg-type]
        assert untouched(self.root) == before
        assert snapshots.get_snapshot(self.root, self.state, run_id) == snapshot
        return snapshot

    def bring_back(self, run_id: str = "run", name: str = "back") -> Path:
        """Bring a snapshot back into a new folder beside the project."""
        folder = self.root.parent / name
        snapshots.checkout_snapshot(self.root, self.state, run_id, folder)
        return folder


def take_many(tree: WorkTree, name: str, count: int) -> None:
    """Take snapshots in a loop and add to a shared one, as the first process of its group."""
    os.setsid()
    for number in range(count):
        tree.write(f"of-{name}.txt", str(number))
        snapshots.take_snapshot(tree.root, tree.state, f"{name}-{number}")
        snapshots.extend_snapshot(tree.root, tree.state, "shared", {f"{name}-{number}": b"x"})


def contents(folder: Path) -> dict[bytes, tuple[str, bytes]]:
    """Read all files below `folder` but Git's own: kind and content, a link's target for a link."""
    found: dict[bytes, tuple[str, bytes]] = {}
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        if ".git" in inside.parts:
            continue
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            found[os.fsencode(inside)] = ("link", os.fsencode(path.readlink()))
        elif stat.S_ISREG(status.st_mode):
            kind = "program" if status.st_mode & stat.S_IXUSR else "file"
            found[os.fsencode(inside)] = (kind, path.read_bytes())
    return found


def untouched(root: Path) -> dict[str, object]:
    """Read what a snapshot may not change: every file, and of Git all but objects and our refs."""
    ours = ("objects", "workbench-scratch", "refs/workbench")
    seen: dict[str, object] = {}
    for parent, _, names in os.walk(root):
        for name in names:
            path = Path(parent, name)
            inside = path.relative_to(root).as_posix()
            below_git = inside.partition(".git/")[2]
            if below_git and any(f"/{folder}/" in f"/{below_git}" for folder in ours):
                continue
            status = path.lstat()
            regular = stat.S_ISREG(status.st_mode) and os.access(path, os.R_OK)
            seen[inside] = (
                status.st_mode,
                status.st_mtime_ns,
                path.read_bytes() if regular else None,
            )
    return seen
