"""The offline store under kill -9 and under two writers: an old state or a new one, never less."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.forks import Fork, Forks, forking
from workbench import Project
from workbench.features import FeatureView, load_definitions, training_frame
from workbench.features.offline import Sources, materialize, partitions, rows

VIEWS = '''
import polars as pl

from workbench.features import Count, feature_view


@feature_view(entity="k", event_time="at", owner="us", features={"x": "x"})
def values(table):
    """Values."""
    return table


@feature_view(entity="k", event_time="at", owner="us", aggregates=[Count(over="90d")])
def counts(table):
    """Counts."""
    return table
'''

START = datetime(2024, 1, 1, tzinfo=UTC)
SCHEMA = {"k": pl.Int64, "at": pl.Datetime("us", "UTC"), "x": pl.Int64}

IMPORTS = """
from datetime import UTC, datetime, timedelta
import polars as pl
from workbench import Project
from workbench.features import load_definitions
from workbench.features.offline import Sources, append, materialize
"""

PREAMBLE = """
project = Project.find(sys.argv[1])
definitions = load_definitions(project)
views = [definitions.view(name) for name in ("values", "counts")]
start = datetime(2024, 1, 1, tzinfo=UTC)
schema = {"k": pl.Int64, "at": pl.Datetime("us", "UTC"), "x": pl.Int64}
print("ready", flush=True)
"""

APPENDS = (
    PREAMBLE
    + """
name, first, last = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
for number in range(first, last):
    at = start + timedelta(minutes=number)
    content = {"k": [1, 1000 + number], "at": [at, at], "x": [number] * 2}
    frame = pl.DataFrame(content, schema=schema)
    for view in views:
        append(project, view, frame, once=f"{name}-{number}")
    print(number, flush=True)
"""
)

MATERIALIZES = (
    PREAMBLE
    + """
for view in views:
    materialize(project, view, Sources(project))
"""
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "views.py").write_text(VIEWS)
    pl.DataFrame(schema=SCHEMA).write_parquet(tmp_path / "table.parquet")
    settings = 'name = "faults"\n[sources.table]\naddress = "table.parquet"\n'
    (tmp_path / "workbench.toml").write_text(settings)
    return Project.find(tmp_path)


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with forking(tmp_path_factory.mktemp("logs"), IMPORTS) as forks:
        yield forks


def started(forks: Forks, code: str, project: Project, *arguments: object) -> Fork:
    process = forks.start(code, project.root, *arguments)
    process.until("ready\n")
    return process


def killed_after(process: Fork, seconds: float) -> list[str]:
    """Kill the process after a while; return the lines that it had printed since it was ready."""
    time.sleep(seconds)
    process.kill()
    return process.said.split()[1:]


def appended(project: Project) -> tuple[int, int]:
    """Say how many batches the features know, of values and of counts."""
    spine = pl.DataFrame({"k": [1], "event_time": [START + timedelta(days=80)]})
    spine = spine.cast({"event_time": SCHEMA["at"]})
    [row] = training_frame(spine, ["values", "counts"], project=project).to_dicts()
    newest = -1 if row["values__x"] is None else row["values__x"]
    return newest + 1, row["counts__count_90d"]


def test_a_writer_killed_at_any_moment_leaves_all_that_it_had_confirmed(
    forks: Forks, project: Project
) -> None:
    chance = random.Random(5)
    done = 0
    for _ in range(5):
        process = started(forks, APPENDS, project, "one", done, 10_000)
        said = killed_after(process, chance.uniform(0.0, 0.6))
        done = int(said[-1]) + 1 if said else done
        values, counts = appended(project)
        # The batch it was at may be in one of the views, in both or in none; never half of it.
        assert values in (done, done + 1)
        assert counts in (done, done + 1)
    process = started(forks, APPENDS, project, "one", done, done + 2)
    assert process.wait() == 0
    assert appended(project) == (done + 2, done + 2)
    assert leftovers(project) == []


def leftovers(project: Project) -> list[str]:
    """List the files that no manifest names and that no manifest has replaced."""
    from workbench.features.offline.manifest import load

    found = []
    for folder in (project.state / "offline").glob("*/*-*/"):
        manifest = load(folder)
        assert manifest is not None
        known = {"manifest.json", *manifest.names, *manifest.retired}
        found += [path.name for path in folder.iterdir() if path.name not in known]
    return found


def test_two_writers_at_once_both_end_up_in_the_table(forks: Forks, project: Project) -> None:
    writers = [
        started(forks, APPENDS, project, name, first, first + 25)
        for name, first in (("one", 0), ("two", 25))
    ]
    for writer in writers:
        assert writer.wait() == 0
    assert appended(project) == (50, 50)
    view = load_definitions(project).view("values")
    assert isinstance(view, FeatureView)
    frame = rows(materialize(project, view, Sources(project))).collect()
    assert sorted(frame["x"].to_list()) == sorted([*range(50), *range(50)])
    assert leftovers(project) == []


@pytest.mark.parametrize("memory_mb", [4096, 256], ids=["in memory", "cut on disk"])
def test_a_table_whose_writer_is_killed_is_there_or_not(
    forks: Forks, project: Project, memory_mb: int
) -> None:
    """With 256 MB the source is larger than its share: it is cut by entity on disk first."""
    height = 800_000
    number = pl.int_range(height)
    pl.select(k=number % 9_973, at=pl.lit(START) + pl.duration(seconds=number), x=number).cast(
        SCHEMA
    ).write_parquet(project.root / "table.parquet")
    file = project.root / "workbench.toml"
    file.write_text(f"memory_mb = {memory_mb}\n" + file.read_text())
    project = Project.find(project.root)
    chance = random.Random(memory_mb)
    for _ in range(3):
        killed_after(started(forks, MATERIALIZES, project), chance.uniform(0.1, 1.2))
        complete = [path.parent for path in project.state.glob("offline/views/*/manifest.json")]
        for folder in complete:
            assert pl.scan_parquet(folder / "*.parquet").select(pl.len()).collect().item() == height
    for name in ("values", "counts"):
        view = load_definitions(project).view(name)
        assert isinstance(view, FeatureView)
        stored = materialize(project, view, Sources(project))
        assert stored.rows == height
        read = [part.runs()[0].select(pl.len()).collect().item() for part in partitions(stored)]
        assert sum(read) == height
    assert leftovers(project) == []
