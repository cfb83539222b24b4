"""The policy, as it stands in the factory file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from workbench.access import Role
from workbench.evaluation import Task, find_check, find_metric

__all__ = ["ExplanationSpec", "GateSpec", "ParitySpec", "Threshold"]

_BEST_BY: dict[Task, str] = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}
_BASELINE: dict[Task, list[str]] = {
    "binary": ["brier", "log_loss"],
    "multiclass": ["brier", "log_loss"],
    "regression": ["rmse"],
}


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Threshold(_Spec):
    """Bounds of a metric, both inclusive."""

    min: float | None = None
    max: float | None = None
    interval: bool = Field(
        default=False, description="whether its whole bootstrap interval has to lie within"
    )


class ParitySpec(_Spec):
    """Which ways of serving have to agree with the training notebook."""

    ways: list[str] = Field(
        default=["batch", "sql", "fresh"], description="which ways: batch, sql, fresh"
    )
    environment: Literal["locked", "same"] = Field(
        default="locked",
        description="what the fresh process has: the stored requirements, or the packages here",
    )
    tolerance: float | None = Field(
        default=None, ge=0, description="the largest difference; by default the library's own"
    )


class ExplanationSpec(_Spec):
    """What the model's reasons must look like."""

    rows: int = Field(default=500, ge=1, description="how many rows are explained")
    max_share: float = Field(
        default=0.95, gt=0, le=1, description="the most of all reasons that one feature may be"
    )
    unused: list[str] = Field(
        default=[], description="features that must be none of the first ten reasons"
    )


class GateSpec(_Spec):
    """What a version must show."""

    task: Task = Field(
        default="binary", description="what is predicted: binary, multiclass, regression"
    )
    metric: str = Field(
        default="",
        description="what the best of several versions is best at; by default roc_auc, log_loss or "
        "rmse, by the task",
    )
    thresholds: dict[str, Threshold] = Field(default={}, description="bounds by metric")
    beat_baseline: list[str] = Field(
        default=[],
        description="metrics better than always predicting the training data's mean, or the share "
        "of each class; by default brier and log_loss, or rmse",
    )
    champion_tolerance: float = Field(
        default=0.0, ge=0, description="how much worse than the champion it may be, in `metric`"
    )
    champion_by: Literal["value", "interval"] = Field(
        default="value",
        description="whether the difference itself must be within the tolerance, or the whole "
        "interval of a paired bootstrap",
    )
    slices: list[str] = Field(
        default=[], description="columns, or conditions in SQL, that are judged by themselves"
    )
    slice_floors: dict[str, float] = Field(
        default={}, description="the worst that a metric may be in any slice"
    )
    checks: list[str] | dict[str, dict[str, Any]] = Field(
        default=[], description="evaluation checks by code, maybe with thresholds of theirs"
    )
    max_size_mb: float | None = Field(default=None, gt=0, description="of the model's files")
    max_latency_ms: float | None = Field(
        default=None, gt=0, description="of one row, the slowest twentieth (p95), warm"
    )
    parity: ParitySpec | None = Field(default=None, description="absent: not asked for")
    availability: list[Literal["batch", "streaming", "request"]] = Field(
        default=[],
        description="how a feature may be served: batch, streaming, request; empty: not asked for",
    )
    explanation: ExplanationSpec | None = Field(default=None, description="absent: not asked for")
    approvals: dict[Role, int] = Field(
        default={}, description="how many people of which role have to approve"
    )
    notebook: str = Field(
        default="", description="the notebook that judges, from the project's root; ours if empty"
    )

    @model_validator(mode="before")
    @classmethod
    def _by_task(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or given.get("task", "binary") not in _BEST_BY:
            return given
        task = given.get("task", "binary")
        return {"metric": _BEST_BY[task], "beat_baseline": _BASELINE[task], **given}

    @model_validator(mode="after")
    def _known_metrics(self) -> Self:
        for name in (self.metric, *self.thresholds, *self.beat_baseline, *self.slice_floors):
            find_metric(name, self.task)
        for name in (self.metric, *self.beat_baseline):
            if find_metric(name, self.task).higher_is_better is None:
                raise ValueError(f"{name} is neither good nor bad")
        return self

    @field_validator("checks")
    @classmethod
    def _known_checks(cls, asked: Any) -> Any:
        for code in asked:
            find_check(code, asked[code] if isinstance(asked, dict) else None)
        return asked

    @property
    def digest(self) -> str:
        """A digest of the policy: evidence counts for the policy it was made under."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()
