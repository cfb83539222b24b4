"""The files of a job's folder, and writing them whole."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from workbench.errors import StoreError

__all__ = [
    "EXECUTED",
    "INPUT",
    "JOURNAL",
    "RESULT",
    "SPEC",
    "LastWord",
    "hold",
    "tidy",
    "write_whole",
]

SPEC, INPUT = "spec.json", "input.ipynb"
JOURNAL, EXECUTED, RESULT = "journal.jsonl", "executed.ipynb", "result.json"

_LOCK = "lock"
_ROOM = 16 * 1024


def hold(folder: Path) -> int:
    """Lock the folder of a job until this process ends, or closes the descriptor that is returned.

    Raises
    ------
    BlockingIOError
        If somebody else has it: a process that executes the job, or who closes its record.
    OSError
        If there is no such folder, or no right to write there.
    """
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside `path` and rename it: `path` is whole or not there.

    It is `workbench.store.write_atomic` for a process that has no time to import a database.

    Raises
    ------
    StoreError
        If it can't be written; nothing of it is left then.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(path)
    except OSError as error:
        with suppress(OSError):  # what went wrong is on its way already
            beside.unlink(missing_ok=True)
        raise StoreError(f"{path}: can't be written: {error.strerror or error}") from error


def tidy(folder: Path) -> None:
    """Remove what a process that was killed had ready for its last word."""
    _room(folder / RESULT).unlink(missing_ok=True)


def _room(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")


class LastWord:
    """A small file for which room is taken before there may be none: a full disk can be said.

    Raises
    ------
    StoreError
        If there is no room, or no right to write, from the beginning or in the end.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._beside = path, _room(path)
        try:
            self._file = os.open(self._beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
            os.write(self._file, b" " * _ROOM)
            os.fsync(self._file)
        except OSError as error:
            raise self._unwritable(error) from error

    def say(self, content: bytes) -> None:
        """Write `content` into the room that was taken, and give it its name."""
        try:
            os.pwrite(self._file, content, 0)
            os.ftruncate(self._file, len(content))
            os.fsync(self._file)
            os.close(self._file)
            self._beside.rename(self._path)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> StoreError:
        return StoreError(f"{self._path}: can't be written: {error.strerror or error}")
