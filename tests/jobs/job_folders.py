"""Job folders made by hand, and the job's own process on them: no runner, no database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbformat.v4 import new_code_cell, new_notebook

from tests.jobs.notebooks import KERNEL


def job_folder(
    folder: Path, cells: Sequence[str | Any], *, kernel: str = "python3", **limits: float
) -> Path:
    """Make the folder of a job of these cells, with these limits."""
    folder.mkdir(parents=True)
    nodes = [new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    metadata = {"kernelspec": {**KERNEL["kernelspec"], "name": kernel}}
    nbformat.write(new_notebook(cells=nodes, metadata=metadata), folder / "input.ipynb")
    spec = {"cwd": str(folder), "limits": limits}
    (folder / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    return folder


class JobProcess:
    """A job's process, started."""

    def __init__(self, folder: Path, *prefix: str, environment: dict[str, str] | None = None):
        self.folder = folder
        own = {"WORKBENCH_JOB_ID": folder.name, "WORKBENCH_TEST_JOB": str(folder)}
        with (folder / "process.log").open("wb") as log:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "workbench.jobs.process", str(folder)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, **own, **(environment or {})},
            )

    def __enter__(self) -> JobProcess:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()
        for process in self.family():
            process.kill()

    def wait(self) -> dict[str, Any]:
        """Wait for its end; return the result that it left, empty if it left none."""
        self.process.wait(60)
        result = self.folder / "result.json"
        return json.loads(result.read_text()) if result.exists() else {}

    def family(self) -> list[psutil.Process]:
        """Find what it started by the environment, wherever it went."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("WORKBENCH_TEST_JOB") == str(self.folder):
                    found.append(process)
            except psutil.Error:
                continue
        return [one for one in found if one.pid != self.process.pid]

    @property
    def log(self) -> str:
        return (self.folder / "process.log").read_text("utf-8", "replace")


def wait_until(ready: Callable[[], object], seconds: float = 30) -> None:
    """Wait for something to be so."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def executed(folder: Path) -> Any:
    """Read the notebook that a job left."""
    return nbformat.read(folder / "executed.ipynb", as_version=4)


def statuses(notebook: Any) -> list[str]:
    """Return the state of each cell."""
    return [cell.metadata.papermill.status for cell in notebook.cells]
