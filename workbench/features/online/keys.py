"""An entity as one key: all of its columns in one integer or one text.

A single column of whole numbers, dates, times or booleans is an integer. A single text is itself.
Several columns are one text that no other entity has, since each text in it says how long it is:

>>> Keys({"origin": pl.String, "number": pl.Int64}).of({"origin": "EWR", "number": 7})
'3:EWR7;'
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import polars as pl

from workbench.errors import FeatureError
from workbench.features.online.protocol import Key

__all__ = ["Keys"]

_LARGEST = 1 << 63

_Part = Callable[[Any], Key | None]


class Keys:
    """The keys of entities with these columns and types."""

    def __init__(self, entity: Mapping[str, Any], view: str = "") -> None:
        self._types = pl.Schema(entity)
        self._view = view
        for name, dtype in self._types.items():
            if not (_is_text(dtype) or _is_whole(dtype)):
                raise FeatureError(
                    f"feature view {view}: entity {name!r} is {dtype}; the online store finds "
                    "whole numbers, text, booleans, dates and times"
                )
        self._parts = [(name, _part(dtype)) for name, dtype in self._types.items()]
        self._only = next(iter(self._types)) if len(self._types) == 1 else None

    @property
    def single(self) -> bool:
        """Whether an entity is one column, so that a bare value can stand for it."""
        return self._only is not None

    def of(self, entity: Mapping[str, Any]) -> Key | None:
        """Return the key of one entity; None where a value is null, for it is nobody's.

        Raises
        ------
        FeatureError
            If a column is missing or a value is of another type than the view's.
        """
        try:
            if self._only is not None:
                return self.of_value(entity[self._only])
            keys = [self._key(name, part, entity[name]) for name, part in self._parts]
        except KeyError:
            raise self._missing(entity) from None
        return None if None in keys else "".join(_inside(key) for key in keys if key is not None)

    def of_value(self, value: Any) -> Key | None:
        """Return the key of an entity of one column, from its value."""
        if self._only is None:
            raise FeatureError(
                f"a bare value is the key of one column; feature view {self._view} has several: "
                f"{', '.join(self._types)}"
            )
        return self._key(*self._parts[0], value)

    def of_frame(self, frame: pl.DataFrame) -> list[Key | None]:
        """Return the keys of the frame's rows, whose types are the view's or other integers.

        Raises
        ------
        FeatureError
            If a column is missing or of another type than the view's.
        """
        columns = [self._column(frame, name, dtype) for name, dtype in self._types.items()]
        if self._only is None:
            parts = [_inside_column(column) for column in columns]
            columns = [pl.DataFrame(columns).select(pl.concat_str(parts)).to_series()]
        keys: list[Key | None] = columns[0].to_list()
        return keys

    def _column(self, frame: pl.DataFrame, name: str, dtype: pl.DataType) -> pl.Series:
        if name not in frame.columns:
            raise self._missing(frame.columns)
        column = frame.get_column(name)
        have = column.dtype
        if have == pl.Null:
            return column.cast(pl.String if _is_text(dtype) else pl.Int64)
        if not (
            have == dtype
            or (_is_text(have) and _is_text(dtype))
            or (have.is_integer() and dtype.is_integer())
        ):
            raise FeatureError(
                f"key {name!r} is {have}; it is {dtype} in feature view {self._view}"
            )
        if _is_text(dtype):
            return column.cast(pl.String)
        # As in `_integer`: what is too large is null, and nobody's.
        return column if have == pl.Int64 else column.to_physical().cast(pl.Int64, strict=False)

    def _key(self, name: str, part: _Part, value: Any) -> Key | None:
        if value is None:
            return None
        try:
            return part(value)
        except (TypeError, ValueError) as error:
            kind = type(value).__name__
            raise FeatureError(
                f"key {name!r} is a {kind}; it is {self._types[name]} in feature view {self._view}"
            ) from error

    def _missing(self, entity: Any) -> FeatureError:
        missing = [name for name in self._types if name not in entity]
        return FeatureError(
            f"the keys have no column {missing[0]!r}, the entity of feature view {self._view}; "
            f"there are: {', '.join(entity)}"
        )


def _is_text(dtype: pl.DataType) -> bool:
    return isinstance(dtype, pl.String | pl.Categorical | pl.Enum)


def _is_whole(dtype: pl.DataType) -> bool:
    other = isinstance(dtype, pl.Boolean | pl.Date | pl.Datetime | pl.Time | pl.Duration)
    return other or (dtype.is_integer() and not isinstance(dtype, pl.Int128 | pl.UInt128))


def _part(dtype: pl.DataType) -> _Part:
    """Choose what turns a Python value of this type into a key."""
    if _is_text(dtype):
        return _text
    if dtype.is_integer():
        return _integer
    wanted = next(python for polars, python in _PYTHON if isinstance(dtype, polars))

    def physical(value: Any) -> int:
        aware = isinstance(value, datetime) and value.tzinfo is not None
        zoned = isinstance(dtype, pl.Datetime) and dtype.time_zone is not None
        if type(value) is not wanted or aware != zoned:
            raise TypeError
        whole = pl.Series([value], dtype=dtype).to_physical().cast(pl.Int64)
        return int(whole.item())

    return physical


_PYTHON: list[tuple[type[pl.DataType], type]] = [
    (pl.Boolean, bool),
    (pl.Date, date),
    (pl.Datetime, datetime),
    (pl.Time, time),
    (pl.Duration, timedelta),
]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    value.encode()  # half of a surrogate pair is no text: a ValueError
    return value


def _integer(value: Any) -> int | None:
    if isinstance(value, bool):
        raise TypeError
    number = operator.index(value)
    # A number too large for the store can't be anybody's there.
    return number if -_LARGEST <= number < _LARGEST else None


def _inside(part: Key) -> str:
    return f"{part};" if isinstance(part, int) else f"{len(part.encode())}:{part}"


def _inside_column(column: pl.Series) -> pl.Expr:
    each = pl.col(column.name)
    if column.dtype == pl.String:
        return pl.format("{}:{}", each.str.len_bytes(), each)
    return pl.format("{};", each)
