"""What a run ran on: Python, packages, operating system, hardware."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
from functools import cache
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict

__all__ = ["DECIDING_VARIABLES", "Environment", "environment"]

DECIDING_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "PYTHONHASHSEED",
)
"""Sums in another number of threads, and sets in another order, may end in other numbers."""


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
    direct: dict[str, str] = {}
    """Where packages are from that no index gave: `file:` for a folder, or an archive's address."""
    variables: dict[str, str] | None = None
    """Those of `DECIDING_VARIABLES` that were set; None in records older than this."""


@cache
def environment() -> Environment:
    """Describe the environment of this process, which doesn't change while it lives."""
    packages, direct = _packages()
    return Environment(
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        os=f"{platform.system()} {platform.release()}",
        architecture=platform.machine(),
        cpu=_cpu(),
        cores=_cores(),
        memory_bytes=psutil.virtual_memory().total,
        packages=packages,
        direct=direct,
        variables={name: os.environ[name] for name in DECIDING_VARIABLES if name in os.environ},
    )


def _packages() -> tuple[dict[str, str], dict[str, str]]:
    """Read the version of each package, and the address of those that were installed by one."""
    found: dict[str, str] = {}
    direct: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        called, version = _called(distribution)
        name = called.lower().replace("_", "-")
        if not name or name in found:
            continue  # a folder left half removed has none; the first is what an import gets
        found[name] = version
        told = f"{getattr(distribution, '_path', '')}/direct_url.json"  # PEP 610
        if os.path.exists(told):  # noqa: PTH110 - hundreds of times, and quicker
            direct[name] = _address(Path(told))
    return dict(sorted(found.items())), dict(sorted(direct.items()))


def _address(told: Path) -> str:
    """Write an address without user, password and token; of a folder not even where it is."""
    try:
        content = json.loads(told.read_text(encoding="utf-8"))
        url = re.sub(r"//[^/@]*@", "//", str(content["url"])).partition("?")[0]
        commit = content.get("vcs_info", {}).get("commit_id")
    except (OSError, ValueError, KeyError, AttributeError):
        return "unknown"
    if url.startswith("file:"):
        return "file:"
    return f"{content['vcs_info'].get('vcs', 'git')}+{url}@{commit}" if commit else url


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
