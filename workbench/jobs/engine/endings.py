"""Why a job ended as it did."""

from __future__ import annotations

import asyncio
import errno
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace

from workbench.errors import StoreError
from workbench.jobs.failures import FailureKind

__all__ = ["ExitAskedError", "StartError", "Stop", "Trouble", "died", "of_cell", "of_error"]

_LONGEST = 2000
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO}


@dataclass(frozen=True)
class Trouble:
    """What went wrong: its kind, a line that says it, and the cell, counted from 0, if one."""

    kind: FailureKind
    text: str
    cell: int | None = None

    def at(self, cell: int) -> Trouble:
        """Return the same in that cell."""
        return replace(self, cell=cell)


class ExitAskedError(Exception):
    """A cell called `exit()` or `quit()`: the kernel leaves, and it doesn't look like an error."""


class StartError(Exception):
    """The kernel didn't start."""


class Stop:
    """An end from outside: who asks first is the reason. Safe to ask from a signal or a thread."""

    def __init__(self) -> None:
        self.trouble: Trouble | None = None
        self._cancel: Callable[[], object] | None = None

    def ask(self, kind: FailureKind, text: str) -> None:
        """Have the execution end."""
        if self.trouble is None:
            self.trouble = Trouble(kind, text)
            if self._cancel is not None:
                self._cancel()

    def attach(self) -> None:
        """Let it cancel the task that runs; at once if it was asked before."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        if self.trouble is not None:
            self._cancel()

    def detach(self) -> None:
        """Leave the task alone from now on."""
        self._cancel = None


def of_cell(name: str, text: str, memory: str = "") -> Trouble:
    """Judge an exception in a cell by its name; `memory` says limit and use, if there is one."""
    said = f"{name}: {text}".rstrip(": ")[:_LONGEST]
    if name == "SystemExit":
        return Trouble("exit", said)
    if name == "StdinNotImplementedError":
        return Trouble("input", f"it asked for input, and nobody is there: {said}")
    if name.endswith("MemoryError"):
        return Trouble("memory", f"{said}{memory}")
    return Trouble("cell", said)


def died(code: int | None, out_of_memory: str | None, memory: str = "") -> Trouble:
    """Judge a kernel that is gone by its exit code, which is negative for a signal."""
    if out_of_memory is not None and code in (-signal.SIGKILL, 128 + signal.SIGKILL, None):
        return Trouble("memory", f"Kernel died: {out_of_memory}")
    if code is None:
        return Trouble("kernel", "Kernel died")
    if code < 0:
        return Trouble("kernel", f"Kernel died: killed by {signal_name(-code)}{memory}")
    return Trouble("exit", f"Kernel died: it left by itself with exit code {code}")


def of_error(error: BaseException) -> Trouble:
    """Judge what was raised outside of any cell."""
    said = f"{type(error).__name__}: {error}".strip()[:_LONGEST]
    if isinstance(error, StartError):
        return Trouble("start", str(error)[:_LONGEST])
    if isinstance(error, StoreError) or (isinstance(error, OSError) and error.errno in _FULL):
        return Trouble("disk", said)
    return Trouble("notebook", said)


def signal_name(number: int) -> str:
    """Name a signal; a real-time one has only its number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
