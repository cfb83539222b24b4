"""One consumer of a view: the second is told who the first is."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import StoreError, UsageError

__all__ = ["sole_consumer"]


@contextmanager
def sole_consumer(view: str, path: Path) -> Iterator[None]:
    """Be the one who streams `view` for the block; the kernel frees a dead holder's lock.

    Raises
    ------
    UsageError
        If another process streams it; the message has its id.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StoreError(f"{path}: can't be locked: {error.strerror}") from error
    try:
        _lock(view, descriptor)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        # Only closed: unlocked before, it could be another's while its id is still ours.
        os.close(descriptor)


def _lock(view: str, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "?"
        raise UsageError(
            f"feature view {view}: process {holder} streams it already; one consumer a view"
        ) from None
