"""What is in production: each model that has an alias of production, and how it fares."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from workbench.monitoring.records import Window, list_alerts, list_windows
from workbench.monitoring.windows import WindowStatus
from workbench.project import Project
from workbench.registry import Model, held_by, list_decisions, list_models
from workbench.tracking import get_run
from workbench.usage import COST

__all__ = ["InProduction", "production"]


class InProduction(BaseModel):
    """One version that an alias of production names."""

    model_config = ConfigDict(frozen=True)

    model: str
    alias: str
    version: str
    owner: str
    since: datetime | None
    """When it took the alias; None if that was outside of Workbench, which nobody recorded."""
    by: str | None
    reason: str
    override: str
    """The reason for which an admin did without its gate; empty if it passed one."""
    factory: str
    window: datetime | None
    """The start of the last window that was monitored."""
    status: WindowStatus | None
    """How that window was; None if none was."""
    open_alerts: int
    cost: dict[str, float]
    """What the run that trained it cost."""


def production(project: Project) -> list[InProduction]:
    """List what is in production, by model and alias: one page for who answers for it."""
    aliases = project.settings.production_aliases
    return [
        _entry(project, model, alias)
        for model in list_models(project)
        for alias in aliases
        if alias in model.aliases
    ]


def _entry(project: Project, model: Model, alias: str) -> InProduction:
    number = model.aliases[alias]
    version = next(known for known in model.versions if known.version == number)
    decisions = list_decisions(project, model.name)
    moves = [one for one in decisions if one.alias == alias and one.moves]
    last = moves[-1] if moves and moves[-1].version == number else None
    promoted = held_by(decisions, alias)
    window = _last_window(project, model.name, number)
    alerts = [alert for alert in list_alerts(project) if alert.model == model.name]
    metrics = get_run(project, version.run_id).metrics
    return InProduction(
        model=model.name,
        alias=alias,
        version=number,
        owner=version.owner,
        since=last.decided_at if last else None,
        by=last.decided_by if last else None,
        reason=last.reason if last else "moved outside of Workbench",
        override=version.override if last and last.override else "",
        factory=promoted[-1].factory if promoted else "",
        window=window.window_start if window else None,
        status=window.status if window else None,
        open_alerts=sum(alert.state == "open" for alert in alerts),
        cost={name: value for name, value in metrics.items() if name.startswith(COST)},
    )


def _last_window(project: Project, model: str, version: str) -> Window | None:
    windows = [w for w in list_windows(project) if (w.model, w.version) == (model, version)]
    return max(windows, key=lambda window: window.window_start, default=None)
