"""The catalogue: what a person finds without running project code, and what `apply` changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workbench import Project
from workbench.errors import ConfigError, NotFoundError
from workbench.features import apply, catalogue, search
from workbench.features.catalogue import entry

FILE = '''
import polars as pl

from workbench.features import Count, feature_view, request_view, spine


def timed(frame):
    return frame.with_columns(pl.col("at", "known").str.to_datetime(time_zone="UTC"))


@spine(key="id", event_time="at", label="late", label_time="known")
def trips(trips):
    """Every trip."""
    return timed(trips)


@feature_view(
    entity=["city", "line"],
    event_time="at",
    ttl="3h",
    owner="Weather Desk",
    tags=["air"],
    features={"temp": "temperature, °C", "wind": "wind speed"},
)
def weather(weather):
    """Hourly weather."""
    return weather


@feature_view(
    entity="city", owner="us", event_time="at", freshness="2h", aggregates=[Count(over="24h")]
)
def busy(trips):
    """How busy it has been."""
    return timed(trips)


@request_view(owner="us", features={"hour": "hour of the day", "rush": "busy for the hour"})
def clock():
    """What the clock says."""
    hour = pl.col("at").dt.hour()
    return {"hour": pl.col("at").dt.hour(), "rush": pl.col("busy__count_24h") / (hour + 1)}
'''

TRIPS = """id,city,at,known,late
1,Oslo,2024-01-01T08:00:00,2024-01-01T09:00:00,false
2,Oslo,2024-01-01T09:00:00,2024-01-01T10:00:00,true
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "trips.py").write_text(FILE)
    (tmp_path / "trips.csv").write_text(TRIPS)
    (tmp_path / "workbench.toml").write_text('name = "x"\n[sources.trips]\naddress = "trips.csv"\n')
    return Project.find(tmp_path)


def changes(project: Project, *, dry_run: bool = False) -> dict[str, str]:
    return {change.view: change.change for change in apply(project, dry_run=dry_run)}


def test_nothing_is_listed_before_it_is_applied(project: Project) -> None:
    assert catalogue(project) == []
    assert changes(project, dry_run=True) == {"weather": "added", "busy": "added", "clock": "added"}
    assert catalogue(project) == []
    changes(project)
    assert [entry.name for entry in catalogue(project)] == [
        "busy:count_24h",
        "clock:hour",
        "clock:rush",
        "weather:temp",
        "weather:wind",
    ]


def test_an_entry_says_all_there_is_to_say(project: Project) -> None:
    apply(project)
    entries = {entry.name: entry for entry in catalogue(project)}
    assert entries["weather:temp"].model_dump() == {
        "name": "weather:temp",
        "view": "weather",
        "feature": "temp",
        "column": "weather__temp",
        "description": "temperature, °C",
        "view_description": "Hourly weather.",
        "dtype": None,  # there is no such source
        "formula": None,
        "entity": ["city", "line"],
        "owner": "Weather Desk",
        "tags": ["air"],
        "availability": "batch",
        "ttl": "3h",
        "freshness": None,
        "materialized_at": None,
        "statistics": None,
        "used_by": [],
        "uses": 0,
        "code": (
            "import workbench as wb\n\n"
            'spine = wb.features.load_spine("trips")\n'
            'frame = wb.features.training_frame(spine, ["weather:temp"], event_time="at")'
        ),
    }
    busy, clock = entries["busy:count_24h"], entries["clock:hour"]
    assert (busy.freshness, busy.dtype) == ("2h", "Int64")
    assert (clock.availability, clock.formula) == ("request", "pl.col('at').dt.hour()")
    assert entry(project, "clock:hour") == clock
    with pytest.raises(NotFoundError, match=r"did you mean clock:hour\?"):
        entry(project, "clock:hours")


