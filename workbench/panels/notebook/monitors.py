"""Monitors: a light for each model, its windows and its alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from workbench.panels import figures, html
from workbench.panels.notebook import parts
from workbench.panels.notebook.controls import Drawing, button, choice, refreshed, row
from workbench.panels.notebook.panel import Panel, Still
from workbench.panels.notebook.parts import Cell, Column, Table
from workbench.panels.notebook.pictures import Mark, Series, lines
from workbench.panels.page import resolve_project
from workbench.panels.view import (
    ModelView,
    drift_cells,
    load_models,
    performance,
    period,
    positives,
)
from workbench.project import Project

__all__ = ["monitors"]

_EMPTY = (
    "No window has been judged yet. The monitoring notebook does that after each scored window; "
    "its figures, drift and alerts show here."
)
_METRICS = ("roc_auc", "brier")
_KEPT = 12
"""Windows and alerts of a model in a notebook's file."""


def monitors(
    model: str | None = None, *, project: Project | None = None, live: bool | None = None
) -> Panel:
    """Show how the models that are watched fare; with a kernel their figures by window.

    Parameters
    ----------
    model
        The model that is shown in full; if None or unknown, the first that is watched.
    project
        Default: that of the variable WORKBENCH_PROJECT, else the one around the working folder.
    live
        Whether to bring what can be clicked; unless said, in a kernel that runs for no job.
    """
    project = resolve_project(project)
    views = _watched(project)
    head = _title(project, views)
    if not views:
        empty = Still(head + parts.empty(_EMPTY), None, _EMPTY)
        return Panel(empty, lambda: _live(project, model), live=live)
    view = next((view for view in views if view.name == model), views[0])
    listed = _table(views)
    still = Still(
        head + listed.html(50_000) + parts.title(view.name) + _detail(view, _KEPT),
        lines([_series(view, name) for view in views for name in _METRICS]),
        f"Monitors of {project.name}\n{listed.text()}",
    )
    return Panel(still, lambda: _live(project, view.name), live=live)


def _watched(project: Project) -> list[ModelView]:
    return [view for view in load_models(project) if view.windows]


def _title(project: Project, views: Sequence[ModelView]) -> str:
    alerts = sum(view.open_alerts for view in views)
    note = f"{len(views)} watched, {alerts} alerts not resolved" if views else ""
    return parts.title(f"Monitors of {project.name}", note)


def _table(views: Sequence[ModelView]) -> Table:
    columns = [
        Column("Health of the champion", whole=True),
        Column("Model"),
        Column("What was found"),
        Column("Newest window", whole=True),
        Column("Windows", number=True),
        Column("Open alerts", number=True),
    ]
    return Table("monitors", columns, [_row(view) for view in views])


def _row(view: ModelView) -> list[Cell]:
    tone = view.health.tone
    return [
        Cell("not judged") if tone == "unwatched" else parts.status(tone),
        parts.words(view.name),
        parts.words(view.health.text, 200),
        parts.words(period(view.windows[-1], view.windows)),
        Cell(str(len(view.windows))),
        Cell(str(view.open_alerts)),
    ]


def _detail(view: ModelView, most: int | None = None) -> str:
    """Show one model as the dashboard does, or the newest of it."""
    kept = slice(-most, None) if most else slice(None)
    short = replace(view, windows=view.windows[kept], alerts=view.alerts[:most])
    return html.cards(view) + html.windows(short) + html.alerts(short)


def _series(view: ModelView, metric: str) -> Series:
    points = performance(view.windows, metric)
    marks = [Mark(point.period, point.value, point.status) for point in points]
    held = [point.against for point in points]
    return Series(f"{view.name}: {html.METRICS[metric]}, dashed: at promotion", marks, held)


def _live(project: Project, model: str | None) -> list[Any]:
    names = [view.name for view in _watched(project)]
    again = button("", "Read the windows again", "refresh")
    shown = choice("Model", names, model if model in names else next(iter(names), None))

    def view() -> ModelView | None:
        return next((one for one in _watched(project) if one.name == shown.value), None)

    def render() -> str:
        views = _watched(project)
        return _title(project, views) + (_table(views).html() if views else parts.empty(_EMPTY))

    def detail() -> str:
        found = view()
        return _detail(found) if found else ""

    def drawn() -> list[Any]:
        found = view()
        return _figures(found) if found else []

    drawing = Drawing(drawn)
    shown.observe(drawing.draw, names="value")
    again.on_click(drawing.draw)
    return [
        row(shown, drawing.switch, again),
        refreshed(render, again),
        drawing.box,
        refreshed(detail, shown, again),
    ]


def _figures(view: ModelView) -> list[Any]:
    drawn = [
        figures.lines(performance(view.windows, metric), html.METRICS[metric])
        for metric in _METRICS
    ]
    drawn.append(figures.lines(positives(view.windows), "Positives", against="mean prediction"))
    drawn.append(figures.heatmap(drift_cells(view.windows)))
    for plot in drawn:  # read on light and on dark alike: who looks may choose either
        plot.title.text_color = plot.axis.major_label_text_color = "#7a8794"
        plot.grid.grid_line_color, plot.grid.grid_line_alpha = "#7a8794", 0.25
    return drawn
