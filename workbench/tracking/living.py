"""Which interactive runs have a process: it holds a lock that the kernel frees when it dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from workbench.project import Project

__all__ = ["RunLock", "abandoned"]


class RunLock:
    """A run's lock file, held by us; its time of change says when the run was last alive."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    @classmethod
    def take(cls, project: Project, run_id: str) -> RunLock | None:
        """Take the lock of a run; None while another process has it."""
        path = _folder(project) / f"{run_id}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if os.fstat(descriptor).st_nlink == 0:  # its holder deleted it while we looked
            os.close(descriptor)
            return None
        return cls(path, descriptor)

    @property
    def last_alive(self) -> float:
        """When its holder last gave a sign of life, in seconds since 1970."""
        return os.fstat(self._descriptor).st_mtime

    def beat(self) -> None:
        """Give a sign of life."""
        with suppress(OSError):
            os.utime(self._descriptor)

    def remove(self) -> None:
        """Delete the file: the run has its end."""
        self._path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Let go of the lock; the file stays, and says that a run has no end yet."""
        os.close(self._descriptor)


def abandoned(project: Project) -> Iterator[tuple[str, RunLock]]:
    """Take the locks whose holders are gone, with the ids of their runs, one after the other."""
    for path in sorted(_folder(project).glob("*.lock")):
        lock = RunLock.take(project, path.stem)
        if lock is not None:
            yield path.stem, lock


def _folder(project: Project) -> Path:
    return project.state / "runs"
