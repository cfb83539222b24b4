"""Runs beside each other: what went in, what came out, and one against another as dots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from workbench.panels.notebook import parts
from workbench.panels.notebook.controls import Drawing, choice, refreshed, row, switch
from workbench.panels.notebook.parts import Cell, Column, Table
from workbench.project import Project
from workbench.tracking import Comparison, Row, RunRecord, compare_runs

__all__ = ["Comparing", "compared", "scatter"]

_AXIS = "#7a8794"  # read on light and on dark alike
_PLAIN, _CHOSEN = "#0072b2", "#d55e00"
_MOST = 8
_PARTS = ("params", "metrics", "datasets", "features")
_TITLES = {
    "params": "Parameters",
    "metrics": "Metrics",
    "datasets": "Data",
    "features": "Features",
}


def compared(found: Comparison, *, everything: bool = False) -> str:
    """Write a comparison as tables; what runs agree on only if asked for."""
    return "".join(_part(found, name, everything=everything) for name in _PARTS)


def _part(found: Comparison, name: str, *, everything: bool) -> str:
    rows: list[Row] = getattr(found, name)
    shown = [each for each in rows if everything or each.differs]
    same = len(rows) - len(shown)
    note = f"{same} the same" if same else "" if rows else "none"
    title = parts.title(_TITLES[name], note)
    if not shown:
        return title
    columns = [Column("")]
    for run in found.runs:
        columns.append(Column(f"{run.run_id[:8]} {parts.words(run.name, 24).text}", number=True))
    cells = [[parts.words(each.name), *(_cell(name, v) for v in each.values)] for each in shown]
    marked = frozenset(place for place, each in enumerate(shown) if each.differs)
    return title + Table(f"compare-{name}", columns, cells, marked).html()


def _cell(part: str, value: float | str | None) -> Cell:
    if isinstance(value, str):
        digests = ", ".join(digest[:12] for digest in value.split(", "))
        return parts.words(digests if part in ("datasets", "features") else value)
    return parts.figure(value)


def scatter(found: Sequence[RunRecord], chosen: Sequence[str], x: str, y: str) -> Any:
    """Draw each run as a dot of two of its figures; the chosen are larger squares."""
    from bokeh.models import ColumnDataSource, HoverTool
    from bokeh.plotting import figure

    there = [(run, _value(run, x), _value(run, y)) for run in found]
    dots = [(run, a, b) for run, a, b in there if math.isfinite(a) and math.isfinite(b)]
    picked = [run.run_id in chosen for run, _, _ in dots]
    source = ColumnDataSource(
        {
            "x": [a for _, a, _ in dots],
            "y": [b for _, _, b in dots],
            "run": [run.run_id[:8] for run, _, _ in dots],
            "name": [run.name for run, _, _ in dots],
            "status": [run.status.lower() for run, _, _ in dots],
            "colour": [_CHOSEN if one else _PLAIN for one in picked],
            "marker": ["square" if one else "circle" for one in picked],
            "size": [13 if one else 8 for one in picked],
        },
        name="scatter",
    )
    plot = figure(
        height=320,
        sizing_mode="stretch_width",
        tools="pan,wheel_zoom,box_zoom,reset",
        active_scroll=None,
        x_axis_label=_label(x),
        y_axis_label=_label(y),
        name="scatter",
    )
    marks = plot.scatter(
        "x", "y", source=source, marker="marker", color="colour", size="size", alpha=0.8
    )
    tips = [("run", "@run"), ("name", "@name"), ("status", "@status")]
    tips += [(_label(x), "@x{0.[0000]}"), (_label(y), "@y{0.[0000]}")]
    plot.add_tools(HoverTool(renderers=[marks], tooltips=tips))
    plot.background_fill_color = plot.border_fill_color = plot.outline_line_color = None
    plot.toolbar.logo = None
    plot.axis.axis_label_text_font_style = "normal"
    plot.axis.axis_label_text_color = plot.axis.major_label_text_color = _AXIS
    plot.axis.axis_line_color = plot.axis.major_tick_line_color = _AXIS
    plot.axis.minor_tick_line_color = None
    plot.grid.grid_line_color, plot.grid.grid_line_alpha = _AXIS, 0.25
    return plot


def _value(run: RunRecord, name: str) -> float:
    kind, _, key = name.partition(".")
    value = run.metrics.get(key) if kind == "metrics" else run.params.get(key)
    try:
        return math.nan if value is None else float(value)
    except ValueError:
        return math.nan


def _label(name: str) -> str:
    return parts.words(name.partition(".")[2], 60).text


def _axes(found: Sequence[RunRecord]) -> list[str]:
    """List what two runs or more have as a number: qualities, other metrics, then parameters."""
    from workbench.panels.notebook.runs import is_of_quality

    names = dict.fromkeys(name for run in found for name in run.metrics)
    metrics = [
        f"metrics.{name}" for name in sorted(names, key=lambda name: not is_of_quality(name))
    ]
    params = dict.fromkeys(f"params.{name}" for run in found for name in run.params)
    return [
        name
        for name in [*metrics, *params]
        if sum(math.isfinite(_value(run, name)) for run in found) > 1
    ]


class Comparing:
    """Which of the runs that are shown are compared, and the comparison."""

    def __init__(self, project: Project) -> None:
        import ipywidgets as widgets

        self._project = project
        self._found: Sequence[RunRecord] = ()
        self._chosen = widgets.SelectMultiple(
            rows=_MOST, layout=widgets.Layout(width="100%", margin="2px 0")
        )
        self._all = switch("Also what is the same", "Rows in which the runs agree")
        self._x, self._y = choice("Across", [], None), choice("Up", [], None)
        self._drawing = Drawing(self._figures, "Scatter")
        for control in (self._chosen, self._x, self._y):
            control.observe(self._drawing.draw, names="value")
        hint = parts.title("Compare", "choose two or more: Ctrl or Shift with a click or an arrow")
        shown = refreshed(self._render, self._chosen, self._all)
        self.box = widgets.VBox(
            [
                widgets.HTML(hint),
                self._chosen,
                row(self._drawing.switch, self._x, self._y, self._all),
                self._drawing.box,
                shown,
            ]
        )

    def offer(self, found: Sequence[RunRecord]) -> None:
        """Take the runs that are shown now; those chosen before stay so if they are among them."""
        self._found = found
        kept = [run.run_id for run in found if run.run_id in self._chosen.value]
        self._chosen.options = [(_option(run), run.run_id) for run in found]
        self._chosen.value = kept
        axes = [(f"{_label(name)} ({name.partition('.')[0]})", name) for name in _axes(found)]
        for control, place in ((self._x, 1), (self._y, 0)):
            before = control.value
            control.options = axes
            names = [name for _, name in axes]
            control.value = before if before in names else next(iter(names[place:] or names), None)

    def _render(self) -> str:
        chosen = list(self._chosen.value)
        if len(chosen) < 2:
            return ""
        found = compare_runs(self._project, chosen[:_MOST])
        cut = f"<p class='wb-quiet'>The first {_MOST} of {len(chosen)}.</p>"
        more = parts.part(cut) if len(chosen) > _MOST else ""
        return compared(found, everything=self._all.value) + more

    def _figures(self) -> list[Any]:
        if self._x.value is None or self._y.value is None:
            return []
        return [scatter(self._found, self._chosen.value, self._x.value, self._y.value)]


def _option(run: RunRecord) -> str:
    metrics = "  ".join(
        f"{name} {parts.figure(value).text}" for name, value in list(run.metrics.items())[:2]
    )
    name = parts.words(run.name, 40).text
    return f"{run.run_id[:8]}  {name}  {run.status.lower()}  {metrics}"
