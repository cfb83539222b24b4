"""How columns go together: numbers with numbers, and every column with the target.

All measures are of a sample of the rows, of those where both columns are known.

- Number with number: Spearman's rank correlation (Spearman 1904), ties by their mean rank.
- Number with classes: the correlation ratio (Fisher 1925), corrected for the number of classes
  (Kelley 1935: the square root of 1 - (1 - eta²)(n - 1)/(n - k)).
- Classes with classes: Cramér's V, corrected for bias (Bergsma 2013, J. Korean Stat. Soc. 42(3)).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from workbench.data.report.summaries import kind_of

__all__ = ["Association", "Correlation", "associations", "correlations", "is_classes"]

_CLASSES = 10
"""A target of whole numbers with no more than so many values counts as classes."""

_MOST_CLASSES = 1_000
"""A column with more classes says nothing by them: it is more like a name of each row."""

_MOST_PAIRS = 1_000
"""Of a thousand columns there are half a million pairs, which no page can hold."""


class Correlation(BaseModel):
    """Two numeric columns and Spearman's rank correlation between them."""

    model_config = ConfigDict(frozen=True)

    one: str
    other: str
    value: float


class Association(BaseModel):
    """How strongly a column goes with the target, by the measure that fits both."""

    model_config = ConfigDict(frozen=True)

    column: str
    measure: str
    value: float


def is_classes(series: pl.Series) -> bool:
    """Tell whether a target is classes rather than a number."""
    if kind_of(series.dtype) in ("text", "boolean"):
        return True
    return series.dtype.is_integer() and series.drop_nulls().n_unique() <= _CLASSES


def correlations(sample: pl.DataFrame) -> list[Correlation]:
    """Correlate every pair of numeric columns; return the strongest, the very strongest first."""
    names = [name for name, dtype in sample.schema.items() if kind_of(dtype) == "number"]
    if len(names) < 2:
        return []
    matrix = _pearson(_ranks(sample, names))
    ones, others = np.triu_indices(len(names), 1)
    strength = np.abs(matrix[ones, others])
    strongest = np.argsort(-strength, kind="stable")[:_MOST_PAIRS]  # NaN comes last
    pairs = [
        Correlation(one=names[i], other=names[j], value=float(matrix[i, j]))
        for i, j in zip(ones[strongest], others[strongest], strict=True)
        if math.isfinite(matrix[i, j])
    ]
    return sorted(pairs, key=lambda pair: (-abs(pair.value), pair.one, pair.other))


def associations(sample: pl.DataFrame, target: str) -> list[Association]:
    """Measure how every column goes with the target, the strongest first."""
    classes = is_classes(sample[target])
    found = []
    for name in sample.columns:
        kind = kind_of(sample.schema[name])
        if name == target or kind == "nested":
            continue
        pair = sample.select(
            pl.col(name).to_physical() if kind == "time" else pl.col(name), target
        ).drop_nulls()
        measured = _measured(pair, classes=classes, number=kind in ("number", "time"))
        if measured is not None and math.isfinite(measured[1]):
            found.append(Association(column=name, measure=measured[0], value=measured[1]))
    return sorted(found, key=lambda item: (-abs(item.value), item.column))


def _measured(pair: pl.DataFrame, *, classes: bool, number: bool) -> tuple[str, float] | None:
    column, target = pair.columns
    if pair.height < 2:
        return None
    if number and not classes:
        return "Spearman", float(_pearson(_ranks(pair, [column, target]))[0, 1])
    if number:
        return _ratio(pair[target], pair[column])
    if not classes:
        return _ratio(pair[column], pair[target])
    return _cramer(pair[column], pair[target])


def _ranks(frame: pl.DataFrame, names: Sequence[str]) -> np.ndarray[Any, Any]:
    """Rank each column's values; NaN where there is none."""
    ranked = [pl.col(name).fill_nan(None) for name in names if frame.schema[name].is_float()]
    return (
        frame.with_columns(ranked)
        .select(pl.col(name).to_physical().rank("average").cast(pl.Float64) for name in names)
        .to_numpy()
    )


def _pearson(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Correlate columns pairwise, each over the rows where both are known."""
    known = ~np.isnan(values)
    mask = known.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = np.where(known, values, 0.0).sum(0) / mask.sum(0)
        x = np.where(known, values - centre, 0.0)
        n = mask.T @ mask
        sums = x.T @ mask
        squares = (x * x).T @ mask
        products = x.T @ x - sums * sums.T / n
        spread = squares - sums * sums / n
        found: np.ndarray[Any, Any] = products / np.sqrt(spread * spread.T)
    limited: np.ndarray[Any, Any] = np.clip(found, -1.0, 1.0)
    return limited


def _ratio(classes: pl.Series, numbers: pl.Series) -> tuple[str, float] | None:
    frame = pl.DataFrame({"class": classes, "number": numbers.cast(pl.Float64)})
    frame = frame.filter(pl.col("number").is_finite())
    groups = frame.group_by("class").agg(pl.len(), pl.col("number").mean())
    if not 1 < groups.height <= min(_MOST_CLASSES, frame.height - 1):
        return None
    mean = frame["number"].mean()
    total = float(((frame["number"] - mean) ** 2).sum())
    between = float((groups["len"] * (groups["number"] - mean) ** 2).sum())
    if not total:
        return None
    n, k = frame.height, groups.height
    corrected = 1 - (1 - between / total) * (n - 1) / (n - k)
    return "correlation ratio", math.sqrt(max(0.0, corrected))


def _cramer(one: pl.Series, other: pl.Series) -> tuple[str, float] | None:
    table = pl.DataFrame({"one": one, "other": other}).group_by("one", "other").len()
    rows = table.group_by("one").agg(pl.col("len").sum().alias("row"))
    columns = table.group_by("other").agg(pl.col("len").sum().alias("column"))
    r, k = rows.height, columns.height
    n = int(rows["row"].sum())
    if not (1 < r <= _MOST_CLASSES and 1 < k <= _MOST_CLASSES):
        return None
    seen = table.join(rows, on="one").join(columns, on="other")
    # Chi-square over n, from the cells that are not empty alone.
    share = pl.col("len").cast(pl.Float64) ** 2 / (pl.col("row") * pl.col("column"))
    phi2 = max(0.0, float(seen.select(share.sum()).item()) - 1.0)
    corrected = max(0.0, phi2 - (k - 1) * (r - 1) / (n - 1))
    rc, kc = r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)
    least = min(rc, kc) - 1
    return ("Cramér's V", min(1.0, math.sqrt(corrected / least))) if least > 0 else None
