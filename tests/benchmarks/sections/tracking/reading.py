"""Reading runs from SQLite beside MLflow's own `search_runs`: the first 50 of 10,000 or 100,000
runs by time, filtered by a metric and a tag, or sorted by a metric; and all of them as one frame.
Each run has 10 metrics, 10 parameters and 5 tags. Best of several calls in one warm process, each
reader on a store of its own, MLflow's without our indexes and statistics. MLflow is given 60 s for
a case; a peer's figure of 60,000 ms (60 s) means that its first call hadn't returned by then, so
the ratio is a lower bound.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from tests.benchmarks.figures import Figure
from workbench.project import Project
from workbench.settings import Settings
from workbench.tracking.runs import list_runs, runs_frame

NAME = "bench"
LIMIT = 60.0
REPEATS = 5

_PAGES = {
    "by_time": ("", "start_time desc"),
    "filtered": ("metrics.m1 > 0.5 and tags.library = 'xgboost'", "start_time desc"),
    "by_metric": ("", "metrics.m0 desc"),
}

_PEER = """
import sys, time
import mlflow
uri, experiment, text, order, rows, repeats = sys.argv[1:]
mlflow.set_tracking_uri(uri)
ids = [mlflow.get_experiment_by_name(experiment).experiment_id]
client = mlflow.MlflowClient()
for _ in range(int(repeats)):
    began = time.perf_counter()
    if rows == "all":
        mlflow.search_runs(ids, text, order_by=[order])
    else:
        client.search_runs(ids, text, order_by=[order], max_results=int(rows))
    print(time.perf_counter() - began, flush=True)
"""


def figures() -> Iterator[Figure]:
    """Measure the pages, then the frames."""
    with tempfile.TemporaryDirectory() as folder:
        for size, count in (("10k", 10_000), ("100k", 100_000)):
            ours, peers = Path(folder) / f"{size}.db", Path(folder) / f"{size}-peer.db"
            _make_store(ours, count)
            shutil.copy(ours, peers)
            project = Project(Path(folder), Settings(name=NAME, tracking_uri=f"sqlite:///{ours}"))
            for case, (text, order) in _PAGES.items():
                mine = _best(lambda: list_runs(project, text, order, 50), REPEATS)  # noqa: B023
                peer = _peer(peers, text, order, "50", REPEATS)
                yield Figure("tracking", f"first_page_{size}_{case}", mine * 1e3, "ms", peer * 1e3)
            mine = _best(lambda: runs_frame(project), 3)  # noqa: B023 - called at once
            peer = _peer(peers, "", "start_time desc", "all", 2)
            yield Figure("tracking", f"wide_frame_{size}", mine, "s", peer)


def _best(call: Callable[[], object], repeats: int) -> float:
    call()  # adds the indexes, fills the caches
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times)


def _peer(store: Path, text: str, order: str, rows: str, repeats: int) -> float:
    """Time MLflow's own search in a process that can be stopped; `LIMIT` if it isn't through."""
    asked = [f"sqlite:///{store}", NAME, text, order, rows, str(repeats)]
    with tempfile.TemporaryFile("w+") as said:
        running = subprocess.Popen([sys.executable, "-c", _PEER, *asked], stdout=said)
        try:
            if running.wait(timeout=LIMIT) != 0:
                raise RuntimeError(f"the peer failed: {text} {order}")
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        said.seek(0)
        return min((float(line) for line in said.read().split()), default=LIMIT)


def _make_store(path: Path, count: int) -> None:
    """Let MLflow make its tables, then fill them as fast as SQLite can."""
    from mlflow import MlflowClient

    experiment = MlflowClient(tracking_uri=f"sqlite:///{path}").create_experiment(NAME)
    drawn = random.Random(0)
    ids = [f"{drawn.getrandbits(128):032x}" for _ in range(count)]
    start = 1_700_000_000_000
    libraries = ("xgboost", "lightgbm", "catboost", "sklearn")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("pragma journal_mode = wal")
        database.executemany(
            "insert into runs (run_uuid, name, user_id, status, start_time, end_time, "
            "lifecycle_stage, artifact_uri, experiment_id) "
            "values (?, ?, 'ada', 'FINISHED', ?, ?, 'active', '', ?)",
            (
                (run, f"run-{i}", start + 1000 * i, start + 1000 * i + 900, experiment)
                for i, run in enumerate(ids)
            ),
        )
        database.executemany(
            "insert into latest_metrics (key, value, timestamp, step, is_nan, run_uuid) "
            "values (?, ?, ?, 0, 0, ?)",
            ((f"m{key}", drawn.random(), start, run) for run in ids for key in range(10)),
        )
        database.executemany(
            "insert into params (key, value, run_uuid) values (?, ?, ?)",
            ((f"p{key}", str(drawn.randrange(1000)), run) for run in ids for key in range(10)),
        )
        database.executemany(
            "insert into tags (key, value, run_uuid) values (?, ?, ?)",
            (
                (key, value, run)
                for i, run in enumerate(ids)
                for key, value in (
                    ("mlflow.runName", f"run-{i}"),
                    ("mlflow.user", "ada"),
                    ("mlflow.source.name", "train.ipynb"),
                    ("mlflow.source.git.branch", f"branch-{i % 40}"),
                    ("library", libraries[i % 4]),
                )
            ),
        )
