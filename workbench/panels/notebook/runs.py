"""Runs: filtered, sorted, two or more of them beside each other."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from workbench.panels.notebook import parts
from workbench.panels.notebook.controls import button, choice, field, refreshed, row
from workbench.panels.notebook.panel import Panel, Still
from workbench.panels.notebook.parts import Cell, Column, Table
from workbench.panels.notebook.pictures import Mark, Series, lines
from workbench.panels.page import resolve_project
from workbench.project import Project
from workbench.tracking import RunRecord, facets, list_runs

__all__ = ["is_of_quality", "runs", "table"]

_EMPTY = (
    "No run yet, or none that the filter lets through. A job's notebook has one by itself; another "
    "notebook after %load_ext workbench."
)
_NOT_OF_QUALITY = ("cost_", "training_", "base_rate", "baseline", "system/")
_METRICS, _SORTED_BY = 4, 12
_NEWEST = "start_time desc"


def runs(
    filter: str | None = None,  # noqa: A002 - MLflow's word, and that of `list_runs`
    order_by: str | None = None,
    limit: int = 50,
    *,
    project: Project | None = None,
    live: bool | None = None,
) -> Panel:
    """Show runs as a table; with a kernel to filter, sort and compare them.

    Parameters
    ----------
    filter, order_by, limit
        As of `wb.tracking.list_runs`: `metrics.roc_auc > 0.7`, `metrics.roc_auc desc`, 50.
    project
        Default: that of the variable WORKBENCH_PROJECT, else the one around the working folder.
    live
        Whether to bring what can be clicked; unless said, in a kernel that runs for no job.

    Raises
    ------
    UsageError
        If the filter or the order can't be understood; the message says what was expected.
    """
    project = resolve_project(project)
    found = list_runs(project, filter, order_by, limit)
    metrics = _metrics(found, order_by)
    shown = table(found, metrics)
    head = parts.title(f"Runs of {project.name}", _note(found, limit, filter))
    html = head + (shown.html() if found else parts.empty(_EMPTY))
    text = f"Runs of {project.name}\n{shown.text() if found else _EMPTY}"
    still = Still(html, _picture(found, metrics), text)
    return Panel(still, lambda: _Live(project, filter, order_by, limit).parts, live=live)


def table(found: Sequence[RunRecord], metrics: Sequence[str]) -> Table:
    """Lay runs out as a table."""
    columns = [Column("Run", whole=True), Column("Name"), Column("Status", whole=True)]
    columns += [Column(parts.words(name, 40).text, number=True) for name in metrics]
    columns += [
        Column("Parameters", long=True),
        Column("Started", whole=True),
        Column("Took", number=True),
    ]
    return Table("runs", columns, [_row(run, metrics) for run in found])


def is_of_quality(metric: str) -> bool:
    """Tell what a run was judged by from what it cost and what its data were."""
    return not metric.startswith(_NOT_OF_QUALITY)


def _row(run: RunRecord, metrics: Sequence[str]) -> list[Cell]:
    params = ", ".join(f"{name}={value}" for name, value in run.params.items())
    return [
        parts.code(run.run_id[:8]),
        parts.words(run.name, 60),
        parts.status(run.status),
        *(parts.figure(run.metrics.get(name)) for name in metrics),
        parts.words(params),
        parts.moment(run.start_time),
        _took(run),
    ]


def _took(run: RunRecord) -> Cell:
    if run.end_time is None:
        return Cell("–")
    minutes, seconds = divmod((run.end_time - run.start_time).total_seconds(), 60)
    return Cell(f"{minutes:.0f} min {seconds:.0f} s" if minutes else f"{seconds:.1f} s")


def _metrics(found: Sequence[RunRecord], order_by: str | None) -> list[str]:
    """Choose the few that there is room for: what runs are sorted by, then what most have."""
    counted = Counter(name for run in found for name in run.metrics)
    names = sorted(counted, key=lambda name: (-counted[name], name))
    first = [name for name in names if order_by and _is_by(order_by, name)]
    rest = [name for name in names if is_of_quality(name) and name not in first]
    return [*first, *rest][:_METRICS]


def _is_by(order_by: str, metric: str) -> bool:
    return any(order_by.startswith(f"metrics.{name}") for name in (metric, f"`{metric}`"))


def _picture(found: Sequence[RunRecord], metrics: Sequence[str]) -> bytes | None:
    """Draw the first two metrics of these runs from the oldest to the newest."""
    ordered = sorted(found, key=lambda run: run.start_time)
    return lines([_series(ordered, metric) for metric in metrics[:2]])


def _series(ordered: Sequence[RunRecord], metric: str) -> Series:
    marks = [
        Mark(f"{run.start_time:%-d %b %H:%M}", run.metrics[metric], parts.tone(run.status))
        for run in ordered
        if math.isfinite(run.metrics.get(metric, math.nan))
    ]
    return Series(metric, marks, joined=False)


def _note(found: Sequence[RunRecord], limit: int, filter_: str | None) -> str:
    many = f"the first {limit}" if len(found) == limit else f"{len(found)}"
    return f"{many}{f' with {filter_}' if filter_ else ''}"


class _Live:
    """The table with its controls, and the comparison below it."""

    def __init__(
        self, project: Project, filter_: str | None, order_by: str | None, limit: int
    ) -> None:
        from workbench.panels.notebook.comparing import Comparing

        self._project, self._limit, self._step = project, limit, limit
        self._filter = field(
            "Filter", filter_ or "", "metrics.roc_auc > 0.7 and params.library = 'xgboost'"
        )
        given = order_by or _NEWEST
        orders = [*_orders(project), *([(given, given)] if given != _NEWEST else [])]
        self._order = choice("Sort", orders, given)
        again = button("", "Read the runs again", "refresh")
        more = button("More", f"Show {limit} more", "plus")
        more.on_click(self._show_more)
        self._comparing = Comparing(project)
        shown = refreshed(self._render, self._filter, self._order, again)
        self._shown = shown
        self.parts = [
            row(self._filter, self._order, again),
            shown,
            row(more),
            self._comparing.box,
        ]

    def _render(self) -> str:
        filter_ = self._filter.value.strip() or None
        found = list_runs(self._project, filter_, self._order.value, self._limit)
        self._comparing.offer(found)
        head = parts.title(f"Runs of {self._project.name}", _note(found, self._limit, filter_))
        if not found:
            return head + parts.empty(_EMPTY)
        return head + table(found, _metrics(found, self._order.value)).html(1_000_000)

    def _show_more(self, _: Any) -> None:
        from workbench.panels.notebook.controls import said

        self._limit += self._step
        self._shown.value = said(self._render)


def _orders(project: Project) -> list[tuple[str, str]]:
    """List what runs can be sorted by: their times, and the metrics that most of them have."""
    names = [name for name in facets(project).metrics if "`" not in name and is_of_quality(name)]
    found = [("newest first", _NEWEST), ("oldest first", "start_time")]
    for name in names[:_SORTED_BY]:
        short = parts.words(name, 40).text
        found.append((f"{short}, highest first", f"metrics.`{name}` desc"))
        found.append((f"{short}, lowest first", f"metrics.`{name}`"))
    return found
