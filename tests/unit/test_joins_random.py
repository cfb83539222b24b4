"""Point-in-time joins, against a slow implementation that nobody could get wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.features.join import ask, asof_features, check_order, known_rows

Row = dict[str, Any]

START = datetime(2013, 3, 10, tzinfo=UTC)
TIME = pl.Datetime("us", "UTC")
SPINE = {"k": pl.Int64, "j": pl.String, "t": TIME}
ROWS = {"k": pl.Int64, "j": pl.String, "at": TIME, "made": TIME, "x": pl.Int64, "y": pl.String}
FEATURES = ["x", "y"]

# A handful of keys and moments, so that ties, gaps and late arrivals are the rule; a microsecond
# apart, so that the ends of a TTL are hit and missed.
KEYS = st.sampled_from([1, 2, -3, None])
OTHER_KEYS = st.sampled_from(["a", "b", "", None])
MOMENTS = st.builds(
    lambda hours, off: START + timedelta(hours=hours, microseconds=off),
    st.integers(0, 7),
    st.sampled_from([0, 0, 0, 1, -1]),
)
LENGTHS = st.integers(1, 6).map(lambda hours: timedelta(hours=hours))
SPINES = st.lists(
    st.fixed_dictionaries({"k": KEYS, "j": OTHER_KEYS, "t": MOMENTS | st.none()}), max_size=8
)
HISTORIES = st.lists(
    st.fixed_dictionaries(
        {
            "k": KEYS,
            "j": OTHER_KEYS,
            "at": MOMENTS | st.none(),
            "made": MOMENTS | st.none(),
            "x": st.integers(0, 9) | st.none(),
            "y": st.sampled_from(["p", "q", None]),
        }
    ),
    max_size=14,
)
VIEWS = st.fixed_dictionaries(
    {
        "entity": st.sampled_from([("k",), ("j",), ("k", "j"), ("j", "k")]),
        "event": st.sampled_from(["at", "at", None]),
        "created": st.sampled_from(["made", None]),
        "ttl": LENGTHS | st.none(),
    }
)


def as_known(asked: Row, history: list[Row], view: Row) -> Row | None:
    """Find the row that was known at the moment asked about, by looking at every one of them."""
    best: tuple[Any, ...] | None = None
    answer = None
    for position, row in enumerate(history):
        at = row[view["event"]] if view["event"] else datetime(1, 1, 1, tzinfo=UTC)
        made = row[view["created"]] if view["created"] else at
        if None in (asked["t"], at, made) or not same_entity(asked, row, view["entity"]):
            continue
        if at <= asked["t"] and made <= asked["t"]:
            # The latest event; of those the latest made; of those the one that was listed last.
            rank = (at, made, position)
            if best is None or rank > best:
                best, answer = rank, row
    ttl = view["ttl"] if view["event"] else None  # what has always been true has no age
    if best is None or (ttl is not None and best[0] < asked["t"] - ttl):
        return None
    return answer


def same_entity(asked: Row, row: Row, entity: tuple[str, ...]) -> bool:
    return all(row[key] is not None and row[key] == asked[key] for key in entity)


def stored(history: list[Row], view: Row) -> pl.DataFrame:
    frame = pl.DataFrame(history, schema=ROWS).lazy()
    rows = known_rows(frame, view["entity"], view["event"], view["created"], FEATURES).collect()
    check_order(rows, "rows", view["entity"])
    return rows


def joined(spine: pl.DataFrame, runs: list[pl.DataFrame], view: Row, name: str) -> pl.DataFrame:
    asked = ask(spine, view["entity"], "t")
    ttl = view["ttl"] if view["event"] else None
    found = asof_features(asked, runs, FEATURES, ttl, name)
    return asked.answered(found, found.clear(1), spine.height)


@settings(max_examples=100, deadline=None)
@given(spine=SPINES, history=HISTORIES, views=st.lists(VIEWS, min_size=1, max_size=3))
def test_a_join_gives_what_looking_at_every_row_gives(
    spine: list[Row], history: list[Row], views: list[Row]
) -> None:
    frame = pl.DataFrame(spine, schema=SPINE)
    for view in views:
        result = joined(frame, [stored(history, view)], view, "v")
        expected = [as_known(asked, history, view) for asked in spine]
        assert result["v__x"].to_list() == [row and row["x"] for row in expected]
        assert result["v__y"].to_list() == [row and row["y"] for row in expected]


@settings(max_examples=100, deadline=None)
@given(spine=SPINES, history=HISTORIES, view=VIEWS, cuts=st.lists(st.integers(0, 14), max_size=4))
def test_rows_appended_in_batches_are_known_as_if_they_had_come_at_once(
    spine: list[Row], history: list[Row], view: Row, cuts: list[int]
) -> None:
    frame = pl.DataFrame(spine, schema=SPINE)
    edges = [0, *sorted(cuts), len(history)]
    runs = [stored(history[low:high], view) for low, high in pairwise(edges)]
    whole = stored(history, view)
    at_once = joined(frame, [whole], view, "v")
    assert joined(frame, runs, view, "v").equals(at_once)
    # Put together they are the same table, too: known(known(A) + B) is known(A + B).
    created = "__created" if view["created"] else None
    together = known_rows(pl.concat(runs).lazy(), view["entity"], "__event", created, FEATURES)
    assert together.select(whole.columns).collect().equals(whole)


@settings(max_examples=50, deadline=None)
@given(spine=SPINES, history=HISTORIES, view=VIEWS, cut=st.integers(0, 6))
def test_entities_asked_about_in_ranges_are_answered_as_all_at_once(
    spine: list[Row], history: list[Row], view: Row, cut: int
) -> None:
    frame, rows = pl.DataFrame(spine, schema=SPINE), stored(history, view)
    asked = ask(frame, view["entity"], "t")
    middle = min(cut, asked.entities.height)
    parts = [asked.between(0, middle), asked.between(middle, asked.entities.height)]
    answers = pl.concat(asof_features(p, [rows], FEATURES, view["ttl"], "v") for p in parts)
    assert answers.equals(asof_features(asked, [rows], FEATURES, view["ttl"], "v"))


@settings(max_examples=50, deadline=None)
@given(spine=SPINES, history=HISTORIES, view=VIEWS)
def test_entities_that_do_not_fit_into_one_search_are_found_in_several(
    spine: list[Row], history: list[Row], view: Row
) -> None:
    """Two moments thousands of years apart leave an integer room for a few entities only."""
    far = [{"k": 1, "j": "a", "t": datetime(year, 1, 1, tzinfo=UTC)} for year in (1, 9999)]
    moments = pl.DataFrame([*spine, *far], schema=SPINE)
    many = [{**row, "k": number} for number in range(-70, 70) for row in history[:2]]
    rows = stored([*many, *history], view)
    result = joined(moments, [rows], view, "v")
    expected = [as_known(asked, [*many, *history], view) for asked in [*spine, *far]]
    assert result["v__x"].to_list() == [row and row["x"] for row in expected]
