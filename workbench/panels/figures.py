"""The parts of a dashboard that are drawn: lines by window and the heatmap, as Bokeh figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from workbench.panels.view import DriftCell, Point

__all__ = ["COLOURS", "heatmap", "lines"]

COLOURS = {"ok": "#2e9e6b", "warning": "#d9822b", "alert": "#c9352b", "insufficient": "#8593a1"}
"""Of a window's status; the marker's shape says it too."""

_MARKERS = {"ok": "circle", "warning": "triangle", "alert": "square", "insufficient": "circle"}
_BLUE = "#2f6fb0"
_INK = {"light": "#4f5c69", "dark": "#b6c0ca"}
_GRID = {"light": "#e4e8ec", "dark": "#3a434c"}
# Share of the threshold up to which a cell has the colour; the last one is for all beyond.
_STEPS = ((0.5, "#eef2f6"), (1.0, "#d5e0ea"), (2.0, "#f8d08f"), (5.0, "#ee9a4d"))
_BEYOND = "#d8503f"


def lines(
    points: Sequence[Point], title: str, *, against: str = "at promotion", theme: str = "light"
) -> Any:
    """Draw one figure by window, and dashed what it is held `against`."""
    from bokeh.models import ColumnDataSource, HoverTool
    from bokeh.plotting import figure

    source = ColumnDataSource(
        {
            "period": [point.period for point in points],
            "value": [_number(point.value) for point in points],
            "against": [_number(point.against) for point in points],
            "status": [point.status for point in points],
            "version": [point.version for point in points],
            "rows": [point.rows for point in points],
            "colour": [COLOURS[point.status] for point in points],
            "marker": [_MARKERS[point.status] for point in points],
        },
        name=f"lines:{title}",
    )
    plot = figure(
        title=title,
        x_range=_periods(points),
        height=230,
        sizing_mode="stretch_width",
        toolbar_location=None,
        tools="",
        name=title,
    )
    plot.line("period", "against", source=source, color="#8593a1", line_dash=[5, 4])
    plot.line("period", "value", source=source, color=_BLUE, line_width=2)
    marks = plot.scatter(
        "period", "value", source=source, marker="marker", color="colour", size=9, line_color=None
    )
    tips = [("window", "@period"), (title, "@value{0.000}"), (against, "@against{0.000}")]
    tips += [("status", "@status"), ("version", "@version"), ("labelled rows", "@rows{0,0}")]
    plot.add_tools(HoverTool(renderers=[marks], tooltips=tips))
    return _styled(plot, theme)


def heatmap(cells: Sequence[DriftCell], *, theme: str = "light") -> Any:
    """Draw the PSI of every column by window; the colours step at the threshold."""
    from bokeh.models import ColumnDataSource, HoverTool
    from bokeh.plotting import figure

    columns = list(dict.fromkeys(cell.column for cell in cells))
    source = ColumnDataSource(
        {
            "period": [cell.period for cell in cells],
            "column": [cell.column for cell in cells],
            "psi": [_number(cell.psi) for cell in cells],
            "text": ["–" if cell.psi is None else f"{cell.psi:.2f}" for cell in cells],
            "missing": [_number(cell.missing) for cell in cells],
            "allowed": [cell.threshold for cell in cells],
            "colour": [_colour(cell) for cell in cells],
        },
        name="heatmap",
    )
    plot = figure(
        x_range=_periods(cells),
        y_range=columns[::-1],
        x_axis_location="above",
        height=46 + 26 * len(columns),
        sizing_mode="stretch_width",
        toolbar_location=None,
        tools="",
        name="heatmap",
    )
    boxes = plot.rect("period", "column", 0.96, 0.9, source=source, color="colour", line_color=None)
    plot.text(
        "period",
        "column",
        "text",
        source=source,
        text_align="center",
        text_baseline="middle",
        text_font_size="11px",
        text_color="#24303c",
    )
    tips = [("window", "@period"), ("column", "@column"), ("PSI", "@psi{0.000}")]
    tips += [("allowed", "@allowed{0.00}"), ("missing", "@missing{0.0%}")]
    plot.add_tools(HoverTool(renderers=[boxes], tooltips=tips))
    plot.grid.visible = False
    return _styled(plot, theme)


def _styled(plot: Any, theme: str) -> Any:
    """Make it part of the page: no background of its own, the page's ink."""
    ink = _INK[theme]
    plot.background_fill_color = plot.border_fill_color = None
    plot.outline_line_color = None
    plot.title.text_color = ink
    plot.title.text_font_size = "13px"
    plot.axis.axis_line_color = plot.axis.major_tick_line_color = None
    plot.axis.minor_tick_line_color = None
    plot.axis.major_label_text_color = ink
    plot.axis.major_label_text_font_size = "11px"
    plot.grid.grid_line_color = _GRID[theme]
    plot.xgrid.visible = False
    return plot


def _periods(items: Sequence[Point] | Sequence[DriftCell]) -> list[str]:
    return list(dict.fromkeys(item.period for item in items))


def _colour(cell: DriftCell) -> str:
    if cell.psi is None:
        return "#f4f5f6"
    share = cell.psi / cell.threshold
    return next((colour for limit, colour in _STEPS if share <= limit), _BEYOND)


def _number(value: float | None) -> float:
    """Leave a gap in the line where a figure is undefined."""
    return math.nan if value is None else value
