"""The tables. Times are UTC and aware; structured values are JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, DateTime, Dialect, Index, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

__all__ = [
    "AlertRow",
    "ApprovalRow",
    "Base",
    "CheckRow",
    "DatasetRow",
    "DecisionRow",
    "EdgeRow",
    "FeatureStatisticsRow",
    "FeatureVersionRow",
    "FeatureViewRow",
    "FunctionRow",
    "GateRow",
    "HolderRow",
    "JobRow",
    "MaterializationRow",
    "PipelineRunRow",
    "PredictionRow",
    "ReproductionRow",
    "StepRow",
    "TickRow",
    "WindowRow",
    "now",
]


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware time in UTC, also on SQLite, which keeps no zone."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time rather than guess its zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value.isoformat()}: give it a zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        return value.replace(tzinfo=UTC) if value is not None else None


class Base(DeclarativeBase):
    """Declares our types once for all tables."""

    type_annotation_map: ClassVar[Any] = {
        datetime: UTCDateTime,
        dict[str, Any]: JSON,
        list[Any]: JSON,
    }


class JobRow(Base):
    """One execution of a notebook."""

    __tablename__ = "jobs"

    id: Mapped[str] = mapped_column(primary_key=True)
    notebook: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(index=True)
    label: Mapped[str] = mapped_column(default="")
    key: Mapped[str | None] = mapped_column(index=True)
    batch: Mapped[str | None] = mapped_column(index=True)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    priority: Mapped[int] = mapped_column(default=0)
    holder: Mapped[str | None]
    attempt: Mapped[int] = mapped_column(default=1)
    attempts: Mapped[list[Any]] = mapped_column(default=list)
    not_before: Mapped[datetime | None]
    branch: Mapped[str | None]
    commit: Mapped[str | None]
    run_id: Mapped[str | None] = mapped_column(index=True)
    kernel: Mapped[str | None]
    output: Mapped[str | None]
    failure: Mapped[str | None]
    error: Mapped[str | None]
    error_cell: Mapped[int | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class HolderRow(Base):
    """A process that holds jobs: while it lives they are its own business."""

    __tablename__ = "holders"

    id: Mapped[str] = mapped_column(primary_key=True)
    machine: Mapped[str]
    lock: Mapped[str]
    role: Mapped[str]
    beat_at: Mapped[datetime]


class TickRow(Base):
    """One moment of a schedule; who inserts the row has claimed it."""

    __tablename__ = "ticks"

    schedule: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    state: Mapped[str]
    holder: Mapped[str | None]
    jobs: Mapped[list[Any]] = mapped_column(default=list)
    pipeline_run: Mapped[str | None]
    reason: Mapped[str] = mapped_column(default="")
    claimed_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class PipelineRunRow(Base):
    """One run of a pipeline; its steps are the jobs of the batch with its id."""

    __tablename__ = "pipeline_runs"

    id: Mapped[str] = mapped_column(primary_key=True)
    pipeline: Mapped[str] = mapped_column(index=True)
    digest: Mapped[str]
    state: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    steps: Mapped[dict[str, Any]]
    holder: Mapped[str | None]
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class StepRow(Base):
    """A step of a factory that is done: what went in (as a digest) and what came out."""

    __tablename__ = "steps"

    factory: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    result: Mapped[dict[str, Any]]
    finished_at: Mapped[datetime]


class DatasetRow(Base):
    """A named source as it was read."""

    __tablename__ = "datasets"
    __table_args__ = (UniqueConstraint("name", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    address: Mapped[str]
    schema: Mapped[dict[str, Any]]
    rows: Mapped[int]
    digest: Mapped[str]
    recipe: Mapped[dict[str, Any]] = mapped_column(default=dict)
    read_at: Mapped[datetime]


class CheckRow(Base):
    """What a contract found of one content of a source; checking it again replaces it."""

    __tablename__ = "checks"
    __table_args__ = (UniqueConstraint("source", "digest", "contract"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    digest: Mapped[str]
    contract: Mapped[str]
    outcome: Mapped[str]
    report: Mapped[dict[str, Any]]
    checked_at: Mapped[datetime]


class EdgeRow(Base):
    """One link of the chain: `source` was used to make `target`."""

    __tablename__ = "edges"
    __table_args__ = (
        UniqueConstraint("source", "target", "relation"),
        Index("ix_edges_target", "target"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    target: Mapped[str]
    relation: Mapped[str]
    at: Mapped[datetime]


class FeatureViewRow(Base):
    """A feature view as it was last applied, so that listing it runs no project code."""

    __tablename__ = "feature_views"

    name: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    definition: Mapped[dict[str, Any]]
    applied_at: Mapped[datetime]


class FeatureVersionRow(Base):
    """A definition that a feature view has had; only ever appended."""

    __tablename__ = "feature_versions"
    __table_args__ = (UniqueConstraint("view", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    view: Mapped[str]
    digest: Mapped[str]
    definition: Mapped[dict[str, Any]]
    applied_at: Mapped[datetime]


class FeatureStatisticsRow(Base):
    """What the values of one feature were in one window of its event time."""

    __tablename__ = "feature_statistics"
    __table_args__ = (UniqueConstraint("view", "digest", "feature", "window_start"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    view: Mapped[str]
    digest: Mapped[str]
    feature: Mapped[str]
    window_start: Mapped[datetime]
    window_end: Mapped[datetime]
    rows: Mapped[int]
    statistics: Mapped[dict[str, Any]]
    computed_at: Mapped[datetime]


class MaterializationRow(Base):
    """How far a feature view is in an online store, and when that was."""

    __tablename__ = "materializations"
    __table_args__ = (UniqueConstraint("view", "store"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    view: Mapped[str]
    store: Mapped[str]
    digest: Mapped[str]
    state: Mapped[str]
    until: Mapped[datetime | None]
    rows: Mapped[int]
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class GateRow(Base):
    """What the gate found of one model version; never changed afterwards."""

    __tablename__ = "gates"
    __table_args__ = (Index("ix_gates_model_version", "model", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    factory: Mapped[str]
    model: Mapped[str]
    version: Mapped[str]
    policy: Mapped[str]
    outcome: Mapped[str]
    report: Mapped[dict[str, Any]]
    digest: Mapped[str]
    document: Mapped[str] = mapped_column(default="")
    evaluated_at: Mapped[datetime]


class ApprovalRow(Base):
    """A person who agreed to, or refused, what a gate found; only ever appended."""

    __tablename__ = "approvals"
    __table_args__ = (Index("ix_approvals_model_version", "model", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    model: Mapped[str]
    version: Mapped[str]
    gate: Mapped[str]
    outcome: Mapped[str]
    role: Mapped[str]
    comment: Mapped[str]
    decided_by: Mapped[str]
    decided_at: Mapped[datetime]


class FunctionRow(Base):
    """One version of a function of the project's; never changed afterwards."""

    __tablename__ = "functions"
    __table_args__ = (UniqueConstraint("name", "version"), UniqueConstraint("name", "digest"))

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int]
    digest: Mapped[str]
    definition: Mapped[dict[str, Any]]
    source: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime]


