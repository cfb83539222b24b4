"""A factory file: what it may say, and what is said of a mistake in it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import Project
from workbench.errors import ConfigError, NotFoundError
from workbench.factory import list_factories, load
from workbench.factory.spec import FactorySpec, RetrainingSpec, ScoringSpec, TrainingSpec

FILE = """
description = "Will it be late?"
owner = "us"
model = "late"
spine = "trips"
features = ["weather"]
[training]
notebook = "notebooks/train.ipynb"
train = ["2013-01-01", "2013-06-01"]
validate_on = ["2013-06-01", "2013-07-01"]
[gate]
metric = "roc_auc"
[scoring]
start = "2013-07-01"
end = "2014-01-01"
[monitor]
notebook = "notebooks/monitor.ipynb"
owner = "us"
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "factories").mkdir()
    (tmp_path / "workbench.toml").write_text('name = "x"\n')
    return Project.find(tmp_path)


def spec_of(project: Project, text: str = FILE) -> FactorySpec:
    (project.root / "factories" / "late.toml").write_text(text)
    return load("late", project).spec


def test_a_short_file_is_a_factory_with_cautious_defaults(project: Project) -> None:
    spec = spec_of(project)
    assert spec.training.train == (date(2013, 1, 1), date(2013, 6, 1))
    assert spec.training.combinations() == [{}]
    assert spec.scoring.every == "1mo"
    assert spec.retraining is None  # a model is made again only where that is asked for
    assert (spec.timezone, spec.zone, spec.label_delay_hours) == ("UTC", ZoneInfo("UTC"), 24)
    assert spec.exclude == []


def test_dates_may_be_texts_or_toml_dates(project: Project) -> None:
    assert spec_of(project, FILE.replace('"2013-07-01"\nend', "2013-07-01\nend")) == spec_of(
        project
    )


def test_an_unknown_factory_is_answered_with_what_exists(project: Project) -> None:
    spec_of(project)
    assert list_factories(project) == ["late"]
    with pytest.raises(NotFoundError, match=r"unknown factory 'lat': did you mean late\?"):
        load("lat", project)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("owner", "ownr", "ownr: unknown key; did you mean owner?"),
        ("[gate]", "[gate]\nmetrc = 1", "gate.metrc: unknown key; did you mean metric?"),
        ("[scoring]", "[scoring]\nstrat = 1", "scoring.strat: unknown key; did you mean start?"),
        ("[training]", "[training]\ngird = {}", "training.gird: unknown key; did you mean grid?"),
        ("[monitor]", "[monitor]\nownr = 1", "monitor.ownr: unknown key; did you mean owner?"),
        ("[gate]", "[retraining]\nafter = 1\n[gate]", "retraining.after: unknown key; "),
        ('model = "late"', "", "model: missing, and it has no default"),
        ('start = "2013-07-01"', "", "scoring.start: missing, and it has no default"),
        ('["weather"]', '"weather"', "features: input should be a valid list, found 'weather'"),
        ('"2014-01-01"', '"2014-01-32"', "scoring.end: "),
        (
            '["2013-01-01", "2013-06-01"]',
            '["2013-06-01", "2013-01-01"]',
            "training.train: value error, 2013-06-01 isn't before 2013-01-01",
        ),
        (
            '["2013-06-01", "2013-07-01"]',
            '["2013-07-01", "2013-07-01"]',
            "training.validate_on: value error, 2013-07-01 isn't before 2013-07-01",
        ),
        ('["2013-06-01", "2013-07-01"]', '["2013-06-01"]', "training.validate_on.1: missing"),
        ('"2014-01-01"', '"2013-01-01"', "scoring: value error, 2013-07-01 isn't before"),
        ("[scoring]", '[scoring]\nevery = "2w"', "scoring.every: input should be '1d', '1w' or"),
        (
            'owner = "us"\nmodel',
            'timezone = "Mars/Olympus"\nowner = "us"\nmodel',
            "timezone: value error, expected an IANA time zone like America/New_York, "
            "found 'Mars/Olympus'",
        ),
        ("[gate]", "[retraining]\nafter_alerts = 0\n[gate]", "retraining.after_alerts: "),
        ("[training]", "label_delay_hours = -1\n[training]", "label_delay_hours: "),
    ],
)
def test_a_mistake_is_named_with_file_key_and_what_was_expected(
    project: Project, old: str, new: str, said: str
) -> None:
    assert old in FILE
    with pytest.raises(ConfigError, match=f"^factories/late.toml: {re.escape(said)}") as raised:
        spec_of(project, FILE.replace(old, new, 1))
    assert "\n" not in str(raised.value)


