"""What was known of a flight at its scheduled departure.

Times. `time_hour` is UTC; `dep_time` and `arr_time` are local to their own airport. A flight's
lateness became known when it arrived, and only from then on does it count as history.
"""

import polars as pl

from workbench.features import Count, Rate, feature_view, request_view, spine

LATE_MINUTES = 15
OWNER = "flights-team"

# airports.csv doesn't have the four Caribbean destinations; all of them keep Atlantic time.
NOT_LISTED = "America/Puerto_Rico"


def with_arrival(flights: pl.LazyFrame, airports: pl.LazyFrame) -> pl.LazyFrame:
    """Add `sched_dep` and `known_at` (aware, UTC) and `late` (null if it never arrived).

    The date of arrival isn't recorded, so it is derived: the first time after take-off plus time
    in the air at which the clock of the destination shows `arr_time`.
    """
    scheduled = pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC")
    minutes_flown = pl.col("dep_delay") + pl.col("air_time")
    zones = airports.select(dest="faa", zone="tzone")
    timed = (
        flights.join(zones, on="dest", how="left")
        .with_columns(
            sched_dep=scheduled + pl.duration(minutes="minute"),
            zone=pl.col("zone").fill_null(NOT_LISTED),
        )
        .with_columns(earliest=pl.col("sched_dep") + pl.duration(minutes=minutes_flown))
    )
    clock = pl.col("arr_time") // 100 * 60 + pl.col("arr_time") % 100
    return timed.with_columns(
        known_at=pl.col("earliest")
        + pl.duration(minutes=(clock - _minute_of_day(timed, "earliest", "zone")) % 1440),
        late=pl.col("arr_delay") > LATE_MINUTES,
    ).drop("earliest", "zone")


def _minute_of_day(frame: pl.LazyFrame, time: str, zone: str) -> pl.Expr:
    """Read a UTC time on the clock of each row's own zone."""
    minute = pl.lit(None, pl.Int64)
    for name in frame.select(pl.col(zone).unique().sort()).collect().to_series():
        local = pl.col(time).dt.convert_time_zone(name)
        there = local.dt.hour().cast(pl.Int64) * 60 + local.dt.minute()
        minute = pl.when(pl.col(zone) == name).then(there).otherwise(minute)
    return minute


@spine(key="flight_id", event_time="sched_dep", label="late", label_time="known_at")
def departures(flights: pl.LazyFrame, airports: pl.LazyFrame) -> pl.LazyFrame:
    """Every scheduled departure from New York, asked about at the scheduled time."""
    return with_arrival(flights, airports).select(
        flight_id=pl.format("{}{}-{}", "carrier", "flight", "time_hour"),
        sched_dep="sched_dep",
        carrier="carrier",
        origin="origin",
        dest="dest",
        tailnum="tailnum",
        distance="distance",
        late="late",
        # A flight that never arrived has no label; its row still has to be ordered in time.
        known_at=pl.col("known_at"),
    )


@feature_view(
    entity="origin",
    event_time="observed_hour",
    created="known_at",
    ttl="3h",
    owner=OWNER,
    tags=["weather"],
    features={
        "temp": "temperature, °F",
        "dewp": "dew point, °F",
        "humid": "relative humidity, %",
        "wind_speed": "wind speed, mph",
        "precip": "precipitation in the hour, inches",
        "pressure": "pressure at sea level, millibar",
        "visib": "visibility, miles",
    },
)
def weather(weather: pl.LazyFrame) -> pl.LazyFrame:
    """Hourly weather at the airport of departure."""
    hour = pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC")
    # The observation was made at some minute of its hour: it is used once the hour is over.
    return weather.with_columns(observed_hour=hour, known_at=hour + pl.duration(hours=1))


@feature_view(
    entity="carrier",
    event_time="known_at",
    aggregates=[Rate("late", over="24h"), Rate("late", over="7d"), Count(over="24h")],
    owner=OWNER,
    tags=["delay"],
)
def carrier(flights: pl.LazyFrame, airports: pl.LazyFrame) -> pl.LazyFrame:
    """How late the airline's flights have been, counting those that had already arrived."""
    return with_arrival(flights, airports).filter(pl.col("late").is_not_null())


@feature_view(
    entity="origin",
    event_time="known_at",
    aggregates=[Rate("late", over="24h"), Rate("late", over="7d"), Count(over="24h")],
    owner=OWNER,
    tags=["delay"],
)
def origin(flights: pl.LazyFrame, airports: pl.LazyFrame) -> pl.LazyFrame:
    """How late flights from the airport have been, counting those that had already arrived."""
    return with_arrival(flights, airports).filter(pl.col("late").is_not_null())


@feature_view(
    entity="tailnum",
    owner=OWNER,
    tags=["plane"],
    features={"year": "year of manufacture", "seats": "number of seats"},
)
def planes(planes: pl.LazyFrame) -> pl.LazyFrame:
    """The plane as registered; true for as long as it flies."""
    return planes


@request_view(
    owner=OWNER,
    tags=["schedule"],
    features={
        "minute_of_day": "scheduled minute of the day in New York",
        "weekday": "day of the week in New York, Monday 1",
        "distance": "distance to the destination, miles",
        "plane_age": "years since the plane was made; needs planes:year",
    },
)
def schedule() -> dict[str, pl.Expr]:
    """What the timetable says of the flight."""
    local = pl.col("sched_dep").dt.convert_time_zone("America/New_York")
    return {
        "minute_of_day": local.dt.hour().cast(pl.Int64) * 60 + local.dt.minute(),
        "weekday": local.dt.weekday(),
        "distance": pl.col("distance"),
        "plane_age": local.dt.year() - pl.col("planes__year"),
    }
