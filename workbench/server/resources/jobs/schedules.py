"""What runs by itself."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import WorkbenchError
from workbench.jobs.holders import at_work
from workbench.jobs.schedules import (
    Tick,
    last_tick,
    load_schedule,
    set_enabled,
)
from workbench.jobs.schedules import list_schedules as find_schedules
from workbench.project import Project
from workbench.server.operation import Operation
from workbench.store import now

__all__ = ["OPERATIONS"]


class ScheduleInfo(BaseModel):
    """A schedule, when it runs next and how it went last."""

    model_config = ConfigDict(frozen=True)

    name: str
    description: str = ""
    runs: str = Field(default="", description="its notebook or pipeline")
    cron: str = ""
    zone: str = ""
    enabled: bool = False
    next: datetime | None = Field(default=None, description="null while it is paused")
    last: Tick | None
    problem: str | None = Field(default=None, description="why its file can't be used")


class Schedules(BaseModel):
    """The schedules of a project."""

    model_config = ConfigDict(frozen=True)

    served: bool = Field(description="whether a scheduler is there to run them")
    items: list[ScheduleInfo]


class ScheduleChange(BaseModel):
    """What is to change of a schedule."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool


def list_schedules(project: Project) -> Schedules:
    """List the schedules: when each runs next, and how it went last."""
    return Schedules(
        served=at_work(project, "scheduler"),
        items=[_described(project, name) for name in find_schedules(project)],
    )


def change_schedule(project: Project, name: str, body: ScheduleChange) -> ScheduleInfo:
    """Let a schedule rest, or go on: it is written into its file."""
    set_enabled(project, name, enabled=body.enabled)
    return _described(project, name)


def _described(project: Project, name: str) -> ScheduleInfo:
    last = last_tick(project, name)
    try:
        schedule = load_schedule(project, name, check=False)
    except WorkbenchError as error:
        return ScheduleInfo(name=name, last=last, problem=str(error))
    spec = schedule.spec
    return ScheduleInfo(
        name=name,
        description=spec.description,
        runs=schedule.target,
        cron=spec.cron,
        zone=spec.zone,
        enabled=spec.enabled,
        next=next(schedule.after(now()), None) if spec.enabled else None,
        last=last,
    )


OPERATIONS = (
    Operation("GET", "/schedules", list_schedules),
    Operation("PATCH", "/schedules/{name}", change_schedule),
)
