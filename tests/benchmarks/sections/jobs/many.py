"""A thousand tracked jobs of a notebook of one cell in one `run_jobs`, in a process of its own: the
most memory that this process ever had (its VmHWM, the libraries' code included), and the minutes
that it took. A process, thread, open file or temporary file left is no figure but an error. No
peer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.benchmarks.sections.jobs.notebooks import make_project
from workbench.errors import JobError

_JOBS = 1_000
_ROOT = Path(__file__).parents[4]
_DRIVER = f"{__package__}.driver"


def figures(folder: Path, count: int = _JOBS) -> Iterator[Figure]:
    """Run the jobs from a process that does nothing else, in a project of their own."""
    project, temporary = make_project(folder / "many"), folder / "temporary"
    temporary.mkdir()
    driver = [sys.executable, "-m", _DRIVER, str(project.root), str(count)]
    places = {"TMPDIR": str(temporary), "JUPYTER_RUNTIME_DIR": str(temporary / "runtime")}
    environment = {**os.environ, **places}
    done = subprocess.run(
        driver, env=environment, cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        raise JobError(f"the thousand jobs: exit code {done.returncode}, see above")
    seen = json.loads(done.stdout)
    yield Figure("jobs", "thousand_jobs_memory", seen["peak_mib"], "MiB")
    yield Figure("jobs", "thousand_jobs", seen["seconds"] / 60, "min")
