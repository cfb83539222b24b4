"""Figures in words, the same in an explanation, in a terminal and on the page."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.evaluation.outcomes import Interval

__all__ = ["between", "listed", "number", "percent", "several"]


def number(value: float | None) -> str:
    """Write a number with the digits that count.

    >>> [number(value) for value in (0.76123, 0.0012, 1234.5, 12, None, -0.2)]
    ['0.761', '0.0012', '1,234', '12', '–', '-0.2']
    """
    if value is None:
        return "–"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def percent(share: float) -> str:
    """Write a share; what is there at all is never 0 %.

    >>> percent(0.1234), percent(0.0), percent(0.00001), percent(1.0)
    ('12.3 %', '0 %', '< 0.1 %', '100 %')
    """
    if 0 < share < 0.001:
        return "< 0.1 %"
    return "> 99.9 %" if 0.999 < share < 1 else f"{100 * share:.3g} %"


def between(interval: Interval | None) -> str:
    """Write an interval, with its level.

    >>> between(Interval(low=0.7312, high=0.752, level=0.95, resamples=200))
    '(95 % interval 0.731 to 0.752)'
    """
    if interval is None:
        return "(too few resamples for an interval)"
    low, high = number(interval.low), number(interval.high)
    return f"({100 * interval.level:g} % interval {low} to {high})"


def listed(names: Sequence[str], most: int = 5) -> str:
    """List names, and how many more there are.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    more = len(names) - most
    return f"{', '.join(names[:most])} and {more:,} more" if more > 0 else ", ".join(names)


def several(count: int, one: str, many: str = "") -> str:
    """Write a count with its noun.

    >>> several(1, "row"), several(2_000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
