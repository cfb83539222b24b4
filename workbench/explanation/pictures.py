"""An explanation in pictures: a PNG that every viewer shows, GitHub included, and beside it a
Bokeh figure with the same marks, which can be pointed at.

A notebook gets the PNG alone: BokehJS would add eight megabytes to it.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

from workbench.errors import MissingExtraError
from workbench.explanation.drawing import Bar, Strip, bars, number, strips

if TYPE_CHECKING:
    from workbench.explanation.result import Explanation

__all__ = ["Picture", "classes_picture", "local_picture", "summary_picture"]

_INK, _PALE, _UP, _DOWN = "#24303c", "#c3ccd6", "#e06e14", "#2f6fb0"
_CLASSES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8593a1", "#f0e442")
"""Okabe and Ito's, which colour-blind people tell apart."""


@dataclass(frozen=True)
class Picture:
    """A picture and the sentence that says what it shows."""

    png: bytes = field(repr=False)
    caption: str
    _draw: Callable[[], Any] = field(repr=False, compare=False)

    @property
    def figure(self) -> Any:
        """The same as a new Bokeh figure.

        Raises
        ------
        MissingExtraError
            If Bokeh isn't installed.
        """
        if importlib.util.find_spec("bokeh") is None:
            raise MissingExtraError.of("bokeh", "dashboard")
        return self._draw()

    def _repr_png_(self) -> bytes:
        return self.png


def summary_picture(explanation: Explanation, output: int) -> Picture:
    """Draw a mark for each row in the strip of each column, coloured by the column's value."""
    found = strips(explanation, output)
    caption = f"What moves the {_of(explanation, output)}; orange: a high value, blue: a low one"
    axes, figure = _axes(8, 1.1 + 0.32 * max(len(found), 3))
    axes.axvline(0, color=_PALE, linewidth=1)
    for place, strip in enumerate(found):
        axes.scatter(strip.x, strip.y + place, s=7, c=strip.colours, linewidths=0)
    labels = [_plain(f"{strip.column}  {number(strip.mean)}") for strip in found]
    axes.set(yticks=range(len(found)), yticklabels=labels, ylim=(-0.6, len(found) - 0.4))
    axes.set_xlabel(explanation.units, fontsize=8, color=_INK)
    return _picture(figure, axes, caption, partial(_summary_figure, found, explanation.units))


def classes_picture(explanation: Explanation) -> Picture:
    """Draw each column's mean absolute value, class on class."""
    import numpy as np

    columns = list(explanation.importance)[:16][::-1]
    where = [explanation.columns.index(name) for name in columns]
    mean = np.abs(explanation.array).mean(axis=1)[:, where]
    axes, figure = _axes(8, 1.3 + 0.32 * max(len(columns), 3))
    left = np.zeros(len(columns))
    for label, widths, colour in zip(explanation.labels, mean, _cycle(len(mean)), strict=True):
        levels = range(len(columns))
        axes.barh(levels, widths, left=left, height=0.66, color=colour, label=_plain(label))
        left = left + widths
    axes.set(yticks=range(len(columns)), yticklabels=[_plain(name) for name in columns])
    axes.legend(frameon=False, fontsize=8)
    axes.set_xlabel(f"mean |value|, {explanation.units}", fontsize=8, color=_INK)
    caption = f"What moves the {explanation.units}, by class"
    draw = partial(_classes_figure, columns, dict(zip(explanation.labels, mean, strict=True)))
    return _picture(figure, axes, caption, draw)


def local_picture(explanation: Explanation, place: int, row: int, output: int) -> Picture:
    """Draw the way from the base value to what the model says of one row."""
    found = bars(explanation, place, output)
    base, said = float(explanation.base[output]), float(explanation.said[output, place])
    caption = (
        f"Row {row}: from {number(base)}, what is said of no row in particular, to "
        f"{number(said)}, {_of(explanation, output)}"
    )
    axes, figure = _axes(8, 1.1 + 0.32 * max(len(found), 3))
    for level, bar in enumerate(found):
        step = bar.end - bar.begin
        axes.barh(level, step, left=bar.begin, height=0.66, color=_UP if step > 0 else _DOWN)
        side = "left" if step > 0 else "right"
        text = f" {'+' if step > 0 else ''}{number(step)} "
        axes.text(bar.end, level, text, va="center", ha=side, fontsize=8, color=_INK)
    axes.axvline(base, color=_PALE, linewidth=1, linestyle=(0, (4, 3)))
    axes.axvline(said, color=_INK, linewidth=1)
    axes.set(yticks=range(len(found)), yticklabels=[_plain(bar.name) for bar in found])
    axes.margins(x=0.14)
    axes.set_xlabel(explanation.units, fontsize=8, color=_INK)
    return _picture(figure, axes, caption, partial(_local_figure, found, base, said))


