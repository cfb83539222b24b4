"""The report's small pictures: intervals on a common axis, and the reliability curve, as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from workbench.evaluation.outcomes import CurvePoint, Interval, MetricValue
from workbench.evaluation.wording import number

__all__ = ["axis_of", "reach", "reliability_picture"]

_WIDTH, _HEIGHT = 200, 18
_SIDE, _MARGIN = 260, 34
_INSIDE = _SIDE - _MARGIN - 10
_TOP = 22
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Between the lines of the reliability picture, the finest that needs at most five."""


def axis_of(metrics: Sequence[MetricValue | None]) -> tuple[float, float] | None:
    """Return the ends of an axis that holds all values and intervals; None if there are none."""
    ends = [end for metric in metrics if metric for end in _ends(metric)]
    if not ends:
        return None
    low, high = min(ends), max(ends)
    room = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
    return low - room, high + room


def _ends(metric: MetricValue) -> list[float]:
    known = [metric.value] if metric.value is not None else []
    interval = metric.interval
    return known if interval is None else [*known, interval.low, interval.high]


def reach(metric: MetricValue | None, axis: tuple[float, float], whole: float | None) -> str:
    """Draw a value, its interval as a bar, and a line where the value of all rows is."""
    if metric is None or metric.value is None:
        return ""
    middle = _HEIGHT / 2
    shapes = []
    if whole is not None and axis[0] <= whole <= axis[1]:
        x = _place(whole, axis)
        shapes.append(f'<line class=whole x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{_HEIGHT}"/>')
    if metric.interval is not None:
        low, high = (_place(end, axis) for end in (metric.interval.low, metric.interval.high))
        shapes.append(
            f'<rect x="{low:.1f}" y="{middle - 3}" width="{max(high - low, 1):.1f}" height="6" '
            'rx="3" class=reach></rect>'
        )
    shapes.append(f'<circle cx="{_place(metric.value, axis):.1f}" cy="{middle}" r="4"/>')
    label = f"{metric.name} {number(metric.value)}{_told(metric.interval)}"
    return (
        f'<svg class=line width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'role="img" aria-label="{escape(label)}"><title>{escape(label)}</title>'
        f"{''.join(shapes)}</svg>"
    )


def _told(interval: Interval | None) -> str:
    if interval is None:
        return ""
    return f", {100 * interval.level:g} % {number(interval.low)} to {number(interval.high)}"


def _place(value: float, axis: tuple[float, float]) -> float:
    return 5 + (_WIDTH - 10) * (value - axis[0]) / (axis[1] - axis[0])


def reliability_picture(points: Sequence[CurvePoint]) -> str:
    """Draw what came true against what was predicted; on the diagonal they are the same."""
    ends = [end for point in points for end in (point.predicted, *_observed(point))]
    step = next((one for one in _STEPS if 5 * one >= max(ends)), _STEPS[-1])
    ticks = [step * place for place in range(math.ceil(max(ends) / step - 1e-9) + 1)]
    top = ticks[-1]
    shapes = [
        f'<line class=grid x1="{_x(0, top):.1f}" x2="{_x(top, top):.1f}" y1="{_y(t, top):.1f}" '
        f'y2="{_y(t, top):.1f}"/><text x="{_MARGIN - 5}" y="{_y(t, top) + 4:.1f}" '
        f'text-anchor="end">{number(round(t, 2))}</text><text x="{_x(t, top):.1f}" '
        f'y="{_y(0, top) + 16:.1f}" text-anchor="middle">{number(round(t, 2))}</text>'
        for t in ticks
    ]
    shapes.append(
        f'<line class=whole x1="{_x(0, top):.1f}" y1="{_y(0, top):.1f}" x2="{_x(top, top):.1f}" '
        f'y2="{_y(top, top):.1f}"/>'
    )
    path = " ".join(f"{_x(p.predicted, top):.1f},{_y(p.observed, top):.1f}" for p in points)
    shapes.append(f'<polyline points="{path}"/>')
    shapes += [_point(point, top) for point in points]
    return (
        f'<svg class=curve width="{_SIDE}" height="{_SIDE}" viewBox="0 0 {_SIDE} {_SIDE}" '
        f'role="img" aria-label="reliability curve of {len(points)} groups">{"".join(shapes)}'
        f'<text x="{_MARGIN + _INSIDE / 2}" y="{_SIDE - 8}" text-anchor="middle">predicted</text>'
        f'<text x="{_MARGIN + 6}" y="12">observed</text></svg>'
    )


def _observed(point: CurvePoint) -> list[float]:
    interval = point.interval
    return [point.observed] if interval is None else [point.observed, interval.high]


def _point(point: CurvePoint, top: float) -> str:
    x = _x(point.predicted, top)
    bar = ""
    if point.interval is not None:
        low, high = (_y(end, top) for end in (point.interval.low, point.interval.high))
        bar = f'<line class=bar-y x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>'
    said = (
        f"predicted {number(point.predicted)}, observed {number(point.observed)}"
        f"{_told(point.interval)}; {point.rows:,} rows"
    )
    y = _y(point.observed, top)
    return f'{bar}<circle cx="{x:.1f}" cy="{y:.1f}" r="4"><title>{said}</title></circle>'


def _x(value: float, top: float) -> float:
    return _MARGIN + _INSIDE * value / top


def _y(value: float, top: float) -> float:
    return _TOP + (_SIDE - _MARGIN - _TOP - 10) * (1 - value / top)
