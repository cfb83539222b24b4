"""Slices: which rows a column's values or a condition in SQL mean.

A condition is the project's own text, from its factory file or a notebook. It is parsed as one
expression over the frame's columns (`polars.sql_expr`): it can't name a file or a table, run a
statement or change anything, and what isn't true or false of each row is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import polars as pl

from workbench.data.report.drawing import figure
from workbench.errors import ConfigError, what_exists

__all__ = ["Part", "condition", "parts_of"]

_TOP = 8
_FEW = 10
"""A number with at most so many values is sliced by value, another one at its quartiles."""


@dataclass(frozen=True)
class Part:
    """Some of a frame's rows; `mask` has a Boolean for each row."""

    name: str
    by: str
    kind: Literal["column", "condition"]
    mask: pl.Series


def parts_of(frame: pl.DataFrame, slices: Sequence[str] | Mapping[str, str]) -> list[Part]:
    """Cut the frame by columns and conditions; a name that is a column's means its values.

    Raises
    ------
    ConfigError
        If one is neither a column nor a condition that can be asked of the rows.
    """
    named = slices if isinstance(slices, Mapping) else {text: text for text in slices}
    found: list[Part] = []
    for name, text in named.items():
        if text in frame.columns:
            found += (Part(words, text, "column", mask) for words, mask in _of_column(frame[text]))
        else:
            found.append(Part(name, text, "condition", condition(frame, text)))
    return _apart(found)


def _apart(parts: Sequence[Part]) -> list[Part]:
    """Number those that read the same, as 0.12341 and 0.12342 do: figures are found by name."""
    names: Counter[str] = Counter()
    found = []
    for part in parts:
        names[part.name] += 1
        count = names[part.name]
        found.append(part if count == 1 else replace(part, name=f"{part.name} ({count})"))
    return found


def condition(frame: pl.DataFrame, text: str) -> pl.Series:
    """Tell of which rows a condition is true; where it is null it isn't.

    Raises
    ------
    ConfigError
        If it can't be parsed, names an unknown column, or isn't true or false of each row.
    """
    try:
        expression = pl.sql_expr(text)
        asked = frame.select(expression)
    except pl.exceptions.ColumnNotFoundError:
        strange = [name for name in expression.meta.root_names() if name not in frame.columns]
        raise ConfigError(
            f"slice {text!r}: unknown column {strange[0]!r}: "
            f"{what_exists(strange[0], frame.columns)}"
        ) from None
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ConfigError(
            f"slice {text!r} is neither a column nor a condition in SQL: {reason}"
        ) from None
    if asked.width != 1 or asked.dtypes[0] != pl.Boolean or asked.height != frame.height:
        raise ConfigError(
            f"slice {text!r}: expected a condition that is true or false of each row, found "
            f"{asked.height:,} of {', '.join(map(str, asked.dtypes))} for {frame.height:,} rows"
        )
    return asked.to_series().fill_null(value=False)


def _of_column(series: pl.Series) -> Iterator[tuple[str, pl.Series]]:
    if series.dtype.is_float():
        series = series.fill_nan(None)
    known = series.drop_nulls()
    if series.dtype.is_nested() or series.dtype in (pl.Object, pl.Binary):
        raise ConfigError(f"slice {series.name!r}: {series.dtype} has no values to slice by")
    ordered = series.dtype.is_numeric() or series.dtype.is_temporal()
    if ordered and known.n_unique() > _FEW:
        yield from _by_quartile(series, known)
    else:
        yield from _by_value(series, known)
    if series.null_count():
        yield f"{series.name} is missing", series.is_null()


def _by_value(series: pl.Series, known: pl.Series) -> Iterator[tuple[str, pl.Series]]:
    counted = known.rename("value").value_counts(name="count")
    # Of equally frequent values the first by name, so that the same rows give the same slices.
    text = series.dtype in (pl.String, pl.Categorical, pl.Enum)
    order = pl.col("value").cast(pl.String) if text else pl.col("value").to_physical()
    ranked = counted.sort(["count", order], descending=[True, False])
    shown = ranked["value"] if ranked.height <= _FEW else ranked["value"].head(_TOP)
    for value in shown:
        yield f"{series.name} = {_word(value)}", (series == value).fill_null(value=False)
    if len(shown) < ranked.height:
        rest = series.is_not_null() & ~series.is_in(shown.implode())
        yield f"{series.name}: {ranked.height - len(shown):,} other values", rest


def _by_quartile(series: pl.Series, known: pl.Series) -> Iterator[tuple[str, pl.Series]]:
    physical = series.to_physical()
    quartiles = [known.to_physical().quantile(share, "nearest") for share in (0.25, 0.5, 0.75)]
    cuts = sorted({cut for cut in quartiles if cut is not None and cut < physical.max()})  # type: ignore[operator]
    words = [_word(value) for value in pl.Series(cuts).cast(physical.dtype).cast(series.dtype)]
    for place in range(len(cuts) + 1):
        above = physical > cuts[place - 1] if place else physical.is_not_null()
        inside = above & (physical <= cuts[place]) if place < len(cuts) else above
        yield _range(series.name, words, place), inside.fill_null(value=False)


def _range(name: str, words: list[str], place: int) -> str:
    if place == 0:
        return f"{name} ≤ {words[0]}" if words else name
    if place == len(words):
        return f"{name} > {words[-1]}"
    return f"{words[place - 1]} < {name} ≤ {words[place]}"


def _word(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)[:80]
    return figure(value)
