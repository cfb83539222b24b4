"""Statistics of features: the numbers of each window, and the windows themselves."""

from __future__ import annotations

import json
import math
import statistics as standard
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.conftest import call_cli
from workbench import Project
from workbench.errors import NotFoundError
from workbench.features import Count, FeatureView, Mean, apply, feature_view, load_definitions
from workbench.features import statistics as module
from workbench.features.statistics import (
    FeatureStatistics,
    compute_statistics,
    sparkline,
    statistics,
    store_statistics,
    summary,
)

TIME = pl.Datetime("us", "UTC")


def day(number: float) -> datetime:
    return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=number)


def view_of(features: Sequence[str], **changes: Any) -> FeatureView:
    def v(source: pl.LazyFrame) -> pl.LazyFrame:
        """Rows."""
        return source

    how = {"features": dict.fromkeys(features, "a value") or None, "event_time": "at", **changes}
    return feature_view(entity="k", owner="us", **how)(v)


def rows(moments: list[datetime], **columns: Any) -> pl.LazyFrame:
    return pl.LazyFrame({"k": [1] * len(moments), "__event": moments, **columns}).cast(
        {"__event": TIME}
    )


def computed(view: FeatureView, frame: pl.LazyFrame) -> list[FeatureStatistics]:
    found = compute_statistics(view, frame)
    json.dumps([window.statistics for window in found], allow_nan=False)  # it has to be storable
    return found


def test_numbers_are_described_in_each_day_of_a_short_table() -> None:
    values = [1.0, 2.0, None, 4.0, math.nan, math.inf, 7.0]
    moments = [day(0), day(0.5), day(0.9999), day(1), day(1), day(1), day(59)]
    found = computed(view_of(["x"]), rows(moments, x=values))
    assert [(w.window_start, w.window_end, w.rows) for w in found] == [
        (day(0), day(1), 3),
        (day(1), day(2), 3),
        (day(59), day(60), 1),
    ]
    first, second, last = (window.statistics for window in found)
    assert (first["nulls"], first["not_finite"]) == (1, 0)
    assert (first["min"], first["max"], first["mean"]) == (1.0, 2.0, 1.5)
    assert first["std"] == pytest.approx(standard.stdev([1.0, 2.0]))
    assert first["quantiles"]["0.5"] == 1.5
    assert (second["not_finite"], second["mean"], second["max"]) == (2, 4.0, 4.0)
    assert (last["mean"], last["std"]) == (7.0, None)
    assert "sampled" not in first


def test_the_windows_of_a_long_table_are_months() -> None:
    moments = [day(0), day(30.9), day(31), day(60), day(366)]
    found = computed(view_of(["n"]), rows(moments, n=[1, 2, 3, 4, 5]))
    assert [(w.window_start.date(), w.window_end.date(), w.rows) for w in found] == [
        (date(2024, 1, 1), date(2024, 2, 1), 2),
        (date(2024, 2, 1), date(2024, 3, 1), 1),
        (date(2024, 3, 1), date(2024, 4, 1), 1),
        (date(2025, 1, 1), date(2025, 2, 1), 1),
    ]
    december = computed(view_of(["n"]), rows([day(-1), day(90)], n=[1, 2]))[0]
    assert december.window_end == day(0)


def test_what_has_always_been_true_has_one_window() -> None:
    always = datetime(1, 1, 1, tzinfo=UTC)
    [window] = computed(view_of(["n"], event_time=None), rows([always] * 3, n=[1, 2, 2]))
    assert (window.window_start, window.window_end.year, window.rows) == (always, 9999, 3)
    assert (window.statistics["distinct"], window.statistics["top"]) == (2, [[2, 2], [1, 1]])


def test_each_type_has_the_numbers_that_make_sense_of_it() -> None:
    frame = rows(
        [day(0)] * 3,
        yes=[True, False, None],
        word=["a" * 200, "b", "b"],
        on=[date(2024, 1, 1), None, date(2024, 2, 1)],
        many=[[1], [2], None],
        none=pl.Series([None, None, None], dtype=pl.Float64),
        kind=pl.Series(["p", "q", "p"], dtype=pl.Categorical),
    )
    found = {
        w.feature: w.statistics
        for w in computed(view_of(["yes", "word", "on", "many", "none", "kind"]), frame)
    }
    assert found["yes"] == {
        "nulls": 1,
        "mean": 0.5,
        "distinct": 2,
        "top": [[False, 1], [True, 1]],
    }
    assert found["word"]["top"] == [["b", 2], ["a" * 100, 1]]
    assert (found["on"]["min"], found["on"]["max"]) == ("2024-01-01", "2024-02-01")
    assert found["many"] == {"nulls": 1}
    assert (found["none"]["nulls"], found["none"]["mean"]) == (3, None)
    assert "histogram" not in found["none"]
    assert found["kind"]["top"] == [["p", 2], ["q", 1]]


def test_a_histogram_counts_every_number_once() -> None:
    values = [float(number) for number in range(1000)] + [1e9, -1e9]
    [window] = computed(view_of(["x"]), rows([day(0)] * 1002, x=values))
    histogram = window.statistics["histogram"]
    edges, counts = histogram["edges"], histogram["counts"]
    assert (len(edges), len(counts), sum(counts)) == (21, 22, 1002)
    for index, count in enumerate(counts):
        low = edges[index - 1] if index else -math.inf
        high = edges[index] if index < len(edges) else math.inf
        inside = [v for v in values if low <= v < high or (v == high == edges[-1])]
        if index == len(counts) - 1:
            inside = [v for v in values if v > edges[-1]]
        assert abs(count - len(inside)) <= 1  # a number at an edge may be on either side of it