class ReproductionRow(Base):
    """One attempt to make a model version again, and how alike the two are."""

    __tablename__ = "reproductions"
    __table_args__ = (Index("ix_reproductions_model_version", "model", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    model: Mapped[str]
    version: Mapped[str]
    verdict: Mapped[str]
    report: Mapped[dict[str, Any]]
    job_id: Mapped[str | None]
    reproduced_by: Mapped[str]
    reproduced_at: Mapped[datetime]


class DecisionRow(Base):
    """Who moved which alias when, why and on what evidence; only ever appended.

    `hash` covers the row and the hash of the row before, so that none can be changed unseen. No two
    follow the same one: of two who decide at once, on whatever machines, one has to look again.
    """

    __tablename__ = "decisions"
    __table_args__ = (UniqueConstraint("previous_hash", name="uq_decisions_previous_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    factory: Mapped[str]
    model: Mapped[str] = mapped_column(index=True)
    alias: Mapped[str]
    version: Mapped[str]
    previous: Mapped[str | None]
    outcome: Mapped[str]
    reason: Mapped[str]
    evidence: Mapped[dict[str, Any]]
    decided_by: Mapped[str]
    role: Mapped[str] = mapped_column(default="")
    override: Mapped[bool] = mapped_column(default=False)
    previous_hash: Mapped[str]
    hash: Mapped[str]
    decided_at: Mapped[datetime]


class PredictionRow(Base):
    """One window that was scored: where its rows are and which version gave them."""

    __tablename__ = "predictions"
    __table_args__ = (UniqueConstraint("factory", "window_start"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    factory: Mapped[str]
    model: Mapped[str]
    version: Mapped[str]
    window_start: Mapped[datetime]
    window_end: Mapped[datetime]
    rows: Mapped[int]
    path: Mapped[str]
    digest: Mapped[str]
    scored_at: Mapped[datetime]


class WindowRow(Base):
    """What a monitor found in one window; evaluating it again replaces it."""

    __tablename__ = "windows"
    __table_args__ = (UniqueConstraint("monitor", "window_start"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    monitor: Mapped[str]
    model: Mapped[str]
    version: Mapped[str]
    window_start: Mapped[datetime]
    window_end: Mapped[datetime]
    status: Mapped[str]
    findings: Mapped[list[Any]]
    metrics: Mapped[dict[str, Any]]
    job_id: Mapped[str | None]
    evaluated_at: Mapped[datetime]


class AlertRow(Base):
    """A window that crossed its thresholds: one alert, whatever the number of causes."""

    __tablename__ = "alerts"
    __table_args__ = (UniqueConstraint("monitor", "window_start"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    monitor: Mapped[str]
    model: Mapped[str]
    version: Mapped[str]
    window_start: Mapped[datetime]
    state: Mapped[str]
    cause: Mapped[str]
    message: Mapped[str]
    owner: Mapped[str]
    job_id: Mapped[str | None]
    opened_at: Mapped[datetime]
