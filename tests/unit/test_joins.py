"""Point-in-time joins, rule by rule."""

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
    ask,
    asof_features,
    check_order,
    in_order,
    known_rows,
    latest,
    restored,
    to_utc,
)

Row = dict[str, Any]

START = datetime(2013, 3, 10, tzinfo=UTC)
TIME = pl.Datetime("us", "UTC")
MICROSECOND = timedelta(microseconds=1)
SPINE = {"k": pl.Int64, "j": pl.String, "t": TIME}
ROWS = {"k": pl.Int64, "j": pl.String, "at": TIME, "made": TIME, "x": pl.Int64, "y": pl.String}


def hour(number: float) -> datetime:
    return START + timedelta(hours=number)


def joined(
    spine: list[Row],
    history: list[Row],
    entity: tuple[str, ...] = ("k",),
    event: str | None = "at",
    created: str | None = "made",
    ttl: timedelta | None = None,
) -> pl.DataFrame:
    """Join as the library does."""
    frame = pl.DataFrame(spine, schema=SPINE)
    rows = known_rows(
        pl.DataFrame(history, schema=ROWS).lazy(), entity, event, created, ["x", "y"]
    ).collect()
    check_order(rows, "rows", entity)
    asked = ask(frame, entity, "t")
    answers = asof_features(asked, [rows], ["x", "y"], ttl, "v")
    return frame.hstack(asked.answered(answers, answers.clear(1), frame.height))


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


def test_two_entity_columns_have_to_match_both() -> None:
    history = [row(1, 1, 10), {**row(2, 2, 20), "j": "b"}]
    assert value_at(history, hour(3), entity=("k", "j")) == 10
    assert value_at(history, hour(3), entity=("j", "k")) == 10


@pytest.mark.parametrize("spine", [[], [asked(hour(3)), asked(hour(1))]], ids=["no spine", "spine"])
@pytest.mark.parametrize("history", [[], [row(1, 1, 10)]], ids=["no rows", "rows"])
def test_empty_frames_join_with_all_columns_and_types(spine: list[Row], history: list[Row]) -> None:
    result = joined(spine, history)
    assert result.schema == {**SPINE, "v__x": pl.Int64, "v__y": pl.String}
    assert result.height == len(spine)


def test_a_spine_in_any_order_keeps_it() -> None:
    history = [row(number, number, number) for number in range(8)]
    order = [5, 0, 7, 3, 3, 1]
    result = joined([asked(hour(number)) for number in order], history)
    assert result["v__x"].to_list() == order


def test_rows_out_of_order_are_never_stored() -> None:
    history = [row(1, 1, 1), row(2, 2, 2), row(1, 1, 3, k=2)]
    frame = pl.LazyFrame(history, schema=ROWS)
    rows = known_rows(frame, ["k"], "at", "made", ["x"]).collect()
    check_order(rows, "weather", ["k"])
    for wrong in (rows.reverse(), rows[[0, 2, 1]]):
        with pytest.raises(FeatureError, match="weather: its rows aren't in order of entity and"):
            check_order(wrong, "weather", ["k"])


def test_a_feature_may_be_the_entity_itself() -> None:
    rows = known_rows(pl.LazyFrame([row(1, 1, 10)], schema=ROWS), ["k"], "at", None, ["k", "x"])
    questions = ask(pl.DataFrame([asked(hour(2))], schema=SPINE), ["k"], "t")
    answers = asof_features(questions, [rows.collect()], ["k", "x"], None, "v")
    assert answers.to_dicts() == [{"v__k": 1, "v__x": 10}]


def test_the_latest_row_of_a_table_is_joined_in_an_order_that_can_be_undone() -> None:
    spine = pl.LazyFrame([asked(hour(2)), asked(hour(1)), asked(hour(0))], schema=SPINE)
    history = pl.LazyFrame([row(1, 1, 10), row(2, 2, 20)], schema=ROWS)
    rows = known_rows(history, ["k"], "at", None, ["x"])
    assert restored(latest(in_order(spine, "t"), rows, ["k"], "t")).collect()["x"].to_list() == [
        20,
        10,
        None,
    ]


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
