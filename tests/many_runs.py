"""A store of as many runs as a team has after years, written as rows: logging them takes hours."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing

from workbench.project import Project
from workbench.tracking import PINNED, client

__all__ = ["seed_runs"]

_LIBRARIES = ("xgboost", "lightgbm", "catboost", "sklearn")
_START = 1_700_000_000_000


def seed_runs(project: Project, count: int, *, values: int = 3, pinned: int = 0) -> None:
    """Log `count` finished runs `run-0`, `run-1`, …, a second after another.

    Each has so many metrics and parameters, a library and a branch; the first ones are pinned.
    """
    client(project)  # makes the tables, and our indexes
    drawn = random.Random(0)
    ids = [f"{drawn.getrandbits(128):032x}" for _ in range(count)]
    address = project.tracking_uri.removeprefix("sqlite:///")
    with closing(sqlite3.connect(address)) as store, store:
        (experiment,) = store.execute(
            "select experiment_id from experiments where name = ?", (project.name,)
        ).fetchone()
        store.executemany(
            "insert into runs (run_uuid, name, user_id, status, start_time, end_time, "
            "lifecycle_stage, artifact_uri, experiment_id) "
            "values (?, ?, 'ada', 'FINISHED', ?, ?, 'active', '', ?)",
            (
                (run, f"run-{i}", _START + 1000 * i, _START + 1000 * i + 900, experiment)
                for i, run in enumerate(ids)
            ),
        )
        store.executemany(
            "insert into latest_metrics (key, value, timestamp, step, is_nan, run_uuid) "
            "values (?, ?, 0, 0, 0, ?)",
            ((f"m{key}", drawn.random(), run) for run in ids for key in range(values)),
        )
        store.executemany(
            "insert into params (key, value, run_uuid) values (?, ?, ?)",
            ((f"p{key}", str(drawn.randrange(1000)), run) for run in ids for key in range(values)),
        )
        store.executemany(
            "insert into tags (key, value, run_uuid) values (?, ?, ?)",
            (
                (key, value, run)
                for i, run in enumerate(ids)
                for key, value in (
                    ("mlflow.runName", f"run-{i}"),
                    ("library", _LIBRARIES[i % 4]),
                    ("mlflow.source.git.branch", f"branch-{i % 40}"),
                )
            ),
        )
        store.executemany(
            "insert into tags (key, value, run_uuid) values (?, 'true', ?)",
            ((PINNED, run) for run in ids[:pinned]),
        )
