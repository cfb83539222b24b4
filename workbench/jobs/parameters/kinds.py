"""The types of parameters: each checks, reads, records and spells its values.

A value has four forms: Python's own (what `check` returns), the text on a command line (`read`),
the JSON of a record (`dump`, `load`) and the source of the injected cell (`spell`). One object has
all four, so that they can't disagree. Checks are strict: only what loses nothing is converted, as a
whole number is where a float is declared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path, PurePath
from typing import Any

from workbench.jobs.parameters.foreign import to_python
from workbench.jobs.parameters.forms import alike, read_literal, spell_text
from workbench.jobs.parameters.names import Names

__all__ = ["NULL", "PLAIN", "Kind", "Mismatch"]

_LARGEST_BITS = 14_000
"""Python neither reads nor writes integers of more than 4,300 digits."""


class Mismatch(Exception):
    """The value isn't of the kind."""


@dataclass(frozen=True)
class Kind:
    """A type that a parameter may have."""

    is_any = False
    """Whether no type is declared."""

    takes_any_text = False
    """Whether any text on the command line is a value: such a kind is asked last in a union."""

    @property
    def expected(self) -> str:
        """What is expected, in words."""
        raise NotImplementedError

    def check(self, value: Any) -> Any:
        """Return a value from Python in the kind's own form, or raise `Mismatch`."""
        raise NotImplementedError

    def read(self, text: str) -> Any:
        """Read a value from a command line, or raise `Mismatch`."""
        return self.load(read_literal(text))

    def dump(self, value: Any) -> Any:
        """Turn a checked value into JSON."""
        return value

    def load(self, data: Any) -> Any:
        """Turn JSON back into a value, or raise `Mismatch`."""
        return self.check(data)

    def spell(self, value: Any, names: Names) -> str:
        """Write a checked value as Python source."""
        return repr(value)

    def holds(self, value: Any) -> bool:
        """Tell whether a value has the kind's own form already."""
        try:
            return alike(self.check(value), value)
        except Mismatch:
            return False


@dataclass(frozen=True)
class _Null(Kind):
    expected = "None"

    def check(self, value: Any) -> None:
        if value is not None:
            raise Mismatch


@dataclass(frozen=True)
class _Bool(Kind):
    expected = "bool"

    def check(self, value: Any) -> bool:
        value = to_python(value)
        if not isinstance(value, bool):
            raise Mismatch
        return value


@dataclass(frozen=True)
class _Int(Kind):
    expected = "int"

    def check(self, value: Any) -> int:
        value = to_python(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise Mismatch
        if value.bit_length() > _LARGEST_BITS:
            raise Mismatch
        return int(value)


@dataclass(frozen=True)
class _Float(Kind):
    expected = "float"

    def check(self, value: Any) -> float:
        value = to_python(value)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise Mismatch
        try:
            return float(value)
        except OverflowError as error:
            raise Mismatch from error

    def read(self, text: str) -> float:
        wanted = text.lower().lstrip("+-")
        return float(text) if wanted in ("nan", "inf", "infinity") else super().read(text)

    def dump(self, value: float) -> Any:
        if math.isfinite(value):
            return value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"

    def load(self, data: Any) -> float:
        return float(data) if data in ("NaN", "Infinity", "-Infinity") else self.check(data)

    def spell(self, value: float, names: Names) -> str:
        return (
            repr(value)
            if math.isfinite(value)
            else f"{names.spell('builtins', 'float')}('{value}')"
        )


@dataclass(frozen=True)
class _Text(Kind):
    expected = "str"
    takes_any_text = True

    def check(self, value: Any) -> str:
        value = to_python(value)
        if not isinstance(value, str):
            raise Mismatch
        try:
            value.encode()  # half a surrogate pair can't be written into any file
        except UnicodeEncodeError as error:
            raise Mismatch from error
        return str.__str__(value)

    def read(self, text: str) -> str:
        return self.check(text)

    def spell(self, value: str, names: Names) -> str:
        return spell_text(value)


@dataclass(frozen=True)
class _Decimal(Kind):
    expected = "Decimal"

    def check(self, value: Any) -> Decimal:
        value = to_python(value)
        if not isinstance(value, Decimal | int) or isinstance(value, bool):
            raise Mismatch
        return Decimal(value)

    def read(self, text: str) -> Decimal:
        return self.load(text)

    def dump(self, value: Decimal) -> str:
        return str(value)

    def load(self, data: Any) -> Decimal:
        # A float of JSON was written in decimals: they are what is meant.
        text = repr(data) if isinstance(data, float) else data
        try:
            return Decimal(text) if isinstance(text, str) else self.check(data)
        except InvalidOperation as error:
            raise Mismatch from error

    def spell(self, value: Decimal, names: Names) -> str:
        return f"{names.spell('decimal', 'Decimal')}('{value}')"


@dataclass(frozen=True)
class _Path(Kind):
    expected = "Path"
    takes_any_text = True

    def check(self, value: Any) -> Path:
        if not isinstance(value, str | PurePath):
            raise Mismatch
        return Path(TEXT.check(str(value)))

    def read(self, text: str) -> Path:
        return self.check(text)

    def dump(self, value: Path) -> str:
        return str(value)

    def spell(self, value: Path, names: Names) -> str:
        return f"{names.spell('pathlib', 'Path')}({str(value)!r})"


NULL = _Null()
TEXT = _Text()

PLAIN: dict[str, Kind] = {
    "builtins.bool": _Bool(),
    "builtins.int": _Int(),
    "builtins.float": _Float(),
    "builtins.str": TEXT,
    "decimal.Decimal": _Decimal(),
    "pathlib.Path": _Path(),
}
"""The kinds of this module by the full name of their type."""
