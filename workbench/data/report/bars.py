"""Distributions: the bars of numbers and times, and the most frequent of other values."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict

__all__ = ["FEW_WORDS", "Bars", "Range", "bar_range", "counted", "frequent", "histogram"]

_BARS = 24
_TOP = 8

FEW_WORDS = 10_000
"""A column with more different values has its most frequent ones counted in the sample only."""

_EXACT = 2**52
"""Floats tell whole numbers and their halves apart up to here."""

_FENCE = 1.5
"""Tukey's fences: outliers are more than 1.5 interquartile ranges outside of the quartiles."""

_TAIL = 10
"""Where the full range is so many times that of the middle 98 %, the bars show the middle."""


class Bars(BaseModel):
    """A histogram (`edges` has one more than `counts`), or the most frequent values."""

    model_config = ConfigDict(frozen=True)

    counts: list[int]
    edges: list[float] = []
    labels: list[str] = []
    clipped: bool = False
    """The first and the last bar also hold what lies beyond them."""
    sampled: bool = False


class Range(BaseModel):
    """Where the bars of a histogram begin and end, and how many there are."""

    low: float
    high: float
    bars: int
    clipped: bool


def bar_range(facts: dict[str, Any], middle: dict[str, Any], dtype: pl.DataType) -> Range | None:
    """Choose where the bars of a histogram begin and end, and how many there are."""
    if facts["min"] is None or middle["q01"] is None:
        return None
    low, high = float(facts["min"]), float(facts["max"])
    inner = middle["q99"] - middle["q01"]
    clipped = inner > 0 and high - low > _TAIL * inner
    if clipped:
        low, high = max(low, middle["q01"]), min(high, middle["q99"])
    if not math.isfinite(high - low):
        return None
    if dtype.is_integer() and high - low < _EXACT:
        return _whole_range(math.floor(low), math.ceil(high), clipped=clipped)
    if high <= low:
        return Range(low=low - 0.5, high=low + 0.5, bars=1, clipped=clipped)
    return Range(low=low, high=high, bars=_BARS, clipped=clipped)


def _whole_range(low: int, high: int, *, clipped: bool) -> Range:
    """Give each bar as many whole numbers as the others, or their heights would mean nothing."""
    numbers = high - low + 1
    width = -(-numbers // _BARS)
    bars = -(-numbers // width)
    return Range(low=low - 0.5, high=low - 0.5 + bars * width, bars=bars, clipped=clipped)


def counted(name: str, range_: Range | None, middle: dict[str, Any]) -> dict[str, pl.Expr]:
    """Count the bars and the outliers over all rows."""
    if range_ is None:
        return {"bars": pl.lit(None), "outliers": pl.lit(0)}
    column = pl.col(name)
    known = column.filter(column.is_finite()).cast(pl.Float64)
    width = range_.high - range_.low  # nothing, where the number is so large that ± 0.5 is lost
    scale = range_.bars / width if width else 0.0
    place = ((known - range_.low) * scale).clip(0, range_.bars - 1).cast(pl.UInt8)
    reach = _FENCE * (middle["q75"] - middle["q25"])
    low, high = middle["q25"] - reach, middle["q75"] + reach
    return {
        "bars": place.value_counts(name="\0count").implode(),
        "outliers": ((known < low) | (known > high)).sum(),
    }


def histogram(range_: Range | None, counted: list[dict[str, int]] | None) -> Bars | None:
    """Put a column's counted bars in their places."""
    if range_ is None or counted is None:
        return None
    counts = [0] * range_.bars
    for bar in counted:
        place, count = bar.values()
        counts[place] = count
    width = (range_.high - range_.low) / range_.bars
    edges = [range_.low + width * place for place in range(range_.bars)] + [range_.high]
    return Bars(counts=counts, edges=edges, clipped=range_.clipped)


def frequent(series: pl.Series, sample: pl.Series, distinct: int | None) -> Bars:
    """Count the most frequent values; of very many different ones in the sample only."""
    sampled = (distinct or 0) > FEW_WORDS and len(sample) < len(series)
    counted = (sample if sampled else series).drop_nulls().value_counts(name="\0count")
    # Of equal counts the first by name, so that the same data give the same report.
    words = counted.with_columns(pl.col(series.name).cast(pl.String))
    top = words.sort(["\0count", series.name], descending=[True, False]).head(_TOP)
    if series.dtype != pl.Boolean and top.height and top["\0count"][0] == 1 < words.height:
        return Bars(counts=[], sampled=sampled)  # each is there once: none is frequent
    return Bars(
        counts=top["\0count"].to_list(),
        labels=[str(word)[:60] for word in top[series.name]],
        sampled=sampled,
    )
