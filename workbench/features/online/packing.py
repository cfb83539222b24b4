"""Values as bytes: a frame's rows packed at once, one row unpacked in a microsecond.

A packed row is a bit for each feature that is null, the numbers side by side, the length of each
text, then the texts. Which bytes are which is said by the schema, which is stored once a version;
nothing in a row is code, whoever wrote it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from workbench.errors import FeatureError

__all__ = ["Packing"]

_NUMBERS: dict[type[pl.DataType], str] = {
    pl.Int8: "b",
    pl.Int16: "h",
    pl.Int32: "i",
    pl.Int64: "q",
    pl.UInt8: "B",
    pl.UInt16: "H",
    pl.UInt32: "I",
    pl.UInt64: "Q",
    pl.Float32: "f",
    pl.Float64: "d",
    pl.Boolean: "?",
    pl.Date: "i",
    pl.Datetime: "q",
    pl.Duration: "q",
    pl.Time: "q",
    pl.Null: "?",
}
"""How a value lies in memory, in the letters of `struct`, which are NumPy's too."""

_TEXTS = (pl.String, pl.Categorical, pl.Enum, pl.Decimal, pl.Binary)

Convert = Callable[[Any], Any]


class Packing:
    """Rows of features with these names and types, as bytes and back."""

    def __init__(self, features: Mapping[str, Any], view: str = "") -> None:
        self._types = pl.Schema(features)
        for name, dtype in self._types.items():
            if not isinstance(dtype, (*_NUMBERS, *_TEXTS)):
                raise FeatureError(
                    f"feature {view}:{name} is {dtype}; the online store keeps numbers, text, "
                    "booleans, dates and times"
                )
        names = list(self._types)
        self._texts = [name for name in names if isinstance(self._types[name], _TEXTS)]
        self._numbers = [name for name in names if name not in self._texts]
        codes = [_NUMBERS[type(self._types[name])] for name in self._numbers]
        codes += ["I"] * len(self._texts)
        self._flags = (len(names) + 7) // 8
        self._struct = struct.Struct(f"<{self._flags}s{''.join(codes)}")
        fields = [("flags", "u1", (self._flags,))]
        self._dtype = np.dtype([*fields, *((str(at), f"<{c}") for at, c in enumerate(codes))])
        self._stored = {name: _stored_type(dtype) for name, dtype in self._types.items()}
        self._casts = [name for name in names if self._stored[name] != self._types[name]]
        self._no_nulls = bytes(self._flags)
        # Stored: the numbers, then the texts. Shown: as declared.
        stored = [*self._numbers, *self._texts]
        self._order = [stored.index(name) for name in names]
        self._as_declared = self._order == list(range(len(names)))
        self._convert = [
            (at, convert)
            for at, name in enumerate(names)
            if (convert := _python(self._types[name]))
        ]
        self.nulls = (None,) * len(names)

    def pack(self, frame: pl.DataFrame) -> list[bytes]:
        """Pack each row of a frame that has these columns, of these types."""
        array = np.zeros(frame.height, self._dtype)
        columns = [frame[name] for name in self._types]
        if any(column.null_count() for column in columns):
            nulls = np.column_stack([column.is_null().to_numpy() for column in columns])
            array["flags"] = np.packbits(nulls, axis=1, bitorder="little")
        for at, name in enumerate(self._numbers):
            if self._types[name] != pl.Null:
                array[str(at)] = _physical(frame[name])
        texts = [_encoded(frame[name]) for name in self._texts]
        for at, text in enumerate(texts, start=len(self._numbers)):
            array[str(at)] = np.fromiter(map(len, text), np.uint32, frame.height)
        whole, size = array.tobytes(), self._struct.size
        heads = [whole[start : start + size] for start in range(0, len(whole), size)]
        if not texts:
            return heads
        return [b"".join(parts) for parts in zip(heads, *texts, strict=True)]

    def unpack(self, packed: bytes) -> tuple[Any, ...]:
        """Return a row's values as Python has them; null is None."""
        values = self._raw(packed)
        if not self._convert:
            return values
        shown = list(values)
        for at, convert in self._convert:
            if shown[at] is not None:
                shown[at] = convert(shown[at])
        return tuple(shown)

    def columns(self, rows: Sequence[bytes | None]) -> dict[str, pl.Series]:
        """Return rows as columns of the declared types; None is a row of nulls."""
        raw = [self.nulls if packed is None else self._raw(packed) for packed in rows]
        columns = pl.DataFrame(raw, schema=self._stored, orient="row").get_columns()
        found = dict(zip(self._types, columns, strict=True))
        for name in self._casts:
            found[name] = found[name].cast(self._types[name])
        return found

    def _raw(self, packed: bytes) -> tuple[Any, ...]:
        """Return the values as they are stored, in the order of the declaration."""
        flags, *values = self._struct.unpack_from(packed)
        if self._texts:
            self._cut(packed, values)
        if not self._as_declared:
            values = [values[at] for at in self._order]
        if flags != self._no_nulls:
            bits = int.from_bytes(flags, "little")
            values = [None if bits >> at & 1 else value for at, value in enumerate(values)]
        return tuple(values)

    def _cut(self, packed: bytes, values: list[Any]) -> None:
        """Put each text in the place of its length."""
        start = self._struct.size
        for at, name in enumerate(self._texts, start=len(self._numbers)):
            end = start + values[at]
            text = packed[start:end]
            values[at] = text if self._types[name] == pl.Binary else text.decode()
            start = end


