"""Kinds that leave open what a value is: unions, and what has no declared type.

Where plain JSON wouldn't tell what a value was (a tuple where no type is declared, a text in
`date | str` that reads like a date), its record says it: `{"$type": "tuple", "value": [1, 2]}`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any

from workbench.jobs.parameters.containers import DictOf, ListOf, SetOf, TupleOf, tag_of, tagged
from workbench.jobs.parameters.foreign import to_python
from workbench.jobs.parameters.forms import alike
from workbench.jobs.parameters.kinds import NULL, PLAIN, Kind, Mismatch
from workbench.jobs.parameters.moments import MOMENTS
from workbench.jobs.parameters.names import Names

__all__ = ["ANYTHING", "BARE", "UnionOf", "kind_of", "union_of"]


@dataclass(frozen=True)
class UnionOf(Kind):
    """One of several kinds: the first whose own form a value has, else the first that takes it."""

    kinds: tuple[Kind, ...]

    @property
    def expected(self) -> str:
        """List the kinds."""
        return " or ".join(kind.expected for kind in self.kinds)

    def check(self, value: Any) -> Any:
        """Check with the kind that fits."""
        fitting = self._holding(value)
        return fitting.check(value) if fitting else self._first(lambda kind: kind.check(value))[1]

    def read(self, text: str) -> Any:
        """Read with the first kind that can; what takes any text comes last."""
        return self._first(lambda kind: kind.read(text))[1]

    def dump(self, value: Any) -> Any:
        """Record as the kind does, with its name where `load` would take it for another."""
        kind = self._holding(value)
        assert kind is not None, "a checked value has the form of a kind"
        data = kind.dump(value)
        return data if self._loading(data)[0] == kind else tagged(kind.expected, data)

    def load(self, data: Any) -> Any:
        """Load with the kind that is named or fits."""
        for kind in self.kinds:
            if kind.expected == tag_of(data):
                return kind.load(data["value"])
        return self._loading(data)[1]

    def spell(self, value: Any, names: Names) -> str:
        """Write as the kind does."""
        kind = self._holding(value)
        assert kind is not None, "a checked value has the form of a kind"
        return kind.spell(value, names)

    def _holding(self, value: Any) -> Kind | None:
        return next((kind for kind in self.kinds if kind.holds(value)), None)

    def _loading(self, data: Any) -> tuple[Kind, Any]:
        if not isinstance(data, str):  # a whole number is no float if there is a kind for it
            for kind in self.kinds:
                try:
                    value = kind.load(data)
                except Mismatch:
                    continue
                if alike(value, data):
                    return kind, value
        return self._first(lambda kind: kind.load(data))

    def _first(self, do: Callable[[Kind], Any]) -> tuple[Kind, Any]:
        for kind in sorted(self.kinds, key=lambda kind: kind.takes_any_text):
            try:
                return kind, do(kind)
            except Mismatch:
                continue
        raise Mismatch


@dataclass(frozen=True)
class _Anything(Kind):
    """What has no declared type, or one that isn't known: every value of a kind that we have."""

    is_any = True
    expected = "a value that JSON can hold, or a date, Path or Decimal"

    def check(self, value: Any) -> Any:
        """Check with the kind that the value itself has."""
        value = to_python(value)
        if isinstance(value, Enum):
            value = value.value
        return kind_of(value).check(value)

    def dump(self, value: Any) -> Any:
        """Record plainly what JSON has, anything else with its name."""
        kind = kind_of(value)
        data = kind.dump(value)
        own = isinstance(value, dict) or alike(data, value) or isinstance(value, list)
        return data if own else tagged(kind.expected, data)

    def load(self, data: Any) -> Any:
        """Load what is named, or JSON."""
        kind = _BY_NAME.get(tag_of(data) or "")
        return kind.load(data["value"]) if kind else kind_of(data).load(data)

    def spell(self, value: Any, names: Names) -> str:
        """Write as the kind of the value does."""
        return kind_of(value).spell(value, names)


@dataclass(frozen=True)
class _Key(_Anything):
    """A key of a dict of which no type is declared: in JSON it is a text and stays one."""

    def read(self, text: str) -> str:
        return text


ANYTHING = _Anything()

BARE: dict[str, Kind] = {
    "builtins.list": ListOf(ANYTHING),
    "builtins.dict": DictOf(_Key(), ANYTHING),
    "builtins.tuple": TupleOf((ANYTHING,), any_length=True),
    "builtins.set": SetOf(ANYTHING),
}
"""The containers of which no item's kind is declared, by the full name of their type."""

_BY_TYPE: dict[type[Any], Kind] = {
    type(None): NULL,
    bool: PLAIN["builtins.bool"],
    int: PLAIN["builtins.int"],
    float: PLAIN["builtins.float"],
    str: PLAIN["builtins.str"],
    Decimal: PLAIN["decimal.Decimal"],
    PurePath: PLAIN["pathlib.Path"],
    date: MOMENTS["datetime.date"],
    datetime: MOMENTS["datetime.datetime"],
    time: MOMENTS["datetime.time"],
    timedelta: MOMENTS["datetime.timedelta"],
    list: BARE["builtins.list"],
    dict: BARE["builtins.dict"],
    tuple: BARE["builtins.tuple"],
    set: BARE["builtins.set"],
    frozenset: BARE["builtins.set"],
}

_BY_NAME = {kind.expected: kind for kind in _BY_TYPE.values()}


def kind_of(value: Any) -> Kind:
    """Find the kind of a value by its type, or raise `Mismatch`."""
    for base in type(value).__mro__:
        if base in _BY_TYPE:
            return _BY_TYPE[base]
    raise Mismatch


def union_of(kinds: list[Kind]) -> Kind:
    """Join kinds into one: each once, and anything if one of them is that."""
    flat: dict[Kind, None] = {}
    for kind in kinds:
        flat.update(dict.fromkeys(kind.kinds if isinstance(kind, UnionOf) else [kind]))
    if any(kind.is_any for kind in flat):
        return ANYTHING
    return next(iter(flat)) if len(flat) == 1 else UnionOf(tuple(flat))