def test_a_file_that_is_no_toml_is_named_with_the_place(project: Project) -> None:
    with pytest.raises(ConfigError, match=r"late.toml: not valid TOML: .*line 2"):
        spec_of(project, "\nowner = us")


def test_what_was_read_cannot_be_changed(project: Project) -> None:
    with pytest.raises(ValueError, match="frozen"):
        spec_of(project).model = "other"  # type: ignore[misc]


# The grid


def training(**changes: Any) -> TrainingSpec:
    periods = {"train": ("2013-01-01", "2013-02-01"), "validate_on": ("2013-02-01", "2013-03-01")}
    return TrainingSpec.model_validate({"notebook": "n.ipynb", **periods, **changes})


def test_a_grid_is_one_job_for_each_combination() -> None:
    spec = training(grid={"library": ["a", "b"], "depth": [1, 2, 3]}, parameters={"seed": 7})
    assert spec.combinations() == [
        {"seed": 7, "library": library, "depth": depth}
        for library in ("a", "b")
        for depth in (1, 2, 3)
    ]


def test_the_grid_wins_over_the_parameters_of_all() -> None:
    spec = training(grid={"seed": [1, 2]}, parameters={"seed": 7, "depth": 3})
    assert spec.combinations() == [{"seed": 1, "depth": 3}, {"seed": 2, "depth": 3}]


def test_without_a_grid_there_is_one_job() -> None:
    assert training(parameters={"seed": 7}).combinations() == [{"seed": 7}]


# The windows


def windows(start: str, end: str, every: str) -> list[str]:
    spec = ScoringSpec.model_validate({"start": start, "end": end, "every": every})
    return [f"{first:%m-%d}>{last:%m-%d}" for first, last in spec.windows()]


@pytest.mark.parametrize(
    ("start", "end", "every", "expected"),
    [
        ("2013-07-01", "2013-10-01", "1mo", ["07-01>08-01", "08-01>09-01", "09-01>10-01"]),
        ("2013-07-01", "2013-08-02", "1mo", ["07-01>08-01", "08-01>08-02"]),
        ("2013-07-15", "2013-09-01", "1mo", ["07-15>08-15", "08-15>09-01"]),
        ("2013-07-01", "2013-07-02", "1mo", ["07-01>07-02"]),
        ("2013-12-30", "2014-01-02", "1d", ["12-30>12-31", "12-31>01-01", "01-01>01-02"]),
        ("2013-07-01", "2013-07-17", "1w", ["07-01>07-08", "07-08>07-15", "07-15>07-17"]),
        ("2012-02-27", "2012-03-02", "1w", ["02-27>03-02"]),
        ("2013-01-31", "2013-04-30", "1mo", ["01-31>02-28", "02-28>03-31", "03-31>04-30"]),
    ],
)
def test_days_are_cut_into_windows_the_last_one_whole_or_not(
    start: str, end: str, every: str, expected: list[str]
) -> None:
    assert windows(start, end, every) == expected


@given(
    start=st.dates(date(2000, 1, 1), date(2030, 1, 1)),
    length=st.integers(1, 500),
    every=st.sampled_from(["1d", "1w", "1mo"]),
)
def test_windows_cover_every_day_once(start: date, length: int, every: Any) -> None:
    end = start + timedelta(days=length)
    cut = ScoringSpec(start=start, end=end, every=every).windows()
    assert (cut[0][0], cut[-1][1]) == (start, end)
    assert all(first < last for first, last in cut)
    assert all(one[1] == other[0] for one, other in pairwise(cut))
    days = {"1d": {1}, "1w": {7}, "1mo": {28, 29, 30, 31}}[every]
    assert all((last - first).days in days for first, last in cut[:-1])


def test_retraining_says_how_many_windows(project: Project) -> None:
    spec = spec_of(project, FILE.replace("[gate]", "[retraining]\nholdout = 3\n[gate]"))
    assert spec.retraining == RetrainingSpec(after_alerts=2, holdout=3)


@pytest.mark.parametrize("day", ["2013-03-10", "2013-11-03"])
def test_a_day_begins_at_midnight_of_the_factorys_zone(project: Project, day: str) -> None:
    """The days on which clocks change have 23 and 25 hours."""
    spec_of(project, 'timezone = "America/New_York"\n' + FILE)
    first = date.fromisoformat(day)
    since, until = load("late", project).moments((first, first + timedelta(days=1)))
    hours = {"2013-03-10": 23, "2013-11-03": 25}[day]
    assert until - since == timedelta(hours=hours)
    assert since.astimezone(ZoneInfo("America/New_York")).hour == 0
