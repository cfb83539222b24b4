"""What Linux alone can do: find, end and outlive no process of a job, however it hides.

A process that forks twice and leaves its session is nobody's child any more; the kernel then gives
it to the nearest ancestor that is a *subreaper*. Each process that we fork is one, and so is the
one that forks it: when a kernel dies, whatever it had started becomes our own child, and is found.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

__all__ = [
    "UNFIT",
    "become_subreaper",
    "count_threads",
    "die_with_parent",
    "end_children",
    "kill_strays",
    "supported",
    "thread_names",
    "tidy",
]

UNFIT = "unfit.json"
"""The file beside a parent's socket in which a server names the modules that it can't do with."""

_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36  # of <linux/prctl.h>
_THREADS = Path("/proc/self/task")


def supported() -> bool:
    """Whether this machine has what forking kernels takes (Linux 5.3 or later)."""
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:  # an older kernel, or a sandbox that hasn't it
        return False
    return True


def become_subreaper() -> None:
    """Let orphans among our descendants become our own children."""
    _prctl(_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int, signal_number: int) -> None:
    """Get `signal_number` when the process `parent`, which is to be our parent, ends."""
    _prctl(_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:  # it died before we could ask
        os._exit(1)


def kill_strays(known: Collection[int]) -> bool:
    """Kill each child that isn't `known`; say whether there was one, which is then to be reaped."""
    import psutil

    strays = [child for child in psutil.Process().children() if child.pid not in known]
    for stray in strays:
        with suppress(psutil.Error):
            stray.kill()
    return bool(strays)


def end_children() -> None:
    """Kill and reap all children, and what becomes our child by that, until there is none."""
    while kill_strays(()):
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.005)


def count_threads() -> int:
    """Count the threads of this process, those that Python doesn't know among them."""
    return len(os.listdir(_THREADS))  # noqa: PTH208 - asked after each of thousands of imports


def thread_names() -> list[str]:
    """Name the threads of this process, those that Python doesn't know among them."""
    names = []
    for thread in _THREADS.iterdir():
        with suppress(OSError):  # it has just ended
            names.append((thread / "comm").read_text(encoding="utf-8").strip())
    return names


def tidy(address: Path) -> None:
    """Remove the socket and what is beside it by name, and then the folder if nothing is left.

    Never a whole tree: the path comes from another process, which may be of another version.
    """
    with suppress(OSError):
        for name in (address.name, UNFIT, "log"):
            address.with_name(name).unlink(missing_ok=True)
        address.parent.rmdir()


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl({option}): {os.strerror(code)}")
