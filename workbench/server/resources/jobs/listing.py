"""What ran and runs, and how it went."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.jobs import (
    FailureGroup,
    Job,
    JobState,
    count_jobs,
    get_job,
    group_failures,
    job_outputs,
    settle,
    write_html,
)
from workbench.jobs import list_jobs as find_jobs
from workbench.jobs.engine.journal import progress
from workbench.jobs.records import folder
from workbench.jobs.reports import JobCell, job_cells
from workbench.project import Project
from workbench.server.operation import Operation, Page, PageQuery, Query, paged

__all__ = ["OPERATIONS", "ListedJob", "listed"]

_LATEST = 1000
"""Of how many jobs the failures are grouped."""

_SHOWN: dict[str, tuple[JobState, ...] | None] = {
    "all": None,
    "open": ("queued", "running"),
    "bad": ("failed", "lost"),
    "done": ("succeeded",),
}


class JobQuery(PageQuery):
    """Which jobs."""

    show: Literal["all", "open", "bad", "done"] = Field(
        default="all", description="those that wait or run, that ended badly, or that succeeded"
    )
    batch: str = Field(default="", description="those that were asked for together")


class BatchQuery(Query):
    """Which batch."""

    batch: str = Field(default="", description="all of the newest jobs if empty")


class PageOfJobQuery(Query):
    """How a page is to look."""

    dark: bool = Field(default=False, description="light on dark")


class ListedJob(Job):
    """A job, and how many of its cells are completed."""

    cell: int
    cells: int


class NamedOutput(BaseModel):
    """Something that a job gave out under a name."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: str
    path: str = Field(description="its file, from the project's root")
    rows: int | None


class JobDetails(ListedJob):
    """A job with all that there is to say of it."""

    listing: list[JobCell] = Field(description="its cells; none before it began")
    outputs: list[NamedOutput]
    siblings: dict[JobState, int] = Field(description="the jobs of its batch, by state")


class JobPage(BaseModel):
    """The executed notebook as a page: markup and its style. Its scripts aren't to be run."""

    model_config = ConfigDict(frozen=True)

    id: str
    notebook: str
    html: str


def list_jobs(project: Project, query: JobQuery) -> Page[ListedJob]:
    """List jobs, newest first."""
    settle(project)
    rows = find_jobs(
        project,
        query.limit + 1,
        offset=query.offset,
        batch=query.batch or None,
        states=_SHOWN[query.show],
    )
    page = paged(rows, query)
    return Page(items=[listed(project, job) for job in page.items], next=page.next)


def count_states(project: Project, query: BatchQuery) -> dict[JobState, int]:
    """Count jobs by their state."""
    return count_jobs(project, query.batch or None)


def list_failures(project: Project, query: BatchQuery) -> list[FailureGroup]:
    """Group what failed by cell and exception."""
    settle(project)
    return group_failures(
        find_jobs(project, _LATEST, batch=query.batch or None, states=_SHOWN["bad"])
    )


def get_job_details(project: Project, id: str) -> JobDetails:  # noqa: A002 - as the address has it
    """Say all that there is to say of a job."""
    job = get_job(project, id)
    found = job_outputs(project, job.id)
    return JobDetails.model_validate(
        {
            **dict(listed(project, job)),
            "parameters": job.params,
            "listing": job_cells(project, job.id),
            "outputs": [
                NamedOutput(
                    name=output.name,
                    kind=output.kind,
                    path=project.relative(output.path),
                    rows=output.rows,
                )
                for output in found.values()
            ],
            "siblings": count_jobs(project, job.batch) if job.batch else {},
        }
    )


def show_executed(project: Project, id: str, query: PageOfJobQuery) -> JobPage:  # noqa: A002
    """Write the executed notebook as a page."""
    job = get_job(project, id)
    with tempfile.TemporaryDirectory() as made:
        path = write_html(project, job, Path(made) / "executed.html", dark=query.dark)
        return JobPage(id=job.id, notebook=job.notebook, html=path.read_text(encoding="utf-8"))


def listed(project: Project, job: Job) -> ListedJob:
    """Add to a job how far it is."""
    cell, cells = progress(folder(project, job.id)) if job.started_at else (0, 0)
    return ListedJob.model_validate(
        {**dict(job), "parameters": job.params, "cell": cell, "cells": cells}
    )


OPERATIONS = (
    Operation("GET", "/jobs", list_jobs),
    Operation("GET", "/jobs/states", count_states),
    Operation("GET", "/jobs/failures", list_failures),
    Operation("GET", "/jobs/{id}", get_job_details),
    Operation("GET", "/jobs/{id}/page", show_executed),
)
