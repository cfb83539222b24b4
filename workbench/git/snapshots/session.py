"""Git on one place through an index of our own; the user's index and hooks don't hear of it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from workbench.errors import GitError
from workbench.git.command import run_git
from workbench.git.snapshots.place import Place

__all__ = ["GitSession", "copy_index"]

_OPTIONS = (
    "core.hooksPath=/dev/null",  # nothing runs that wasn't asked for
    "core.fsmonitor=false",
    "core.splitIndex=false",  # it would leave parts of our index in the repository
    "core.safecrlf=false",  # a snapshot takes line ends as a commit would, without a refusal
    "submodule.recurse=false",
    "i18n.commitEncoding=UTF-8",
    "gc.autoDetach=false",  # what is started here ends here
)

_IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Workbench"), ("EMAIL", "workbench@localhost"))
}

_FAILED_FILTER = re.compile(rb"(?:clean|smudge) filter '?(.+?)'? failed$", re.MULTILINE)
_OPTIONAL_FILTER = re.compile(rb"cannot run (.+?): |external filter '(.+?)' failed")

# How Git ends when something is wrong with its work; SIGBUS is a file cut off while it reads it.
_ENDS = (0, 1, 128, 129, -signal.SIGBUS)
_PATIENCE = 3


class GitSession:
    """Calls Git on a place; what went differently than expected is in `notes`.

    A content filter (Git LFS is one) whose program is missing or fails is switched off, and the
    call made again: then files are as they are on disk, or as they are in the repository.
    """

    def __init__(
        self,
        place: Place,
        index: Path | None = None,
        *,
        work_tree: Path | None = None,
        borrow_from: Place | None = None,
    ) -> None:
        self.place = place
        self.notes: list[str] = []
        self._off: list[str] = []
        self._index = index
        self._folder = work_tree or place.top
        self._environment = {
            **_IDENTITY,
            "GIT_DIR": str(place.git_dir),
            "GIT_WORK_TREE": str(self._folder),
            "GIT_OPTIONAL_LOCKS": "0",
            **({"GIT_INDEX_FILE": str(index)} if index else {}),
        }
        if borrow_from:
            objects = str(borrow_from.git_dir / "objects").replace("\\", r"\\").replace('"', r"\"")
            self._environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = f'"{objects}"'

    def __call__(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run `git ARGUMENTS` and return what it prints; a refusal is a GitError."""
        done = self._run(arguments, stdin)
        if done.returncode != 0:
            raise GitError(f"git {arguments[0]}: {_reason(done)}")
        return done.stdout

    def tries(self, *arguments: str, stdin: bytes = b"") -> bytes | None:
        """Run `git ARGUMENTS` and return what it prints; None if it refuses, even a part."""
        done = self._run(arguments, stdin)
        refused = done.returncode != 0 or b"Ignoring path" in done.stderr
        return None if refused else done.stdout

    def line(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run `git ARGUMENTS`, which prints one line of plain text, and return that."""
        return self(*arguments, stdin=stdin).decode().strip()

    def _run(self, arguments: tuple[str, ...], stdin: bytes) -> subprocess.CompletedProcess[bytes]:
        killed = 0
        while True:
            options = [word for value in (*_OPTIONS, *self._off) for word in ("-c", value)]
            done = run_git(
                self._folder, *options, *arguments,
                stdin=stdin, env=self._environment, accept=_ENDS,
            )  # fmt: skip
            if done.returncode < 0:
                self._unlock()
                killed += 1
                if killed < _PATIENCE:
                    continue
            failed = _FAILED_FILTER.search(done.stderr) if done.returncode else None
            if failed is None or not self._switch_off(os.fsdecode(failed[1])):
                self._note_filter(done.stderr)
                return done

    def _unlock(self) -> None:
        """Remove the lock of our index, which a Git that was killed left behind."""
        if self._index:
            self._index.with_name(f"{self._index.name}.lock").unlink(missing_ok=True)

    def _switch_off(self, driver: str) -> bool:
        if f"filter.{driver}.required=false" in self._off:
            return False
        commands = [f"filter.{driver}.{command}=" for command in ("clean", "smudge", "process")]
        self._off += [f"filter.{driver}.required=false", *commands]
        self._note(f"the filter {driver} failed: its files are taken as they are")
        return True

    def _note_filter(self, stderr: bytes) -> None:
        failed = _OPTIONAL_FILTER.search(stderr)
        if failed and not self._off:
            program = (failed[1] or failed[2]).decode("utf-8", "replace")
            self._note(f"the filter {program} failed: its files are taken as they are")

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def copy_index(source: Path, target: Path) -> None:
    """Copy an index with its time, by which Git knows which files changed right after it."""
    try:
        with source.open("rb") as index, target.open("wb") as copy:
            shutil.copyfileobj(index, copy)
            status = os.fstat(index.fileno())  # the user's Git may have put another in its place
    except FileNotFoundError:
        return  # nothing was ever added: Git begins with an empty one
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    telling = [line for line in said if line.startswith(("fatal: ", "error: "))]
    return (telling or said[-1:] or [f"exit code {done.returncode}"])[0]
