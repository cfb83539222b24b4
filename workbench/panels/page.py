"""The overview: one page about the models of a project, from stored results only."""

from __future__ import annotations

import importlib
import os
from typing import Any

from workbench.errors import MissingExtraError
from workbench.panels import bokehjs, html
from workbench.panels.view import ModelView, drift_cells, load_models, performance, positives
from workbench.project import Project

__all__ = ["PROJECT_VARIABLE", "overview", "prepare", "resolve_project"]

PROJECT_VARIABLE = "WORKBENCH_PROJECT"
"""Environment variable that says which project a dashboard's kernel shows."""

_NEEDED = ("ipywidgets", "bokeh.plotting", "jupyter_bokeh", "mlflow")
_NO_MODEL = (
    "No model is registered yet. Run a factory, or register the model of a finished run: "
    "it shows here with its first version."
)
_NO_WINDOW = (
    "No window has been judged yet. The monitoring notebook does that after each scored window; "
    "its figures, drift and alerts show here."
)


def resolve_project(project: Project | None = None) -> Project:
    """Give the project, or the one the environment names, or the one around the working folder."""
    return project or Project.find(os.environ.get(PROJECT_VARIABLE) or None)


def overview(
    project: Project | None = None, *, model: str | None = None, theme: str = "light"
) -> Any:
    """Build the page as an ipywidgets layout with Bokeh figures; shows it as a cell's last value.

    Parameters
    ----------
    project
        Default: that of the variable WORKBENCH_PROJECT, else the one around the working folder.
    model
        The model to show first; if None or unknown, the first that has a champion.
    theme
        "light" or "dark", for what is drawn; text follows the page by itself.

    Raises
    ------
    MissingExtraError
        If the extra `dashboard` isn't installed.
    """
    project = resolve_project(project)
    prepare(project)
    import ipywidgets as widgets

    _load_bokehjs()
    views = {view.name: view for view in load_models(project)}
    with_champion = [name for name, view in views.items() if view.champion]
    shown = model if model in views else next(iter([*with_champion, *views]), None)
    if shown is None:
        return _page(_header(project), widgets.HTML(html.empty(_NO_MODEL)))
    body = widgets.VBox(_body(views[shown], theme))
    header = _header(project, *([_selector(views, shown, body, theme)] if len(views) > 1 else []))
    return _page(header, body)


def prepare(project: Project | None = None) -> None:
    """Do all of the slow part of a first page, which a preheated kernel has done when it is asked.

    The libraries are imported and the project's records are opened; nothing of them is kept, so
    the page still shows what is stored when it is built.

    Raises
    ------
    MissingExtraError
        If the extra `dashboard` isn't installed.
    """
    try:
        for module in _NEEDED:
            importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError.of(error.name or "jupyter_bokeh", "dashboard") from error
    load_models(resolve_project(project))


def _load_bokehjs() -> None:
    from IPython.display import Javascript, display

    display(Javascript(bokehjs.script()))


def _page(*parts: Any) -> Any:
    import ipywidgets as widgets

    page = widgets.VBox([widgets.HTML(html.style()), *parts])
    page.add_class("wb-page")
    return page


def _header(project: Project, *controls: Any) -> Any:
    import ipywidgets as widgets

    title = widgets.HTML(html.heading(project.name, "Models of this project, as they are recorded"))
    spread = widgets.Layout(justify_content="space-between", align_items="center")
    return widgets.HBox([title, *controls], layout=spread)


def _selector(views: dict[str, ModelView], shown: str, body: Any, theme: str) -> Any:
    import ipywidgets as widgets

    choice = widgets.Dropdown(options=list(views), value=shown, description="Model")
    built = {shown: body.children}  # kept: closing a BokehModel of 4.1 raises

    def show(change: Any) -> None:
        name = change["new"]
        if name not in built:
            built[name] = _body(views[name], theme)
        body.children = built[name]

    choice.observe(show, names="value")
    return choice


def _body(view: ModelView, theme: str) -> tuple[Any, ...]:
    import ipywidgets as widgets

    watched = _watched(view, theme) if view.windows else (widgets.HTML(html.empty(_NO_WINDOW)),)
    registry = _columns(
        (widgets.HTML(html.versions(view)), "60%"), (widgets.HTML(html.decisions(view)), "40%")
    )
    return (widgets.HTML(html.cards(view)), *watched, registry)


def _watched(view: ModelView, theme: str) -> tuple[Any, ...]:
    import ipywidgets as widgets
    from jupyter_bokeh import BokehModel

    from workbench.panels import figures

    drawn = [
        figures.lines(performance(view.windows, metric), html.METRICS[metric], theme=theme)
        for metric in ("roc_auc", "brier")
    ]
    share = positives(view.windows)
    drawn.append(figures.lines(share, "Positives", against="mean prediction", theme=theme))
    drift = figures.heatmap(drift_cells(view.windows), theme=theme)
    heat = widgets.VBox([widgets.HTML(html.drift_title()), BokehModel(drift)])
    return (
        widgets.HTML(html.performance_title()),
        _columns(*[(BokehModel(plot), "33.3%") for plot in drawn]),
        _columns((heat, "60%"), (widgets.HTML(html.alerts(view)), "40%")),
        widgets.HTML(html.windows(view)),
    )


def _columns(*parts: tuple[Any, str]) -> Any:
    """Put widgets side by side in shares of the width."""
    import ipywidgets as widgets

    for place, (widget, width) in enumerate(parts, start=1):
        gap = "0 16px 0 0" if place < len(parts) else "0"
        widget.layout = widgets.Layout(flex=f"1 1 {width}", min_width="0", margin=gap)
    return widgets.HBox([widget for widget, _ in parts], layout=widgets.Layout(width="100%"))