def _physical(column: pl.Series) -> np.ndarray[Any, Any]:
    if column.dtype == pl.Boolean:
        return column.fill_null(value=False).to_numpy()
    return column.to_physical().fill_null(0).to_numpy()


def _encoded(column: pl.Series) -> list[bytes]:
    if column.dtype != pl.Binary:
        column = column.cast(pl.String).cast(pl.Binary)
    encoded: list[bytes] = column.fill_null(b"").to_list()
    return encoded


def _stored_type(dtype: pl.DataType) -> pl.DataType:
    """Return the type of the values that `_raw` gives, from which a cast leads to `dtype`."""
    if isinstance(dtype, pl.Categorical | pl.Enum | pl.Decimal):
        return pl.String()
    if isinstance(dtype, pl.Date):
        return pl.Int32()
    return pl.Int64() if dtype.is_temporal() else dtype


def _python(dtype: pl.DataType) -> Convert | None:
    """Choose what turns a stored value into the one that Python has; None if it is it."""
    if isinstance(dtype, pl.Date):
        first = date(1970, 1, 1).toordinal()
        return lambda days: date.fromordinal(first + days)
    if isinstance(dtype, pl.Decimal):
        return Decimal
    if isinstance(dtype, pl.Datetime):
        return _datetimes(dtype)
    if isinstance(dtype, pl.Duration):
        return lambda ticks: timedelta(microseconds=_microseconds(ticks, dtype.time_unit))
    if isinstance(dtype, pl.Time):
        midnight = datetime(1970, 1, 1)  # noqa: DTZ001  # a time of day has no zone
        return lambda ticks: (midnight + timedelta(microseconds=ticks // 1000)).time()
    return None


def _datetimes(dtype: pl.Datetime) -> Convert:
    zone = ZoneInfo(dtype.time_zone) if dtype.time_zone else None
    epoch = datetime(1970, 1, 1, tzinfo=UTC)

    def convert(ticks: int) -> datetime:
        moment = epoch + timedelta(microseconds=_microseconds(ticks, dtype.time_unit))
        return moment.astimezone(zone) if zone else moment.replace(tzinfo=None)

    return convert


def _microseconds(ticks: int, unit: str) -> int:
    return {"ms": ticks * 1000, "us": ticks, "ns": ticks // 1000}[unit]