def test_applying_again_changes_nothing_and_an_edit_changes_the_view(project: Project) -> None:
    apply(project)
    assert set(changes(project).values()) == {"unchanged"}
    file = project.root / "features" / "trips.py"
    file.write_text(FILE.replace("wind speed", "wind speed, m/s"))
    assert changes(project)["weather"] == "changed"
    assert catalogue(project)[4].description == "wind speed, m/s"


def test_a_view_that_is_gone_is_taken_off_the_list(project: Project) -> None:
    apply(project)
    file = project.root / "features" / "trips.py"
    file.write_text(FILE.partition("@request_view")[0])
    assert changes(project, dry_run=True)["clock"] == "removed"
    assert "clock:hour" in [entry.name for entry in catalogue(project)]
    assert changes(project)["clock"] == "removed"
    assert "clock:hour" not in [entry.name for entry in catalogue(project)]
    file.unlink()
    assert set(changes(project).values()) == {"removed"}
    assert catalogue(project) == []


def test_a_file_with_a_mistake_leaves_the_catalogue_as_it_was(project: Project) -> None:
    apply(project)
    before = [found.model_dump(exclude={"code"}) for found in catalogue(project)]
    (project.root / "features" / "trips.py").write_text("import")
    with pytest.raises(ConfigError, match=r"features/trips.py"):
        apply(project)
    # It was read without running the file.
    assert [found.model_dump(exclude={"code"}) for found in catalogue(project)] == before


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("temp", ["weather:temp"]),
        ("TEMPERATURE", ["weather:temp"]),
        ("air wind", ["weather:wind"]),
        ("weather desk", ["weather:temp", "weather:wind"]),
        ("hour", ["clock:hour", "clock:rush", "weather:temp", "weather:wind"]),
        ("wether tmep", ["weather:temp"]),
        ("count_24h", ["busy:count_24h", "clock:rush"]),
        ("busy", ["busy:count_24h", "clock:rush"]),
        ("tag:air wind", ["weather:wind"]),
        ("", ["busy:count_24h", "clock:hour", "clock:rush", "weather:temp", "weather:wind"]),
        ("temp clock", []),
        ("%", []),
    ],
)
def test_a_search_finds_features_with_every_word(
    project: Project, text: str, found: list[str]
) -> None:
    apply(project)
    assert [entry.name for entry in search(project, text)] == found


@pytest.mark.parametrize(
    ("name", "values"),
    [("busy:count_24h", [1, 2]), ("clock:hour", [8, 9]), ("clock:rush", [1 / 9, 2 / 10])],
)
def test_the_code_of_an_entry_runs_as_it_is(
    project: Project, monkeypatch: pytest.MonkeyPatch, name: str, values: list[float]
) -> None:
    apply(project)
    found = entry(project, name)
    monkeypatch.chdir(project.root)
    names: dict[str, Any] = {}
    exec(found.code, names)
    assert names["frame"][found.column].to_list() == values


def test_the_code_joins_the_spine_of_the_factory_that_has_the_view(project: Project) -> None:
    more = FILE.replace("def trips(", "def rides(").replace('event_time="at"', 'event_time="asked"')
    (project.root / "features" / "more.py").write_text(more.partition("@feature_view")[0])
    (project.root / "factories").mkdir()
    factory = project.root / "factories" / "late.toml"
    factory.write_text('spine = "trips"\nfeatures = ["weather", "clock:hour"]\n')
    apply(project)
    assert 'load_spine("trips")' in entry(project, "weather:temp").code
    assert 'load_spine("rides")' in entry(project, "busy:count_24h").code  # the first there is
    factory.write_text("spine = [")
    assert 'event_time="asked"' in entry(project, "weather:temp").code


def test_without_a_spine_the_code_takes_a_frame_of_that_name(project: Project) -> None:
    file = project.root / "features" / "trips.py"
    apply(project)
    file.write_text("import")  # nothing is read from a file that can't be
    assert entry(project, "weather:temp").code.endswith(
        'training_frame(spine, ["weather:temp"], event_time="event_time")'
    )
