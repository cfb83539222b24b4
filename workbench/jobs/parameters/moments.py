"""Dates, times and durations as kinds of parameters; everywhere in the form of ISO 8601."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from workbench.jobs.parameters.foreign import to_python
from workbench.jobs.parameters.kinds import Kind, Mismatch
from workbench.jobs.parameters.names import Names

__all__ = ["MOMENTS"]


@dataclass(frozen=True)
class _Moment(Kind):
    """What date, datetime and time have in common; `type` is the one of them."""

    type: type[Any]

    @property
    def expected(self) -> str:
        return self.type.__name__

    def check(self, value: Any) -> Any:
        try:
            value = self.convert(to_python(value))
        except ValueError as error:  # what pandas has for "not a time" calls itself a datetime
            raise Mismatch from error
        # Through its text: this leaves subclasses behind, and of a zone the offset at that moment.
        return self.load(value.isoformat())

    def convert(self, value: Any) -> Any:
        return value if isinstance(value, self.type) else _refuse()

    def read(self, text: str) -> Any:
        return self.load(text)

    def dump(self, value: Any) -> str:
        return str(value.isoformat())

    def load(self, data: Any) -> Any:
        if not isinstance(data, str):
            raise Mismatch
        try:
            return self.type.fromisoformat(data)
        except ValueError as error:
            raise Mismatch from error

    def spell(self, value: Any, names: Names) -> str:
        return f"{names.spell('datetime', self.expected)}.fromisoformat('{value.isoformat()}')"


@dataclass(frozen=True)
class _Date(_Moment):
    def convert(self, value: Any) -> date:
        # pandas and numpy have no other dates than midnights.
        if isinstance(value, datetime):
            return value.date() if value.timetz() == time() else _refuse()
        return value if isinstance(value, date) else _refuse()


@dataclass(frozen=True)
class _Datetime(_Moment):
    def convert(self, value: Any) -> datetime:
        if isinstance(value, datetime):
            # What pandas has beyond microseconds would be lost.
            return _refuse() if getattr(value, "nanosecond", 0) else value
        if not isinstance(value, date):
            raise Mismatch
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001  # a date has no zone


@dataclass(frozen=True)
class _Duration(Kind):
    expected = "timedelta"

    def check(self, value: Any) -> timedelta:
        value = to_python(value)
        return value if type(value) is timedelta else _refuse()

    def read(self, text: str) -> timedelta:
        return self.load(text)

    def dump(self, value: timedelta) -> str:
        sign = "-" if value < timedelta() else ""
        # The lowest of all has no opposite that fits: so days and seconds are negated apart.
        micros = abs((value.days * 86_400 + value.seconds) * 10**6 + value.microseconds)
        seconds, micros = divmod(micros, 10**6)
        days, seconds = divmod(seconds, 86_400)
        fraction = f".{micros:06}".rstrip("0") if micros else ""
        return f"{sign}P{days}DT{seconds}{fraction}S"

    def load(self, data: Any) -> timedelta:
        from pydantic import TypeAdapter, ValidationError

        if not isinstance(data, str):
            raise Mismatch
        try:
            return TypeAdapter(timedelta).validate_python(data)
        except ValidationError as error:
            raise Mismatch from error

    def spell(self, value: timedelta, names: Names) -> str:
        parts = {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds}
        given = ", ".join(f"{part}={number}" for part, number in parts.items() if number)
        return f"{names.spell('datetime', 'timedelta')}({given})"


def _refuse() -> Any:
    raise Mismatch


MOMENTS: dict[str, Kind] = {
    "datetime.date": _Date(date),
    "datetime.datetime": _Datetime(datetime),
    "datetime.time": _Moment(time),
    "datetime.timedelta": _Duration(),
}
"""The kinds of this module by the full name of their type."""
