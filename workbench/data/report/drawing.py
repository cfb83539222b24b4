"""The report's small pictures, as inline SVG and coloured cells."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.data.report.bars import Bars
    from workbench.data.report.summaries import ColumnSummary

__all__ = ["bars", "cell", "figure", "share", "strength"]

_WIDTH, _HEIGHT = 180, 44
_WORDS = 5


def figure(value: float | None) -> str:
    """Write a number as one reads it: four digits that count.

    >>> [figure(value) for value in (1234567.0, 2013.0, 0.123456, 1e-9, None)]
    ['1,234,567', '2,013', '0.1235', '1e-09', '–']
    """
    if value is None:
        return "–"
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= 1e15:
        return f"{value:.3g}"
    if value == int(value) or abs(value) >= 10_000:
        return f"{value:,.0f}"
    return f"{value:,.4g}" if abs(value) < 1_000 else f"{value:,.1f}".removesuffix(".0")


def strength(value: float) -> str:
    """Write a correlation.

    >>> strength(-0.123), strength(-0.001)
    ('−0.12', '0.00')
    """
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−")


def share(count: int, of: int) -> str:
    """Write a count as a percentage that is 0 % or 100 % only where it truly is.

    >>> share(1, 100_000), share(0, 5), share(99_999, 100_000), share(1, 3)
    ('&lt; 0.1 %', '0 %', '&gt; 99.9 %', '33.3 %')
    """
    if not count or not of:
        return "0 %"
    percent = 100 * count / of
    if percent < 0.1:
        return "&lt; 0.1 %"
    if 99.9 < percent < 100:
        return "&gt; 99.9 %"
    return f"{percent:.3g} %"


def bars(column: ColumnSummary) -> str:
    """Draw a column's distribution."""
    if column.bars is None or not any(column.bars.counts):
        return ""
    return _histogram(column, column.bars) if column.bars.edges else _words(column.bars)


def _histogram(column: ColumnSummary, drawn: Bars) -> str:
    count = len(drawn.counts)
    most = max(drawn.counts)
    step = min(_WIDTH / count, 24)
    shapes = []
    for place, rows in enumerate(drawn.counts):
        if not rows:
            continue
        high = max(1.0, _HEIGHT * rows / most)  # even one row leaves a trace
        end = drawn.clipped and place in (0, count - 1)
        shapes.append(
            f'<rect x="{place * step:.1f}" y="{_HEIGHT - high:.1f}" width="{step - 1:.1f}" '
            f'height="{high:.1f}"{" class=end" if end else ""}><title>{_span(column, drawn, place)}'
            f"{rows:,} rows</title></rect>"
        )
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="distribution of {escape(column.name)}">{"".join(shapes)}</svg>'
    )


def _span(column: ColumnSummary, drawn: Bars, place: int) -> str:
    if column.kind == "time":
        return ""
    return f"{figure(drawn.edges[place])} … {figure(drawn.edges[place + 1])}: "


def _words(drawn: Bars) -> str:
    most = max(drawn.counts)
    shown = list(zip(drawn.labels, drawn.counts, strict=True))[:_WORDS]
    items = "".join(
        f'<span title="{escape(label)}: {count:,}"><i style="width:{100 * count / most:.0f}%"></i>'
        f"<b>{escape(label)}</b></span>"
        for label, count in shown
    )
    return f'<div class="words">{items}</div>'


def cell(value: float | None) -> str:
    """Draw one cell of a matrix of correlations: the stronger, the more colour."""
    if value is None:
        return "<td></td>"
    side = "up" if value >= 0 else "down"
    return f'<td class="{side}" style="--s:{70 * abs(value):.0f}%">{strength(value)}</td>'
