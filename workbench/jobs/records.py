"""Jobs as records: a closed set of states, with legal transitions only."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select, update

from workbench.errors import JobError, NotFoundError
from workbench.project import Project
from workbench.store import JobRow, database, now

__all__ = ["Job", "JobState", "find_done", "folder", "get_job", "list_jobs", "move"]

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled", "lost"]

_BEFORE: dict[JobState, tuple[JobState, ...]] = {
    "running": ("queued",),
    "succeeded": ("running",),
    "failed": ("queued", "running"),
    "cancelled": ("queued", "running"),
    "lost": ("queued", "running"),
}


class Job(BaseModel):
    """One execution of a notebook. `output` is the executed notebook, from the project's root."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: str
    notebook: str
    state: JobState
    params: dict[str, Any] = Field(validation_alias="parameters")
    label: str
    key: str | None
    branch: str | None
    commit: str | None
    run_id: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    output: str | None
    error: str | None
    error_cell: int | None

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


def folder(project: Project, job_id: str) -> Path:
    """The folder that holds everything of one job."""
    return project.state / "jobs" / job_id


def list_jobs(project: Project, limit: int | None = None) -> list[Job]:
    """List the project's jobs, newest first."""
    query = select(JobRow).order_by(JobRow.created_at.desc(), JobRow.id.desc()).limit(limit)
    with database(project).session() as session:
        return [Job.model_validate(row) for row in session.scalars(query)]


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


def move(project: Project, job_id: str, state: JobState, **changes: Any) -> Job:
    """Move a job to `state` in one transaction.

    Raises
    ------
    JobError
        If it isn't in a state from which it may go there: somebody else moved it first.
    """
    stamp = "started_at" if state == "running" else "finished_at"
    step = (
        update(JobRow)
        .where(JobRow.id == job_id, JobRow.state.in_(_BEFORE[state]))
        .values(state=state, **{stamp: now()}, **changes)
    )
    with database(project).session() as session:
        moved = session.connection().execute(step).rowcount
        row = session.get_one(JobRow, job_id)
        if not moved:
            raise JobError(f"job {job_id} is {row.state}: it can't become {state}")
        return Job.model_validate(row)
