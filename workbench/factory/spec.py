"""What a factory file says."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from workbench.gates import GateSpec
from workbench.monitoring import MonitorSpec

__all__ = ["FactorySpec", "RetrainingSpec", "ScoringSpec", "TrainingSpec"]

Period = tuple[date, date]
"""First day inclusive, last day exclusive, in the factory's time zone."""


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _in_order(period: Period) -> Period:
    if period[0] >= period[1]:
        raise ValueError(f"{period[0]} isn't before {period[1]}")
    return period


class TrainingSpec(_Spec):
    """Which notebook trains, on what, how often."""

    notebook: str = Field(description="the training notebook, from the project's root")
    train: Period = Field(description="[first day, day after the last] to train on")
    validate_on: Period = Field(description="[first day, day after the last] to judge on")
    parameters: dict[str, Any] = Field(default={}, description="notebook parameters of all jobs")
    grid: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(
        default={}, description="parameter → values: one job for each combination"
    )

    _periods = field_validator("train", "validate_on")(_in_order)

    def combinations(self) -> list[dict[str, Any]]:
        """Return the parameters of each job."""
        values = itertools.product(*self.grid.values())
        return [{**self.parameters, **dict(zip(self.grid, v, strict=True))} for v in values]


class ScoringSpec(_Spec):
    """Which rows the champion scores, in windows of which length."""

    start: date = Field(description="the first day to score")
    end: date = Field(description="the day after the last to score")
    every: Literal["1d", "1w", "1mo"] = Field(default="1mo", description="length of a window")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _in_order((self.start, self.end))
        return self

    def windows(self) -> list[Period]:
        """Cut the days into windows; the last one ends at `end`, whole or not."""
        starts = pl.date_range(self.start, self.end, self.every, closed="left", eager=True)
        edges: list[date] = [*starts.to_list(), self.end]
        return list(itertools.pairwise(edges))


class RetrainingSpec(_Spec):
    """When a new version is trained, and what decides between it and the champion."""

    after_alerts: int = Field(default=2, ge=1, description="windows in alert before retraining")
    holdout: int = Field(
        default=2, ge=1, description="last windows, unseen by both, on which the two are compared"
    )


class FactorySpec(_Spec):
    """A whole factory."""

    description: str = Field(description="what it is for, in a sentence")
    owner: str = Field(description="who answers for it")
    model: str = Field(description="the registered model that it makes")
    spine: str = Field(description="the spine of features/*.py whose rows it predicts")
    features: list[str] = Field(description="views, or view:feature, joined to the spine")
    exclude: list[str] = Field(
        default=[], description="view:feature that only other features need; no model input"
    )
    timezone: str = Field(default="UTC", description="the zone in which days begin and end")
    label_delay_hours: float = Field(
        default=24, ge=0, description="hours after a window's end at which its labels are read"
    )
    training: TrainingSpec
    gate: GateSpec
    scoring: ScoringSpec
    monitor: MonitorSpec
    retraining: RetrainingSpec | None = Field(default=None, description="absent: never by itself")

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("expected an IANA time zone like America/New_York")
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.timezone)
