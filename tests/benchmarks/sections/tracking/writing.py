"""Logging metrics to a local store in one process: `Run.log_metric` in a loop beside
`mlflow.log_metric`, and `Run.log_metrics` of 1,000 beside `MlflowClient.log_batch` of 1,000. Ours
is timed until all of it is in the store, `flush` included; both on the same SQLite file, in turns.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from tests.benchmarks.figures import Figure
from workbench.errors import DataError
from workbench.factory.scaffold import create_project

_ROUNDS = 5
_LOOP, _PEER_LOOP = 10_000, 400
_BATCH = 1_000


def figures() -> Iterator[Figure]:
    """Log to one run, ours and MLflow's in turns; the median of five rounds each."""
    import mlflow
    from mlflow.entities import Metric

    from workbench.tracking import current_run

    with tempfile.TemporaryDirectory() as folder:
        run = current_run(create_project(Path(folder) / "project"))
        client = mlflow.MlflowClient()

        def ours_one_by_one(key: str) -> None:
            for step in range(_LOOP):
                run.log_metric(key, step / 2, step)
            _flushed(run.flush())

        def theirs_one_by_one(key: str) -> None:
            for step in range(_PEER_LOOP):
                mlflow.log_metric(key, step / 2, step)

        def ours_at_once(key: str) -> None:
            run.log_metrics({f"{key}{number}": number / 2 for number in range(_BATCH)})
            _flushed(run.flush())

        def theirs_at_once(key: str) -> None:
            now = time.time_ns() // 1_000_000
            batch = [Metric(f"{key}{number}", number / 2, now, 0) for number in range(_BATCH)]
            client.log_batch(run.run_id, metrics=batch)

        ours, theirs = _rates(ours_one_by_one, _LOOP, theirs_one_by_one, _PEER_LOOP, "loop")
        yield Figure("tracking", "log_metric_loop", ours, "calls/s", theirs, higher_is_better=True)
        ours, theirs = _rates(ours_at_once, _BATCH, theirs_at_once, _BATCH, "batch")
        yield Figure("tracking", "log_batch_1000", ours, "metrics/s", theirs, higher_is_better=True)
        run.end()


def _rates(
    ours: Callable[[str], None],
    our_count: int,
    theirs: Callable[[str], None],
    their_count: int,
    name: str,
) -> tuple[float, float]:
    """Run both in turns, after one round to warm up, and return how many a second each did."""
    rates: list[tuple[float, float]] = []
    for number in range(_ROUNDS + 1):
        rates.append(
            (
                our_count / _seconds(ours, f"ours_{name}_{number}_"),
                their_count / _seconds(theirs, f"theirs_{name}_{number}_"),
            )
        )
    mine, others = zip(*rates[1:], strict=True)
    return median(mine), median(others)


def _seconds(work: Callable[[str], None], key: str) -> float:
    began = time.perf_counter()
    work(key)
    return time.perf_counter() - began


def _flushed(arrived: bool) -> None:  # noqa: FBT001 - what flush has returned
    if not arrived:
        raise DataError("the store took nothing: there is nothing to measure")
