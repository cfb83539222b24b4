"""What a schedule's file says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from workbench.errors import ConfigError, NotFoundError, WorkbenchError, what_exists
from workbench.jobs.requests import Limits, Retries
from workbench.jobs.schedules.cron import check_cron, ticks_after
from workbench.project import Project
from workbench.settings import load_toml, validate
from workbench.store import now

__all__ = [
    "FOLDER",
    "Schedule",
    "ScheduleSpec",
    "check_target",
    "list_schedules",
    "load_schedule",
]

FOLDER = "schedules"
"""Where they stand, from the project's root."""

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_VARIABLES = ("tick", "tick_date")


class ScheduleSpec(BaseModel):
    """All keys of `schedules/NAME.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cron: str = Field(description="minute, hour, day of month, month, day of week")
    zone: str = Field(default="UTC", description="the time zone that `cron` is in")
    notebook: str | None = Field(default=None, description="what runs, from the project's root")
    pipeline: str | None = Field(
        default=None, validate_default=True, description="or the pipeline that runs"
    )
    parameters: dict[str, Any] = Field(
        default={}, description="values; ${tick} and ${tick_date} are the tick's time and day"
    )
    missed: Literal["skip", "once", "all"] = Field(
        default="once", description="ticks that came while no scheduler ran: which are started"
    )
    missed_limit: int = Field(
        default=100, ge=1, description="the most ticks that are caught up, or wait, at a time"
    )
    catch_up_hours: float = Field(
        default=24, gt=0, le=24 * 366, description="an older tick is never caught up"
    )
    overlap: Literal["skip", "queue", "cancel", "allow"] = Field(
        default="skip", description="while the former tick's work still runs: what a new one does"
    )
    enabled: bool = Field(default=True, description="whether it runs at all")
    limits: Limits = Field(default=Limits(), description="what each job may take")
    retries: Retries = Field(default=Retries(), description="when a job is tried again")
    description: str = Field(default="", description="what it is for, in a sentence")

    @field_validator("cron")
    @classmethod
    def _cron_is_one(cls, expression: str) -> str:
        return check_cron(expression)

    @field_validator("zone")
    @classmethod
    def _zone_is_known(cls, name: str) -> str:
        zones = available_timezones()
        if name not in zones:
            near = {zone.lower(): zone for zone in zones}.get(name.lower())
            raise ValueError(f"unknown time zone; {what_exists(near or name, zones, limit=3)}")
        return name

    @field_validator("parameters")
    @classmethod
    def _variables_exist(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        for text in _texts(parameters):
            for name in _VARIABLE.findall(text):
                if name not in _VARIABLES:
                    raise ValueError(f"unknown ${{{name}}}; {what_exists(name, _VARIABLES)}")
        return parameters

    @field_validator("pipeline")
    @classmethod
    def _one_target(cls, pipeline: str | None, info: ValidationInfo) -> str | None:
        if (info.data.get("notebook") is None) == (pipeline is None):
            raise ValueError("expected exactly one of notebook and pipeline")
        return pipeline

    @field_validator("limits", "retries")
    @classmethod
    def _of_a_notebook(cls, given: Any, info: ValidationInfo) -> Any:
        if info.data.get("pipeline") is not None:  # a default doesn't come by here
            raise ValueError("those of a pipeline's steps stand in the pipeline's own file")
        return given


@dataclass(frozen=True)
class Schedule:
    """A schedule of a project."""

    name: str
    spec: ScheduleSpec

    @property
    def zone(self) -> ZoneInfo:
        """Where its times of day are meant."""
        return ZoneInfo(self.spec.zone)

    @property
    def target(self) -> str:
        """The notebook or the pipeline that it runs."""
        return self.spec.notebook or f"pipeline {self.spec.pipeline}"

    @property
    def rule(self) -> str:
        """When it is due, in words that change when that does."""
        return f"{self.spec.cron} {self.spec.zone}" if self.spec.enabled else "paused"

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Yield its ticks after `moment`, in UTC, whether or not it is enabled."""
        return ticks_after(self.spec.cron, self.zone, moment)

    def parameters_at(self, tick: datetime) -> dict[str, Any]:
        """Return the parameters of the tick, as values."""
        local = tick.astimezone(self.zone)
        values = {"tick": local.isoformat(), "tick_date": local.date().isoformat()}
        filled: dict[str, Any] = _filled(self.spec.parameters, values)
        return filled


def list_schedules(project: Project) -> list[str]:
    """List the names of the project's schedules."""
    return sorted(path.stem for path in (project.root / FOLDER).glob("*.toml"))


def load_schedule(project: Project, name: str, *, check: bool = True) -> Schedule:
    """Read the schedule called `name`.

    Parameters
    ----------
    check
        Whether to look at the notebook or the pipeline too, and at its parameters.

    Raises
    ------
    NotFoundError
        If the project has no `schedules/NAME.toml`.
    ConfigError
        If that file can't be used, or what it names isn't there or doesn't take its parameters.
    """
    path = _path(project, name)
    schedule = Schedule(name, validate(ScheduleSpec, load_toml(path), project.relative(path)))
    if check:
        check_target(project, schedule)
    return schedule


def check_target(project: Project, schedule: Schedule) -> None:
    """Check that what a schedule runs is there and takes its parameters.

    Raises
    ------
    ConfigError
        Naming the schedule's file.
    """
    try:
        _check_target(project, schedule)
    except WorkbenchError as error:
        raise ConfigError(f"{FOLDER}/{schedule.name}.toml: {error}") from error


def _path(project: Project, name: str) -> Path:
    known = list_schedules(project)
    if name not in known:
        raise NotFoundError.named("schedule", name, known)
    return project.root / FOLDER / f"{name}.toml"


def _check_target(project: Project, schedule: Schedule) -> None:
    """Refuse what every one of its ticks would fail of."""
    spec = schedule.spec
    parameters = schedule.parameters_at(now().replace(microsecond=0))
    # Reading notebooks costs a second of imports, which a look at the times needn't pay.
    if spec.pipeline is not None:
        from workbench.jobs.pipelines import plan_pipeline

        plan_pipeline(project, spec.pipeline, parameters)
        return
    from workbench.jobs.parameters import check_parameters, load_notebook, read_parameters

    assert spec.notebook is not None
    contract = read_parameters(load_notebook(project.inside(spec.notebook)), spec.notebook)
    check_parameters(contract, parameters, spec.notebook)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _filled(value: Any, values: dict[str, str]) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: values[found[1]], value)
    if isinstance(value, dict):
        return {key: _filled(inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, values) for inner in value]
    return value
