"""The processes of a job: finding them, measuring them, ending them."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

__all__ = ["adopt", "cpu_seconds", "descendants", "end", "memory", "peak_memory"]

_SET_CHILD_SUBREAPER = 36  # prctl(2)


def adopt() -> None:
    """Become the parent of every descendant whose own parent dies, so that none gets away.

    Only Linux can; elsewhere a daemon that a notebook starts is found by its environment.
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(pid: int) -> list[psutil.Process]:
    """Return what `pid` started and what that started; nothing if it is gone."""
    with suppress(psutil.Error):
        return psutil.Process(pid).children(recursive=True)
    return []


def end(others: Iterable[psutil.Process] = (), *, patience: float = 2.0) -> None:
    """Kill our descendants and the `others`, again until none is left or patience is at its end.

    Again, since what is killed last may have started something in between.
    """
    deadline = time.monotonic() + patience
    others = list(others)
    while left := [process for process in (*descendants(os.getpid()), *others) if _lives(process)]:
        for process in left:
            with suppress(psutil.Error):
                process.send_signal(signal.SIGKILL)
        if time.monotonic() > deadline:
            return
        time.sleep(0.005)
        _bury()


def memory(processes: Iterable[psutil.Process], limit: float) -> float:
    """Return the bytes that processes take together.

    Pages that several share count once; asking for that takes longer, so it is only asked for
    where counting them for each makes more than `limit`.
    """
    family = list(processes)
    plain = sum(_resident(process) for process in family)
    if plain <= limit:
        return plain
    return sum(_proportional(process) for process in family)


def cpu_seconds(processes: Iterable[psutil.Process]) -> float:
    """Return the processor time of living processes and of those that they have waited for."""
    seconds = 0.0
    for process in processes:
        with suppress(psutil.Error):
            times = process.cpu_times()
            seconds += times.user + times.system + times.children_user + times.children_system
    return seconds


def peak_memory(process: psutil.Process) -> int:
    """Return the most memory, in bytes, that a living process had; 0 where that isn't told."""
    with suppress(OSError, ValueError, IndexError):
        status = Path(f"/proc/{process.pid}/status").read_text("ascii", "replace")
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    return 0


def _resident(process: psutil.Process) -> int:
    with _gone():
        return int(process.memory_info().rss)
    return 0


def _proportional(process: psutil.Process) -> int:
    with _gone():
        details = process.memory_full_info()
        return int(getattr(details, "pss", details.uss))
    return 0


@contextmanager
def _gone() -> Iterator[None]:
    """Pass over a process that ends while it is looked at, or isn't ours to look at."""
    with suppress(psutil.Error, OSError):
        yield


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _bury() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
