"""What a definition's function may return: checked by its columns and types, before any row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from workbench.errors import FeatureError, what_exists

if TYPE_CHECKING:
    from workbench.features.definitions.views import FeatureView, Spine

__all__ = ["checked_events", "checked_expressions", "checked_rows", "checked_spine"]

_UTC = pl.Datetime("us", "UTC")


def checked_spine(result: Any, spine: Spine) -> pl.LazyFrame:
    """Check the rows of a spine."""
    frame = _lazy(result, spine.where)
    schema = _schema(frame, spine.where)
    for role in ("key", "label"):
        _present(schema, [getattr(spine, role)], role, spine.where)
    return _in_utc(frame, schema, [spine.event_time, spine.label_time], spine.where)


def checked_rows(
    result: Any, view: FeatureView, sources: Mapping[str, pl.LazyFrame]
) -> pl.LazyFrame:
    """Check the rows of a view of features."""
    frame = _frame(result, view, sources, view.features)
    schema = _identified(frame, view)
    _present(schema, view.features, "feature", view.where)
    declared = {*view.entity, *view.features, view.event_time, view.created}
    passed_on = {name for source in sources.values() for name in source.collect_schema()}
    new = [name for name in schema if name not in declared | passed_on]
    # A moment may be a step on the way to the times that are declared, and no feature forgotten.
    if made := [name for name in new if not isinstance(schema[name], pl.Datetime)]:
        raise FeatureError(
            f"{view.where}: makes {_listed(made)}, which it doesn't declare: "
            "describe it in features=, or drop it"
        )
    return _timed(frame, schema, view)


def checked_events(
    result: Any, view: FeatureView, sources: Mapping[str, pl.LazyFrame]
) -> pl.LazyFrame:
    """Check the events of a view of aggregates."""
    frame = _frame(result, view, sources, view.inputs)
    schema = _identified(frame, view)
    for aggregate in view.aggregates:
        if aggregate.column is None:
            continue
        _present(schema, [aggregate.column], aggregate.kind, view.where)
        dtype = schema[aggregate.column]
        if not _can(aggregate.kind, dtype):
            expected = "plain values" if aggregate.kind == "distinct" else "numbers or Booleans"
            raise FeatureError(
                f"{view.where}: {aggregate.kind} of {aggregate.column!r}, which is {dtype}; "
                f"expected {expected}"
            )
    return _timed(frame, schema, view)


def checked_expressions(
    result: Any, names: Iterable[str], where: str, *, all_of_them: bool = True
) -> dict[str, pl.Expr]:
    """Check a dictionary of expressions; `names` are those that it has to have, or may have."""
    if not isinstance(result, dict):
        raise FeatureError(f"{where}: expected a dict, it returned a {type(result).__name__}")
    known = list(names)
    unknown = [name for name in result if name not in known]
    if unknown or (all_of_them and len(result) != len(known)):
        given = _listed(result) or "nothing"
        raise FeatureError(f"{where}: declares {_listed(known)}; returns {given}")
    for name, expression in result.items():
        if not isinstance(expression, pl.Expr):
            kind = type(expression).__name__
            raise FeatureError(f"{where}: {name!r} is a {kind}; expected a polars expression")
    return dict(result)


def _frame(
    result: Any, view: FeatureView, sources: Mapping[str, pl.LazyFrame], columns: Iterable[str]
) -> pl.LazyFrame:
    """Return the rows of a view, whether it gave a frame or expressions."""
    if not isinstance(result, dict):
        return _lazy(result, view.where)
    if len(sources) != 1:
        raise FeatureError(
            f"{view.where}: expressions are of one source, it reads {_listed(sources)}: "
            "join them and return a LazyFrame"
        )
    times = [time for time in (view.event_time, view.created) if time]
    known = dict.fromkeys([*view.entity, *times, *columns])
    expressions = checked_expressions(result, known, view.where, all_of_them=False)
    # In a context that keeps the rows: an expression that drops some is an error of polars'.
    return next(iter(sources.values())).with_columns(**expressions)


def _lazy(result: Any, where: str) -> pl.LazyFrame:
    if not isinstance(result, pl.LazyFrame):
        kind = type(result).__name__
        raise FeatureError(f"{where}: expected a LazyFrame, it returned a {kind}")
    return result


def _schema(frame: pl.LazyFrame, where: str) -> pl.Schema:
    try:
        return frame.collect_schema()
    except pl.exceptions.PolarsError as error:
        raise FeatureError(f"{where}: {str(error).partition(chr(10))[0]}") from error


def _identified(frame: pl.LazyFrame, view: FeatureView) -> pl.Schema:
    schema = _schema(frame, view.where)
    _present(schema, view.entity, "entity", view.where)
    for key in view.entity:
        if schema[key].is_float() or schema[key].is_nested():
            raise FeatureError(
                f"{view.where}: entity {key!r} is {schema[key]}; expected a key that is exact, "
                "like an Int64 or a String"
            )
    return schema


def _present(schema: pl.Schema, names: Iterable[str], role: str, where: str) -> None:
    for name in names:
        if name not in schema:
            raise FeatureError(
                f"{where}: no column {name!r} for its {role}: {what_exists(name, schema)}"
            )


def _timed(frame: pl.LazyFrame, schema: pl.Schema, view: FeatureView) -> pl.LazyFrame:
    times = [time for time in (view.event_time, view.created) if time]
    return _in_utc(frame, schema, times, view.where)


def _in_utc(
    frame: pl.LazyFrame, schema: pl.Schema, times: Iterable[str], where: str
) -> pl.LazyFrame:
    times = list(times)
    for time in times:
        _present(schema, [time], "time", where)
        dtype = schema[time]
        if not isinstance(dtype, pl.Datetime) or dtype.time_zone is None:
            raise FeatureError(
                f"{where}: time {time!r} is {dtype}; expected an aware Datetime: "
                '.dt.replace_time_zone("UTC") says in which zone it was written'
            )
    return frame.with_columns(pl.col(times).dt.convert_time_zone("UTC").cast(_UTC))


def _can(kind: str, dtype: pl.DataType) -> bool:
    """Whether a column of the type can be aggregated that way; of `last` any can."""
    if kind == "distinct":
        return not dtype.is_nested() and dtype != pl.Object
    return kind == "last" or dtype.is_numeric() or dtype in (pl.Boolean, pl.Null)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
