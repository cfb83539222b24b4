"""Point-in-time joins, against a slow implementation that nobody could get wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.errors import FeatureError
from workbench.features.join import (
    asof_features,
    check_order,
    event_totals,
    in_order,
    known_rows,
    restored,
    to_utc,
    window_features,
)

Row = dict[str, Any]

START = datetime(2013, 3, 10, tzinfo=UTC)
TIME = pl.Datetime("us", "UTC")
MICROSECOND = timedelta(microseconds=1)
SPINE = {"row": pl.Int64, "k": pl.Int64, "j": pl.String, "t": TIME}
ROWS = {"k": pl.Int64, "j": pl.String, "at": TIME, "made": TIME, "x": pl.Int64, "y": pl.String}
EVENTS = {"k": pl.Int64, "j": pl.String, "at": TIME, "late": pl.Boolean}


def hour(number: float) -> datetime:
    return START + timedelta(hours=number)


# A handful of keys and hours, so that ties, gaps and late arrivals are the rule.
KEYS = st.sampled_from([1, 2, None])
OTHER_KEYS = st.sampled_from(["a", "b", None])
HOURS = st.integers(0, 7).map(hour)
MAYBE_HOURS = HOURS | st.none()
LENGTHS = st.integers(1, 6).map(lambda hours: timedelta(hours=hours))
SPINES = st.lists(st.fixed_dictionaries({"k": KEYS, "j": OTHER_KEYS, "t": MAYBE_HOURS}), max_size=8)
HISTORIES = st.lists(
    st.fixed_dictionaries(
        {
            "k": KEYS,
            "j": OTHER_KEYS,
            "at": MAYBE_HOURS,
            "made": MAYBE_HOURS,
            "x": st.integers(0, 9) | st.none(),
            "y": st.sampled_from(["p", "q", None]),
        }
    ),
    max_size=14,
)
LOGS = st.lists(
    st.fixed_dictionaries(
        {
            "k": KEYS,
            "j": OTHER_KEYS,
            "at": MAYBE_HOURS,
            "late": st.sampled_from([True, False, None]),
        }
    ),
    max_size=14,
)
ENTITIES = st.sampled_from([("k",), ("k", "j")])


def same_entity(asked: Row, row: Row, entity: tuple[str, ...]) -> bool:
    return all(row[key] is not None and row[key] == asked[key] for key in entity)


def as_known(
    asked: Row,
    history: list[Row],
    entity: tuple[str, ...],
    *,
    event: str | None,
    created: str | None,
    ttl: timedelta | None,
) -> Row | None:
    """Find the row that was known at the moment asked about, by looking at every one of them."""
    best: tuple[Any, ...] | None = None
    answer = None
    for position, row in enumerate(history):
        at = row[event] if event else START - timedelta(days=99)
        made = row[created] if created else at
        if not same_entity(asked, row, entity) or None in (asked["t"], at, made):
            continue
        if at <= asked["t"] and made <= asked["t"]:
            # The latest event; of those the latest made; of those the one that was listed last.
            rank = (at, made, position)
            if best is None or rank > best:
                best, answer = rank, row
    if answer is None or (ttl is not None and best is not None and best[0] < asked["t"] - ttl):
        return None
    return answer


def joined(
    spine: list[Row],
    history: list[Row],
    entity: tuple[str, ...] = ("k",),
    event: str | None = "at",
    created: str | None = "made",
    ttl: timedelta | None = None,
) -> pl.DataFrame:
    """Join as the library does."""
    asked = pl.DataFrame([{"row": number, **row} for number, row in enumerate(spine)], schema=SPINE)
    rows = known_rows(
        pl.DataFrame(history, schema=ROWS).lazy(), entity, event, created, ["x", "y"]
    ).collect()
    check_order(rows, "rows")
    return restored(
        asof_features(in_order(asked.lazy(), "t"), rows.lazy(), entity, "t", ["x", "y"], ttl, "v")
    ).collect()


def counted(
    spine: list[Row],
    log: list[Row],
    over: timedelta,
    entity: tuple[str, ...] = ("k",),
    also: timedelta | None = None,
) -> pl.DataFrame:
    """Aggregate over windows as the library does."""
    asked = pl.DataFrame([{"row": number, **row} for number, row in enumerate(spine)], schema=SPINE)
    windows = [("rate", "late", "rate", over), ("count", None, "count", over)]
    if also is not None:
        windows += [("rate2", "late", "rate", also), ("count2", None, "count", also)]
    totals = event_totals(pl.DataFrame(log, schema=EVENTS).lazy(), entity, "at", ["late"]).collect()
    check_order(totals, "totals")
    return restored(
        window_features(in_order(asked.lazy(), "t"), totals.lazy(), entity, "t", windows, "v")
    ).collect()


@settings(max_examples=300, deadline=None)
@given(
    spine=SPINES,
    history=HISTORIES,
    entity=ENTITIES,
    event=st.sampled_from(["at", None]),
    created=st.sampled_from(["made", None]),
    ttl=LENGTHS | st.none(),
)
def test_a_join_gives_what_looking_at_every_row_gives(
    spine: list[Row],
    history: list[Row],
    entity: tuple[str, ...],
    event: str | None,
    created: str | None,
    ttl: timedelta | None,
) -> None:
    if event is None:
        ttl = None  # what has always been true has no age
    result = joined(spine, history, entity, event, created, ttl)
    expected = [
        as_known(asked, history, entity, event=event, created=created, ttl=ttl) for asked in spine
    ]
    assert result["row"].to_list() == list(range(len(spine)))
    assert result.select("k", "j", "t").rows() == [(r["k"], r["j"], r["t"]) for r in spine]
    assert result["v__x"].to_list() == [row and row["x"] for row in expected]
    assert result["v__y"].to_list() == [row and row["y"] for row in expected]


@settings(max_examples=200, deadline=None)
@given(spine=SPINES, log=LOGS, entity=ENTITIES, over=LENGTHS, also=LENGTHS)
def test_a_window_gives_what_looking_at_every_event_gives(
    spine: list[Row], log: list[Row], entity: tuple[str, ...], over: timedelta, also: timedelta
) -> None:
    result = counted(spine, log, over, entity, also)
    assert result["row"].to_list() == list(range(len(spine)))
    for length, rate, count in ((over, "v__rate", "v__count"), (also, "v__rate2", "v__count2")):
        for asked, row in zip(spine, result.to_dicts(), strict=True):
            within = [
                event["late"]
                for event in log
                if same_entity(asked, event, entity)
                and None not in (asked["t"], event["at"])
                and asked["t"] - length < event["at"] <= asked["t"]
            ]
            known = [late for late in within if late is not None]
            assert row[count] == len(within)
            assert row[rate] == (pytest.approx(sum(known) / len(known)) if known else None)


def row(at: float, made: float, x: int | None, k: int | None = 1, y: str = "p") -> Row:
    return {"k": k, "j": "a", "at": hour(at), "made": hour(made), "x": x, "y": y}


def asked(at: datetime, k: int | None = 1) -> Row:
    return {"k": k, "j": "a", "t": at}


def value_at(history: list[Row], at: datetime, **how: Any) -> int | None:
    [value] = joined([asked(at)], history, **how)["v__x"]
    return value


def test_a_row_counts_from_the_moment_it_is_known_not_since_it_is_true() -> None:
    history = [row(1, 1, 10), row(2, 5, 20)]
    assert value_at(history, hour(4)) == 10
    assert value_at(history, hour(5) - MICROSECOND) == 10
    assert value_at(history, hour(5)) == 20


def test_a_late_correction_of_the_past_does_not_replace_what_is_newer() -> None:
    """A plain as-of join on the time of creation gets this wrong."""
    history = [row(3, 3, 30), row(1, 6, 10)]
    assert value_at(history, hour(7)) == 30


def test_a_row_that_is_known_before_it_is_true_has_to_wait() -> None:
    assert value_at([row(4, 1, 40)], hour(3)) is None
    assert value_at([row(4, 1, 40)], hour(4)) == 40


def test_of_two_rows_of_one_event_time_the_latest_made_wins() -> None:
    first, second = row(1, 2, 10), row(1, 3, 11)
    for history in ([first, second], [second, first]):
        assert value_at(history, hour(2)) == 10
        assert value_at(history, hour(3)) == 11


def test_of_two_rows_made_early_the_latest_made_wins_at_the_event() -> None:
    first, second = row(5, 1, 10), row(5, 2, 11)
    for history in ([first, second], [second, first]):
        assert value_at(history, hour(5)) == 11


def test_of_equal_rows_the_last_one_listed_stands() -> None:
    assert value_at([row(1, 1, 10), row(1, 1, 11)], hour(1)) == 11
    assert joined([asked(hour(1))], [row(1, 1, 10)] * 3).height == 1


def test_an_event_at_the_very_moment_is_known() -> None:
    assert value_at([row(3, 3, 30)], hour(3)) == 30
    assert value_at([row(3, 3, 30)], hour(3) - MICROSECOND) is None


def test_the_newest_row_wins_also_where_its_value_is_null() -> None:
    [answer] = joined([asked(hour(3))], [row(1, 1, 10), row(2, 2, None, y="q")]).to_dicts()
    assert (answer["v__x"], answer["v__y"]) == (None, "q")


def test_a_ttl_holds_its_last_microsecond() -> None:
    history, ttl = [row(1, 1, 10)], timedelta(hours=2)
    assert value_at(history, hour(3), ttl=ttl) == 10
    assert value_at(history, hour(3) + MICROSECOND, ttl=ttl) is None


def test_a_ttl_is_counted_from_the_event_not_from_when_it_was_known() -> None:
    history = [row(1, 4, 10)]
    assert value_at(history, hour(4), ttl=timedelta(hours=2)) is None
    assert value_at(history, hour(4), ttl=timedelta(hours=3)) == 10


def test_a_stale_newest_row_is_not_replaced_by_an_older_one() -> None:
    """The newest known event is the answer; if it is too old there is none."""
    assert value_at([row(0, 0, 1), row(1, 6, 10)], hour(7), ttl=timedelta(hours=3)) is None


def test_what_has_always_been_true_is_true_before_1970() -> None:
    history = [{"k": 1, "j": "a", "at": None, "made": None, "x": 7, "y": "p"}]
    long_ago = datetime(1919, 6, 14, tzinfo=UTC)
    assert value_at(history, long_ago, event=None, created=None) == 7


def test_a_null_key_matches_nothing_not_even_another_null() -> None:
    result = joined([asked(hour(3), k=None), asked(hour(3))], [row(1, 1, 10, k=None)])
    assert result["v__x"].to_list() == [None, None]
    log = [{"k": None, "j": "a", "at": hour(1), "late": True}]
    assert counted([asked(hour(2), k=None)], log, timedelta(hours=5))["v__count"].to_list() == [0]


def test_two_entity_columns_have_to_match_both() -> None:
    history = [row(1, 1, 10), {**row(2, 2, 20), "j": "b"}]
    assert value_at(history, hour(3), entity=("k", "j")) == 10


@pytest.mark.parametrize("spine", [[], [asked(hour(3)), asked(hour(1))]], ids=["no spine", "spine"])
@pytest.mark.parametrize("history", [[], [row(1, 1, 10)]], ids=["no rows", "rows"])
def test_empty_frames_join_with_all_columns_and_types(spine: list[Row], history: list[Row]) -> None:
    result = joined(spine, history)
    assert result.schema == {**SPINE, "v__x": pl.Int64, "v__y": pl.String}
    assert result.height == len(spine)
    log = [{"k": r["k"], "j": r["j"], "at": r["at"], "late": True} for r in history]
    windows = counted(spine, log, timedelta(hours=9))
    assert windows.schema == {**SPINE, "v__rate": pl.Float64, "v__count": pl.Int64}
    assert windows["v__count"].to_list() == [len(history)] * len(spine)


def test_a_spine_in_any_order_keeps_it() -> None:
    history = [row(number, number, number) for number in range(8)]
    order = [5, 0, 7, 3, 3, 1]
    result = joined([asked(hour(number)) for number in order], history)
    assert result["v__x"].to_list() == order


def test_a_column_of_the_spine_may_be_called_like_a_feature() -> None:
    """The value joined is the view's, and the spine's own column stays what it was."""
    spine = pl.LazyFrame({"k": [1], "t": [hour(3)], "x": [-1], "at@home": ["kept"]}).cast(
        {"t": TIME}
    )
    rows = known_rows(pl.LazyFrame([row(1, 1, 10)], schema=ROWS), ["k"], "at", "made", ["x"])
    events = event_totals(pl.LazyFrame([row(1, 1, 1)], schema=ROWS), ["k"], "at", ["x"])
    frame = asof_features(in_order(spine, "t"), rows, ["k"], "t", ["x"], None, "v")
    windows = [("rate", "x", "rate", timedelta(hours=5))]
    [answer] = (
        restored(window_features(frame, events, ["k"], "t", windows, "w")).collect().to_dicts()
    )
    assert answer == {
        "k": 1,
        "t": hour(3),
        "x": -1,
        "at@home": "kept",
        "v__x": 10,
        "w__rate": 1.0,
    }


@pytest.mark.parametrize(
    ("at", "inside"),
    [
        (hour(5) - timedelta(hours=3), False),
        (hour(5) - timedelta(hours=3) + MICROSECOND, True),
        (hour(5), True),
        (hour(5) + MICROSECOND, False),
    ],
    ids=["at the start", "just after it", "at the end", "just after that"],
)
def test_a_window_is_open_at_its_start_and_closed_at_its_end(at: datetime, *, inside: bool) -> None:
    log = [{"k": 1, "j": "a", "at": at, "late": True}]
    [answer] = counted([asked(hour(5))], log, timedelta(hours=3)).to_dicts()
    assert answer["v__count"] == int(inside)
    assert answer["v__rate"] == (1.0 if inside else None)


def test_a_window_without_events_counts_zero_and_has_no_rate() -> None:
    [answer] = counted([asked(hour(5))], [], timedelta(hours=3)).to_dicts()
    assert (answer["v__count"], answer["v__rate"]) == (0, None)


def test_an_event_without_an_answer_is_counted_and_not_rated() -> None:
    log = [{"k": 1, "j": "a", "at": hour(1), "late": late} for late in (True, None, False, None)]
    [answer] = counted([asked(hour(2))], log, timedelta(hours=3)).to_dicts()
    assert (answer["v__count"], answer["v__rate"]) == (4, 0.5)


def test_a_nan_among_the_events_stays_in_its_own_row() -> None:
    """In a running total one NaN would be in every later window."""
    log = pl.LazyFrame(
        {"k": [1, 1], "at": [hour(1), hour(6)], "late": [float("nan"), 1.0]},
        schema={"k": pl.Int64, "at": TIME, "late": pl.Float64},
    )
    spine = in_order(pl.LazyFrame([asked(hour(7))], schema_overrides={"t": TIME}), "t")
    windows = [("rate", "late", "rate", timedelta(hours=2))]
    totals = event_totals(log, ["k"], "at", ["late"])
    result = restored(window_features(spine, totals, ["k"], "t", windows, "v")).collect()
    assert result["v__rate"].to_list() == [1.0]


def test_rows_out_of_order_are_never_stored() -> None:
    rows = known_rows(
        pl.LazyFrame([row(1, 1, 1), row(2, 2, 2)], schema=ROWS), ["k"], "at", "made", ["x"]
    ).collect()
    with pytest.raises(FeatureError, match="weather: its rows aren't in order of time"):
        check_order(rows.reverse(), "weather")


def test_a_naive_time_is_refused_not_guessed() -> None:
    naive = pl.LazyFrame({"t": [datetime(2013, 1, 1)]})  # noqa: DTZ001  # this is the mistake
    with pytest.raises(FeatureError, match=r"spine: 't' is Datetime.*expected an aware Datetime"):
        to_utc(naive, "t", "spine")
    with pytest.raises(FeatureError, match="spine: 't' is String"):
        to_utc(pl.LazyFrame({"t": ["2013-01-01"]}), "t", "spine")
    with pytest.raises(FeatureError, match="spine: no column 'when'; there are: t"):
        to_utc(naive, "when", "spine")


@example(zone="America/New_York", unit="ns")
@settings(max_examples=30, deadline=None)
@given(
    zone=st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"]),
    unit=st.sampled_from(["ms", "us", "ns"]),
)
def test_any_zone_and_unit_is_the_same_moment_in_utc(zone: str, unit: Any) -> None:
    # Every half hour of the night in which New York's clocks go forward, and of the day after.
    moments = [hour(number / 2) for number in range(48)]
    frame = pl.LazyFrame({"t": moments}, schema={"t": TIME}).with_columns(
        pl.col("t").dt.convert_time_zone(zone).dt.cast_time_unit(unit)
    )
    result = to_utc(frame, "t", "spine").collect()
    assert result.schema == {"t": TIME}
    assert result["t"].to_list() == moments
    assert all(later - earlier == timedelta(minutes=30) for earlier, later in pairwise(result["t"]))
