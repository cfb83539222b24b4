"""How far a job may go, and what ends it from outside of its cells."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil

from workbench.jobs.engine import oom, tree
from workbench.jobs.engine.endings import Stop

__all__ = ["Bounds", "Guard"]

_MB = 1024 * 1024
_WATCH_SECONDS = 0.2
_RESERVE = 256 * _MB
"""What libraries reserve and never use (numpy, scikit-learn and xgboost together: 230 MB)."""


@dataclass(frozen=True)
class Bounds:
    """What a job may take, as its `spec.json` says; None is no bound."""

    wall_seconds: float | None = None
    cell_seconds: float | None = None
    memory_mb: float | None = None

    @classmethod
    def of(cls, limits: Mapping[str, Any]) -> Bounds:
        """Take the ones that are kept in here; threads are the environment's."""
        return cls(limits.get("wall_seconds"), limits.get("cell_seconds"), limits.get("memory_mb"))


class Guard:
    """Holds one execution, in the event loop that it runs in, to its bounds."""

    def __init__(self, bounds: Bounds, stop: Stop) -> None:
        self.bounds, self.stop = bounds, stop
        self._began = time.monotonic()
        self._killed_before = oom.kills()
        self._tasks: list[asyncio.Future[None]] = []
        self._peak = 0.0

    def begin(self) -> None:
        """Let a stop cancel the current task, and end the job at its time."""
        self.stop.attach()
        if self.bounds.wall_seconds is not None:
            self._tasks.append(asyncio.ensure_future(self._wait(self.bounds.wall_seconds)))

    def watch(self, kernel: psutil.Process) -> None:
        """Hold the kernel, and what it starts, to the job's memory."""
        if self.bounds.memory_mb is None:
            return
        limit = self.bounds.memory_mb * _MB
        _bound_allocations(kernel, limit)
        self._tasks.append(asyncio.ensure_future(self._measure(kernel, limit)))

    def end(self) -> None:
        """Stop holding it."""
        self.stop.detach()
        for task in self._tasks:
            task.cancel()

    def out_of_memory(self) -> str | None:
        """Say so, if the system killed something of ours for lack of memory meanwhile."""
        if oom.kills() > self._killed_before:
            return f"killed by the system, which was out of memory{self.memory_used()}"
        return None

    def memory_used(self) -> str:
        """Say limit and use, where there is a limit."""
        if self.bounds.memory_mb is None:
            return ""
        return f" (limit {self.bounds.memory_mb:g} MB, last seen using {self._peak / _MB:.0f} MB)"

    async def _wait(self, seconds: float) -> None:
        await asyncio.sleep(self._began + seconds - time.monotonic())
        self.stop.ask("timeout", f"the job took longer than its {seconds:g} s")

    async def _measure(self, kernel: psutil.Process, limit: float) -> None:
        while True:
            family = [kernel, *tree.descendants(kernel.pid)]
            self._peak = max(self._peak, used := tree.memory(family, limit))
            if used > limit:
                said = f"it used {used / _MB:.0f} MB of memory; its limit is {limit / _MB:g} MB"
                self.stop.ask("memory", said)
                tree.end(family, patience=0)
                return
            await asyncio.sleep(_WATCH_SECONDS)


def _bound_allocations(kernel: psutil.Process, limit: float) -> None:
    """Refuse the kernel a single allocation that would go far beyond: a `MemoryError` tells where.

    Address space counts here, also what is reserved and never touched. So it is an outer bound,
    and the watch is the one that is exact.
    """
    if not hasattr(resource, "prlimit"):
        return
    try:
        info = kernel.memory_info()
        outer = int(limit + max(0, info.data - info.rss) + _RESERVE)
        resource.prlimit(kernel.pid, resource.RLIMIT_DATA, (outer, outer))
    except (OSError, ValueError, psutil.Error):
        return  # it is gone already, or the system's own bound is lower
