"""Jobs as records: a closed set of states, with legal transitions only."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select, update

from workbench.errors import JobError, NotFoundError
from workbench.jobs.failures import FailureKind
from workbench.project import Project
from workbench.store import JobRow, database, now

__all__ = [
    "ENDED",
    "JOB_STATES",
    "Attempt",
    "Job",
    "JobState",
    "count_jobs",
    "find_done",
    "folder",
    "get_job",
    "list_jobs",
    "move",
    "new_id",
]

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled", "lost"]

JOB_STATES: tuple[JobState, ...] = get_args(JobState)

ENDED: frozenset[JobState] = frozenset({"succeeded", "failed", "cancelled", "lost"})

_BEFORE: dict[JobState, tuple[JobState, ...]] = {
    "queued": ("running", "failed", "cancelled", "lost"),  # for another attempt
    "running": ("queued",),
    "succeeded": ("running",),
    "failed": ("queued", "running"),
    "cancelled": ("queued", "running"),
    "lost": ("queued", "running"),
}


class Attempt(BaseModel):
    """How a job went that was tried again afterwards."""

    model_config = ConfigDict(frozen=True)

    state: JobState
    failure: FailureKind | None
    error: str | None
    error_cell: int | None
    run_id: str | None
    started_at: datetime | None
    finished_at: datetime | None


class Job(BaseModel):
    """One execution of a notebook. `output` is the executed notebook, from the project's root."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: str
    notebook: str
    state: JobState
    params: dict[str, Any] = Field(validation_alias="parameters")
    label: str
    key: str | None
    batch: str | None
    branch: str | None
    commit: str | None
    run_id: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    kernel: str | None
    """How its kernel came to be: `forked`, or `ordinary` and why."""
    output: str | None
    failure: FailureKind | None
    error: str | None
    error_cell: int | None
    attempt: int
    attempts: list[Attempt]
    """The attempts before this one."""
    priority: int
    holder: str | None = Field(exclude=True)
    """The process that has it in hand, dead or alive."""
    cached: bool = False
    """Whether it is an earlier job that did the same, given instead of a new one."""

    @property
    def took(self) -> str:
        """How long it ran, like `1 min 5 s`."""
        if self.started_at is None or self.finished_at is None:
            return "–"
        minutes, seconds = divmod((self.finished_at - self.started_at).total_seconds(), 60)
        return f"{minutes:.0f} min {seconds:.0f} s" if minutes else f"{seconds:.1f} s"

    @property
    def node(self) -> str:
        """The job's name in the lineage."""
        return f"job:{self.id}"


def new_id() -> str:
    """Return an id that nobody has, and that sorts by time."""
    return f"{now():%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


def folder(project: Project, job_id: str) -> Path:
    """The folder that holds everything of one job."""
    return project.state / "jobs" / job_id


def list_jobs(
    project: Project,
    limit: int | None = None,
    *,
    batch: str | None = None,
    states: Collection[str] | None = None,
    holder: str | None = None,
    offset: int = 0,
) -> list[Job]:
    """List the project's jobs, newest first; of one batch, state or holder, if asked for."""
    query = select(JobRow).order_by(JobRow.created_at.desc(), JobRow.id.desc())
    query = query.limit(limit).offset(offset)
    if batch is not None:
        query = query.where(JobRow.batch == batch)
    if states is not None:
        query = query.where(JobRow.state.in_(states))
    if holder is not None:
        query = query.where(JobRow.holder == holder)
    with database(project).session() as session:
        return [Job.model_validate(row) for row in session.scalars(query)]


def count_jobs(project: Project, batch: str | None = None) -> dict[JobState, int]:
    """Count the project's jobs, or those of one batch, by their state."""
    query = select(JobRow.state, func.count()).group_by(JobRow.state)
    if batch is not None:
        query = query.where(JobRow.batch == batch)
    with database(project).session() as session:
        found = {row[0]: row[1] for row in session.execute(query)}
    return {state: found.get(state, 0) for state in JOB_STATES}


def find_done(project: Project, key: str) -> Job | None:
    """Return the newest job that succeeded under this key, if there is one."""
    query = (
        select(JobRow)
        .where(JobRow.key == key, JobRow.state == "succeeded")
        .order_by(JobRow.created_at.desc())
        .limit(1)
    )
    with database(project).session() as session:
        row = session.scalars(query).first()
        return Job.model_validate(row) if row is not None else None


def get_job(project: Project, job_id: str) -> Job:
    """Return one job; a unique beginning of its id is enough.

    Raises
    ------
    NotFoundError
        If no job's id begins so, or several do.
    """
    query = select(JobRow).where(JobRow.id.startswith(job_id, autoescape=True)).limit(2)
    with database(project).session() as session:
        rows = session.scalars(query).all()
        if len(rows) > 1:
            raise NotFoundError(f"{job_id!r} is the beginning of several jobs' ids")
        if not rows:
            known = session.scalars(select(JobRow.id).order_by(JobRow.id.desc()).limit(5))
            raise NotFoundError.named("job", job_id, known)
        return Job.model_validate(rows[0])


def move(
    project: Project,
    job_id: str,
    state: JobState,
    *,
    was: JobState | None = None,
    held_by: str | None = None,
    **changes: Any,
) -> Job:
    """Move a job to `state` in one transaction.

    Parameters
    ----------
    was
        Only from this one of the states that allow it.
    held_by
        Only while this one holds it: for who looked first and then acts on what was seen.

    Raises
    ------
    JobError
        If it isn't in a state from which it may go there: somebody else moved it first.
    """
    if state != "queued":
        changes["started_at" if state == "running" else "finished_at"] = now()
    step = (
        update(JobRow)
        .where(JobRow.id == job_id, JobRow.state.in_([was] if was else _BEFORE[state]))
        .values(state=state, **changes)
    )
    assert was is None or was in _BEFORE[state], f"{was} can't become {state}"
    if held_by is not None:
        step = step.where(JobRow.holder == held_by)
    with database(project).session() as session:
        moved = session.connection().execute(step).rowcount
        row = session.get_one(JobRow, job_id)
        if not moved:
            raise JobError(f"job {job_id} is {row.state}: it can't become {state}")
        return Job.model_validate(row)
