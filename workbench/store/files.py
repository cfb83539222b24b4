"""Files that are whole or not there, and locks that die with their holder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from workbench.errors import WorkbenchError
from workbench.store.room import failure

__all__ = ["file_lock", "write_atomic"]


@contextmanager
def write_atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; what was written there takes its place at the end.

    A reader sees the old file or the new one, never half of one, also after a crash. Writers of
    the same file don't meet: each has a temporary path of its own, and the last one stands.

    Raises
    ------
    StoreError
        If the file can't be written, a `DiskFullError` where there is no room for it. An error of
        ours that the block raises stays what it is.
    """
    beside = path.with_name(f".{path.name}.{uuid4().hex[:12]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        beside.replace(path)
        _sync(path.parent)  # the new name too has to outlive a power cut
    except WorkbenchError:
        raise
    except OSError as error:
        raise failure(str(path), error, f"can't be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):  # what went wrong is on its way already
            beside.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold the lock at `path` for the block, waiting for it; the kernel frees a dead holder's."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise failure(str(path), error, f"can't be locked: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        # A process forked inside the block holds the same lock: closing alone wouldn't free it.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)
