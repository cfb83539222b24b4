"""Entries of a stream as columns: a field's texts parsed at once, what can't be with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from workbench.data.sources.declared import Declared
from workbench.errors import ConfigError, what_exists

__all__ = ["MOMENT", "Field", "declared_fields", "typed"]

MOMENT = pl.Datetime("us", "UTC")

_LAST = 253_402_300_799_999_999
"""The last microsecond of the year 9999, after which Python has no times."""

_EPOCH = {"Datetime(s)": 1_000_000, "Datetime(ms)": 1_000, "Datetime(us)": 1}
_TYPES: dict[str, pl.DataType] = {
    "String": pl.String(),
    "Boolean": pl.Boolean(),
    "Int8": pl.Int8(),
    "Int16": pl.Int16(),
    "Int32": pl.Int32(),
    "Int64": pl.Int64(),
    "UInt8": pl.UInt8(),
    "UInt16": pl.UInt16(),
    "UInt32": pl.UInt32(),
    "Float32": pl.Float32(),
    "Float64": pl.Float64(),
    "Date": pl.Date(),
    "Datetime": MOMENT,
    **dict.fromkeys(_EPOCH, MOMENT),
}


@dataclass(frozen=True)
class Field:
    """A field of an entry: its name, what it is declared to be, and whether it may be missing."""

    name: str
    kind: str
    optional: bool

    @property
    def dtype(self) -> pl.DataType:
        """The column's type."""
        return _TYPES[self.kind]


def declared_fields(declared: Declared, reserved: Sequence[str]) -> list[Field]:
    """Read a source's schema, written as `user Int64, at Datetime, amount Float64?`.

    Raises
    ------
    ConfigError
        If it is missing, or has an unknown type or a name twice.
    """
    where = f"sources.{declared.name}.options.schema"
    text = str(declared.options.get("schema", ""))
    fields: list[Field] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        column, _, kind = part.rpartition(" ")
        column, plain = column.strip(), kind.removesuffix("?")
        if not column:
            raise ConfigError(
                f"{where}: {part!r}: expected a name and a type, like: amount Float64"
            )
        if plain not in _TYPES:
            raise ConfigError(
                f"{where}: {column}: unknown type {plain!r}; {what_exists(plain, _TYPES, 20)}"
            )
        if column in reserved:
            raise ConfigError(f"{where}: {column}: is there by itself; name the field another way")
        if any(field.name == column for field in fields):
            raise ConfigError(f"{where}: {column} is declared twice")
        fields.append(Field(column, plain, kind.endswith("?")))
    if not fields:
        raise ConfigError(
            f'{where}: missing; a stream\'s fields need types, like: "user Int64, at Datetime"'
        )
    return fields


def typed(field: Field, raw: Sequence[bytes | None], reasons: dict[int, str]) -> pl.Series:
    """Turn a field's texts into a column; each that can't be gets its reason."""
    texts = _decoded(raw)
    typed = _parsed(texts, field.kind)
    if typed.null_count():
        for index in typed.is_null().arg_true().to_list():
            found = raw[index]
            if found is None or (found == b"" and field.kind != "String"):
                if not field.optional:
                    reasons.setdefault(index, f"no {field.name}")
            else:
                shown = found[:40].decode(errors="backslashreplace")
                reasons.setdefault(index, f"{field.name}: {shown!r} is no {field.kind}")
    return typed.alias(field.name)


def _decoded(raw: Sequence[bytes | None]) -> pl.Series:
    binary = pl.Series(raw, dtype=pl.Binary)
    try:
        return binary.cast(pl.String)
    except pl.exceptions.PolarsError:  # one that is no UTF-8 among them
        return pl.Series([_text(value) for value in raw], dtype=pl.String)


def _text(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def _parsed(texts: pl.Series, kind: str) -> pl.Series:
    if kind == "String":
        return texts
    if kind == "Boolean":
        lower = texts.str.to_lowercase()
        yes, no = lower.is_in(["true", "1"]), lower.is_in(["false", "0"])
        return pl.select(pl.when(yes | no).then(yes)).to_series()
    if kind == "Date":
        return texts.str.to_date("%Y-%m-%d", strict=False)
    if kind == "Datetime":  # a text without an offset would be a guess, and gives null
        return texts.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
    if kind in _EPOCH:
        number, unit = texts.cast(pl.Int64, strict=False), _EPOCH[kind]
        known = number.is_between(-(_LAST // unit), _LAST // unit)
        return pl.select(pl.when(known).then(number * unit)).to_series().cast(MOMENT)
    return texts.cast(_TYPES[kind], strict=False)
