"""The catalogue: what a person finds without running project code, and what `apply` changes."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from workbench import Project
from workbench.errors import ConfigError
from workbench.features import apply, catalogue, search, training_frame

FILE = '''
from workbench.features import Count, feature_view, request_view, spine


@spine(key="id", event_time="at", label="late", label_time="known")
def trips(trips):
    """Every trip."""
    return trips


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


@feature_view(entity="city", owner="us", event_time="at", aggregates=[Count(over="24h")])
def busy(trips):
    """How busy it has been."""
    return trips


@request_view(owner="us", features={"hour": "hour of the day"})
def clock():
    """What the clock says."""
    return {}
'''


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "trips.py").write_text(FILE)
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
        "weather:temp",
        "weather:wind",
    ]


def test_an_entry_says_all_there_is_to_say(project: Project) -> None:
    apply(project)
    temp = catalogue(project)[2]
    assert temp.model_dump(exclude={"code"}) == {
        "name": "weather:temp",
        "view": "weather",
        "feature": "temp",
        "column": "weather__temp",
        "description": "temperature, °C",
        "view_description": "Hourly weather.",
        "entity": ["city", "line"],
        "owner": "Weather Desk",
        "tags": ["air"],
        "availability": "batch",
        "ttl": "3h",
    }
    assert catalogue(project)[1].availability == "request"


def test_applying_again_changes_nothing_and_an_edit_changes_the_view(project: Project) -> None:
    apply(project)
    assert set(changes(project).values()) == {"unchanged"}
    file = project.root / "features" / "trips.py"
    file.write_text(FILE.replace("wind speed", "wind speed, m/s"))
    assert changes(project)["weather"] == "changed"
    assert catalogue(project)[3].description == "wind speed, m/s"


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
    before = catalogue(project)
    (project.root / "features" / "trips.py").write_text("import")
    with pytest.raises(ConfigError, match=r"features/trips.py"):
        apply(project)
    assert catalogue(project) == before  # and it was read without running the file


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("temp", ["weather:temp"]),
        ("TEMPERATURE", ["weather:temp"]),
        ("air wind", ["weather:wind"]),
        ("weather desk", ["weather:temp", "weather:wind"]),
        ("hour", ["clock:hour", "weather:temp", "weather:wind"]),
        ("busy", ["busy:count_24h"]),
        ("", ["busy:count_24h", "clock:hour", "weather:temp", "weather:wind"]),
        ("temp clock", []),
        ("%", []),
    ],
)
def test_a_search_finds_features_with_every_word(
    project: Project, text: str, found: list[str]
) -> None:
    apply(project)
    assert [entry.name for entry in search(project, text)] == found


def test_the_code_of_an_entry_runs(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes into a notebook as it is, beside a frame called `spine`."""
    file = project.root / "features" / "trips.py"
    file.write_text(FILE.replace("return trips\n\n\n@req", "return timed(trips)\n\n\n@req") + TIMED)
    (project.root / "trips.csv").write_text("id,city,at\n1,Oslo,2024-01-01T08:00:00\n")
    apply(project)
    [busy] = search(project, "busy")
    spine = pl.DataFrame({"city": ["Oslo"], "event_time": ["2024-01-01T09:00:00"]}).with_columns(
        pl.col("event_time").str.to_datetime(time_zone="UTC")
    )
    monkeypatch.chdir(project.root)
    names = {"spine": spine}
    exec(busy.code, names)
    assert names["frame"][busy.column].to_list() == [1]
    frame = training_frame(spine, [busy.name], event_time="event_time")
    assert names["frame"].equals(frame)


TIMED = """

def timed(frame):
    import polars as pl

    return frame.with_columns(pl.col("at").str.to_datetime(time_zone="UTC"))
"""
