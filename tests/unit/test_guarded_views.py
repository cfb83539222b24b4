"""A source that breaks its contract makes no features: nothing is trained or scored from it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from workbench.data import last_checks
from workbench.errors import DataError
from workbench.features import load_spine, training_frame
from workbench.lineage import observing_use
from workbench.project import Project

pytest.importorskip("pandera")

CONTRACT = """
import pandera.polars as pa
contract = pa.DataFrameSchema({"temp": pa.Column(float, pa.Check.le(MOST))})
"""

VIEWS = '''
import polars as pl
from workbench.features import feature_view, spine

@feature_view(entity="place", event_time="at", owner="me", features={"temp": "warmth"})
def weather(weather: pl.LazyFrame) -> pl.LazyFrame:
    """What the weather was."""
    return weather

@spine(key="place", event_time="at", label="temp", label_time="at")
def days(weather: pl.LazyFrame) -> pl.LazyFrame:
    """Every day."""
    return weather
'''


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "all.py").write_text(VIEWS)
    (tmp_path / "contracts").mkdir()
    (tmp_path / "workbench.toml").write_text(
        'name = "p"\n[sources.weather]\naddress = "weather.parquet"\n'
    )
    rows = pl.DataFrame({"place": ["a", "b"], "temp": [1.0, 30.0], "at": ["2024-01-01"] * 2})
    rows.with_columns(pl.col("at").str.to_datetime(time_zone="UTC")).write_parquet(
        tmp_path / "weather.parquet"
    )
    return Project.find(tmp_path)


def _promise(project: Project, most: float) -> None:
    path = project.root / "contracts" / "weather.py"
    path.write_text(CONTRACT.replace("MOST", str(most)))


def test_neither_spine_nor_features_come_of_rows_that_break_the_contract(project: Project) -> None:
    days = load_spine("days", project)
    _promise(project, 20.0)
    for make in (
        lambda: load_spine("days", project),
        lambda: training_frame(
            days.select("place", "at"), ["weather"], event_time="at", project=project
        ),
    ):
        with pytest.raises(DataError, match=r"weather breaks its contract .*temp.*1 of 2 rows"):
            make()
    assert [check.outcome for check in last_checks(project)] == ["failed"]


def test_a_contract_that_is_kept_or_changed_lets_them_through(project: Project) -> None:
    _promise(project, 40.0)
    assert load_spine("days", project).height == 2
    assert [check.outcome for check in last_checks(project)] == ["passed"]
    _promise(project, 20.0)
    with pytest.raises(DataError):
        load_spine("days", project)
    _promise(project, 40.0)
    assert load_spine("days", project).height == 2


def test_who_listens_hears_what_a_frame_is_made_of(project: Project) -> None:
    heard: list[str] = []
    with observing_use(heard.append):
        days = load_spine("days", project)
        training_frame(days.select("place", "at"), ["weather"], event_time="at", project=project)
    assert [node.partition("@")[0] for node in heard] == ["spine:days", "feature:weather:temp"]