def _of(explanation: Explanation, output: int) -> str:
    if len(explanation.labels) > 1:
        return f"{explanation.units} of class {explanation.labels[output]}"
    return explanation.subject


def _cycle(count: int) -> list[str]:
    return [_CLASSES[place % len(_CLASSES)] for place in range(count)]


def _axes(width: float, height: float) -> tuple[Any, Any]:
    """Make axes on a figure of their own, without pyplot: no global state and no backend."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, facecolor="white", layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_PALE)
    axes.tick_params(colors=_INK, labelsize=8, length=0)
    return axes, figure


def _picture(figure: Any, axes: Any, caption: str, draw: Callable[[], Any]) -> Picture:
    axes.set_title(_plain(caption), loc="left", fontsize=9, color=_INK, wrap=True)
    buffer = BytesIO()
    with warnings.catch_warnings():  # a letter that the font lacks is a box, and no news
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="png")
    return Picture(buffer.getvalue(), caption, draw)


def _plain(text: str) -> str:
    """Keep matplotlib from reading a formula between a column's dollar signs."""
    return text.replace("$", r"\$")


def _summary_figure(found: list[Strip], units: str) -> Any:
    from bokeh.models import ColumnDataSource, HoverTool

    plot = _figure([strip.column for strip in found])
    names = [strip.column for strip in found]
    source = ColumnDataSource(
        {
            "x": [float(x) for strip in found for x in strip.x],
            "y": [place + 0.5 + float(y) for place, strip in enumerate(found) for y in strip.y],
            "colour": [colour for strip in found for colour in strip.colours],
            "text": [text for strip in found for text in strip.texts],
            "column": [name for name, strip in zip(names, found, strict=True) for _ in strip.x],
        },
        name="summary",
    )
    marks = plot.scatter("x", "y", source=source, color="colour", size=5, line_color=None)
    tips = [("column", "@column"), ("value", "@text"), (units, "@x")]
    plot.add_tools(HoverTool(renderers=[marks], tooltips=tips))
    return plot


def _classes_figure(columns: list[str], widths: dict[str, Any]) -> Any:
    from bokeh.models import ColumnDataSource, HoverTool

    plot = _figure(columns)
    labels = list(widths)
    fields = [f"class_{place}" for place in range(len(labels))]  # a label may hold anything
    values = (widths[label].tolist() for label in labels)
    drawn = plot.hbar_stack(
        fields,
        y="column",
        height=0.66,
        color=_cycle(len(labels)),
        source=ColumnDataSource(
            {"column": _apart(columns), **dict(zip(fields, values, strict=True))}, name="classes"
        ),
        legend_label=labels,
    )
    for label, name, bar in zip(labels, fields, drawn, strict=True):
        tips = [("column", "@column"), (label, f"@{name}")]
        plot.add_tools(HoverTool(renderers=[bar], tooltips=tips))
    plot.legend.location = "bottom_right"
    return plot


def _local_figure(found: list[Bar], base: float, said: float) -> Any:
    from bokeh.models import ColumnDataSource, HoverTool, Span

    names = _apart([bar.name for bar in found])
    plot = _figure(names)
    source = ColumnDataSource(
        {
            "name": names,
            "begin": [bar.begin for bar in found],
            "end": [bar.end for bar in found],
            "step": [bar.end - bar.begin for bar in found],
            "colour": [_UP if bar.end > bar.begin else _DOWN for bar in found],
        },
        name="local",
    )
    drawn = plot.hbar("name", left="begin", right="end", height=0.66, color="colour", source=source)
    plot.add_tools(HoverTool(renderers=[drawn], tooltips=[("column", "@name"), ("added", "@step")]))
    for at, dash in ((base, "dashed"), (said, "solid")):
        plot.add_layout(Span(location=at, dimension="height", line_color=_PALE, line_dash=dash))
    return plot


def _figure(names: list[str]) -> Any:
    from bokeh.plotting import figure

    plot = figure(
        y_range=_apart(names),
        height=60 + 28 * max(len(names), 3),
        sizing_mode="stretch_width",
        toolbar_location=None,
        tools="",
    )
    plot.background_fill_color = plot.border_fill_color = plot.outline_line_color = None
    plot.ygrid.visible = False
    plot.axis.axis_line_color = plot.axis.major_tick_line_color = None
    plot.axis.minor_tick_line_color = None
    plot.axis.major_label_text_color = "#7a8794"  # read on light and on dark alike
    return plot


def _apart(names: list[str]) -> list[str]:
    """Keep Bokeh's factors different from each other where two read the same."""
    seen: dict[str, int] = {}
    made = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return made
