"""The flights template on its real data: nothing is known before it happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
import tomlkit
from polars.testing import assert_frame_equal

from workbench import Project
from workbench.data import read
from workbench.factory import load
from workbench.factory.scaffold import create_project
from workbench.features import build_frame, load_spine

MOMENT = pl.Datetime("us", "UTC")
VIEWS = ["weather", "carrier", "origin", "planes", "schedule"]
OUTCOMES = ["dep_delay", "arr_time", "arr_delay", "air_time"]
ATLANTIC = "America/Puerto_Rico"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return create_project(tmp_path_factory.mktemp("flights") / "project", "flights")


@pytest.fixture(scope="module")
def flights(project: Project) -> pl.DataFrame:
    """The source, with the moment of scheduled departure worked out here once more."""
    hour = pl.col("time_hour").str.to_datetime(time_zone="UTC").cast(MOMENT)
    return read("flights", project).with_columns(
        scheduled=hour + pl.duration(minutes="minute"),
        flight_id=pl.col("carrier") + pl.col("flight").cast(pl.String) + "-" + pl.col("time_hour"),
    )


@pytest.fixture(scope="module")
def departures(project: Project) -> pl.DataFrame:
    return load_spine("departures", project)


@pytest.fixture(scope="module")
def arrived(flights: pl.DataFrame, departures: pl.DataFrame) -> pl.DataFrame:
    """All flights that arrived: what was recorded of them, and when the spine says it was known."""
    known = departures.select("flight_id", "sched_dep", "known_at", "late")
    both = flights.join(known, on="flight_id", how="inner", validate="1:1")
    return both.filter(pl.col("known_at").is_not_null())


def test_every_flight_is_a_row_of_its_own(flights: pl.DataFrame, departures: pl.DataFrame) -> None:
    assert departures.height == flights.height == 336_776
    assert departures["flight_id"].is_unique().all()
    assert departures["sched_dep"].is_sorted()
    both = flights.join(departures, on="flight_id", how="inner", validate="1:1")
    assert both.height == 336_776
    assert (both["scheduled"] == both["sched_dep"]).all()


def test_the_schedule_is_that_of_new_york(flights: pl.DataFrame) -> None:
    """`time_hour` is UTC: on New York's clock it shows the hour and the day of the timetable."""
    zone = ZoneInfo("America/New_York")
    for row in flights.sample(5_000, seed=1).to_dicts():
        local = row["scheduled"].astimezone(zone)
        timetable = (row["month"], row["day"], row["hour"], row["minute"])
        assert (local.month, local.day, local.hour, local.minute) == timetable


def test_lateness_is_more_than_a_quarter_of_an_hour_and_of_arrived_flights_only(
    flights: pl.DataFrame, departures: pl.DataFrame, arrived: pl.DataFrame
) -> None:
    assert (arrived["late"] == (arrived["arr_delay"] > 15)).all()
    never = departures.filter(pl.col("known_at").is_null())
    assert never["late"].null_count() == never.height == flights["arr_delay"].null_count() == 9_430


def test_a_flight_is_known_after_it_took_off_flew_and_taxied(arrived: pl.DataFrame) -> None:
    taxied = arrived.select(
        minutes=(pl.col("known_at") - pl.col("scheduled")).dt.total_minutes()
        - pl.col("dep_delay")
        - pl.col("air_time")
    )["minutes"]
    assert taxied.len() == 327_346
    # To the runway and from it: a minute at least, and never a day too many.
    assert taxied.min() > 0
    assert taxied.max() < 240
    assert 20 < taxied.median() < 40
    took_off = pl.col("scheduled") + pl.duration(minutes="dep_delay")
    assert arrived.select((pl.col("known_at") > took_off).all()).item()


@pytest.fixture(scope="module")
def landed(project: Project, arrived: pl.DataFrame) -> list[dict[str, Any]]:
    """The arrivals, with the moment on the clock of the destination, as Python tells it."""
    zones = dict(read("airports", project).select("faa", "tzone").iter_rows())
    columns = ["flight_id", "dest", "known_at", "arr_time", "sched_arr_time", "arr_delay"]
    rows = arrived.select(columns).to_dicts()
    for row in rows:
        row["local"] = row["known_at"].astimezone(ZoneInfo(zones.get(row["dest"], ATLANTIC)))
    return rows


def test_the_clock_of_the_destination_shows_the_arrival(landed: list[dict[str, Any]]) -> None:
    wrong = [row for row in landed if shown(row["local"]) != row["arr_time"] % 2400]
    # Written down as 2:03, an hour that the night of the 10th of March didn't have: it was 3:03.
    assert [(row["flight_id"], row["arr_time"], shown(row["local"])) for row in wrong] == [
        ("B635-2013-03-10T02:00:00Z", 203, 303)
    ]


