"""A column in a few numbers: where the reference's values lay, and how many lie there now.

The bins are cut once, on the reference, and kept. Every later window is counted into those same
bins, so the windows of a year can be compared with each other, and a profile (some kB of JSON)
stands for data that may be gone.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import DataError, NotFoundError

__all__ = ["ColumnProfile", "Profile", "count", "profile"]


class ColumnProfile(BaseModel):
    """One numeric column. Nulls, NaN and infinities are counted apart, never binned.

    `cuts` c₁ < … < cₖ make k + 1 bins that are closed on the right and open at both ends:
    (-∞, c₁], (c₁, c₂], …, (cₖ, ∞). So every finite value of any later frame has a bin.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cuts: tuple[float, ...] = Field(description="inner bin edges, ascending")
    counts: tuple[int, ...] = Field(description="finite values in each bin, one more than cuts")
    nulls: int = 0
    nans: int = 0
    infinities: int = 0
    mean: float | None = Field(default=None, description="of the finite values")
    std: float | None = Field(default=None, description="of the finite values, ddof 0")
    minimum: float | None = None
    maximum: float | None = None

    @property
    def finite(self) -> int:
        """Number of values that are in a bin."""
        return sum(self.counts)

    @property
    def rows(self) -> int:
        """Number of rows, whatever they hold."""
        return self.finite + self.nulls + self.nans + self.infinities

    @property
    def missing_share(self) -> float | None:
        """Share of rows with no finite value, in [0, 1]; None without rows."""
        return 1 - self.finite / self.rows if self.rows else None


class Profile(BaseModel):
    """Columns of one frame, counted. Immutable; JSON by `model_dump_json`, exact both ways."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int
    columns: Mapping[str, ColumnProfile]


def profile(frame: pl.DataFrame, columns: Sequence[str], *, bins: int = 10) -> Profile:
    """Profile the numeric or Boolean `columns` of a reference `frame`, cutting its bins.

    The cuts are the quantiles at 1/bins, 2/bins, …; equal ones count once. A value that fills a
    whole quantile by itself (a constant, the zeros of rain, the cap of a sensor) gets a bin of
    its own, or a move away from it would stay inside its bin unseen.

    Raises
    ------
    NotFoundError
        If the frame lacks one of the columns.
    DataError
        If a column is neither numeric nor Boolean.
    """
    for column in columns:
        _check(frame, column)
    levels = [i / bins for i in range(bins + 1)]
    quantiles = _rowwise(
        frame, {c: [_finite(c).quantile(q, "lower") for q in levels] for c in columns}
    )
    return _counted(frame, {c: _cuts(quantiles[c]) for c in columns})


def count(frame: pl.DataFrame, reference: Profile) -> Profile:
    """Count `frame` into the bins of `reference`, for all of its columns.

    A column that the frame lacks is counted as all null: for whoever reads the values it is.

    Raises
    ------
    DataError
        If a column is there but is neither numeric nor Boolean.
    """
    absent = [pl.lit(None, pl.Float64).alias(c) for c in reference.columns if c not in frame]
    whole = frame.with_columns(absent)
    for column in reference.columns:
        _check(whole, column)
    return _counted(whole, {name: column.cuts for name, column in reference.columns.items()})


def _check(frame: pl.DataFrame, column: str) -> None:
    if column not in frame:
        raise NotFoundError.named("column", column, frame.columns)
    dtype = frame.schema[column]
    if not (dtype.is_numeric() or dtype in (pl.Boolean, pl.Null)):
        raise DataError(f"column {column!r}: {dtype} can't be profiled, only numbers and Booleans")


def _value(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64)


def _finite(column: str) -> pl.Expr:
    return pl.when(_value(column).is_finite()).then(_value(column))


def _cuts(quantiles: Sequence[float | None]) -> tuple[float, ...]:
    known = [q for q in quantiles if q is not None]
    inner = set(known[1:-1])
    tied = {low for low, high in itertools.pairwise(known) if low == high}
    before = {math.nextafter(value, -math.inf) for value in tied}
    return tuple(sorted(inner | {cut for cut in before if math.isfinite(cut)}))


def _counted(frame: pl.DataFrame, cuts: Mapping[str, tuple[float, ...]]) -> Profile:
    found = _rowwise(frame, {column: _figures(column, cuts[column]) for column in cuts})
    columns = {column: _column(cuts[column], found[column]) for column in cuts}
    return Profile(rows=frame.height, columns=columns)


def _figures(column: str, cuts: tuple[float, ...]) -> list[pl.Expr]:
    value, finite = _value(column), _finite(column)
    figures = [
        value.is_null().sum(),
        value.is_nan().sum(),
        value.is_infinite().sum(),
        finite.mean(),
        finite.std(ddof=0),
        finite.min(),
        finite.max(),
        finite.count(),
    ]
    return figures + [(finite <= cut).sum() for cut in cuts]


def _column(cuts: tuple[float, ...], figures: list[Any]) -> ColumnProfile:
    nulls, nans, infinities, mean, std, minimum, maximum, finite, *below = figures
    cumulative = [0, *below, finite]
    return ColumnProfile(
        cuts=cuts,
        counts=tuple(b - a for a, b in itertools.pairwise(cumulative)),
        nulls=nulls,
        nans=nans,
        infinities=infinities,
        mean=_number(mean),
        std=_number(std),
        minimum=minimum,
        maximum=maximum,
    )


def _number(value: float | None) -> float | None:
    """Give None for a moment that overflowed: JSON has no infinity."""
    return value if value is not None and math.isfinite(value) else None


def _rowwise(
    frame: pl.DataFrame, expressions: Mapping[str, Sequence[pl.Expr]]
) -> dict[str, list[Any]]:
    """Compute all `expressions` in one parallel pass over the frame, grouped as they came."""
    flat = [
        expression.alias(f"{i}:{j}")
        for i, group in enumerate(expressions.values())
        for j, expression in enumerate(group)
    ]
    values = iter(frame.select(flat).row(0)) if flat else iter(())
    return {name: [next(values) for _ in group] for name, group in expressions.items()}
