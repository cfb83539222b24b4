"""Jobs that wait: what was asked for, read back; cancelled, or put back for another attempt."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import JobError, NotebookError, ParameterError
from workbench.jobs.parameters import load_notebook, read_parameters, split_secrets
from workbench.jobs.parameters.secrets import HIDDEN
from workbench.jobs.records import Attempt, Job, folder, get_job, move
from workbench.jobs.requests import Options
from workbench.project import Project
from workbench.store import JobRow, database, now

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["CANCEL", "cancel", "options_of", "requeue", "secrets_of", "source_of", "source_path"]

CANCEL = "cancel"
"""The file in a job's folder that asks whoever runs it to end it."""


def options_of(project: Project, job_id: str) -> Options:
    """Return how a job was asked to run."""
    with database(project).session() as session:
        return Options.model_validate(session.get_one(JobRow, job_id).options)


def secrets_of(project: Project, job: Job) -> dict[str, str]:
    """Return a job's secrets, read anew from where it says they are.

    Raises
    ------
    ParameterError
        If one was given as a value: that is kept nowhere.
    """
    options = options_of(project, job.id)
    secret = options.secrets
    if not secret:
        return {}
    kept = {name: job.params[name] for name in secret if job.params[name] != HIDDEN}
    if len(kept) < len(secret):
        name = next(name for name in secret if name not in kept)
        raise ParameterError(
            f"job {job.id}: the value of {name} is kept nowhere; run the notebook anew, or give "
            "secrets as secret://VARIABLE"
        )
    contract = read_parameters(source_of(project, options), job.notebook)
    return split_secrets(contract, kept)[1]


def source_of(project: Project, options: Options) -> NotebookNode:
    """Return the notebook as it was when the job was asked for.

    Raises
    ------
    NotebookError
        If it is gone.
    """
    if not options.source:
        raise NotebookError("the notebook as it was asked for wasn't kept (a job of an older kind)")
    return load_notebook(source_path(project, options.source))


def source_path(project: Project, digest: str) -> Path:
    """Return where the notebook with that digest is kept."""
    return project.state / "jobs" / "notebooks" / f"{digest}.ipynb"


def requeue(project: Project, job: Job, *, holder: str, pause: float = 0.0) -> Job:
    """Put a job that ended badly back, so that it is tried again; what was stays in its record.

    Raises
    ------
    JobError
        If it isn't in a state that can be tried again: done, or taken by somebody else.
    """
    (folder(project, job.id) / CANCEL).unlink(missing_ok=True)
    ended = Attempt.model_validate(job, from_attributes=True)
    former = [*job.attempts, *([ended] if job.started_at else [])]
    return move(
        project,
        job.id,
        "queued",
        was=job.state,
        holder=holder,
        attempt=job.attempt + (1 if job.started_at else 0),
        attempts=[attempt.model_dump(mode="json") for attempt in former],
        not_before=_after(pause),
        run_id=None,
        output=None,
        kernel=None,
        failure=None,
        error=None,
        error_cell=None,
        started_at=None,
        finished_at=None,
    )


def _after(pause: float) -> datetime | None:
    return now() + timedelta(seconds=pause) if pause else None


def cancel(project: Project, jobs: Iterable[Job]) -> None:
    """Ask for jobs to end: those that wait are cancelled at once, the others by who runs them."""
    for job in jobs:
        if job.state == "queued":
            with suppress(JobError):  # it began meanwhile
                move(
                    project,
                    job.id,
                    "cancelled",
                    failure="cancelled",
                    error="cancelled before it began",
                )
                continue
        if get_job(project, job.id).state == "running":
            where = folder(project, job.id)
            where.mkdir(parents=True, exist_ok=True)
            (where / CANCEL).touch()
