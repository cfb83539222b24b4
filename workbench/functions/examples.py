"""A function's test: its examples, its doctest, and that no row's answer depends on other rows."""

from __future__ import annotations

import doctest
import io
import math
from typing import TYPE_CHECKING, Any

from workbench.errors import DataError, UsageError
from workbench.functions.function import Function

if TYPE_CHECKING:
    import polars as pl

__all__ = ["check"]

_RELATIVE = 1e-9
"""How near a float has to come to the one that somebody wrote down."""


def check(function: Function) -> int:
    """Run the test of a function; return how many examples it has.

    Each example is called as it stands. Then all their rows are asked about together, in reverse
    and one by one, which has to give the same: SQL gives rows in batches of its own choice.

    Raises
    ------
    DataError
        If an answer isn't the one expected, with the example; or if it depends on other rows.
    UsageError
        If a function of columns has examples of fewer than two rows.
    """
    for given, expected in function.test:
        _check_example(function, given, expected)
    if function.test:
        _check_rows(function, [_columns(function, given) for given, _ in function.test])
    return len(function.test) + _check_doctest(function)


def _check_example(function: Function, given: tuple[Any, ...], expected: Any) -> None:
    import polars as pl

    told = f"function {function.name}: {function.name}({', '.join(map(repr, given))})"
    vector = function.signature.kind != "row" and any(map(_is_rows, given))
    try:
        values = _columns(function, given) if vector else list(given)
        found = function.answer(*values)
    except Exception as error:  # whatever the project's code raises
        raise DataError(f"{told}: {type(error).__name__}: {_line(error)}") from error
    plain = found.to_list() if isinstance(found, pl.Series) else found
    wanted = expected.to_list() if isinstance(expected, pl.Series) else expected
    if not _same(plain, wanted):
        raise DataError(f"{told} is {plain!r}; expected {wanted!r}")


def _columns(function: Function, given: tuple[Any, ...]) -> list[pl.Series]:
    """Write an example's arguments as columns; a value beside columns stands for each row."""
    import polars as pl

    is_row = function.signature.kind == "row"
    lists = [list(value) for value in given if _is_rows(value) and not is_row]
    height = len(lists[0]) if lists else 1
    columns = []
    for value, parameter in zip(given, function.signature.parameters, strict=False):
        values = list(value) if _is_rows(value) and not is_row else [value] * height
        what = f"function {function.name}: {parameter.name}"
        dtype = None if parameter.type.scalar is None else parameter.type.dtype
        columns.append(
            pl.Series(parameter.name, [parameter.type.value(v, what) for v in values], dtype=dtype)
        )
    return columns


def _is_rows(value: Any) -> bool:
    import polars as pl

    return isinstance(value, (list, pl.Series))


def _check_rows(function: Function, examples: list[list[pl.Series]]) -> None:
    import polars as pl

    complete = [e for e in examples if len(e) == len(function.signature.parameters)]
    if not complete:
        return
    rows = pl.concat([pl.DataFrame(example) for example in complete], how="vertical_relaxed")
    if function.signature.kind != "row" and rows.height < 2:
        raise UsageError(
            f"function {function.name}: its test has one row; give two or more, which show that "
            "no row's answer depends on other rows"
        )
    whole = function.answer(*rows)
    backwards = function.answer(*rows.reverse()).reverse()
    alone = [function.answer(*rows[n : n + 1]) for n in range(rows.height)]
    for other in (backwards, pl.concat(alone)):
        if not whole.equals(other, null_equal=True):
            row = next(n for n in range(rows.height) if not _same(whole[n], other[n]))
            raise DataError(
                f"function {function.name}: its answer to {rows.row(row)} is {whole[row]!r} among "
                f"other rows and {other[row]!r} otherwise; it may not use other rows' values (no "
                "mean, rank, shift, over), nor remember"
            )


def _check_doctest(function: Function) -> int:
    names = {**function.build.__globals__, function.name: function}
    doc = function.__doc__ or ""
    found = doctest.DocTestParser().get_doctest(doc, names, function.name, None, 0)
    said = io.StringIO()
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(found, out=said.write)
    if runner.failures:
        told = " ".join(said.getvalue().partition("Failed example:")[2].split())
        raise DataError(f"function {function.name}: its doctest fails: {told[:300]}")
    return runner.tries


def _same(found: Any, expected: Any) -> bool:
    if isinstance(found, list) and isinstance(expected, (list, tuple)):
        return len(found) == len(expected) and all(map(_same, found, expected))
    if isinstance(found, float) and isinstance(expected, (int, float)):
        both_nan = math.isnan(found) and math.isnan(expected)
        return both_nan or math.isclose(found, expected, rel_tol=_RELATIVE, abs_tol=1e-12)
    return type(found) is type(expected) and bool(found == expected)


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0]
