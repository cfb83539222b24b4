"""A first contract from what the data are like today, as source text for people to tighten.

It has each column's type, whether it may be null, numbers' ranges with a tenth of their span to
either side, the words of text that has few, and the key. Dates get no range: they move on.
"""

from __future__ import annotations

import json
import math
import re
import warnings
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from workbench.errors import DataError, UsageError
from workbench.store import now, write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.project import Project

__all__ = ["contract_text", "infer_contract"]

_MARGIN = 0.1
_MARGIN_OF_ONE = 0.01
"""Of its size, to either side of a number that is the same in all rows."""

_FEW_WORDS = 20
_ROWS_A_WORD = 10
"""So many rows must stand behind each word before the words count as all there are."""

_KEY_NAME = re.compile(r"(^|_)(id|key|uuid)$", re.IGNORECASE)


def infer_contract(
    name: str,
    frame: pl.DataFrame,
    project: Project,
    *,
    keys: Sequence[Sequence[str]] = (),
    replace: bool = False,
) -> Path:
    """Write `contracts/NAME.py` from what `frame` is like, and return where it is.

    The first of `keys` (the source's own: `row_keys`) that tells every row apart is its key.

    Raises
    ------
    UsageError
        If there is one already and it is not to be replaced.
    DataError
        If no contract can be written that the frame keeps.
    """
    from workbench.data.contracts.checking import guard_by
    from workbench.data.contracts.files import contract_path, load_contract, load_file

    path = contract_path(project, name)
    if path.exists() and not replace:
        raise UsageError(f"{project.relative(path)}: is there already; --replace writes it anew")
    text = contract_text(name, frame, keys)
    with write_atomic(path) as beside:
        beside.write_text(text, encoding="utf-8")
        made = load_file(beside, project, name)
        if path.exists():  # what people wrote stays until there is something as good
            guard_by(made, frame)
    try:
        guard_by(load_contract(project, name), frame)
    except DataError as error:
        raise DataError(f"{project.relative(path)} needs your hand: {error}") from error
    return path


def contract_text(name: str, frame: pl.DataFrame, keys: Sequence[Sequence[str]] = ()) -> str:
    """Write a contract that `frame` keeps, as the source text of its file."""
    known = _key(frame, keys)
    alone = known[0] if len(known) == 1 else None
    columns = "\n".join(_column(series, unique=series.name == alone) for series in frame)
    joint = f"    unique={_listed(known)},\n" if len(known) > 1 else ""
    day: date = now().date()
    about = f"What rows of {name} must be like: a first draft, from {frame.height:,} rows on {day}."
    return f"""{_quoted(about)}

import pandera.polars as pa
import polars as pl

contract = pa.DataFrameSchema(
    {{
{columns}
    }},
{joint})
"""


def _key(frame: pl.DataFrame, declared: Sequence[Sequence[str]]) -> list[str]:
    """Return the columns that tell every row from the others: those declared, or one so named."""
    for key in declared:
        present = all(name in frame.columns for name in key)
        if present and frame.select(key).n_unique() == frame.height:
            return list(key)
    if declared:
        return []
    for series in frame:
        tells = series.dtype.is_integer() or series.dtype == pl.String
        if tells and _KEY_NAME.search(series.name) and frame.height > 1:
            whole = series.null_count() == 0 and series.n_unique() == frame.height
            if whole:
                return [series.name]
    return []


def _column(series: pl.Series, *, unique: bool) -> str:
    known = _type(series.dtype) if _has_name(series.dtype) else "None"
    rules = [known, *_checks(series)]
    if series.null_count() or not len(series) or _has_nan(series):
        rules.append("nullable=True")
    if unique:
        rules.append("unique=True")
    return f"        {_quoted(series.name)}: pa.Column({', '.join(rules)}),"


def _has_nan(series: pl.Series) -> bool:
    return series.dtype.is_float() and bool(series.is_nan().any())


def _checks(series: pl.Series) -> list[str]:
    if series.dtype.is_numeric():
        return _range(series)
    if series.dtype in (pl.String, pl.Categorical):
        words = series.drop_nulls().unique().cast(pl.String).sort().to_list()
        if 0 < len(words) <= _FEW_WORDS and len(series) >= _ROWS_A_WORD * len(words):
            return [f"pa.Check.isin({_listed(words)})"]
    return []


def _range(series: pl.Series) -> list[str]:
    low, high = series.min(), series.max()
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):  # type: ignore[arg-type]
        return []
    if series.dtype.is_float():
        bounds = _float_bounds(float(low), float(high))  # type: ignore[arg-type]
    else:
        bounds = _whole_bounds(Decimal(low), Decimal(high))  # type: ignore[arg-type]
        if series.dtype.is_integer():
            least, most = _limits(series.dtype)
            bounds = max(bounds[0], least), min(bounds[1], most)
    if _has_nan(series):  # which is above every number: an upper bound would refuse it
        return [f"pa.Check.ge({bounds[0]!r})"]
    return [f"pa.Check.in_range({bounds[0]!r}, {bounds[1]!r})"]


def _whole_bounds(low: Decimal, high: Decimal) -> tuple[int, int]:
    margin = (high - low) / 10 or max(abs(high) / 100, Decimal(1))
    below = math.floor(low - margin)
    return (max(below, 0) if low >= 0 else below), math.ceil(high + margin)


def _float_bounds(low: float, high: float) -> tuple[float, float]:
    margin = (high - low) * _MARGIN or max(abs(high) * _MARGIN_OF_ONE, _MARGIN_OF_ONE)
    if not math.isfinite(margin):
        return low, high
    digits = 1 - math.floor(math.log10(margin))
    below, above = round(low - margin, digits), round(high + margin, digits)
    below = max(below, 0.0) if low >= 0 else below
    return min(below, low), max(above, high)


def _limits(dtype: Any) -> tuple[int, int]:
    bits = int(re.sub(r"\D", "", str(dtype)))
    if dtype.is_unsigned_integer():
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def _has_name(dtype: pl.DataType) -> bool:
    """Tell whether pandera knows a type; of one that it doesn't, nothing can be asked."""
    from pandera.engines.polars_engine import Engine

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            Engine.dtype(dtype)
        except (UserWarning, TypeError):
            return False
    return True


def _type(dtype: Any) -> str:
    """Spell a type as source text."""
    name = f"pl.{type(dtype).__name__}"
    match dtype:
        case pl.Datetime():
            zone = f", {_quoted(dtype.time_zone)}" if dtype.time_zone else ""
            return f"{name}({_quoted(dtype.time_unit)}{zone})"
        case pl.Duration():
            return f"{name}({_quoted(dtype.time_unit)})"
        case pl.Decimal():
            return f"{name}({dtype.precision!r}, {dtype.scale!r})"
        case pl.Enum():
            return f"{name}({_listed(dtype.categories.to_list())})"
        case pl.Categorical():
            return f"{name}()"
        case pl.List():
            return f"{name}({_type(dtype.inner)})"
        case pl.Array():
            return f"{name}({_type(dtype.inner)}, {dtype.size!r})"
        case pl.Struct():
            fields = ", ".join(
                f"{_quoted(field.name)}: {_type(field.dtype)}" for field in dtype.fields
            )
            return f"{name}({{{fields}}})"
        case _:
            return name


def _quoted(text: str) -> str:
    """Write text as a literal: JSON's are Python's too, as long as nothing is cut in halves."""
    return json.dumps(text, ensure_ascii=False)


def _listed(texts: Sequence[str]) -> str:
    return f"[{', '.join(_quoted(text) for text in texts)}]"
