"""What a run cost: processor time, wall time, memory and, where a rate is set, money."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from workbench.settings import CostSettings

__all__ = ["COST", "Meter", "Usage", "cost_metrics", "peak_memory"]

COST = "cost_"
"""How the names of these metrics begin."""

_KIB = 1024 if sys.platform != "darwin" else 1  # getrusage(2): kilobytes, on macOS bytes


class Usage(BaseModel):
    """What one process and the children it waited for took."""

    model_config = ConfigDict(frozen=True)

    cpu_seconds: float | None = None
    """User and system time; None where the process was killed before it could say."""
    wall_seconds: float
    peak_memory_bytes: int | None = None
    """Of one process, not of what it started."""


class Meter:
    """Measures from when it is made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.monotonic(), _cpu_seconds()

    def read(self) -> Usage:
        """Say what was used so far."""
        return Usage(
            cpu_seconds=_cpu_seconds() - self._cpu,
            wall_seconds=time.monotonic() - self._wall,
            peak_memory_bytes=peak_memory(),
        )


def peak_memory() -> int:
    """Return the most memory that this process had so far, in bytes.

    Linux tells it of the program that runs; `getrusage`, the way elsewhere, starts from what the
    parent had when it started this one.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    except (OSError, IndexError, ValueError):
        return _KIB * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def cost_metrics(usage: Usage, rate: CostSettings) -> dict[str, float]:
    """Name what was used as metrics of a run; money is wall time at the project's rate.

    >>> used = Usage(cpu_seconds=10, wall_seconds=1800)
    >>> cost_metrics(used, CostSettings(per_hour=3))
    {'cost_cpu_seconds': 10.0, 'cost_wall_seconds': 1800.0, 'cost_money': 1.5}
    """
    metrics = {f"{COST}{key}": value for key, value in usage.model_dump().items()}
    if rate.per_hour is not None:
        metrics[f"{COST}money"] = usage.wall_seconds / 3600 * rate.per_hour
    return {key: float(value) for key, value in metrics.items() if value is not None}


def _usages() -> list[resource.struct_rusage]:
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def _cpu_seconds() -> float:
    return sum(usage.ru_utime + usage.ru_stime for usage in _usages())
