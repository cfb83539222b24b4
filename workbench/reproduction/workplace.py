"""The folder in which a version is made again: it has code and records of its own.

It is in the system's folder for temporary files, so that no repository is around it. Whoever works
in one holds its lock, the processes started for it too; one whose lock is free was left by somebody
who was killed, and the next who comes along removes it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import StoreError

__all__ = ["PREFIX", "Workplace", "workplace"]

PREFIX = "workbench-reproduction-"

_NEW_PREFIX = "workbench-making-"
_LOCK = "lock"
_KEPT = "kept"


@dataclass(frozen=True)
class Workplace:
    """A folder with a lock, which the processes that work in it inherit."""

    folder: Path
    lock: int

    @property
    def tree(self) -> Path:
        """Where the code goes."""
        return self.folder / "tree"

    @property
    def state(self) -> Path:
        """Where the records go."""
        return self.folder / "state"

    @property
    def log(self) -> Path:
        """What the processes say that nobody asked for."""
        return self.folder / "rerun.log"


@contextmanager
def workplace(*, keep: bool = False) -> Iterator[Workplace]:
    """Give a new folder, gone at the end unless it is to be kept; remove what the killed left.

    Raises
    ------
    StoreError
        If it can't be made.
    """
    _sweep()
    try:
        folder, lock = _make()
    except OSError as error:
        where = tempfile.gettempdir()
        raise StoreError(f"{where}: no folder can be made there: {error.strerror}") from error
    place = Workplace(folder, lock)
    place.state.mkdir()
    try:
        yield place
        if keep:
            (folder / _KEPT).touch()
    finally:
        if not (folder / _KEPT).exists():
            shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _make() -> tuple[Path, int]:
    """Make a folder; it gets the name that `_sweep` looks for once its lock is held."""
    new = Path(tempfile.mkdtemp(prefix=_NEW_PREFIX)).resolve()
    lock = os.open(new / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    folder = new.with_name(f"{PREFIX}{new.name.removeprefix(_NEW_PREFIX)}")
    return new.rename(folder), lock


def _sweep() -> None:
    """Remove the folders of those who were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # what can't be looked at isn't ours
            _remove_if_nobodys(folder)


def _remove_if_nobodys(folder: Path) -> None:
    if folder.is_symlink() or folder.stat().st_uid != os.getuid() or (folder / _KEPT).exists():
        return
    lock = os.open(folder / _LOCK, os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
