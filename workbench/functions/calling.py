"""Calling a function with values, with columns, or with expressions: the same answer for each row.

Where a function of rows isn't ready for None (`x: float`), a row without a value has no answer, as
in SQL; where it is (`x: float | None`), it is called with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from workbench.errors import DataError, UsageError
from workbench.functions.signature import Signature

if TYPE_CHECKING:
    import polars as pl

__all__ = ["call"]

Build = Callable[..., Any]


def call(name: str, signature: Signature, build: Build, values: Sequence[Any]) -> Any:
    """Call `build` with one value for each of the parameters that are given.

    Parameters
    ----------
    values
        Values of one row; or polars Series of one length, shape (rows,), among which a plain value
        stands for each row; or polars expressions.

    Returns
    -------
    Any
        One value; a Series, shape (rows,); an expression.

    Raises
    ------
    DataError
        If a value or the answer isn't of its type, or the answer has another length.
    """
    import polars as pl

    if any(isinstance(value, pl.Expr) for value in values):
        return _expression(name, signature, build, values)
    if any(isinstance(value, pl.Series) for value in values):
        return _columns(name, signature, build, values)
    if signature.kind == "row":
        return _row(name, signature, build, _one_row(name, signature, values))
    given = _one_row(name, signature, values)
    columns = [_repeated(value, p.type, 1) for value, p in _paired(given, signature)]
    return _columns(name, signature, build, columns).item()


def _one_row(name: str, signature: Signature, values: Sequence[Any]) -> list[Any]:
    return [p.type.value(v, f"function {name}: {p.name}") for v, p in _paired(values, signature)]


def _paired(values: Sequence[Any], signature: Signature) -> list[tuple[Any, Any]]:
    return list(zip(values, signature.parameters, strict=False))  # the last may have defaults


def _row(name: str, signature: Signature, build: Build, values: Sequence[Any]) -> Any:
    for value, parameter in _paired(values, signature):
        if value is None and not parameter.type.optional:
            return None
    answer = signature.returns.value(build(*values), f"function {name}: its answer")
    if answer is None and not signature.returns.optional:
        raise DataError(
            f"function {name}: its answer to {tuple(values)!r} is None; expected "
            f"{signature.returns.word}, or let it say `{signature.returns.word} | None`"
        )
    return answer


def _columns(name: str, signature: Signature, build: Build, values: Sequence[Any]) -> pl.Series:
    """Answer for all rows."""
    import polars as pl

    height = _height(name, signature, values)
    columns = []
    for value, parameter in _paired(values, signature):
        what = f"function {name}: {parameter.name}"
        if not isinstance(value, pl.Series):
            value = _repeated(parameter.type.value(value, what), parameter.type, height)
        columns.append(parameter.type.series(value, what).alias(parameter.name))
    if signature.kind == "row":
        rows = zip(*(column.to_list() for column in columns), strict=True)
        answers = [_row(name, signature, build, row) for row in rows]
        return pl.Series(name, answers, dtype=signature.returns.dtype)
    is_series = signature.kind == "series"
    answer = build(*columns) if is_series else _selected(name, build, columns)
    return _checked(name, signature, answer, height)


def _height(name: str, signature: Signature, values: Sequence[Any]) -> int:
    import polars as pl

    heights = {
        parameter.name: value.len()
        for value, parameter in _paired(values, signature)
        if isinstance(value, pl.Series)
    }
    if len({*heights.values()}) > 1:
        told = ", ".join(f"{parameter} has {height:,}" for parameter, height in heights.items())
        raise DataError(f"function {name}: columns of several lengths: {told}")
    return next(iter(heights.values()))


def _repeated(value: Any, type_: Any, height: int) -> pl.Series:
    import polars as pl

    dtype = None if type_.scalar is None else type_.dtype
    return pl.Series([value], dtype=dtype).new_from_index(0, height)


def _selected(name: str, build: Build, columns: Sequence[pl.Series]) -> Any:
    import polars as pl

    made = build(*(pl.col(column.name) for column in columns))
    if not isinstance(made, pl.Expr):
        return made
    try:
        return pl.DataFrame(columns).select(made.alias(name)).to_series()
    except pl.exceptions.PolarsError as error:
        raise DataError(f"function {name}: {str(error).partition(chr(10))[0]}") from error


def _checked(name: str, signature: Signature, answer: Any, height: int) -> pl.Series:
    """Hold the answer of a function of columns to what it says."""
    import polars as pl

    if not isinstance(answer, pl.Series):
        word = "Series" if signature.kind == "series" else "Expr"
        raise DataError(
            f"function {name}: its answer is a {type(answer).__name__}; expected polars' {word}"
        )
    if answer.len() != height:
        raise DataError(f"function {name}: {answer.len():,} answers for {height:,} rows")
    return signature.returns.series(answer, f"function {name}: its answer").alias(name)


def _expression(name: str, signature: Signature, build: Build, values: Sequence[Any]) -> pl.Expr:
    import polars as pl

    given = [value if isinstance(value, pl.Expr) else pl.lit(value) for value in values]
    if signature.kind == "expression":
        made = build(*given)
        if not isinstance(made, pl.Expr):
            raise UsageError(f"function {name}: its answer is a {type(made).__name__}, not an Expr")
        return made.cast(signature.returns.dtype).alias(name)

    def answer(columns: Sequence[pl.Series]) -> pl.Series:
        lengths = [column.len() for column in columns]
        height = max(lengths) if min(lengths) else 0  # beside no rows a value stands for none
        whole = [c.new_from_index(0, height) if c.len() == 1 else c for c in columns]
        return _columns(name, signature, build, whole)

    return pl.map_batches(given, answer, return_dtype=signature.returns.dtype).alias(name)
