"""A command's wall time and the peak memory of all its processes."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from workbench.errors import JobError

__all__ = ["Usage", "measured"]


@dataclass(frozen=True)
class Usage:
    """What a command took."""

    seconds: float
    peak_mib: float


def measured(command: Sequence[str | Path], interval: float = 0.1) -> Usage:
    """Run `command` and sample the memory of it and all its descendants every `interval` seconds.

    Memory is the sum of PSS, which counts a page shared by n processes once and not n times. The
    kernel walks every page for it, so samples are taken further apart where taking them would
    cost more than a twentieth of the time that is being measured. A peak between two samples can
    be missed, and so can a process whose parents have gone.

    Raises
    ------
    JobError
        If the command fails; with the end of what it printed.
    """
    with tempfile.TemporaryFile("w+") as output:
        began = time.perf_counter()
        running = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        done = threading.Event()
        peaks: list[int] = [0]

        def watch() -> None:
            root = psutil.Process(running.pid)
            pause = interval
            while not done.wait(pause):
                before = time.perf_counter()
                peaks.append(_pss(root))
                pause = max(interval, 20 * (time.perf_counter() - before))

        watcher = threading.Thread(target=watch)
        watcher.start()
        code = running.wait()
        seconds = time.perf_counter() - began
        done.set()
        watcher.join()
        if code != 0:
            output.seek(0)
            raise JobError(f"exit code {code}: {output.read()[-2000:]}")
    return Usage(seconds, max(peaks) / 2**20)


def _pss(root: psutil.Process) -> int:
    total = 0
    try:
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for process in family:
        try:
            total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
            continue  # ended while we were looking
    return total
