"""What runs by itself."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import ParameterError, WorkbenchError
from workbench.jobs.holders import at_work
from workbench.jobs.parameters.fields import read_fields
from workbench.jobs.schedules import (
    ScheduleSpec,
    Tick,
    add_schedule,
    last_tick,
    load_schedule,
    set_enabled,
)
from workbench.jobs.schedules import list_schedules as find_schedules
from workbench.project import Project
from workbench.server.operation import Operation
from workbench.server.resources.jobs.asking import contract_of
from workbench.settings import validate
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


class NewSchedule(BaseModel):
    """A notebook that is to run by itself."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="letters, digits, - and _; its file is called so")
    notebook: str = Field(description="from the project's root")
    values: dict[str, str] = Field(default={}, description="a text for a parameter, as typed")
    cron: str = Field(description="minute, hour, day of month, month, day of week")
    zone: str = Field(default="UTC", description="the time zone that `cron` is in")
    description: str = Field(default="", max_length=500, description="what it is for")


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


def create_schedule(project: Project, body: NewSchedule) -> ScheduleInfo:
    """Let a notebook run by itself: it is written into a file of the project's."""
    contract = contract_of(project, body.notebook)
    filled = read_fields(contract, body.values, {}, body.notebook)
    if filled.problems:
        wrong = "; ".join(f"{name}: {text}" for name, text in filled.problems.items())
        raise ParameterError(f"{body.notebook}: {wrong}")
    content = body.model_dump(include={"notebook", "cron", "zone", "description"})
    spec = validate(ScheduleSpec, {**content, "parameters": filled.jobs[0]}, "schedule")
    add_schedule(project, body.name, spec)
    return _described(project, body.name)


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
    Operation("POST", "/schedules", create_schedule, status=201),
    Operation("PATCH", "/schedules/{name}", change_schedule),
)
