"""Point-in-time joins, from Parquet to frame, each way in a process of its own.

`pit_1m_5m_3_views`: a million rows joined to three views of five million rows in all (10,000
entities, 60 days, a third of the rows known late, three numbers a row, TTL 7 days), beside Feast on
its DuckDB store with its filter of created times; medians of five and three rounds, and the frames
are equal cell by cell. `pit_vs_polars`: the same beside a polars query written by hand on the same
stored files. `pit_1m_5m_memory`: the peak of a process that joins once, beside Feast's. Feast's
time and memory grow with the rows that an entity has within the TTL: `pit_1m_5m_sparse` and
`pit_1m_5m_sparse_memory` are the same with 100,000 entities, ten times fewer rows each.
`pit_flights_weather`: all flights of 2013 to the hourly weather at their airport, TTL 2 hours,
beside Feast. `pit_100m`: a million rows to a view of 100 million, ours alone, with `memory_mb` of
4,096, and the peak of the process; `pit_100m_materialize` writes that view from one Parquet file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl

from tests.benchmarks.figures import Figure
from tests.benchmarks.peers import peer_python
from tests.benchmarks.processes import Usage
from workbench.errors import DataError, JobError

__all__ = ["figures"]

_FEAST = ["feast[duckdb]==0.67.0", "pandas<3"]
_ROUNDS, _PEER_ROUNDS = 5, 3
_START = datetime(2024, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000
_DENSE, _SPARSE = 100, 10
_DAY = 86_400 * _SECOND

_VIEWS = """
from workbench.features import feature_view
"""
_VIEW = '''

@feature_view(
    entity="{key}", event_time="at", created="made", ttl="{ttl_hours}h", owner="bench",
    features={features},
)
def {name}({name}):
    """Rows of {file}."""
    return {name}
'''


@dataclass(frozen=True)
class _Case:
    """A folder with a spine, the files of its views, and a project that declares them."""

    folder: Path
    key: str
    key_type: str
    views: Mapping[str, dict[str, Any]]

    def declare(self) -> None:
        """Write the project's settings and definitions."""
        sources = [f'[sources.{n}]\naddress = "{v["file"]}"' for n, v in self.views.items()]
        settings = "\n".join(['name = "bench"', *sources])
        (self.folder / "workbench.toml").write_text(settings, encoding="utf-8")
        (self.folder / "features").mkdir()
        code = [_VIEW.format(key=self.key, name=n, **view) for n, view in self.views.items()]
        (self.folder / "features" / "views.py").write_text(_VIEWS + "".join(code), encoding="utf-8")

    def driver(self, way: str, rounds: int) -> list[str | Path]:
        """Return the command that joins our way, or as written by hand."""
        return [sys.executable, "-m", f"{__package__}.pit_driver", way, self.folder, str(rounds)]

    def feast(self, rounds: int) -> list[str | Path]:
        """Return the command that joins with Feast."""
        plan = {
            "key": self.key,
            "key_type": self.key_type,
            "views": self.views,
            "rounds": rounds,
        }
        python = peer_python("feast", _FEAST)
        script = Path(__file__).with_name("peer_pit.py")
        return [python, script, self.folder, json.dumps(plan)]

    def check(self, other: str) -> None:
        """Assert that the other way's frame is ours, cell by cell."""
        ours = pl.read_parquet(self.folder / "ours.parquet").sort("row")
        theirs = pl.read_parquet(self.folder / f"{other}.parquet").sort("row")
        columns = [name for name in ours.columns if name not in ("event_time", self.key)]
        same = {
            name: ours[name].eq_missing(theirs[name].cast(ours.schema[name])).all()
            for name in columns
        }
        if ours.height != theirs.height or not all(same.values()):
            raise DataError(f"{other} gives other features: {same}")


