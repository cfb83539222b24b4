"""How a forking parent gets to know what to import: each job's kernel tells what it imported."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path

from workbench.jobs.kernels.preload import imported_by_kernel, learn, preload_list
from workbench.project import JOB_FOLDER

__all__ = ["learn_from", "tell"]

_FILE = "imported.json"


def tell() -> None:
    """In a job's kernel: leave the names of what was imported in the job's folder."""
    folder = os.environ.get(JOB_FOLDER)
    if folder is not None:
        names = imported_by_kernel(sys.modules, Path.cwd())
        with suppress(OSError):  # nothing depends on it
            (Path(folder) / _FILE).write_text(json.dumps(names), encoding="utf-8")


def learn_from(folder: Path, state: Path) -> None:
    """When a job has ended: add what its kernel imported to the list, if there is news."""
    with suppress(OSError, ValueError):
        names = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        (folder / _FILE).unlink()
        if names and not set(names) <= set(preload_list(state)):
            learn(state, names)
