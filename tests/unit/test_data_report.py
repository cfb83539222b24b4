"""The column report: its figures are those of polars and SciPy, and its page needs nothing else."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from workbench.data import report
from workbench.data.report import ColumnSummary
from workbench.data.report.summaries import kind_of
from workbench.errors import NotFoundError, UsageError

RANDOM = np.random.default_rng(7)
N = 3_000
FRAME = pl.DataFrame(
    {
        "x": RANDOM.normal(size=N),
        "count": RANDOM.integers(0, 6, N),
        "carrier": RANDOM.choice(["AA", "UA", "<b>DL</b>"], N, p=[0.6, 0.3, 0.1]),
        "late": RANDOM.random(N) < 0.2,
        "day": [date(2013, 1, 1) + timedelta(int(n)) for n in RANDOM.integers(0, 365, N)],
        "name": [f"flight {n}" for n in range(N)],
    }
).with_columns(
    y=pl.col("x") * 2 + pl.Series(RANDOM.normal(size=N)),
    gap=pl.when(pl.col("x") > 0).then(pl.col("x")),
)


def column(frame: pl.DataFrame, name: str, **options: Any) -> ColumnSummary:
    return next(found for found in report(frame, **options).columns if found.name == name)


def test_the_figures_are_polars_own() -> None:
    found = column(FRAME, "gap")
    gap = FRAME["gap"].drop_nulls()
    assert found.missing == FRAME["gap"].null_count()
    assert (found.distinct, found.distinct_exact) == (gap.n_unique(), True)
    assert found.numbers is not None
    assert found.numbers.mean == pytest.approx(gap.mean())
    assert found.numbers.std == pytest.approx(gap.std())
    assert (found.numbers.min, found.numbers.max) == (gap.min(), gap.max())
    for share, value in ((0.25, found.numbers.q25), (0.75, found.numbers.q75)):
        assert value == pytest.approx(gap.quantile(share, "linear"))
    reach = 1.5 * (found.numbers.q75 - found.numbers.q25)  # type: ignore[operator]
    outside = (gap < found.numbers.q25 - reach) | (gap > found.numbers.q75 + reach)
    assert found.numbers.outliers == outside.sum() > 0


def test_bars_hold_every_known_row_where_numpy_puts_it() -> None:
    found = column(FRAME, "x").bars
    assert found is not None
    counts, edges = np.histogram(FRAME["x"], bins=24)
    assert found.counts == counts.tolist()
    assert found.edges == pytest.approx(edges.tolist())
    few = column(FRAME, "count").bars
    assert few is not None
    assert few.counts == [FRAME.filter(pl.col("count") == number).height for number in range(6)]
    assert few.edges == [place - 0.5 for place in range(7)]
    month = column(pl.DataFrame({"a": [*range(1, 32)] * 2}), "a").bars
    assert month is not None
    assert month.counts == [4] * 15 + [2]  # two days a bar, and the odd one out
    day = column(FRAME, "day")
    assert day.bars is not None
    assert sum(day.bars.counts) == N
    assert (day.first, day.last) == (str(FRAME["day"].min()), str(FRAME["day"].max()))


def test_a_long_tail_is_cut_and_said() -> None:
    frame = pl.DataFrame({"a": [*np.linspace(0, 1, 999), 1e6]})
    found = column(frame, "a")
    assert found.bars is not None
    assert found.bars.clipped
    assert sum(found.bars.counts) == 1000
    assert max(found.bars.edges) <= 1
    assert "also holds what lies beyond" in report(frame)._repr_html_()


def test_words_are_counted_most_frequent_first() -> None:
    found = column(FRAME, "carrier").bars
    assert found is not None
    assert found.labels == ["AA", "UA", "<b>DL</b>"]
    assert found.counts == [FRAME.filter(carrier=word).height for word in found.labels]
    flags = column(FRAME, "late").bars
    assert flags is not None
    assert flags.labels == ["false", "true"]
    names = column(FRAME, "name").bars
    assert names is not None
    assert names.counts == []  # none is there twice


# How columns go together


def test_correlations_are_spearmans() -> None:
    found = report(FRAME)
    values = {(pair.one, pair.other): pair.value for pair in found.correlations}
    assert (found.correlations[0].one, found.correlations[0].other) == ("x", "gap")
    truth = stats.spearmanr(FRAME["x"], FRAME["y"]).statistic
    assert values[("x", "y")] == pytest.approx(truth, abs=1e-12)
    truth = stats.spearmanr(FRAME["x"], FRAME["count"]).statistic
    assert values[("x", "count")] == pytest.approx(truth, abs=1e-12)


def test_a_target_of_classes() -> None:
    frame = FRAME.with_columns(late=pl.col("x") + pl.Series(RANDOM.normal(size=N)) > 1)
    found = {item.column: item for item in report(frame, target="late").associations}
    assert next(iter(found)) == "x"
    assert found["x"].measure == "correlation ratio"
    x, late = frame["x"].to_numpy(), frame["late"].to_numpy()
    between = sum(
        (late == flag).sum() * (x[late == flag].mean() - x.mean()) ** 2 for flag in (True, False)
    )
    eta2 = between / ((x - x.mean()) ** 2).sum()
    assert found["x"].value == pytest.approx(math.sqrt(1 - (1 - eta2) * (N - 1) / (N - 2)))
    assert found["carrier"].measure == "Cramér's V"
    assert found["carrier"].value < 0.06
    assert "name" not in found  # it has a class for each row
    assert "late" not in found


def test_cramers_v_is_corrected_as_bergsma_does() -> None:
    one = RANDOM.choice(list("abcd"), N)
    other = np.where(RANDOM.random(N) < 0.5, one, RANDOM.choice(list("abc"), N))
    frame = pl.DataFrame({"one": one, "other": other})
    [found] = report(frame, target="other").associations
    table = stats.contingency.crosstab(one, other).count
    phi2 = stats.chi2_contingency(table, correction=False).statistic / N
    r, k = table.shape
    phi2 = max(0, phi2 - (k - 1) * (r - 1) / (N - 1))
    least = min(k - (k - 1) ** 2 / (N - 1), r - (r - 1) ** 2 / (N - 1)) - 1
    assert found.value == pytest.approx(math.sqrt(phi2 / least))
    same = pl.DataFrame({"one": one, "other": one})
    assert report(same, target="other").associations[0].value == pytest.approx(1)


def test_a_target_that_is_a_number() -> None:
    found = report(FRAME, target="x")
    assert not found.target_is_classes
    measures = {item.column: item.measure for item in found.associations}
    assert measures["y"] == measures["day"] == "Spearman"
    assert measures["carrier"] == measures["late"] == "correlation ratio"
    truth = stats.spearmanr(FRAME["x"], FRAME["y"]).statistic
    value = next(item.value for item in found.associations if item.column == "y")
    assert value == pytest.approx(truth)


def test_an_unknown_target_is_answered_with_what_exists() -> None:
    with pytest.raises(NotFoundError, match=r"unknown column 'carier': did you mean carrier\?"):
        report(FRAME, target="carier")


def test_a_target_of_lists_is_refused() -> None:
    with pytest.raises(UsageError, match=r"t: expected a target of numbers, .*, found List"):
        report(pl.DataFrame({"a": [1, 2], "t": [[1], [2]]}), target="t")


def test_of_very_many_pairs_the_strongest_stay() -> None:
    base = RANDOM.normal(size=50)
    columns = {f"c{n}": base * (n % 7) + RANDOM.normal(size=50) for n in range(60)}
    found = report(pl.DataFrame(columns)).correlations
    truth = stats.spearmanr(np.array(list(columns.values())).T).statistic
    strongest = np.sort(np.abs(truth[np.triu_indices(60, 1)]))[::-1][:1_000]
    assert [abs(pair.value) for pair in found] == pytest.approx(list(strongest))


# Large frames


def test_what_is_of_a_sample_is_said() -> None:
    rows = 150_000
    frame = pl.DataFrame(
        {
            "n": pl.int_range(rows, eager=True),
            "few": pl.int_range(rows, eager=True) % 50,
            "word": pl.int_range(rows, eager=True).cast(pl.String),
        }
    )
    found = report(frame)
    assert (found.rows, found.sample) == (rows, 100_000)
    by_name = {item.name: item for item in found.columns}
    assert (by_name["few"].distinct, by_name["few"].distinct_exact) == (50, True)
    assert not by_name["n"].distinct_exact
    assert by_name["n"].distinct == pytest.approx(rows, rel=0.05)
    assert by_name["n"].numbers is not None
    assert by_name["n"].numbers.max == rows - 1  # of all rows
    assert by_name["n"].bars is not None
    assert sum(by_name["n"].bars.counts) == rows
    page = found._repr_html_()
    assert "random sample of 100,000 of the 150,000 rows" in page
    assert "HyperLogLog" in page
    assert report(frame) == found
    assert report(frame.lazy()) == found
    assert "All figures are of all rows." in report(frame.head(10))._repr_html_()


# The page


class Page(HTMLParser):
    """Reads a page and keeps what could do harm or be wrong."""

    VOID = frozenset({"meta", "link", "br", "img", "rect"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in self.VOID - {"rect"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_needs_nothing_else_and_runs_nothing(tmp_path: Path) -> None:
    found = report(FRAME, target="late")
    path = found.to_html(tmp_path / "sub" / "report.html")
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert page.tags.isdisjoint({"script", "link", "img", "iframe", "object"})
    assert page.attributes.isdisjoint({"src", "href", "onclick", "onload"})
    assert "url(" not in text
    assert "@import" not in text
    assert "prefers-color-scheme:dark" in text
    assert len(text) < 60_000
    Page(found._repr_html_())


def test_names_and_words_are_escaped() -> None:
    nasty = '"><script>alert(1)</script>&'
    frame = pl.DataFrame({nasty: [nasty, nasty, "b"], "n": [1, 2, 2]})
    for target in (None, nasty, "n"):
        text = report(frame, target)._repr_html_()
        assert "<script" not in text
        Page(text)


def test_many_columns_are_listed_by_the_strongest_pairs() -> None:
    base = RANDOM.normal(size=200)
    frame = pl.DataFrame({f"c{n}": base * n + RANDOM.normal(size=200) for n in range(40)})
    found = report(frame)
    assert len(found.correlations) == 40 * 39 // 2
    text = found._repr_html_()
    assert 'class="matrix"' not in text
    Page(text)


CELLS: dict[Any, st.SearchStrategy[Any]] = {
    pl.Int64: st.integers(-(2**63), 2**63 - 1),
    pl.UInt64: st.integers(0, 2**64 - 1),
    pl.Int128: st.integers(-(2**126), 2**126),
    pl.Float64: st.floats(),
    pl.Float32: st.floats(width=32),
    pl.Boolean: st.booleans(),
    pl.String: st.text(max_size=3),
    pl.Binary: st.binary(max_size=2),
    pl.Date: st.dates(),
    pl.Time: st.times(),
    pl.Datetime("us", "UTC"): st.datetimes(timezones=st.just(UTC)),
    pl.Duration("ms"): st.timedeltas(timedelta(-999), timedelta(999)),
    pl.Decimal(12, 2): st.decimals(-999, 999, places=2),
    pl.Categorical(): st.sampled_from(["a", "b"]),
    pl.Enum(["x", "y"]): st.sampled_from(["x", "y"]),
    pl.List(pl.Int64): st.lists(st.integers(0, 3), max_size=2),
    pl.Struct({"x": pl.Date}): st.fixed_dictionaries({"x": st.dates()}),
    pl.Null: st.none(),
}


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_frame_has_a_report(data: st.DataObject) -> None:
    dtypes = data.draw(st.lists(st.sampled_from(list(CELLS)), min_size=1, max_size=4))
    names = data.draw(
        st.lists(
            st.text(min_size=1, max_size=3), min_size=len(dtypes), max_size=len(dtypes), unique=True
        )
    )
    height = data.draw(st.integers(0, 5))
    frame = pl.DataFrame(
        [
            pl.Series(
                name,
                data.draw(st.lists(CELLS[dtype] | st.none(), min_size=height, max_size=height)),
                dtype,
            )
            for name, dtype in zip(names, dtypes, strict=True)
        ]
    )
    aims = [name for name in names if kind_of(frame.schema[name]) != "nested"]
    found = report(frame, target=data.draw(st.sampled_from([None, *aims])))
    assert [item.name for item in found.columns] == names
    for item in found.columns:
        assert item.missing == frame[item.name].null_count()
    json.dumps(found.to_dict())
    Page(found._repr_html_())


def test_what_is_no_number_in_a_column_of_numbers_is_counted() -> None:
    frame = pl.DataFrame({"a": [1.0, math.nan, math.inf, -math.inf, None, 0.0]})
    found = column(frame, "a").numbers
    assert found is not None
    assert (found.nan, found.infinite, found.zeros) == (1, 2, 1)
    assert (found.min, found.max, found.mean) == (0.0, 1.0, 0.5)


def test_times_decimals_and_constants_are_described() -> None:
    frame = pl.DataFrame(
        {
            "time": [time(1), time(2)],
            "span": [timedelta(1), timedelta(2)],
            "moment": [datetime(2024, 1, 1, tzinfo=UTC)] * 2,
            "money": [Decimal("1.50"), Decimal("2.50")],
        }
    )
    found = {item.name: item for item in report(frame).columns}
    assert found["moment"].first == "2024-01-01 00:00:00+00:00"
    assert found["moment"].bars is not None
    assert found["moment"].bars.counts == [2]
    assert found["money"].numbers is not None
    assert found["money"].numbers.mean == 2.0
    assert found["span"].last == "2 days, 0:00:00"


@pytest.mark.parametrize("name", ["*", "^a.*$", "count", "len", "\0row"])
def test_names_are_names_and_never_patterns(name: str) -> None:
    frame = pl.DataFrame({"a1": [1, 2, 3], name: ["x", "y", "x"], "a2": [1.0, 2.0, 4.0]})
    found = report(frame, target=name)
    assert [item.name for item in found.columns] == ["a1", name, "a2"]
    assert found.columns[1].distinct == 2
    assert {item.column for item in found.associations} <= {"a1", "a2"}


def test_a_frame_without_rows_or_columns() -> None:
    Page(report(pl.DataFrame())._repr_html_())
    Page(report(FRAME.clear(), target="late")._repr_html_())
