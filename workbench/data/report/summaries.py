"""What is said of each column: types, missing, distinct, distribution, outliers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict

from workbench.data.report.bars import FEW_WORDS, Bars, bar_range, counted, frequent, histogram
from workbench.data.report.drawing import figure

__all__ = ["ColumnSummary", "Kind", "Numbers", "kind_of", "summarise"]

Kind = Literal["number", "time", "text", "boolean", "nested"]

_EXACT_ROWS = 100_000
"""Up to so many rows the different values are counted; beyond, HyperLogLog estimates them."""


class Numbers(BaseModel):
    """The figures of a numeric column; quantiles by linear interpolation, std with n - 1."""

    model_config = ConfigDict(frozen=True)

    mean: float | None
    std: float | None
    min: float | None
    q25: float | None
    median: float | None
    q75: float | None
    max: float | None
    zeros: int
    nan: int
    infinite: int
    outliers: int


class ColumnSummary(BaseModel):
    """One column of a report."""

    model_config = ConfigDict(frozen=True)

    name: str
    dtype: str
    kind: Kind
    missing: int
    distinct: int | None
    distinct_exact: bool
    first: str | None = None
    """The least value, as text, of a column that is no number."""
    last: str | None = None
    numbers: Numbers | None = None
    bars: Bars | None = None

    def told(self) -> str:
        """Say the middle and the ends, or the most frequent values, in a few words."""
        if self.numbers is not None:
            ends = (self.numbers.min, self.numbers.median, self.numbers.max)
            return " … ".join(figure(value) for value in ends)
        if self.first is not None:
            return f"{self.first} … {self.last}"
        top = zip(self.bars.labels, self.bars.counts, strict=True) if self.bars else ()
        return ", ".join(f"{label} ({count:,})" for label, count in list(top)[:3])


def kind_of(dtype: pl.DataType) -> Kind:
    """Tell how a column of this type is looked at."""
    if dtype == pl.Boolean:
        return "boolean"
    if dtype.is_numeric():
        return "number"
    if dtype.is_temporal():
        return "time"
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return "text"
    return "nested"  # binary, null and objects too: they are only counted


def summarise(frame: pl.DataFrame, sample: pl.DataFrame) -> list[ColumnSummary]:
    """Summarise every column; quantiles come from the sample, all else from all rows."""
    kinds = {name: kind_of(dtype) for name, dtype in frame.schema.items()}
    exact = frame.height <= _EXACT_ROWS
    plain = _plain(frame, kinds)
    facts = _asked(plain, {name: _facts(name, kinds[name], exact=exact) for name in kinds})
    counts = _distinct(plain, {name: facts[name]["distinct"] for name in kinds}, exact=exact)
    middle = _asked(
        _plain(sample, kinds),
        {name: _quantiles(name) for name, kind in kinds.items() if kind in ("number", "time")},
    )
    ranges = {name: bar_range(facts[name], middle[name], frame.schema[name]) for name in middle}
    outside = _asked(plain, {name: counted(name, ranges[name], middle[name]) for name in middle})
    found = []
    for name, kind in kinds.items():
        bars = None
        if kind in ("number", "time"):
            bars = histogram(ranges[name], outside[name]["bars"])
        elif kind != "nested":
            bars = frequent(frame[name], sample[name], counts[name][0])
        found.append(
            ColumnSummary(
                name=name,
                dtype=str(frame.schema[name]),
                kind=kind,
                missing=facts[name]["missing"],
                distinct=counts[name][0],
                distinct_exact=counts[name][1],
                bars=bars,
                numbers=_numbers(facts[name], middle[name], outside[name]["outliers"])
                if kind == "number"
                else None,
                **(_ends(frame[name]) if kind == "time" else {}),
            )
        )
    return found


def _plain(frame: pl.DataFrame, kinds: Mapping[str, Kind]) -> pl.DataFrame:
    """Turn times into numbers, and numbers that have no float of their own into floats."""
    times = [pl.col(name).to_physical() for name, kind in kinds.items() if kind == "time"]
    odd = [
        pl.col(name).cast(pl.Float64)
        for name, dtype in frame.schema.items()
        if dtype in (pl.Decimal, pl.Int128, pl.UInt128)
    ]
    return frame.with_columns(times + odd)


def _asked(
    frame: pl.DataFrame, questions: Mapping[str, Mapping[str, pl.Expr]]
) -> dict[str, dict[str, Any]]:
    """Answer every column's questions in one query, which uses all cores."""
    named = [
        expression.alias(f"{place}\0{key}")
        for place, asked in enumerate(questions.values())
        for key, expression in asked.items()
    ]
    answers = frame.select(named).row(0, named=True) if named else {}
    return {
        name: {key: answers[f"{place}\0{key}"] for key in asked}
        for place, (name, asked) in enumerate(questions.items())
    }


def _facts(name: str, kind: Kind, *, exact: bool) -> dict[str, pl.Expr]:
    column = pl.col(name)
    facts = {"missing": column.null_count()}
    if kind == "nested":
        return {**facts, "distinct": pl.lit(None)}
    facts["distinct"] = column.drop_nulls().n_unique() if exact else column.approx_n_unique()
    if kind in ("number", "time"):
        known = column.filter(column.is_finite()) if kind == "number" else column
        facts |= {"min": known.min(), "max": known.max()}
    if kind == "number":
        facts |= {
            "mean": known.mean(),
            "std": known.std(),
            "zeros": (column == 0).sum(),
            "nan": column.is_nan().sum(),
            "infinite": column.is_infinite().sum(),
        }
    return facts


def _distinct(
    frame: pl.DataFrame, told: Mapping[str, int | None], *, exact: bool
) -> dict[str, tuple[int | None, bool]]:
    """Count the different values where they are few; give the estimate where they are many."""
    few = [name for name, count in told.items() if count is not None and count <= FEW_WORDS]
    if exact:
        return {name: (count, True) for name, count in told.items()}
    counted = _asked(frame, {name: {"n": pl.col(name).drop_nulls().n_unique()} for name in few})
    known = {name: (counts["n"], True) for name, counts in counted.items()}
    rest = {
        name: (count and min(count, frame.height), count is None) for name, count in told.items()
    }
    return rest | known


def _quantiles(name: str) -> dict[str, pl.Expr]:
    known = pl.col(name).filter(pl.col(name).is_finite())
    shares = {"q01": 0.01, "q25": 0.25, "median": 0.5, "q75": 0.75, "q99": 0.99}
    return {key: known.quantile(share, "linear") for key, share in shares.items()}


def _numbers(facts: dict[str, Any], middle: dict[str, Any], outliers: int) -> Numbers:
    quantiles = {key: middle[key] for key in ("q25", "median", "q75")}
    counts = {key: facts[key] for key in ("zeros", "nan", "infinite")}
    ends = {key: facts[key] for key in ("min", "max", "mean", "std")}
    return Numbers(**ends, **quantiles, **counts, outliers=outliers)


def _ends(series: pl.Series) -> dict[str, str | None]:
    ends: Sequence[Any] = (series.min(), series.max())
    first, last = (None if end is None else str(end) for end in ends)
    return {"first": first, "last": last}
