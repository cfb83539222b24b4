"""Ending jobs, and trying them again."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from workbench.access import require
from workbench.errors import JobError, NotFoundError, UsageError
from workbench.jobs import Job, cancel, get_job, list_jobs, settle
from workbench.project import Project
from workbench.server.operation import Operation
from workbench.server.working import WORKERS

__all__ = ["OPERATIONS"]


class ChosenJobs(BaseModel):
    """Jobs by their ids, or a whole batch."""

    model_config = ConfigDict(extra="forbid")

    ids: list[str] = Field(default=[], max_length=2000)
    batch: str | None = None


class Moved(BaseModel):
    """Jobs that were told to do something."""

    model_config = ConfigDict(frozen=True)

    ids: list[str]


def cancel_jobs(project: Project, body: ChosenJobs) -> Moved:
    """Cancel jobs that wait, and ask those that run to end, which takes seconds."""
    require(project, "developer", "cancel jobs")
    chosen = [job for job in _chosen(project, body) if job.state in ("queued", "running")]
    cancel(project, chosen)
    return Moved(ids=[job.id for job in chosen])


def resume_jobs(project: Project, body: ChosenJobs) -> Moved:
    """Try jobs again that ended without success."""
    require(project, "developer", "run jobs")
    settle(project)
    chosen = _chosen(project, body)
    held = [job.id for job in chosen if job.state in ("queued", "running")]
    if held and len(held) == len(chosen):
        raise JobError(f"under way already: {', '.join(held[:3])}")
    return Moved(ids=[job.id for job in WORKERS.resume(project, chosen)])


def _chosen(project: Project, body: ChosenJobs) -> list[Job]:
    """Find the jobs, oldest first."""
    if bool(body.ids) == bool(body.batch):
        raise UsageError("body: expected either ids or batch")
    if body.batch:
        found = list_jobs(project, batch=body.batch)[::-1]
        if not found:
            known = {job.batch for job in list_jobs(project, 100) if job.batch}
            raise NotFoundError.named("batch", body.batch, known)
        return found
    return [get_job(project, one) for one in body.ids]


OPERATIONS = (
    Operation("POST", "/jobs/cancel", cancel_jobs),
    Operation("POST", "/jobs/resume", resume_jobs),
)
