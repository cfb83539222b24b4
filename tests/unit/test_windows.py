"""Aggregates over past windows, against a slow implementation that nobody could get wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.errors import NotFoundError
from workbench.features import Count, Distinct, FeatureView, Last, Mean, Rate, Sum, feature_view
from workbench.features.definitions import Aggregate
from workbench.features.join.windows import event_rows, window_features

Row = dict[str, Any]

START = datetime(2013, 3, 10, tzinfo=UTC)
TIME = pl.Datetime("us", "UTC")
MICROSECOND = timedelta(microseconds=1)
SPINE: dict[str, Any] = {"row": pl.Int64, "k": pl.Int64, "j": pl.String, "t": TIME}
EVENTS: dict[str, Any] = {
    "k": pl.Int64,
    "j": pl.String,
    "at": TIME,
    "made": TIME,
    "n": pl.Int64,
    "x": pl.Float64,
    "yes": pl.Boolean,
    "word": pl.String,
}


def hour(number: float) -> datetime:
    return START + timedelta(hours=number)


# A handful of keys and hours, so that ties, gaps, edges and late arrivals are the rule.
KEYS = st.sampled_from([1, 2, None])
OTHER_KEYS = st.sampled_from(["a", "b", None])
MAYBE_HOURS = st.integers(0, 7).map(hour) | st.none()
SPINES = st.lists(st.fixed_dictionaries({"k": KEYS, "j": OTHER_KEYS, "t": MAYBE_HOURS}), max_size=8)
FLOATS = st.sampled_from([0.1, 0.2, -0.3, 1e12, -1e12, 1e-9, 0.0, -0.0, math.nan, math.inf, None])
LOGS = st.lists(
    st.fixed_dictionaries(
        {
            "k": KEYS,
            "j": OTHER_KEYS,
            "at": MAYBE_HOURS,
            "made": MAYBE_HOURS,
            "n": st.sampled_from([0, 1, 2, -5, 2**53 + 1, None]),
            "x": FLOATS,
            "yes": st.sampled_from([True, False, None]),
            "word": st.sampled_from(["p", "q", "r", None]),
        }
    ),
    max_size=16,
)
OVERS = st.integers(1, 6).map(lambda hours: f"{hours}h")


def windows(over: str) -> list[Aggregate]:
    return [
        Count(over),
        *(Sum(column, over) for column in ("n", "x", "yes")),
        *(Mean(column, over) for column in ("n", "x")),
        Rate("yes", over),
        *(Distinct(column, over) for column in ("n", "x", "yes", "word")),
        *(Last(column, over) for column in ("n", "x", "yes", "word")),
    ]


def view_of(
    aggregates: Sequence[Aggregate], entity: Sequence[str] = ("k",), created: str | None = "made"
) -> FeatureView:
    def v(log: pl.LazyFrame) -> pl.LazyFrame:
        """Events."""
        return log

    declare = feature_view(
        entity=entity, owner="us", event_time="at", created=created, aggregates=aggregates
    )
    return declare(v)


def joined(spine: list[Row], log: list[Row], view: FeatureView) -> pl.DataFrame:
    """Aggregate as the library does."""
    asked = pl.DataFrame([{"row": number, **row} for number, row in enumerate(spine)], schema=SPINE)
    rows = event_rows(pl.LazyFrame(log, schema=EVENTS), view).collect()
    assert rows["__available"].is_sorted()
    names = [aggregate.name for aggregate in view.aggregates]
    return window_features(asked.lazy(), rows.lazy(), view, names, "t").collect()


def within(asked: Row, log: list[Row], view: FeatureView, over: timedelta) -> Iterator[Row]:
    """Find the events of a window by looking at every one of them, the newest last."""

    def age(row: Row) -> Any:
        return (row["at"], row[view.created] if view.created else None)

    known = [
        row
        for row in log
        if all(row[key] is not None and row[key] == asked[key] for key in view.entity)
        and None not in (asked["t"], row["at"], row[view.created or "at"])
    ]
    for row in sorted(known, key=age):
        made = row[view.created] if view.created else row["at"]
        if asked["t"] - over < row["at"] <= asked["t"] and made <= asked["t"]:
            yield row


def expected(aggregate: Aggregate, rows: list[Row]) -> Any:
    if aggregate.kind == "count":
        return len(rows)
    values = [row[str(aggregate.column)] for row in rows]
    if aggregate.kind == "last":
        return values[-1] if values else None
    values = (
        [v for v in values if v is not None and math.isfinite(v)]
        if not any(isinstance(v, str) for v in values)
        else [v for v in values if v is not None]
    )
    if aggregate.kind == "distinct":
        return len(set(values))
    total = math.fsum(values) if aggregate.column == "x" else sum(values)
    if aggregate.kind == "sum":
        return total
    return total / len(values) if values else None


def same(found: Any, right: Any) -> bool:
    both_nan = isinstance(found, float) and isinstance(right, float) and math.isnan(found + right)
    return both_nan or (found == right and (found is None) == (right is None))


@settings(max_examples=100, deadline=None)
@given(
    spine=SPINES,
    log=LOGS,
    entity=st.sampled_from([("k",), ("k", "j")]),
    created=st.sampled_from(["made", None]),
    overs=st.lists(OVERS, min_size=1, max_size=3, unique=True),
)
def test_a_window_gives_what_looking_at_every_event_gives(
    spine: list[Row], log: list[Row], entity: tuple[str, ...], created: str | None, overs: list[str]
) -> None:
    view = view_of([a for over in overs for a in windows(over)], entity, created)
    result = joined(spine, log, view)
    assert result.select("row", "k", "j", "t").rows() == [
        (number, r["k"], r["j"], r["t"]) for number, r in enumerate(spine)
    ]
    for asked, row in zip(spine, result.to_dicts(), strict=True):
        for aggregate in view.aggregates:
            events = list(within(asked, log, view, aggregate.length))
            right = expected(aggregate, events)
            assert same(row[f"v__{aggregate.name}"], right), (aggregate, asked, row, right)


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from("pq")), max_size=12
    ),
    over=OVERS,
)
def test_different_values_are_counted_whatever_the_order_in_which_they_became_known(
    words: list[tuple[int, int, str]], over: str
) -> None:
    """One value again and again, known early and late, inside of each other and apart."""
    log = [event(at, made, word=word) for at, made, word in words]
    view = view_of([Distinct("word", over)])
    spine = [asked(hour(number / 2)) for number in range(40)]
    found = joined(spine, log, view)[f"v__word_distinct_{over}"].to_list()
    assert found == [
        len({row["word"] for row in within(moment, log, view, view.aggregates[0].length)})
        for moment in spine
    ]


@settings(max_examples=40, deadline=None)
@given(first=LOGS, second=LOGS, spine=SPINES, created=st.sampled_from(["made", None]))
def test_events_stored_in_two_goes_are_those_stored_in_one(
    first: list[Row], second: list[Row], spine: list[Row], created: str | None
) -> None:
    """But for the order of equal events, which is the order in which they came."""
    view = view_of([a for a in windows("3h") if a.kind != "last"], created=created)
    parts = [event_rows(pl.LazyFrame(log, schema=EVENTS), view) for log in (first, second)]
    asked = pl.LazyFrame([{"row": n, **r} for n, r in enumerate(spine)], schema=SPINE)
    names = list(view.features)
    result = window_features(asked, pl.concat(parts), view, names, "t").collect()
    assert result.equals(joined(spine, first + second, view), null_equal=True)


def event(at: float, made: float | None = None, k: int | None = 1, **values: Any) -> Row:
    row = {"k": k, "j": "a", "at": hour(at), "made": hour(at if made is None else made)}
    return {**row, "n": None, "x": None, "yes": None, "word": None, **values}


def asked(at: datetime, k: int | None = 1) -> Row:
    return {"k": k, "j": "a", "t": at}


def value_at(log: list[Row], at: datetime, aggregate: Aggregate) -> Any:
    view = view_of([aggregate])
    return joined([asked(at)], log, view)[f"v__{aggregate.name}"].item()


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
    log = [{**event(0, word="p", yes=True, n=4), "at": at, "made": at}]
    for aggregate, value, none in (
        (Count("3h"), 1, 0),
        (Sum("n", "3h"), 4, 0),
        (Mean("n", "3h"), 4.0, None),
        (Rate("yes", "3h"), 1.0, None),
        (Distinct("word", "3h"), 1, 0),
        (Last("n", "3h"), 4, None),
    ):
        assert value_at(log, hour(5), aggregate) == (value if inside else none)


def test_an_event_counts_from_when_it_is_known_until_it_is_too_old() -> None:
    late = [event(1, made=3)]
    counts = [value_at(late, hour(h), Count("4h")) for h in (2, 3, 4.999, 5)]
    assert counts == [0, 1, 1, 0]


def test_an_event_that_is_known_too_late_never_counts() -> None:
    for made in (5, 6):  # as the window ends, and after it
        late = [event(1, made=made, n=7, word="p")]
        for number in (4.999, 5, 6, 7):
            assert value_at(late, hour(number), Count("4h")) == 0
            assert value_at(late, hour(number), Distinct("word", "4h")) == 0
            assert value_at(late, hour(number), Last("n", "4h")) is None


def test_the_newest_event_is_the_answer_also_where_an_older_one_became_known_later() -> None:
    log = [event(3, made=3, n=30), event(1, made=6, n=10)]
    assert value_at(log, hour(7), Last("n", "9h")) == 30
    assert value_at([event(3, n=None), event(2, n=2)], hour(4), Last("n", "9h")) is None


def test_of_events_at_one_time_the_latest_created_is_the_newest() -> None:
    first, second = event(1, made=2, n=10), event(1, made=3, n=11)
    for log in ([first, second], [second, first]):
        assert value_at(log, hour(2), Last("n", "9h")) == 10
        assert value_at(log, hour(3), Last("n", "9h")) == 11


def test_a_large_value_of_the_past_takes_nothing_from_what_is_small_now() -> None:
    """A difference of running totals in floats would be 0, or off by the large value's digits."""
    log = [event(0, x=1e16), event(6, x=1.0), event(7, x=0.1)]
    assert value_at(log, hour(7), Sum("x", "2h")) == 1.1
    assert value_at(log, hour(7), Mean("x", "2h")) == 0.55
    log[0]["x"] = 1e300  # so far apart that the small ones have no digits left, and no more
    assert value_at(log, hour(7), Sum("x", "2h")) == 0.0
    assert value_at(log, hour(7), Sum("x", "9h")) == 1e300


