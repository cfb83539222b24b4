"""Notebooks a minute, of a training notebook of 13 cells (numpy, pandas, polars, scikit-learn,
XGBoost, MLflow, matplotlib) with 30 seeds: two workers whose forking parents are ready, as threads
and as a local Dask cluster, beside papermill, warm, one after the other: three notebooks, before,
between and after ours. Tracked jobs also store the models that they fit with their metrics, which
papermill doesn't; `untracked` is without. `first_batch` is what a fresh pool takes until the first
of four jobs has ended, when it knows from earlier jobs what to import; `parent_ready` is the part
of the imports.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, wait

from tests.benchmarks.figures import Figure
from tests.benchmarks.sections.jobs.notebooks import TRAINING
from tests.benchmarks.sections.jobs.peer import Papermill
from tests.benchmarks.sections.jobs.pools import (
    WORKERS,
    checked,
    learn,
    seconds,
    training,
    warm_pool,
)
from workbench.errors import JobError
from workbench.jobs import JobPool
from workbench.jobs.kernels import ForkingParent
from workbench.project import Project

_NOTEBOOKS = 30


def figures(project: Project, papermill: Papermill, count: int = _NOTEBOOKS) -> Iterator[Figure]:
    """Measure both kinds of pool, then what a pool's start takes."""
    learn(project)
    notebook = project.root / TRAINING
    papermill.warm(notebook)
    peer = [papermill.warm(notebook, seed=0)]
    tracked = _per_minute(project, count)
    untracked = _per_minute(project, count, track=False)
    peer.append(papermill.warm(notebook, seed=1))
    dask = _per_minute(project, count, cluster="local")
    peer.append(papermill.warm(notebook, seed=2))
    theirs = 60 * len(peer) / sum(peer)
    for case, ours in (("", tracked), ("_dask", dask), ("_untracked", untracked)):
        name = f"training_notebook{case}_2_workers"
        yield Figure("jobs", name, ours, "notebooks/min", theirs, higher_is_better=True)
    yield Figure("jobs", "training_notebook_first_batch", _first(project), "s")
    yield Figure("jobs", "training_notebook_parent_ready", _ready(project), "s")


def _per_minute(
    project: Project, count: int, *, cluster: str | None = None, track: bool = True
) -> float:
    with warm_pool(project, cluster) as pool:
        return 60 * count / seconds(pool, training(range(count), track=track))


def _first(project: Project) -> float:
    began = time.perf_counter()
    with JobPool(project, workers=WORKERS) as pool:
        futures = pool.submit(training(range(2 * WORKERS)))
        wait(futures, return_when=FIRST_COMPLETED)
        took = time.perf_counter() - began
        checked([future.result() for future in futures])
    return took


def _ready(project: Project) -> float:
    began = time.perf_counter()
    parent = ForkingParent(project.state, environment=os.environ)
    try:
        if not parent.wait_ready():
            raise JobError(f"no forking parent: {parent.why_not}")
        return time.perf_counter() - began
    finally:
        parent.close()
