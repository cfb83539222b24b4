"""polars' filters in SQL, as far as both mean the same."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, and_, bindparam, or_
from sqlalchemy import column as sql_column
from sqlalchemy.sql import quoted_name

from workbench.data.sources.sql.protocol import Column

__all__ = ["named", "to_sql"]

_COMPARISONS = {
    "Eq": "__eq__",
    "NotEq": "__ne__",
    "Lt": "__lt__",
    "LtEq": "__le__",
    "Gt": "__gt__",
    "GtEq": "__ge__",
}
_FLIPPED = {"Lt": "Gt", "LtEq": "GtEq", "Gt": "Lt", "GtEq": "LtEq"}

_MOST_VALUES = 500
"""Of `is_in`; a longer list is more than some databases take, and hardly a filter any more."""


def named(name: str) -> ColumnElement[Any]:
    """Return a column whose name is always quoted."""
    return sql_column(quoted_name(name, quote=True))


def to_sql(where: pl.Expr, columns: Mapping[str, Column]) -> ColumnElement[bool] | None:
    """Return a condition that holds for every row for which `where` does, if one can be told.

    It may hold for more rows: `where` has to be applied to what comes back.
    """
    try:
        tree = json.loads(where.meta.serialize(format="json"))
    except pl.exceptions.PolarsError:  # a Python function in it, say
        return None
    return _condition(tree, columns)


def _condition(node: Any, columns: Mapping[str, Column]) -> ColumnElement[bool] | None:
    match node:
        case {"BinaryExpr": {"left": left, "op": "And" | "LogicalAnd", "right": right}}:
            both = [_condition(left, columns), _condition(right, columns)]
            known = [condition for condition in both if condition is not None]
            return and_(*known) if known else None
        case {"BinaryExpr": {"left": left, "op": "Or" | "LogicalOr", "right": right}}:
            one, other = _condition(left, columns), _condition(right, columns)
            return None if one is None or other is None else or_(one, other)
        case {"BinaryExpr": {"left": {"Column": name}, "op": operator, "right": literal}}:
            return _comparison(name, operator, literal, columns)
        case {"BinaryExpr": {"left": literal, "op": operator, "right": {"Column": name}}}:
            return _comparison(name, _FLIPPED.get(operator, operator), literal, columns)
        case {"Column": name} if columns[name].dtype == pl.Boolean and columns[name].comparable:
            return named(name).is_(True)
        case {"Function": {"input": [{"Column": name}, *rest], "function": {"Boolean": function}}}:
            return _test(name, function, rest, columns)
    return None


def _comparison(
    name: str, operator: str, literal: Any, columns: Mapping[str, Column]
) -> ColumnElement[bool] | None:
    values = _values(literal, columns[name])
    if operator not in _COMPARISONS or not values or len(values) != 1:
        return None
    if _is_text(columns[name]) and operator != "Eq":
        return None  # by which letters come first, and which are the same, databases differ
    condition: ColumnElement[bool] = getattr(named(name), _COMPARISONS[operator])(_bound(values[0]))
    return condition


def _test(
    name: str, function: Any, rest: list[Any], columns: Mapping[str, Column]
) -> ColumnElement[bool] | None:
    column = columns[name]
    match function, rest:
        case "IsNull", []:
            return named(name).is_(None)
        case "IsNotNull", []:
            return named(name).is_not(None)
        case {"IsIn": {"nulls_equal": False}}, [literal]:
            values = _values(literal, column)
            if not values or len(values) > _MOST_VALUES:
                return None
            return named(name).in_([_bound(value) for value in values])  # each of its own size
        case {"IsBetween": {"closed": closed}}, [low, high]:
            above = _comparison(name, "GtEq" if closed in ("Both", "Left") else "Gt", low, columns)
            below = _comparison(
                name, "LtEq" if closed in ("Both", "Right") else "Lt", high, columns
            )
            known = [condition for condition in (above, below) if condition is not None]
            return and_(*known) if known else None
    return None


def _values(literal: Any, column: Column) -> list[Any] | None:
    """Return the values of a literal, if the database compares them as polars does."""
    if not (isinstance(literal, dict) and "Literal" in literal and column.comparable):
        return None
    match literal["Literal"]:
        # As Python read it: polars' own parser of JSON may miss a float by its last bit.
        case {"Dyn": {"Float": float(value)}} | {"Scalar": {"Float64": float(value)}}:
            series = pl.Series([value])
        case _:
            try:
                text = io.StringIO(json.dumps(literal))
                series = pl.select(pl.Expr.deserialize(text, format="json")).to_series()
            except pl.exceptions.PolarsError:  # NaN, which JSON hasn't
                return None
    if series.dtype in (pl.List, pl.Array):
        series = series.explode()
    if series.dtype != column.dtype or not _is_safe(series.dtype):
        return None
    values = series.to_list()
    return values if all(map(_is_plain, values)) else None


def _is_safe(dtype: pl.DataType) -> bool:
    # Not Float32: polars rounds the other side to it, a database doesn't. Nor nanoseconds, which
    # Python's times haven't.
    if isinstance(dtype, pl.Datetime):
        return dtype.time_unit != "ns"
    return dtype.is_integer() or isinstance(dtype, pl.Float64 | pl.String | pl.Boolean | pl.Date)


def _is_text(column: Column) -> bool:
    return column.dtype == pl.String


def _is_plain(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return value is not None and not (isinstance(value, str) and "\0" in value)


def _bound(value: Any) -> ColumnElement[Any]:
    return bindparam(None, value, unique=True)