def test_whole_numbers_add_up_exactly_also_where_running_totals_overflow() -> None:
    largest = 2**63 - 1
    log = [event(0, n=largest), event(1, n=largest), event(6, n=largest - 1), event(6, n=1)]
    assert value_at(log, hour(7), Sum("n", "2h")) == largest
    assert value_at(log, hour(7), Sum("n", "2h")) != float(largest)


@settings(max_examples=60, deadline=None)
@example(values=[0.1] * 10)
@given(values=st.lists(st.floats(-1e9, 1e9, allow_subnormal=False), max_size=20))
def test_floats_are_added_without_error_and_rounded_once(values: list[float]) -> None:
    log = [event(number / 10, x=value) for number, value in enumerate(values)]
    quantum = max([abs(value) for value in values], default=0.0) * 2.0**-90
    right = math.fsum(values)
    assert value_at(log, hour(5), Sum("x", "9h")) == pytest.approx(right, rel=2**-52, abs=quantum)


def test_no_event_counts_zero_and_has_no_mean() -> None:
    found = {a.name: value_at([], hour(5), a) for a in windows("3h")}
    assert found == {
        a.name: 0 if a.kind in ("count", "sum", "distinct") else None for a in windows("3h")
    }


def test_null_nan_and_infinity_are_counted_and_not_added() -> None:
    log = [event(1, x=x) for x in (None, math.nan, math.inf, -math.inf, 2.0, 4.0)]
    names = (Count("3h"), Sum("x", "3h"), Mean("x", "3h"), Distinct("x", "3h"))
    assert [value_at(log, hour(2), a) for a in names] == [6, 6.0, 3.0, 2]


