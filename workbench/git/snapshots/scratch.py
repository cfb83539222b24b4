"""A folder for the files that a snapshot is made with, which doesn't outlive its maker for long."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from workbench.errors import GitError, StoreError
from workbench.store import file_lock

__all__ = ["SCRATCH", "scratch_folder"]

SCRATCH = "workbench-scratch"
"""Our folder inside a repository."""

_HELD = "held"


@contextmanager
def scratch_folder(git_dir: Path) -> Iterator[Path]:
    """Give a new folder inside the repository, gone at the end; sweep those of killed processes.

    Who lives holds a lock in its folder, which the kernel frees with its holder: so a folder that
    can be locked is nobody's, however young or old it is.

    Raises
    ------
    GitError
        If the repository can't be written to.
    """
    try:
        folder, held = _make(git_dir / SCRATCH)
    except (StoreError, OSError) as error:
        raise GitError(f"{git_dir}: can't be written to, no snapshot can be kept there") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        fcntl.flock(held, fcntl.LOCK_UN)  # a process forked meanwhile holds it too
        os.close(held)


def _make(scratch: Path) -> tuple[Path, int]:
    with file_lock(scratch / "lock"):  # none is swept between being made and being held
        for other in scratch.iterdir():
            if other.is_dir() and _is_nobodys(other):
                shutil.rmtree(other, ignore_errors=True)
        folder = scratch / uuid4().hex
        folder.mkdir()
        held = os.open(folder / _HELD, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(held, fcntl.LOCK_EX)
        return folder, held


def _is_nobodys(folder: Path) -> bool:
    try:
        held = os.open(folder / _HELD, os.O_RDWR)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(held)
    return True