def test_an_arrival_less_its_delay_is_the_one_of_the_timetable(
    landed: list[dict[str, Any]],
) -> None:
    """Not used to derive the moment, so it can say whether that is right."""
    for row in landed:
        zone = row["local"].tzinfo
        scheduled = (row["known_at"] - timedelta(minutes=row["arr_delay"])).astimezone(zone)
        assert shown(scheduled) == row["sched_arr_time"] % 2400, row


def shown(moment: datetime) -> int:
    """Write the time of day as the data do: 17:05 is 1705."""
    return moment.hour * 100 + moment.minute


@pytest.mark.parametrize("night", [date(2013, 3, 10), date(2013, 11, 3)])
def test_nights_in_which_the_clocks_change_have_arrivals_to_get_right(
    arrived: pl.DataFrame, night: date
) -> None:
    """So that the tests above see them: flights of the evening before, home after two o'clock."""
    change = datetime(night.year, night.month, night.day, 6, tzinfo=UTC)
    across = arrived.filter(
        (pl.col("scheduled") < change) & (pl.col("known_at") > change + timedelta(hours=1))
    )
    assert across.height > 5


def test_months_add_up_to_the_year(project: Project, flights: pl.DataFrame) -> None:
    """Days begin at midnight in New York, as in the timetable."""
    factory = load("flights", project)
    firsts = [date(2013, month, 1) for month in range(1, 13)] + [date(2014, 1, 1)]
    months = [factory.rows(*firsts[index : index + 2]) for index in range(12)]
    counted = dict(flights.group_by("month").len().iter_rows())
    assert [month.height for month in months] == [counted[number] for number in range(1, 13)]
    year = pl.concat(months)
    assert year.height == 336_776
    assert year.equals(factory.rows("2013-01-01", "2014-01-01"))
    # A week of history is there for nearly all: an empty feature would be a silent failure.
    features = year.select(factory.columns)
    assert features.width == 18
    assert max(features.null_count().row(0)) < 0.2 * year.height


# The future is shifted: what nobody could know at a moment is changed, and must not be noticed.