def test_a_null_key_matches_nothing_not_even_another_null() -> None:
    view = view_of([Count("9h"), Distinct("n", "9h"), Last("n", "9h")])
    [row] = joined([asked(hour(2), k=None)], [event(1, k=None, n=1)], view).to_dicts()
    assert [row[f"v__{name}"] for name in view.features] == [0, 0, None]


@pytest.mark.parametrize("spine", [[], [asked(hour(3)), asked(hour(1))]], ids=["no spine", "spine"])
@pytest.mark.parametrize("log", [[], [event(0)]], ids=["no events", "events"])
def test_types_are_the_same_with_rows_and_without(spine: list[Row], log: list[Row]) -> None:
    result = joined(spine, log, view_of(windows("3h")))
    whole = ("count", "n_sum", "yes_sum", "distinct")
    types: dict[str, Any] = {f"v__{a.name}": pl.Float64 for a in windows("3h")}
    for name in types:
        if any(part in name for part in whole):
            types[name] = pl.Int64
        elif "last" in name:
            types[name] = EVENTS[name.split("_")[2]]
    assert result.schema == {**SPINE, **types}
    assert result.height == len(spine)


def test_only_the_named_features_come_and_in_their_order() -> None:
    view = view_of(windows("3h"))
    rows = event_rows(pl.LazyFrame([event(0, n=1)], schema=EVENTS), view)
    spine = pl.LazyFrame([{"k": 1, "t": hour(1), "events": "mine"}])
    frame = window_features(spine, rows, view, ["n_last_3h", "count_3h"], "t").collect()
    assert frame.to_dicts() == [
        {"k": 1, "t": hour(1), "events": "mine", "v__n_last_3h": 1, "v__count_3h": 1}
    ]
    with pytest.raises(NotFoundError, match="unknown feature 'count_3d' of view v: did you mean"):
        window_features(spine, rows, view, ["count_3d"], "t")


def test_what_is_stored_of_an_event_is_what_the_windows_need() -> None:
    log = pl.LazyFrame([event(1, made=2, n=5), event(0), event(3, k=None)], schema=EVENTS)
    rows = event_rows(log, view_of([Sum("n", "1h"), Last("n", "2h")])).collect()
    assert rows.columns == ["k", "__event", "__available", "__created", "n"]
    assert rows["__available"].to_list() == [hour(0), hour(2)]
    plain = event_rows(log, view_of([Distinct("k", "1h")], created=None)).collect()
    assert plain.columns == ["k", "__event", "__available"]
