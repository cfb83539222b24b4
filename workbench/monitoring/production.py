"""What is in production: each model that has an alias of production, and how it fares."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from workbench.monitoring.windows import WindowStatus
from workbench.project import Project
from workbench.registry import Decided, Model, Version, held_by, list_decided, list_models
from workbench.store import AlertRow, WindowRow, database
from workbench.tracking import run_metrics
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


def production(project: Project, models: Sequence[Model] | None = None) -> list[InProduction]:
    """List what is in production, by model and alias: one page for who answers for it.

    Parameters
    ----------
    models
        The registered models, by who has just listed them; else they are listed here.
    """
    aliases = project.settings.production_aliases
    there = [
        (model, alias, version)
        for model in (list_models(project) if models is None else models)
        for alias in aliases
        for version in model.versions
        if version.version == model.aliases.get(alias)
    ]
    decided: dict[str, list[Decided]] = defaultdict(list)
    for one in list_decided(project):
        decided[one.model].append(one)
    metrics = run_metrics(project, [version.run_id for _, _, version in there])
    windows, alerts = _last_windows(project), _open_alerts(project)
    return [
        _entry(
            model.name,
            alias,
            version,
            decided[model.name],
            windows.get((model.name, version.version)),
            alerts[model.name],
            metrics.get(version.run_id, {}),
        )
        for model, alias, version in there
    ]


def _entry(
    model: str,
    alias: str,
    version: Version,
    decided: Sequence[Decided],
    window: tuple[datetime, WindowStatus] | None,
    open_alerts: int,
    metrics: Mapping[str, float],
) -> InProduction:
    moves = [one for one in decided if one.alias == alias and one.moves]
    last = moves[-1] if moves and moves[-1].version == version.version else None
    promoted = held_by(decided, alias)
    return InProduction(
        model=model,
        alias=alias,
        version=version.version,
        owner=version.owner,
        since=last.decided_at if last else None,
        by=last.decided_by if last else None,
        reason=last.reason if last else "moved outside of Workbench",
        override=version.override if last and last.override else "",
        factory=promoted[-1].factory if promoted else "",
        window=window[0] if window else None,
        status=window[1] if window else None,
        open_alerts=open_alerts,
        cost={name: value for name, value in metrics.items() if name.startswith(COST)},
    )


def _last_windows(project: Project) -> dict[tuple[str, str], tuple[datetime, WindowStatus]]:
    """Read when the last window of each version began, and how it was; nothing of its figures."""
    row = WindowRow
    query = select(row.model, row.version, row.window_start, row.status).order_by(row.window_start)
    with database(project).session() as session:
        found = session.execute(query)
        return {
            (m, version): (start, cast("WindowStatus", how)) for m, version, start, how in found
        }


def _open_alerts(project: Project) -> Counter[str]:
    query = select(AlertRow.model).where(AlertRow.state == "open")
    with database(project).session() as session:
        return Counter(session.scalars(query))
