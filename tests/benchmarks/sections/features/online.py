"""Online, 1 million users with 10 floats each: `materialize_1m` from the same Parquet file to the
SQLite online store (ours by way of the offline store), and ten random users read in process from
what was materialised. `online_10_keys` and `_p50` are tuples from an `OnlineReader` as Feast's are
lists of `get_online_features(…).to_dict()`, the slowest twentieth and the middle; `_frame` is a
typed frame instead, the slowest twentieth. The peer is Feast 0.67 with DuckDB and SQLite.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tests.benchmarks.figures import Figure
from tests.benchmarks.peers import peer_python
from workbench.errors import DataError
from workbench.features import apply
from workbench.features.online import OnlineReader, materialize_online
from workbench.project import Project

__all__ = ["figures"]

_USERS = 1_000_000
_COLUMNS = 10
_READS, _PEER_READS = 10_000, 2_000
_FEAST = ("feast[duckdb]==0.67.0", "pandas<3")

_DEFINITION = '''
from workbench.features import feature_view

NAMES = {names!r}

@feature_view(entity="user", event_time="at", ttl="90d", owner="bench", features=NAMES)
def users(users):
    """Users."""
    return users
'''


def figures(users: int = _USERS) -> Iterator[Figure]:
    """Materialise and read, both, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        project = _project(Path(folder) / "project", users)
        apply(project)  # as Feast's is done before its time is taken
        began = time.perf_counter()
        materialize_online(project)
        took = time.perf_counter() - began
        reader = OnlineReader("users", project)
        # Before and after the peer, so that a machine that changes its pace changes both.
        rows = _seconds(reader.rows, users, _READS // 2)
        peer = _feast(Path(folder), project, users)
        rows += _seconds(reader.rows, users, _READS // 2)
        frames = _seconds(reader.frame, users, _READS // 2)
        yield Figure("features", "materialize_1m", took, "s", peer["materialize"])
        yield _milliseconds("online_10_keys", rows, peer["reads"], 95)
        yield _milliseconds("online_10_keys_p50", rows, peer["reads"], 50)
        yield _milliseconds("online_10_keys_frame", frames, peer["reads"], 95)


def _milliseconds(
    case: str, ours: Sequence[float], theirs: Sequence[float], percent: float
) -> Figure:
    mine, other = (1e3 * float(np.percentile(seconds, percent)) for seconds in (ours, theirs))
    return Figure("features", case, mine, "ms", other)


def _project(root: Path, users: int) -> Project:
    names = [f"f{number}" for number in range(_COLUMNS)]
    (root / "features").mkdir(parents=True)
    code = _DEFINITION.format(names=dict.fromkeys(names, "a number"))
    (root / "features" / "users.py").write_text(code, encoding="utf-8")
    settings = 'name = "bench"\n[sources.users]\naddress = "users.parquet"\n'
    (root / "workbench.toml").write_text(settings, encoding="utf-8")
    chance = np.random.default_rng(0)
    ages = pl.Series(chance.integers(1, 30 * 86_400, users)).cast(pl.Int64) * 1_000_000
    now = pl.lit(datetime.now(UTC), pl.Datetime("us", "UTC"))
    frame = pl.DataFrame(
        {"user": chance.permutation(users), **{name: chance.random(users) for name in names}}
    )
    frame = frame.with_columns((now - ages.cast(pl.Duration("us"))).alias("at"))
    frame.write_parquet(root / "users.parquet")
    return Project.find(root)


def _seconds(read: Callable[[Any], Any], users: int, count: int) -> list[float]:
    chance = random.Random(count)
    seconds = []
    for _ in range(count):
        keys = [{"user": key} for key in chance.sample(range(users), 10)]
        began = time.perf_counter()
        found = read(keys)
        seconds.append(time.perf_counter() - began)
        assert len(found) == 10
    return seconds


def _feast(folder: Path, project: Project, users: int) -> dict[str, Any]:
    python = peer_python("feast", _FEAST)
    script = Path(__file__).with_name("peer_online.py")
    numbers = [str(number) for number in (users, _COLUMNS, _PEER_READS)]
    done = subprocess.run(
        [python, script, folder, project.root / "users.parquet", *numbers],
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise DataError(f"Feast failed: {done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
