"""Cron expressions in a time zone: which moments they name.

The rules are Debian cron's, by the library `cronsim`. An expression with a fixed minute and hour
names times of day: one that a clock change leaves out happens when the clocks go on, one that comes
twice happens once. An expression with `*` in its minute or hour is a rhythm, and a rhythm isn't
disturbed: it goes by the time that passes. If both a day of the month and a day of the week are
given, either is enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

__all__ = ["check_cron", "ticks_after"]

_FIELDS = {
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day-of-month": "1 to 31 that the month has, L or LW",
    "month": "1 to 12 or JAN to DEC",
    "day-of-week": "0 to 7 or SUN to SAT, with #1 to #5 or L after it",
}


def check_cron(expression: str) -> str:
    """Return the expression, its parts one space apart.

    Raises
    ------
    ValueError
        Naming the field that can't be used and what it may hold.
    """
    parts = expression.split()
    if len(parts) != len(_FIELDS):
        raise ValueError(
            "expected minute, hour, day of month, month and day of week: "
            f"{len(_FIELDS)} fields, not {len(parts)}"
        )
    try:
        next(CronSim(" ".join(parts), datetime(2000, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise ValueError(_place(str(error), parts)) from error
    except StopIteration as error:
        raise ValueError("names no moment in the next 50 years") from error
    return " ".join(parts)


def ticks_after(expression: str, zone: ZoneInfo, moment: datetime) -> Iterator[datetime]:
    """Yield the moments that `expression` names after `moment`, in UTC, strictly increasing."""
    last = moment
    for tick in CronSim(expression, moment.astimezone(zone)):
        at = tick.astimezone(UTC)
        if at > last:  # in an hour that comes twice, cronsim begins at its first time round
            yield at
            last = at


def _place(message: str, parts: list[str]) -> str:
    """Say which field is wrong: the library names it, the user wants to see it."""
    name = message.removeprefix("Bad ")
    if name not in _FIELDS:
        return message[:1].lower() + message[1:]
    part = parts[list(_FIELDS).index(name)]
    return f"the {name.replace('-', ' ')} {part!r} isn't one: {_FIELDS[name]}, lists, ranges, steps"
