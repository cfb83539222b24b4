"""Runs drawn by Bokeh, as pages that hold all that they need.

Up to seven runs each have a colour, a stroke and a mark, the same in every picture and in the
table below it; more are coloured by the last axis. Up to twelve have their numbers of that table
beside them, which is all the legend that there is. The colours are told apart by who sees fewer
(Okabe and Ito, https://jfly.uni-koeln.de/color/; cividis).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from workbench.errors import MissingExtraError
from workbench.server.resources.runs.fields import Axis
from workbench.server.resources.runs.labels import INK, PAPER, label, number, short, tell, told
from workbench.tracking import RunRecord

__all__ = ["COLOURS", "page", "parallel", "scatter"]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a8a8a")
_STROKES = ("solid", "dashed", "dotted", "dotdash", "dashdot", "solid", "dashed")
_MARKS = ("circle", "square", "triangle", "diamond", "inverted_triangle", "hex", "star")

_GRID = {"light": "#dfe4e9", "dark": "#47515b"}
_HEIGHT = 320

_TEMPLATE = """
{% block postamble %}
<style>
  html, body { height: 100%; margin: 0; overflow: hidden; background: transparent; }
</style>
{% endblock %}
"""


def page(plot: Any, *, title: str) -> str:
    """Write a plot as a page with Bokeh's own scripts in it."""
    from bokeh.embed import file_html
    from bokeh.resources import Resources

    resources = Resources(mode="inline")  # of which it takes the parts that the plot needs
    html: str = file_html(plot, resources, title=title, template=_TEMPLATE)
    return html


def parallel(runs: Sequence[RunRecord], axes: Sequence[Axis], *, theme: str) -> Any:
    """Draw each run as a line through the axes, every one as long as its values reach."""
    bokeh = _bokeh()
    places = [_scaled(axis) for axis in axes]
    lines = [list(run) for run in zip(*places, strict=True)]
    plot = bokeh.figure(
        x_range=(-0.45, len(axes) - 0.15), y_range=(-0.08, 1.21), **_frame("parallel")
    )
    for x in range(len(axes)):
        plot.line([x, x], [0, 1], color=_GRID[theme], line_width=2)
    drawn = []
    for n, style, indices in _styles(runs, axes[-1]):
        source = bokeh.ColumnDataSource(
            {
                "xs": [list(range(len(axes)))] * len(indices),
                "ys": [lines[i] for i in indices],
                **told(runs, axes, indices),
                **style,
            }
        )
        drawn.append(
            plot.multi_line(
                "xs", "ys", source=source, line_color="colour", line_width=2.5, line_alpha=0.85,
                line_dash="solid" if n is None else _STROKES[n], line_cap="round",
                hover_line_width=4,
            )
        )  # fmt: skip
    label(plot, axes, theme)
    number(plot, [(0, y) for y in places[0]], theme, x_offset=-8, text_align="right")
    tell(plot, axes, drawn, line_policy="nearest")
    return _inked(plot, theme)


def scatter(runs: Sequence[RunRecord], axes: Sequence[Axis], *, theme: str) -> Any:
    """Draw each run as a point between two axes."""
    bokeh = _bokeh()
    across, up = axes
    xs, ys = across.places, up.places
    plot = bokeh.figure(**_frame("scatter"))
    plot.x_range.range_padding = plot.y_range.range_padding = 0.2  # the numbers stand above
    plot.xaxis.axis_label, plot.yaxis.axis_label = across.label, up.label
    for axis, shown in ((across, plot.xaxis), (up, plot.yaxis)):
        if axis.categories:
            shown.ticker = list(range(len(axis.categories)))
            shown.major_label_overrides = dict(enumerate(map(short, axis.categories)))
    drawn = []
    for n, style, indices in _styles(runs, up):
        source = bokeh.ColumnDataSource(
            {
                "x": [xs[i] for i in indices],
                "y": [ys[i] for i in indices],
                **told(runs, axes, indices),
                **style,
            }
        )
        drawn.append(
            plot.scatter(
                "x", "y", source=source, marker="circle" if n is None else _MARKS[n], size=13,
                fill_color="colour", fill_alpha=0.9, line_color=PAPER[theme],
            )
        )  # fmt: skip
    number(plot, list(zip(xs, ys, strict=True)), theme, y_offset=-14, text_align="center")
    tell(plot, axes, drawn)
    return _inked(plot, theme)


def _bokeh() -> Any:
    """Import what is drawn with, when something is drawn."""
    try:
        from bokeh import plotting
    except ImportError as error:
        raise MissingExtraError.of("bokeh", "dashboard") from error
    return plotting


def _frame(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "height": _HEIGHT,
        "sizing_mode": "stretch_both",
        "toolbar_location": None,
        "tools": "",
    }


def _scaled(axis: Axis) -> list[float]:
    """Bring an axis to 0 … 1; where all are alike they stand in the middle."""
    places = axis.places
    known = [place for place in places if not math.isnan(place)]
    low, high = min(known), max(known)
    return [0.5 if high == low else (place - low) / (high - low) for place in places]


def _styles(
    runs: Sequence[RunRecord], by: Axis
) -> list[tuple[int | None, dict[str, list[str]], list[int]]]:
    """Give each run a style of its own; where there are too many, all a colour by an axis."""
    if len(runs) <= len(COLOURS):
        return [(n, {"colour": [COLOURS[n]]}, [n]) for n in range(len(runs))]
    from bokeh.palettes import Cividis256

    colours = [
        "#8a8a8a" if math.isnan(place) else Cividis256[round(255 * place)] for place in _scaled(by)
    ]
    return [(None, {"colour": colours}, list(range(len(runs))))]


def _inked(plot: Any, theme: str) -> Any:
    """Make it part of the panel: no background of its own, the theme's ink."""
    ink = INK[theme]
    plot.background_fill_color = plot.border_fill_color = None
    plot.outline_line_color = None
    plot.axis.axis_label_text_color = plot.axis.major_label_text_color = ink
    plot.axis.axis_label_text_font_style = "bold"
    plot.axis.axis_label_text_font_size = plot.axis.major_label_text_font_size = "11px"
    plot.axis.axis_line_color = plot.axis.major_tick_line_color = _GRID[theme]
    plot.axis.minor_tick_line_color = None
    plot.grid.grid_line_color = _GRID[theme]
    return plot
