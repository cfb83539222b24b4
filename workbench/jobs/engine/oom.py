"""Whether the system killed for lack of memory: it counts that, by control group and in all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

__all__ = ["kills"]

_GROUPS = Path("/sys/fs/cgroup")


def kills() -> int:
    """Return how often it has, as far as it tells; only the growth of it means something."""
    return sum(_count(path) for path in (*_of_our_group(), Path("/proc/vmstat")))


def _of_our_group() -> list[Path]:
    """Return where version 2 and version 1 of control groups keep the count of ours.

    In a container the group's path may be the one outside of it; there ours is at the top.
    """
    try:
        lines = Path("/proc/self/cgroup").read_text("utf-8").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            places = (_GROUPS / path[1:] / "memory.events", _GROUPS / "memory.events")
        elif "memory" in controllers.split(","):
            top = _GROUPS / "memory"
            places = (top / path[1:] / "memory.oom_control", top / "memory.oom_control")
        else:
            continue
        found += [place for place in places if place.exists()][:1]
    return found


def _count(path: Path) -> int:
    with suppress(OSError, ValueError):
        for line in path.read_text("ascii").splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return int(count)
    return 0
