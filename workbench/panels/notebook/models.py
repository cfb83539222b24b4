"""Models: what is in production, versions with their metrics and gates, decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from workbench.monitoring import InProduction, production
from workbench.panels import html
from workbench.panels.notebook import parts
from workbench.panels.notebook.controls import button, choice, refreshed, row
from workbench.panels.notebook.panel import Panel, Still
from workbench.panels.notebook.parts import Cell, Column, Table
from workbench.panels.notebook.pictures import Mark, Series, lines
from workbench.panels.page import resolve_project
from workbench.panels.view import CHAMPION, ModelView, load_models
from workbench.project import Project
from workbench.registry import Version

__all__ = ["models"]

_EMPTY = (
    "No model is registered yet. Run a factory, or register the model of a finished run: "
    "it shows here with its first version."
)
_KNOWN = ("roc_auc", "average_precision", "rmse", "mae", "r2", "brier", "log_loss")
_KEPT = 15
"""Versions and decisions of a model in a notebook's file."""


def models(
    model: str | None = None, *, project: Project | None = None, live: bool | None = None
) -> Panel:
    """Show the registered models; with a kernel each with its versions and decisions.

    Parameters
    ----------
    model
        The model that is shown in full; if None or unknown, the first that has a champion.
    project
        Default: that of the variable WORKBENCH_PROJECT, else the one around the working folder.
    live
        Whether to bring what can be clicked; unless said, in a kernel that runs for no job.
    """
    project = resolve_project(project)
    views, there = load_models(project), production(project)
    head = parts.title(f"Models of {project.name}", f"{len(views)}")
    if not views:
        empty = Still(head + parts.empty(_EMPTY), None, _EMPTY)
        return Panel(empty, lambda: _live(project, model), live=live)
    listed = _table(views, there)
    view = _first(views, model)
    detail = parts.title(view.name) + _detail(view, _KEPT)
    still = Still(
        head + listed.html(60_000) + detail,
        lines([_series(view) for view in views]),
        f"Models of {project.name}\n{listed.text()}",
    )
    return Panel(still, lambda: _live(project, view.name), live=live)


def _first(views: Sequence[ModelView], model: str | None) -> ModelView:
    asked = [view for view in views if view.name == model]
    return next(iter([*asked, *(view for view in views if view.champion), *views]))


def _table(views: Sequence[ModelView], there: Sequence[InProduction]) -> Table:
    columns = [
        Column("Model"),
        Column("In production", whole=True),
        Column("Since"),
        Column("Health", whole=True),
        Column("Alerts", number=True),
        Column("Versions", number=True),
        Column("Newest gate", whole=True),
        Column("Owner"),
    ]
    return Table("models", columns, [_row(view, there) for view in views])


def _row(view: ModelView, there: Sequence[InProduction]) -> list[Cell]:
    own = [one for one in there if one.model == view.name]
    since = next((one.since for one in own if one.since), None)
    newest = view.versions[0] if view.versions else None
    return [
        parts.words(view.name),
        parts.badges([f"{one.alias} → {one.version}" for one in own]),
        parts.moment(since),
        _health(view),
        Cell(str(view.open_alerts)),
        Cell(str(len(view.versions))),
        parts.status(newest.gate if newest else None),
        parts.words(", ".join(dict.fromkeys(one.owner for one in own if one.owner))),
    ]


def _health(view: ModelView) -> Cell:
    tone = view.health.tone
    return Cell("not judged") if tone == "unwatched" else parts.status(tone)


def _detail(view: ModelView, most: int | None = None) -> str:
    """Show one model as the dashboard does, or the newest of it."""
    short = replace(view, versions=view.versions[:most], decisions=view.decisions[:most])
    found = html.cards(view) + html.versions(short) + html.decisions(short)
    left = len(view.versions) - len(short.versions)
    return found + (parts.part(f"<p class='wb-quiet'>and {left:,} more</p>") if left else "")


def _series(view: ModelView) -> Series:
    """Follow a model's main metric from its first version to its newest."""
    metric = _metric(view.versions)
    marks = [
        Mark(
            f"v{version.version}",
            version.metrics.get(metric),
            parts.tone(version.gate),
            ringed=CHAMPION in version.aliases,
        )
        for version in reversed(view.versions)
    ]
    return Series(f"{view.name}: {metric} by version, ringed: {CHAMPION}", marks)


def _metric(versions: Sequence[Version]) -> str:
    names = dict.fromkeys(name for version in versions for name in version.metrics)
    return next((name for name in _KNOWN if name in names), next(iter(names), "no metric"))


def _live(project: Project, model: str | None) -> list[Any]:
    names = [view.name for view in load_models(project)]
    again = button("", "Read the models again", "refresh")
    shown = choice("Model", names, model if model in names else next(iter(names), None))

    def render() -> str:
        views = load_models(project)
        head = parts.title(f"Models of {project.name}", f"{len(views)}")
        if not views:
            return head + parts.empty(_EMPTY)
        return head + _table(views, production(project)).html()

    def detail() -> str:
        views = load_models(project)
        return _detail(_first(views, shown.value)) if views else ""

    listed = refreshed(render, again)
    return [row(shown, again), listed, refreshed(detail, shown, again)]
