"""The types that a function's annotations may name, and what each is to polars and to SQL."""

from __future__ import annotations

import types
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from workbench.errors import DataError, UsageError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Kind", "Type", "type_of"]

Kind = Literal["row", "series", "expression"]
"""What a parameter is given: the value of one row, all rows' values, or an expression of them."""

_SQL = {
    bool: "BOOLEAN",
    int: "BIGINT",
    float: "DOUBLE",
    str: "VARCHAR",
    bytes: "BLOB",
    date: "DATE",
    datetime: "TIMESTAMP WITH TIME ZONE",
}
_KNOWN = f"{', '.join(scalar.__name__ for scalar in _SQL)}, a list of one of these, and `… | None`"


@dataclass(frozen=True)
class Type:
    """What an annotation says of the values of a parameter or of the answer.

    Attributes
    ----------
    scalar
        The Python type of one value; of a list's the type of its items; None for any.
    optional
        Whether a function of rows is called with None, or may answer it.
    """

    scalar: type | None
    is_list: bool = False
    optional: bool = False

    @property
    def word(self) -> str:
        """How the type is written."""
        if self.scalar is None:
            return "any"
        word = f"list[{self.scalar.__name__}]" if self.is_list else self.scalar.__name__
        return f"{word} | None" if self.optional else word

    @property
    def sql(self) -> str:
        """What DuckDB calls it."""
        assert self.scalar is not None, "only a parameter may be of any type"
        return _SQL[self.scalar] + ("[]" if self.is_list else "")

    @property
    def dtype(self) -> pl.DataType:
        """What polars calls it."""
        import polars as pl

        assert self.scalar is not None, "only a parameter may be of any type"
        inner = _dtypes()[self.scalar]
        return pl.List(inner) if self.is_list else inner

    def value(self, value: Any, what: str) -> Any:
        """Return one value as this type has it: whole numbers are floats too, NumPy's are Python's.

        Raises
        ------
        DataError
            If it is of another type; `what` names it.
        """
        value = value.item() if hasattr(value, "item") and not isinstance(value, type) else value
        if value is None or self.scalar is None:
            return value
        if self.is_list:
            if isinstance(value, str) or not hasattr(value, "__iter__"):
                raise self._other(value, what)
            one = Type(self.scalar)
            return [one.value(item, what) for item in value]
        if self.scalar is float and type(value) is int:
            return float(value)
        if not self._holds(value):
            raise self._other(value, what)
        return value.astimezone(UTC) if self.scalar is datetime else value  # as in a column

    def series(self, series: pl.Series, what: str) -> pl.Series:
        """Return a column as this type has it, if nothing is lost by that.

        Raises
        ------
        DataError
            If it is of another type, or has a value that doesn't fit; `what` names it.
        """
        import polars as pl

        if self.scalar is None or series.dtype == self.dtype:
            return series
        if not _fits(series.dtype, self.dtype):
            hint = "; give it a zone" if isinstance(series.dtype, pl.Datetime) else ""
            raise DataError(f"{what} is {series.dtype}; expected {self.word}{hint}")
        try:
            return series.cast(self.dtype)
        except pl.exceptions.PolarsError as error:
            raise DataError(f"{what}: {str(error).partition(chr(10))[0]}") from error

    def _holds(self, value: Any) -> bool:
        if self.scalar is datetime:
            return isinstance(value, datetime) and value.tzinfo is not None
        if self.scalar is date:
            return isinstance(value, date) and not isinstance(value, datetime)
        assert self.scalar is not None
        if isinstance(value, bool) != (self.scalar is bool):
            return False
        if self.scalar is int and isinstance(value, int):
            return -(2**63) <= value < 2**63  # as in a column
        return isinstance(value, self.scalar)

    def _other(self, value: Any, what: str) -> DataError:
        naive = isinstance(value, datetime) and value.tzinfo is None and self.scalar is datetime
        found = "a time without a zone" if naive else f"{value!r}, a {type(value).__name__}"
        wide = " of 64 bits" if isinstance(value, int) and self.scalar is int else ""
        return DataError(f"{what} is {found}; expected {self.word}{wide}")


@cache
def _dtypes() -> dict[type, pl.DataType]:
    import polars as pl

    return {
        bool: pl.Boolean(),
        int: pl.Int64(),
        float: pl.Float64(),
        str: pl.String(),
        bytes: pl.Binary(),
        date: pl.Date(),
        datetime: pl.Datetime("us", "UTC"),
    }


def _fits(have: pl.DataType, want: pl.DataType) -> bool:
    """Whether every value of one type is one of the other's, but for its size."""
    import polars as pl

    if isinstance(have, (pl.List, pl.Array)) and isinstance(want, pl.List):
        inner = (_as_type(have.inner), _as_type(want.inner))
        return inner[0] == inner[1] or _fits(*inner)
    if isinstance(have, pl.Null):
        return True
    if isinstance(want, pl.Float64):
        return have.is_numeric()
    if isinstance(want, pl.Int64):
        return have.is_integer() or (isinstance(have, pl.Decimal) and have.scale == 0)
    if isinstance(want, pl.String):
        return isinstance(have, (pl.Categorical, pl.Enum))
    if isinstance(want, pl.Datetime):
        return isinstance(have, pl.Datetime) and have.time_zone is not None
    return False


def _as_type(dtype: Any) -> pl.DataType:
    made: pl.DataType = dtype() if isinstance(dtype, type) else dtype
    return made


def type_of(annotation: Any, what: str) -> tuple[Kind, Type]:
    """Read an annotation.

    Raises
    ------
    UsageError
        If it names none of the known types; `what` says whose it is.
    """
    import polars as pl

    for kind, vector in (("series", pl.Series), ("expression", pl.Expr)):
        if annotation is vector:
            return kind, Type(None)  # type: ignore[return-value]
        if get_origin(annotation) is Annotated and get_args(annotation)[0] is vector:
            inner = _scalar(get_args(annotation)[1], what)
            return kind, inner  # type: ignore[return-value]
    return "row", _scalar(annotation, what)


def _scalar(annotation: Any, what: str) -> Type:
    if get_origin(annotation) in {Union, types.UnionType}:
        inner = [arm for arm in get_args(annotation) if arm is not type(None)]
        if len(inner) == 1 and len(get_args(annotation)) == 2:
            plain = _scalar(inner[0], what)
            return Type(plain.scalar, plain.is_list, optional=True)
    if get_origin(annotation) is list and get_args(annotation)[0] in _SQL:
        return Type(get_args(annotation)[0], is_list=True)
    if isinstance(annotation, type) and annotation in _SQL:
        return Type(annotation)
    said = getattr(annotation, "__name__", annotation)
    raise UsageError(
        f"{what} is annotated {said}; expected one of {_KNOWN}, or polars' Series or Expr: "
        "Annotated[pl.Series, float]"
    )
