"""Where a kernel and its client meet: files in a folder of their own, which is always tidied.

Kernels that start at the same time may be given the same TCP port; files have no such race, and
nobody else on the machine can open them. Whoever uses a folder holds its lock, so one that was left
by a killed process is known by its lock being free, and the next who comes along tidies it.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["leave", "socket_folder", "tidy"]

_PREFIX = "workbench-kernel-"
_NEW_PREFIX = "workbench-new-"
_LOCK = "lock"
_CONNECTION = "kernel.json"
_LONGEST_FOLDER = 60
"""The address of a socket has about a hundred bytes in all."""

_ours: dict[Path, int] = {}
"""The folders that this process uses, each with the descriptor of its lock."""


@contextmanager
def socket_folder() -> Iterator[Path]:
    """Give the path of a connection file in a new folder, which is gone afterwards."""
    tidy()
    where = _new()
    try:
        yield where / _CONNECTION
    finally:
        _leave(where)


def leave() -> None:
    """Remove the folders that this process uses: it is about to end without a word."""
    for where in list(_ours):
        _leave(where)


def tidy() -> None:
    """Remove the folders of those who were killed."""
    with suppress(OSError):  # what can't be looked at isn't ours
        for where in _root().glob(f"{_PREFIX}*"):
            with suppress(OSError):
                lock = _hold(where)
                _remove(where)
                os.close(lock)


def _new() -> Path:
    """Make a folder; it gets the name that `tidy` looks for once its lock is held."""
    new = Path(tempfile.mkdtemp(prefix=_NEW_PREFIX, dir=_root()))
    (new / _LOCK).touch()
    lock = _hold(new)
    where = new.rename(new.with_name(new.name.replace(_NEW_PREFIX, _PREFIX)))
    _ours[where] = lock
    return where


def _hold(where: Path) -> int:
    """Take the lock of a folder of our own user; `OSError` if it lives or isn't such a one."""
    lock = os.open(where / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock


def _leave(where: Path) -> None:
    lock = _ours.pop(where, None)
    _remove(where)
    if lock is not None:
        os.close(lock)


def _remove(where: Path) -> None:
    """Remove what jupyter_client makes there, by name, and the folder if nothing else is in it."""
    with suppress(OSError):
        for path in where.glob("kernel*"):
            path.unlink(missing_ok=True)
        (where / _LOCK).unlink(missing_ok=True)
        where.rmdir()


def _root() -> Path:
    usual = tempfile.gettempdir()
    return Path(usual if len(usual) <= _LONGEST_FOLDER else "/tmp")