class World:
    """Some days of the real data, in a project whose sources can be changed."""

    def __init__(self, project: Project, flights: pl.DataFrame, weather: pl.DataFrame) -> None:
        self._root = project.root
        self._code = (project.root / "features" / "flights.py").read_text()
        self.flights = flights
        self.weather = weather
        self.features = self.build(flights, weather)
        known_at = self.features.select("flight_id", "known_at")
        self.known_at = flights.join(known_at, on="flight_id", how="left", maintain_order="left")[
            "known_at"
        ]

    def build(
        self, flights: pl.DataFrame, weather: pl.DataFrame, leak: tuple[str, str] | None = None
    ) -> pl.DataFrame:
        """Build all features from these rows, as the template does or with a mistake in it."""
        flights.drop("flight_id", "scheduled").write_parquet(self._root / "flights.parquet")
        weather.write_csv(self._root / "weather.csv")
        settings = tomlkit.parse((self._root / "workbench.toml").read_text())
        settings["sources"]["flights"]["address"] = "flights.parquet"  # type: ignore[index]
        settings["sources"]["weather"]["address"] = "weather.csv"  # type: ignore[index]
        (self._root / "workbench.toml").write_text(tomlkit.dumps(settings))
        code = self._code
        if leak is not None:
            assert leak[0] in code, "the template has changed; so must this test"
            code = code.replace(*leak)
        (self._root / "features" / "flights.py").write_text(code)
        return build_frame(Project.find(self._root), "departures", VIEWS).frame

    def with_another_future(self, cut: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the rows as they may have been, for all that was known at `cut`."""
        return self._other_flights(cut), self._other_weather(cut)

    def _other_flights(self, cut: datetime) -> pl.DataFrame:
        chance = np.random.default_rng(1)
        size = self.flights.height
        flights = self.flights.with_columns(
            under_way=(self.known_at > cut).fill_null(value=True),
            # Whatever is still to come comes after the cut, also in the other future.
            dep_delay_=(pl.lit(cut) - pl.col("scheduled")).dt.total_minutes().clip(0)
            + pl.Series(chance.integers(1, 600, size)),
            air_time_=pl.Series(chance.integers(20, 400, size)),
            arr_time_=pl.Series(chance.integers(0, 24, size) * 100 + chance.integers(0, 60, size)),
            arr_delay_=pl.Series(chance.integers(-60, 200, size)),
            arrives_=pl.Series(chance.random(size) < 0.8),
        )
        other = pl.col("under_way")
        flights = flights.with_columns(
            pl.when(other & ~pl.col("arrives_"))
            .then(None)
            .when(other)
            .then(f"{name}_")
            .otherwise(name)
            .alias(name)
            for name in OUTCOMES
        )
        past = flights.filter(pl.col("scheduled") <= cut)
        to_come = flights.filter(pl.col("scheduled") > cut)
        order = chance.permutation(to_come.height)
        swapped = ["origin", "dest", "tailnum", "distance"]
        to_come = to_come.with_columns(to_come.select(swapped)[order])
        kept = to_come.filter(pl.Series(chance.random(to_come.height) < 0.8))
        return pl.concat([past, kept]).select(self.flights.columns)

    def _other_weather(self, cut: datetime) -> pl.DataFrame:
        chance = np.random.default_rng(2)
        size = self.weather.height
        hour = pl.col("time_hour").str.to_datetime(time_zone="UTC")
        over = hour + timedelta(hours=1) <= cut
        measured = [name for name, dtype in self.weather.schema.items() if dtype == pl.Float64]
        return self.weather.with_columns(
            pl.when(over).then(name).otherwise(pl.Series(chance.random(size) * 100)).alias(name)
            for name in measured
        ).filter(over | pl.Series(chance.random(size) < 0.9))


def _without_contracts(project: Project) -> Project:
    """Let flights be as late as this other future needs them to be."""
    for contract in (project.root / "contracts").glob("*.py"):
        contract.unlink()
    return project


CUTS = {
    "as the clocks go forward": utc("2013-03-10T07:00:00"),
    "in the evening peak": utc("2013-03-08T22:31:00"),
    "as the clocks go back": utc("2013-11-03T05:30:00"),
    "in the morning": utc("2013-11-04T13:00:00"),
}


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory, flights: pl.DataFrame, project: Project
) -> Callable[[datetime], World]:
    """The ten days around a change of the clocks, in March or in November."""
    made: dict[int, World] = {}
    weather = read("weather", project)

    def around(cut: datetime) -> World:
        if cut.month not in made:
            middle = utc("2013-03-08") if cut.month == 3 else utc("2013-11-02")
            days = pl.col("scheduled").is_between(
                middle - timedelta(days=5), middle + timedelta(days=5)
            )
            folder = tmp_path_factory.mktemp("world") / "project"
            made[cut.month] = World(
                _without_contracts(create_project(folder, "flights")),
                flights.filter(days),
                weather.filter(pl.col("month").is_between(cut.month - 1, cut.month)),
            )
        return made[cut.month]

    return around


def before(frame: pl.DataFrame, cut: datetime) -> pl.DataFrame:
    asked = frame.filter(pl.col("sched_dep") <= cut)
    return asked.select("flight_id", *(column for column in frame.columns if "__" in column))


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_no_feature_knows_what_happened_after_the_scheduled_departure(
    world: Callable[[datetime], World], cut: datetime
) -> None:
    here = world(cut)
    there = here.build(*here.with_another_future(cut))
    assert before(there, cut).height > 1_000
    assert_frame_equal(before(there, cut), before(here.features, cut), check_exact=True)
    # And it was another future: afterwards each feature that can change has changed.
    after = here.features.join(there, on="flight_id", suffix="@there").filter(
        pl.col("sched_dep") > cut
    )
    changing = [name for name in here.features.columns if name.startswith(tuple(CHANGING))]
    assert len(changing) == 13
    for name in changing:
        assert after.select((pl.col(name).ne_missing(pl.col(f"{name}@there"))).any()).item(), name


CHANGING = ("weather__", "carrier__", "origin__")

LEAKS = {
    "history counts from the schedule": ('event_time="known_at"', 'event_time="sched_dep"'),
    "history counts from landing": (
        'known_at=pl.col("earliest")\n        + ',
        'known_at=pl.col("earliest")\n        + 0 * ',
    ),
    "weather counts before its hour is over": ('    created="known_at",\n', ""),
    "the label is a feature": ('"distance": pl.col("distance")', '"distance": pl.col("late")'),
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_a_feature_that_knows_the_future_is_found_out(
    world: Callable[[datetime], World], leak: tuple[str, str]
) -> None:
    """So that the test above is one: with a mistake in the template the comparison fails."""
    cut = CUTS["in the evening peak"]
    here = world(cut)
    one = before(here.build(here.flights, here.weather, leak), cut)
    other = before(here.build(*here.with_another_future(cut), leak), cut)
    assert one["flight_id"].equals(other["flight_id"])
    assert not one.equals(other)


def test_the_folder_of_a_project_does_not_change_its_features(
    world: Callable[[datetime], World], project: Project
) -> None:
    """The same rows from CSV in a zip and from Parquet: the same features, cell by cell."""
    here = world(CUTS["in the morning"])
    whole: Path = project.root / load("flights", project).built["path"]
    since = here.flights["scheduled"].min() + timedelta(days=8)  # type: ignore[operator]
    days = pl.col("sched_dep").is_between(since, since + timedelta(days=1))
    there = pl.read_parquet(whole).filter(days)
    assert there.height > 800
    assert_frame_equal(here.features.filter(days).select(there.columns), there)