def test_one_value_only_is_a_histogram_too() -> None:
    [window] = computed(view_of(["x"]), rows([day(0)] * 3, x=[5.0] * 3))
    assert sum(window.statistics["histogram"]["counts"]) == 3


def test_a_large_table_is_sampled_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SAMPLE", 100)
    frame = rows([day(n % 2) for n in range(250)], n=list(range(250)))
    for window in computed(view_of(["n"]), frame):
        assert window.statistics["sampled"] == 3
        assert (window.rows, window.statistics["min"] < 2) == (125, True)  # of all of them


def test_no_rows_have_no_statistics() -> None:
    assert compute_statistics(view_of(["x"]), rows([], x=pl.Series([], dtype=pl.Float64))) == []


def events(moments: list[datetime], x: list[float], keys: list[int] | None = None) -> pl.LazyFrame:
    frame = rows(moments, x=x).with_columns(__available=pl.col("__event"))
    return frame.with_columns(k=pl.Series(keys)) if keys else frame


def test_an_aggregate_is_described_as_it_was_at_the_events() -> None:
    view = view_of([], aggregates=[Count("1d"), Mean("x", "2d")])
    frame = events([day(0), day(0.5), day(3)], [1.0, 3.0, 8.0])
    found = {(w.feature, w.window_start): w for w in computed(view, frame)}
    assert found["count_1d", day(0)].statistics["top"] == [[1, 1], [2, 1]]
    assert found["x_mean_2d", day(0)].statistics["max"] == 2.0
    assert found["x_mean_2d", day(3)].statistics["mean"] == 8.0


def test_of_many_events_whole_entities_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SAMPLE", 500)
    view = view_of([], aggregates=[Count("90d")])
    keys = [number // 10 for number in range(2000)]
    frame = events([day(number / 100) for number in range(2000)], [1.0] * 2000, keys)
    found = computed(view, frame)
    assert max(window.statistics["max"] for window in found) == 10


# Stored and read

FILE = '''
import polars as pl

from workbench.features import *


@feature_view(entity="k", event_time="at", owner="us", features={"x": "a number"})
def v(source):
    """Rows."""
    return source
'''


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "v.py").write_text(FILE)
    (tmp_path / "workbench.toml").write_text('name = "x"\n')
    return Project.find(tmp_path)


def stored(project: Project, frame: pl.LazyFrame) -> None:
    view = load_definitions(project).view("v")
    assert isinstance(view, FeatureView)
    store_statistics(project, view, frame)


def test_storing_again_replaces_and_keeps_the_bins(project: Project) -> None:
    apply(project)
    stored(project, rows([day(0), day(0), day(1)], x=[0.0, 10.0, 5.0]))
    first = statistics(project, "v:x")
    stored(project, rows([day(0), day(2)], x=[0.0, 1000.0]))
    second = statistics(project, "v:x")
    assert [window.window_start for window in second] == [day(0), day(2)]
    edges = [w.statistics["histogram"]["edges"] for w in (*first, *second)]
    assert all(edge == edges[0] for edge in edges)
    assert second[1].statistics["histogram"]["counts"][-1] == 1  # beyond the last edge


def test_a_changed_definition_has_statistics_of_its_own(project: Project) -> None:
    apply(project)
    stored(project, rows([day(0)], x=[1.0]))
    file = project.root / "features" / "v.py"
    file.write_text(FILE.replace("a number", "another number"))
    apply(project)
    # Of the new definition nothing is known yet: what there is of the old one is shown.
    assert statistics(project, "v:x")[0].rows == 1
    stored(project, rows([day(0), day(0)], x=[1.0, 5.0]))
    assert statistics(project, "v:x")[0].rows == 2
    file.write_text(FILE)
    apply(project)
    assert statistics(project, "v:x")[0].rows == 1


def test_a_summary_puts_the_windows_together(project: Project) -> None:
    apply(project)
    assert summary(project, "v:x") is None
    stored(project, rows([day(0), day(0), day(1), day(5)], x=[1.0, 3.0, 8.0, None]))
    found = summary(project, "v:x")
    assert found is not None
    assert (found.rows, found.nulls, found.mean, found.min, found.max) == (4, 0.25, 4.0, 1.0, 8.0)
    assert found.points == [2.0, 8.0, None]
    assert sum(found.histogram) == 3


def test_an_unknown_feature_is_answered_with_what_exists(project: Project) -> None:
    apply(project)
    for name in ("v:y", "w:x", "v"):
        with pytest.raises(NotFoundError, match=f"unknown feature '{name}': .*v:x"):
            statistics(project, name)


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([], ""),
        ([None], ""),
        ([1, 1], "▁▁"),
        ([1, 2, None, 8], "▁▂ █"),
        ([-3.0, 4.0], "▁█"),
    ],
)
def test_a_sparkline_is_a_line_of_bars(values: list[float | None], drawn: str) -> None:
    assert sparkline(values) == drawn


def test_the_command_draws_them(project: Project) -> None:
    apply(project)
    empty = call_cli("features", "stats", "v:x", folder=project.root)
    assert "no statistics of v:x yet" in empty.stdout
    stored(project, rows([day(0), day(1)], x=[1.0, 3.0]))
    done = call_cli("features", "stats", "v:x", folder=project.root)
    assert done.returncode == 0, done.stderr
    assert "v:x  ▁█  2 rows" in done.stdout
    as_json = call_cli("features", "stats", "v:x", "--json", folder=project.root)
    assert [window["rows"] for window in json.loads(as_json.stdout)] == [1, 1]
