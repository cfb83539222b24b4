"""Aggregates over a past window of events, as declarations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from workbench.errors import FeatureError

__all__ = ["Aggregate", "Count", "Distinct", "Kind", "Last", "Mean", "Rate", "Sum", "duration"]

Kind = Literal["rate", "count", "sum", "mean", "distinct", "last"]

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}

_WORDS = {
    "rate": "share of {}",
    "count": "number of events",
    "sum": "sum of {}",
    "mean": "mean of {}",
    "distinct": "number of different values of {}",
    "last": "latest {}",
}


def duration(text: str) -> timedelta:
    """Parse `90m`, `24h` or `7d`.

    >>> duration("7d")
    datetime.timedelta(days=7)
    """
    match = re.fullmatch(r"([1-9][0-9]*)([mhd])", text) if isinstance(text, str) else None
    if match is None:
        raise FeatureError(f"duration {text!r}: expected a whole number and m, h or d, like 24h")
    try:
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    except OverflowError:
        raise FeatureError(f"duration {text!r}: longer than time can be counted") from None


@dataclass(frozen=True)
class Aggregate:
    """A value over the events of the window (t - over, t], t being the moment asked about.

    An event counts once it is known, which is at its event time or, if that is later, when it was
    created; and it counts until it is `over` old. A value that is null, NaN or infinite is no
    value: its event is counted, and left out of sum, mean, rate and distinct.
    """

    column: str | None
    over: str
    kind: Kind
    about: str = ""

    @property
    def name(self) -> str:
        """The feature's name within its view."""
        return "_".join(part for part in (self.column, self.kind, self.over) if part)

    @property
    def description(self) -> str:
        """What the catalogue says of it."""
        what = self.about or _WORDS[self.kind].format(self.column)
        return f"{what} over the past {self.over}"

    @property
    def length(self) -> timedelta:
        """The window's length."""
        return duration(self.over)


def Count(over: str, *, about: str = "") -> Aggregate:
    """Declare the number of events in a past window; 0 without any."""
    return Aggregate(None, over, "count", about)


def Sum(column: str, over: str, *, about: str = "") -> Aggregate:
    """Declare the sum of a column over a past window; 0 without any value.

    Whole numbers and Booleans add up exactly, to an Int64. Floats are added as whole numbers of
    128 bits and rounded once, at the end: their sum doesn't depend on their order, and has 94 bits
    or more below the largest value that the entity has ever had, where a Float64 has 53.
    """
    return Aggregate(column, over, "sum", about)


def Mean(column: str, over: str, *, about: str = "") -> Aggregate:
    """Declare the mean of a column over a past window; null without any value."""
    return Aggregate(column, over, "mean", about)


def Rate(column: str, over: str, *, about: str = "") -> Aggregate:
    """Declare the share of a Boolean (or 0/1) column over a past window; null without any."""
    return Aggregate(column, over, "rate", about)


def Distinct(column: str, over: str, *, about: str = "") -> Aggregate:
    """Declare how many different values a column had in a past window; nulls don't count."""
    return Aggregate(column, over, "distinct", about)


def Last(column: str, over: str, *, about: str = "") -> Aggregate:
    """Declare a column's value at the newest event of a past window; null without any event.

    Of events at the same time the latest created counts, and null if that is what it has.
    """
    return Aggregate(column, over, "last", about)
