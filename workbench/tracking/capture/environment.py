"""What a run ran on: Python, packages, operating system, hardware."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from functools import cache
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict

__all__ = ["Environment", "environment"]


class Environment(BaseModel):
    """Python, packages and machine of one process. The machine's name is nobody's business."""

    model_config = ConfigDict(frozen=True)

    python: str
    implementation: str
    os: str
    architecture: str
    cpu: str
    cores: int
    memory_bytes: int
    packages: dict[str, str]


@cache
def environment() -> Environment:
    """Describe the environment of this process, which doesn't change while it lives."""
    return Environment(
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        os=f"{platform.system()} {platform.release()}",
        architecture=platform.machine(),
        cpu=_cpu(),
        cores=_cores(),
        memory_bytes=psutil.virtual_memory().total,
        packages=_packages(),
    )


def _packages() -> dict[str, str]:
    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        name, version = _called(distribution)
        if name:  # a folder that was left half removed has none
            # The first on the path is the one that an import gets.
            found.setdefault(name.lower().replace("_", "-"), version)
    return dict(sorted(found.items()))


def _called(distribution: importlib.metadata.Distribution) -> tuple[str, str]:
    """Return name and version, from the folder's name where it has both.

    Parsing the metadata of some hundreds of packages takes longer than many a job.
    """
    folder = Path(str(getattr(distribution, "_path", ""))).name
    name, _, version = folder.removesuffix(".dist-info").partition("-")
    if folder.endswith(".dist-info") and name and version:
        return name, version
    return distribution.metadata["Name"] or "", distribution.version


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
