"""Seconds that one notebook takes: the training notebook, one of 300 trivial cells, and one of 20
cells that print 1 MB each, in a pool that is warm beside papermill, warm (medians of five and three
times, in turns); and `workbench run` of the training notebook beside the command `papermill`, both
from nothing (median of three, in turns).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.benchmarks.figures import Figure
from tests.benchmarks.sections.jobs.notebooks import CELLS, OUTPUT, TRAINING
from tests.benchmarks.sections.jobs.peer import Papermill, command_seconds
from tests.benchmarks.sections.jobs.pools import seconds, warm_pool
from workbench.jobs import JobPool, JobRequest
from workbench.project import Project

_OURS, _PEERS, _COLD = 5, 3, 3

_WARM = {
    "training_notebook_single_warm": TRAINING,
    "cells_300": CELLS,
    "output_20x1mb": OUTPUT,
}


def figures(project: Project, papermill: Papermill) -> Iterator[Figure]:
    """Measure each notebook warm, then the commands."""
    with warm_pool(project) as pool:
        for case, notebook in _WARM.items():
            yield _warm(case, notebook, pool, project.root, papermill)
    yield _cold(project, papermill)


def _warm(case: str, notebook: str, pool: JobPool, root: Path, papermill: Papermill) -> Figure:
    ours, peers = [], []
    for turn in range(_OURS):
        ours.append(seconds(pool, [JobRequest(notebook)]))
        if turn < _PEERS:
            peers.append(papermill.warm(root / notebook))
    return Figure("jobs", case, median(ours), "s", median(peers))


def _cold(project: Project, papermill: Papermill) -> Figure:
    workbench = Path(sys.executable).with_name("workbench")
    command: list[str | Path] = [workbench, "-C", project.root, "run", TRAINING, "--no-cache"]
    ours, peers = [], []
    for _ in range(_COLD):
        ours.append(command_seconds(command))
        peers.append(papermill.cold(project.root / TRAINING))
    return Figure("jobs", "single_cold", median(ours), "s", median(peers))
