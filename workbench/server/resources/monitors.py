"""Monitors: how each model fares, what alerted, and the dashboards."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import NotebookError, NotFoundError
from workbench.jobs import get_job
from workbench.monitoring import Alert, AlertState, Window, list_alerts, list_windows
from workbench.monitoring import acknowledge as take
from workbench.panels.view import ModelView, Tone, load_models, period
from workbench.panels.voila import dashboards
from workbench.project import Project
from workbench.server.operation import Operation, Page, PageQuery, Query, paged
from workbench.server.resources.drawn import Drawn, Shade, executed_notebook

__all__ = ["OPERATIONS"]

_STRIP = 24
_IN_GROUP = 20


class WindowMark(BaseModel):
    """One window in short."""

    model_config = ConfigDict(frozen=True)

    monitor: str
    period: str
    start: datetime
    version: str
    status: Tone
    said: str = Field(description="the first thing that was found; empty if nothing was")
    job_id: str | None = Field(description="whose executed notebook shows it")


class Monitored(BaseModel):
    """A model, and how it fares."""

    model_config = ConfigDict(frozen=True)

    model: str
    light: Tone
    text: str
    champion: str | None
    owner: str
    open_alerts: int
    seen_alerts: int = Field(description="acknowledged, and not resolved yet")
    windows: list[WindowMark] = Field(description="the last of them, oldest first")


class AlertQuery(PageQuery):
    """Which alerts."""

    model: str = Field(default="", description="of one model; of all if empty")
    state: Literal["unresolved", "open", "acknowledged", "resolved", "all"] = "unresolved"


class AlertInfo(BaseModel):
    """One alert."""

    model_config = ConfigDict(frozen=True)

    id: int
    period: str
    window_start: datetime
    version: str
    state: AlertState
    message: str
    job_id: str | None
    opened_at: datetime


class AlertGroup(BaseModel):
    """Alerts of one monitor that have the same cause."""

    model_config = ConfigDict(frozen=True)

    monitor: str
    model: str
    cause: str
    owner: str
    open: list[int] = Field(description="the alerts that nobody has seen yet, by their ids")
    count: int
    newest: list[AlertInfo]


class Acknowledging(BaseModel):
    """Which alerts somebody is looking at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    alerts: list[Annotated[int, Field(ge=1, lt=2**31)]] = Field(min_length=1, max_length=500)


class NotebookQuery(Query):
    """Of which job."""

    job: str = Field(min_length=1, max_length=100, description="the job that judged the window")
    shade: Shade = "light"


class Dashboard(BaseModel):
    """A notebook that Voila serves as a page."""

    model_config = ConfigDict(frozen=True)

    name: str
    address: str | None = Field(
        description="from the server's base address; null if it can't be opened here"
    )
    refusal: str = Field(description="why not; empty if it can")


def list_monitors(project: Project) -> list[Monitored]:
    """Say how each model fares that is watched or has a champion, the worst first."""
    views = [view for view in load_models(project) if view.champion or view.windows]
    return sorted(map(_monitored, views), key=lambda one: (_RANKS.index(one.light), one.model))


def list_alert_groups(project: Project, query: AlertQuery) -> Page[AlertGroup]:
    """List alerts, those of one monitor with one cause together, the newest first."""
    found: dict[tuple[str, str], list[Alert]] = {}
    for alert in list_alerts(project):
        if query.model in ("", alert.model) and _is_asked(alert, query):
            found.setdefault((alert.monitor, alert.cause), []).append(alert)
    windows = list_windows(project)
    asked = list(found.values())[query.offset : query.offset + query.limit + 1]
    return paged([_group(alerts, windows) for alerts in asked], query)


def acknowledge_alerts(project: Project, body: Acknowledging) -> list[Alert]:
    """Note that somebody looks at alerts; a resolved one stays resolved."""
    return take(project, *body.alerts)


def show_window_notebook(project: Project, query: NotebookQuery) -> Drawn:
    """Draw the executed notebook that judged a window."""
    if query.job not in {window.job_id for window in list_windows(project)}:
        raise NotFoundError(f"no window was judged by job {query.job!r}")
    job = get_job(project, query.job)
    path = project.root / str(job.output)
    if job.output is None or not path.is_file():
        raise NotFoundError(f"job {job.id} left no executed notebook")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NotebookError(f"{job.output}: can't be read: {error}") from error
    return executed_notebook(f"{job.notebook} {job.id}", text, query.shade)


def list_dashboards(project: Project, served: Path) -> list[Dashboard]:
    """List the notebooks that Voila can show as pages."""
    try:
        folder = dashboards(project).resolve()
    except NotFoundError:
        return []
    top = served.resolve()
    refusal = _refusal(folder, top)
    return [
        Dashboard(
            name=path.stem,
            address=None if refusal else f"voila/render/{_quoted(path.relative_to(top))}",
            refusal=refusal,
        )
        for path in sorted(folder.glob("*.ipynb"))
    ]


_RANKS: Sequence[Tone] = ("alert", "warning", "insufficient", "unwatched", "ok")


def _monitored(view: ModelView) -> Monitored:
    marks = [
        WindowMark(
            monitor=window.monitor,
            period=period(window, view.windows),
            start=window.window_start,
            version=window.version,
            status=window.status,
            said=window.findings[0].message if window.findings else "",
            job_id=window.job_id,
        )
        for window in view.windows[-_STRIP:]
    ]
    states = [alert.state for alert in view.alerts]
    owners = [alert.owner for alert in view.alerts if alert.owner]
    return Monitored(
        model=view.name,
        light=view.health.tone,
        text=view.health.text,
        champion=view.champion.version if view.champion else None,
        owner=view.champion.owner if view.champion else next(iter(owners), ""),
        open_alerts=states.count("open"),
        seen_alerts=states.count("acknowledged"),
        windows=marks,
    )


def _is_asked(alert: Alert, query: AlertQuery) -> bool:
    if query.state == "unresolved":
        return alert.state != "resolved"
    return query.state in ("all", alert.state)


def _group(alerts: list[Alert], windows: list[Window]) -> AlertGroup:
    first = alerts[0]
    own = [window for window in windows if window.monitor == first.monitor]
    names = {window.window_start: period(window, own) for window in own}
    return AlertGroup(
        monitor=first.monitor,
        model=first.model,
        cause=first.cause,
        owner=first.owner,
        open=[alert.id for alert in alerts if alert.state == "open"],
        count=len(alerts),
        newest=[
            AlertInfo(
                period=names.get(alert.window_start, f"{alert.window_start:%Y-%m-%d}"),
                **alert.model_dump(exclude={"monitor", "model", "cause", "owner"}),
            )
            for alert in alerts[:_IN_GROUP]
        ],
    )


def _refusal(folder: Path, top: Path) -> str:
    if importlib.util.find_spec("voila") is None:
        return 'Voila isn\'t installed: pip install "jupyter-workbench[dashboard]"'
    if not folder.is_relative_to(top):
        return "it lies outside of what this server serves: `workbench dashboard` shows it"
    return ""


def _quoted(path: Path) -> str:
    return quote(path.as_posix())


OPERATIONS = (
    Operation("GET", "/monitors", list_monitors),
    Operation("GET", "/monitors/alerts", list_alert_groups),
    Operation("POST", "/monitors/alerts/acknowledged", acknowledge_alerts),
    Operation("GET", "/monitors/notebook", show_window_notebook),
    Operation("GET", "/dashboards", list_dashboards),
)
