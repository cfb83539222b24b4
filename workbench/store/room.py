"""A disk that is full: told as that by whoever meets it, and not met half-way."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from workbench.errors import StoreError

__all__ = ["DiskFullError", "disk_full", "failure", "room"]

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

_WORDS = ("database or disk is full", *map(os.strerror, sorted(_FULL)))
"""How SQLite says it, and everybody else: MLflow passes on the words alone."""

_ROOM = 1 << 20
"""Many times what SQLite's log takes when an alias moves."""


class DiskFullError(StoreError):
    """There is no room left where records are kept."""

    exit_code = 2  # 1 is what a gate says that wasn't passed, and a chain that is broken


def disk_full(error: BaseException) -> bool:
    """Tell whether an error, or one that led to it, is that of a disk without room.

    >>> disk_full(OSError(errno.ENOSPC, "No space left on device"))
    True
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in _FULL:
            return True
        if any(word in str(seen) for word in _WORDS):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def failure(where: str, error: BaseException, said: str = "") -> StoreError:
    """Say in one line what a store or a file couldn't do, and of a full disk that it is.

    Parameters
    ----------
    where
        What couldn't: a path, the address of a database.
    said
        What to pass on of any other error; the first line of what it says itself by default.
    """
    if disk_full(error):
        return DiskFullError(f"{where}: the disk is full: free some room, then do it again")
    return StoreError(f"{where}: {said or str(error).partition(chr(10))[0]}")


@contextmanager
def room(folder: Path) -> Iterator[Callable[[], None]]:
    """Hold a megabyte of the disk for the block, or until what is given is called.

    For steps that write in several places: with room taken before the first and given back
    before the last, a full disk refuses them all.

    Raises
    ------
    DiskFullError
        If there isn't as much.
    """
    with ExitStack() as stack:
        try:
            # Of no name and no buffer: it goes with its process, and is full when it says so.
            held = stack.enter_context(tempfile.TemporaryFile(dir=folder, buffering=0))
            os.posix_fallocate(held.fileno(), 0, _ROOM)
        except OSError as error:
            raise failure(str(folder), error) from error
        yield held.close
