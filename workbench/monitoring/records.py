"""What a monitor leaves behind: one row for each window, and one alert where it crossed the line.

Recording is idempotent. A window that is evaluated again replaces its row; its alert stays one
alert, keeps the moment it was opened, stays acknowledged if someone had seen it, is resolved when
the window no longer alerts, and opens anew if it does so once more.
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from workbench.access import require
from workbench.errors import NotFoundError
from workbench.monitoring.windows import Finding, WindowResult, WindowStatus
from workbench.project import Project
from workbench.store import AlertRow, WindowRow, database, now

__all__ = [
    "JOB_VARIABLE",
    "Alert",
    "AlertState",
    "Window",
    "acknowledge",
    "list_alerts",
    "list_windows",
    "record",
]

JOB_VARIABLE = "WORKBENCH_JOB_ID"
"""Environment variable in which a job's kernel finds its own id."""

AlertState = Literal["open", "acknowledged", "resolved"]


class Window(BaseModel):
    """A window as it was recorded."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)

    monitor: str
    model: str
    version: str
    window_start: datetime
    window_end: datetime
    status: WindowStatus
    findings: tuple[Finding, ...]
    metrics: dict[str, Any]
    job_id: str | None
    evaluated_at: datetime


class Alert(BaseModel):
    """A window that crossed its thresholds: its main cause in short and in a sentence."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)

    id: int
    monitor: str
    model: str
    version: str
    window_start: datetime
    state: AlertState
    cause: str
    message: str
    owner: str
    job_id: str | None
    opened_at: datetime


def record(project: Project, result: WindowResult, job_id: str | None = None) -> Window:
    """Keep `result` as its window's row, and open, keep or resolve the window's alert.

    `job_id` defaults to the job this kernel runs for, from the environment.
    """
    job_id = job_id or os.environ.get(JOB_VARIABLE)
    with database(project).session() as session:
        # Writing first takes the lock, so two evaluations of one window follow one another.
        _upsert_window(session, _window_values(result, job_id))
        _record_alert(session, result, job_id)
        row = session.scalars(_of_window(WindowRow, result)).one()
        return Window.model_validate(row)


def list_windows(project: Project, monitor: str | None = None) -> list[Window]:
    """Return the recorded windows, of one `monitor` or of all, by monitor and oldest first."""
    query = select(WindowRow).order_by(WindowRow.monitor, WindowRow.window_start)
    if monitor is not None:
        query = query.where(WindowRow.monitor == monitor)
    with database(project).session() as session:
        return [Window.model_validate(row) for row in session.scalars(query)]


def list_alerts(project: Project, monitor: str | None = None) -> list[Alert]:
    """Return the alerts of one `monitor` or of all, newest window first, whatever their state."""
    query = select(AlertRow).order_by(AlertRow.window_start.desc(), AlertRow.monitor)
    if monitor is not None:
        query = query.where(AlertRow.monitor == monitor)
    with database(project).session() as session:
        return [Alert.model_validate(row) for row in session.scalars(query)]


def acknowledge(project: Project, *alert_ids: int) -> list[Alert]:
    """Note that someone has seen open alerts, all or none; a resolved one stays resolved.

    Raises
    ------
    ForbiddenError
        If who asks isn't a developer.
    NotFoundError
        If there is no alert with one of the ids.
    """
    require(project, "developer", "acknowledge an alert")
    with database(project).session() as session:
        rows = {id_: session.get(AlertRow, id_) for id_ in alert_ids}
        for id_, row in rows.items():
            if row is None:
                known = [str(each) for each in session.scalars(select(AlertRow.id))]
                raise NotFoundError.named("alert", str(id_), known)
            if row.state == "open":
                row.state = "acknowledged"
        return [Alert.model_validate(row) for row in rows.values()]


def _window_values(result: WindowResult, job_id: str | None) -> dict[str, Any]:
    return {
        "monitor": result.monitor,
        "model": result.model,
        "version": result.version,
        "window_start": result.window_start,
        "window_end": result.window_end,
        "status": result.status,
        "findings": [finding.model_dump() for finding in result.findings],
        "metrics": dict(result.metrics),
        "job_id": job_id,
        "evaluated_at": now(),
    }


def _record_alert(session: Session, result: WindowResult, job_id: str | None) -> None:
    alerting = result.status == "alert"
    row = session.scalars(_of_window(AlertRow, result)).one_or_none()
    if row is None and alerting:
        session.add(AlertRow(**_alert_values(result, job_id), state="open", opened_at=now()))
    elif row is not None and not alerting:
        row.state = "resolved"
    elif row is not None:
        for name, value in _alert_values(result, job_id).items():
            setattr(row, name, value)
        if row.state == "resolved":
            row.state, row.opened_at = "open", now()
    session.flush()


def _alert_values(result: WindowResult, job_id: str | None) -> dict[str, Any]:
    main = next(f for f in result.findings if f.kind in result.spec.alert_on)
    subject = main.column or main.metric
    return {
        "monitor": result.monitor,
        "model": result.model,
        "version": result.version,
        "window_start": result.window_start,
        "cause": f"{main.kind}: {subject}",
        "message": _sentence(main, result.findings),
        "owner": result.owner,
        "job_id": job_id,
    }


def _sentence(main: Finding, findings: tuple[Finding, ...]) -> str:
    rest = [finding for finding in findings if finding is not main]
    second = f"; and {rest[0].message}" if rest else ""
    more = f" ({len(rest) - 1} more)" if len(rest) > 1 else ""
    return main.message + second + more


def _of_window(table: type[Any], result: WindowResult) -> Any:
    return select(table).where(
        table.monitor == result.monitor, table.window_start == result.window_start
    )


def _upsert_window(session: Session, values: dict[str, Any]) -> None:
    from sqlalchemy.dialects import postgresql, sqlite

    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(WindowRow).values(**values)
    key = ["monitor", "window_start"]
    session.execute(statement.on_conflict_do_update(index_elements=key, set_=values))
