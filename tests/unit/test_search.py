"""Searching a project's features: at what its records say, and with all that a hit shows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.servers import postgresql
from workbench import Project
from workbench.features import search
from workbench.features.catalogue import entry
from workbench.features.search import refresh, usage
from workbench.lineage import link
from workbench.store import (
    FeatureStatisticsRow,
    FeatureViewRow,
    JobRow,
    MaterializationRow,
    database,
    now,
)

CODE = '''
@feature_view(features={"temp": "temperature"})
def weather(weather):
    """Hourly weather."""
    return weather.with_columns(temp=(pl.col("fahrenheit") - 32) / 1.8)
'''


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "workbench.toml").write_text('name = "x"\n')
    found = Project.find(tmp_path)
    register(found, "weather", {"temp": "warmth", "wind": "speed of it"}, code=CODE)
    register(found, "planes", {"age": "years since it was built", "seats": "places"})
    return found


def register(project: Project, name: str, features: dict[str, str], code: str = "") -> None:
    """Write a view as `features apply` does."""
    definition = {
        "kind": "view",
        "description": f"All about {name}.",
        "entity": ["origin"],
        "features": features,
        "types": dict.fromkeys(features, "Float64"),
        "sources": [name],
        "owner": "Ada",
        "tags": ["live"],
        "availability": "batch",
        "ttl": None,
        "code": code,
        "freshness": "2h",
    }
    row = FeatureViewRow(
        name=name, digest=f"{hash(str(definition)):x}", definition=definition, applied_at=now()
    )
    with database(project).session() as session:
        session.merge(row)


def trained(project: Project, feature: str, run: str, model: str, notebook: str) -> None:
    """Write what a training job on a frame with the feature leaves."""
    frame = f"dataset:frame-{run}@1"
    link(project, [f"view:{feature.partition(':')[0]}@abc"], f"feature:{feature}@abc", "has")
    link(project, [f"feature:{feature}@abc"], frame, "joined")
    link(project, [frame], f"run:{run}", "training")
    link(project, [f"run:{run}"], f"model:{model}/1", "registered")
    link(project, [f"model:{model}/1"], "predictions:1", "scored")
    link(project, ["predictions:1"], "run:retrained", "retrained")
    job = JobRow(
        id=f"job-{run}",
        notebook=notebook,
        parameters={},
        state="succeeded",
        run_id=run,
        created_at=now(),
    )
    with database(project).session() as session:
        session.add(job)


def names(project: Project, text: str) -> list[str]:
    return [found.name for found in search(project, text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("warm", ["weather:temp"]),
        ("fahrenheit", ["weather:temp"]),  # in the formula
        ("origin seats", ["planes:seats"]),
        ("owner:ada entity:origin tag:live age", ["planes:age"]),
        ("kind:feature speed", ["weather:wind"]),
        ("weathr wind", ["weather:wind"]),
        ("used_by:late", []),
    ],
)
def test_all_that_is_said_of_a_feature_is_searched(
    project: Project, text: str, found: list[str]
) -> None:
    assert names(project, text) == found


def test_a_change_of_the_records_is_seen_by_the_next_search(project: Project) -> None:
    assert names(project, "gusts") == []
    register(project, "weather", {"temp": "warmth", "wind": "speed of gusts"})
    assert names(project, "gusts") == ["weather:wind"]
    with database(project).session() as session:
        session.delete(session.get(FeatureViewRow, "weather"))
    assert names(project, "gusts") == []
    assert len(names(project, "")) == 2
    for file in (project.state / "search").glob("*.part"):
        file.write_bytes(b"")
    refresh(project)
    assert len(names(project, "")) == 2


def test_an_index_that_is_gone_is_made_again_by_a_search(project: Project) -> None:
    assert names(project, "warm") == ["weather:temp"]
    for file in (project.state / "search").iterdir():
        file.unlink()
    assert names(project, "warm") == ["weather:temp"]


def test_the_most_used_come_first_and_say_who_uses_them(project: Project) -> None:
    assert names(project, "")[0] == "planes:age"
    trained(project, "weather:wind", "1", "late", "notebooks/train.ipynb")
    trained(project, "weather:wind", "2", "late", "notebooks/tune.ipynb")
    refresh(project)
    end = time.monotonic() + 30  # who uses what is asked at its own pace
    while names(project, "")[0] != "weather:wind":
        assert time.monotonic() < end
        time.sleep(0.01)
    assert names(project, "used_by:late wind") == ["weather:wind"]
    assert names(project, "used_by:tune") == ["weather:wind"]  # not what else the view has
    found = entry(project, "weather:wind")
    assert found.used_by == [
        "model:late",
        "notebook:notebooks/train.ipynb",
        "notebook:notebooks/tune.ipynb",
    ]
    assert found.uses == 3  # two runs and a model
    assert entry(project, "weather:temp").used_by == []


def test_use_goes_by_the_whole_name(project: Project) -> None:
    trained(project, "weather_of_old:t", "1", "late", "a.ipynb")
    trained(project, "Weather:t", "2", "late", "b.ipynb")
    assert usage(project, "view", ["weather"]) == usage(project, "feature", ["weather:t"]) == {}
    assert set(usage(project, "view")) == {"weather_of_old", "Weather"}
    assert set(usage(project, "feature")) == {"weather_of_old:t", "Weather:t"}
    assert usage(project, "view", []) == {}


def test_a_hit_shows_its_values_and_when_they_were_materialised(project: Project) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    done = start + timedelta(days=90)
    with database(project).session() as session:
        for digest, months in (("old", range(1)), ("new", range(3))):
            for month in months:
                session.add(_statistics(digest, start + timedelta(days=30 * month), 1.5 * month))
        for store, at in (("a", None), ("b", done), ("c", start)):
            session.add(_materialization(store, at))
    [found] = search(project, "warm")
    assert (found.dtype, found.freshness) == ("Float64", "2h")
    assert found.materialized_at == done
    assert found.formula == "(pl.col('fahrenheit') - 32) / 1.8"
    assert found.statistics is not None
    assert found.statistics.points == [0.0, 1.5, 3.0]
    assert found.statistics.rows == 30
    assert found.statistics.since == start
    assert found.statistics.until == start + timedelta(days=90)
    assert entry(project, "weather:wind").statistics is None


def _statistics(digest: str, start: datetime, mean: float) -> FeatureStatisticsRow:
    return FeatureStatisticsRow(
        view="weather",
        digest=digest,
        feature="temp",
        window_start=start,
        window_end=start + timedelta(days=30),
        rows=10,
        statistics={"mean": mean},
        computed_at=now(),
    )


def _materialization(store: str, finished: datetime | None) -> MaterializationRow:
    return MaterializationRow(
        view="weather",
        store=store,
        digest="new",
        state="complete" if finished else "running",
        until=finished,
        rows=1,
        started_at=now(),
        finished_at=finished,
    )


def test_threads_search_while_the_records_change(project: Project) -> None:
    def look(number: int) -> int:
        if number % 10 == 0:
            register(project, "weather", {"temp": "warmth", "wind": f"speed {number}"})
        return len(names(project, "weather"))

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(look, range(60))) == {2}
    with database(project).session() as session:  # whichever of the six was the last to be written
        last = session.get_one(FeatureViewRow, "weather").definition["features"]["wind"]
    assert names(project, last) == ["weather:wind"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgresql(tmp_path_factory.mktemp("postgresql")) as address:
        yield address


def test_a_search_on_postgresql_is_the_same(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_DATABASE_URL", server)
    (tmp_path / "workbench.toml").write_text('name = "x"\n')
    project = Project.find(tmp_path)
    register(project, "weather", {"temp": "warmth"})
    register(project, "Planes", {"age": "years"})
    assert names(project, "warm") == ["weather:temp"]
    register(project, "weather", {"temp": "heat"})
    assert names(project, "warm") == []
    trained(project, "weather:temp", "1", "late", "train.ipynb")
    trained(project, "Planes:age", "2", "late", "tune.ipynb")
    assert entry(project, "weather:temp").used_by == ["model:late", "notebook:train.ipynb"]
    assert set(usage(project, "view")) == {"weather", "Planes"}