def figures(rows: int = 1_000_000) -> Iterator[Figure]:
    """Measure all cases, the random ones with `rows` questions."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _three_views(_random_case(Path(folder), rows, rows // _DENSE))
    with tempfile.TemporaryDirectory() as folder:
        yield from _sparse(_random_case(Path(folder), rows, rows // _SPARSE))
    with tempfile.TemporaryDirectory() as folder:
        yield from _flights_weather(_flights_case(Path(folder)))
    with tempfile.TemporaryDirectory() as folder:
        yield from _hundred_million(Path(folder), 100 * rows, rows)


def _three_views(case: _Case) -> Iterator[Figure]:
    _measured(case.driver("ours", 1))  # writes the store; Feast reads the files as they are
    ours = _measured(case.driver("ours", _ROUNDS))
    by_hand = _measured(case.driver("polars", _ROUNDS))
    feast = _measured(case.feast(_PEER_ROUNDS))
    case.check("polars")
    case.check("feast")
    yield Figure("features", "pit_1m_5m_3_views", ours.seconds, "s", feast.seconds)
    yield Figure("features", "pit_vs_polars", ours.seconds, "s", by_hand.seconds)
    once = [_measured(command).peak_mib for command in (case.driver("ours", 1), case.feast(1))]
    yield Figure("features", "pit_1m_5m_memory", once[0], "MiB", once[1])


def _sparse(case: _Case) -> Iterator[Figure]:
    _measured(case.driver("ours", 1))
    ours, feast = _measured(case.driver("ours", _ROUNDS)), _measured(case.feast(_PEER_ROUNDS))
    case.check("feast")
    yield Figure("features", "pit_1m_5m_sparse", ours.seconds, "s", feast.seconds)
    once = [_measured(command).peak_mib for command in (case.driver("ours", 1), case.feast(1))]
    yield Figure("features", "pit_1m_5m_sparse_memory", once[0], "MiB", once[1])


def _flights_weather(case: _Case) -> Iterator[Figure]:
    _measured(case.driver("ours", 1))
    ours, feast = _measured(case.driver("ours", 3 * _ROUNDS)), _measured(case.feast(_PEER_ROUNDS))
    case.check("feast")
    yield Figure("features", "pit_flights_weather", ours.seconds, "s", feast.seconds)


def _hundred_million(folder: Path, height: int, questions: int) -> Iterator[Figure]:
    case = _Case(folder, "key", "int", {"large": _view("large.parquet", 168)})
    case.declare()
    chance = np.random.default_rng(2)
    _spine(chance, questions, 1_000_000, 300).write_parquet(folder / "spine.parquet")
    _write_in_chunks(folder / "large.parquet", chance, height)
    began = time.perf_counter()
    first = _measured(case.driver("ours", 1))
    yield Figure("features", "pit_100m_materialize", time.perf_counter() - began, "s")
    again = _measured(case.driver("ours", 1))
    yield Figure("features", "pit_100m", again.seconds, "s")
    yield Figure("features", "pit_100m_memory", max(first.peak_mib, again.peak_mib), "MiB")


def _random_case(folder: Path, rows: int, entities: int) -> _Case:
    chance = np.random.default_rng(1)
    sizes = {"first": 2 * rows, "second": 2 * rows, "third": rows}
    for name, size in sizes.items():
        _rows(chance, size, entities, 60).write_parquet(folder / f"{name}.parquet")
    _spine(chance, rows, entities, 65).write_parquet(folder / "spine.parquet")
    case = _Case(folder, "key", "int", {name: _view(f"{name}.parquet", 168) for name in sizes})
    case.declare()
    return case


def _view(file: str, ttl_hours: int) -> dict[str, Any]:
    return {"file": file, "ttl_hours": ttl_hours, "features": dict.fromkeys("abc", "float")}


def _flights_case(folder: Path) -> _Case:
    """Take the packaged flights and weather; an hour's weather is known when the hour is over."""
    from workbench.data import read
    from workbench.factory.scaffold import create_project

    project = create_project(folder / "flights", "flights")
    hour = pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC")
    names = ["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
    read("flights", project).select(
        pl.int_range(pl.len()).alias("row"),
        "origin",
        event_time=hour + pl.duration(minutes="minute"),
    ).write_parquet(folder / "spine.parquet")
    read("weather", project).select(
        "origin",
        *(pl.col(n).cast(pl.Float64) for n in names),
        at=hour,
        made=hour + pl.duration(hours=1),
    ).unique(["origin", "at"], keep="last").write_parquet(folder / "weather.parquet")
    view = {"file": "weather.parquet", "ttl_hours": 2, "features": dict.fromkeys(names, "float")}
    case = _Case(folder, "origin", "text", {"weather": view})
    case.declare()
    return case


def _rows(chance: np.random.Generator, height: int, entities: int, days: int) -> pl.DataFrame:
    at = chance.integers(0, days * _DAY, height)
    late = chance.integers(0, 3 * _DAY, height) * (chance.random(height) < 1 / 3)
    return pl.DataFrame(
        {
            "key": chance.integers(0, entities, height),
            "at": _moments(at),
            "made": _moments(at + late),
            **{name: chance.random(height) for name in "abc"},
        }
    )


def _spine(chance: np.random.Generator, height: int, entities: int, days: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "row": np.arange(height),
            "key": chance.integers(0, entities + entities // 50, height),
            "event_time": _moments(chance.integers(0, days * _DAY, height)),
        }
    )


def _moments(since_start: np.ndarray[Any, Any]) -> pl.Series:
    start = int(_START.timestamp()) * _SECOND
    return pl.Series(since_start + start).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _write_in_chunks(path: Path, chance: np.random.Generator, height: int) -> None:
    from pyarrow.parquet import ParquetWriter

    chunk = min(height, 1_000_000)
    first = _rows(chance, chunk, 1_000_000, 300).to_arrow()
    with ParquetWriter(path, first.schema, compression="lz4") as writer:
        writer.write_table(first)
        for _ in range(height // chunk - 1):
            writer.write_table(_rows(chance, chunk, 1_000_000, 300).to_arrow())


def _measured(command: list[str | Path]) -> Usage:
    """Run a way of joining; the median of its rounds, and the most memory that it had at once."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise JobError(f"exit code {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    return Usage(median(told["seconds"]), told["peak_mib"])
