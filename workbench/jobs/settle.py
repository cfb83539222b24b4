"""Closing jobs: the one way from "running" to how it ended, also for those left by the dead."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import select

from workbench.errors import JobError
from workbench.jobs.process import EXECUTED, PARTIAL, RESULT
from workbench.jobs.records import Job, JobState, folder, get_job, move
from workbench.project import Project
from workbench.store import JobRow, database
from workbench.tracking import finish_run, list_runs, store_file

__all__ = ["JOB_TAG", "close", "hold", "settle"]

JOB_TAG = "workbench.job"
"""The tag by which a run names its job."""

_RUN_STATUS: dict[str, Literal["FINISHED", "FAILED", "KILLED"]] = {
    "succeeded": "FINISHED",
    "failed": "FAILED",
    "cancelled": "KILLED",
    "lost": "KILLED",
}


def hold(job_folder: Path) -> int | None:
    """Take a job's lock; return its file descriptor, or None while somebody living has it.

    The descriptor is handed on to the job's process: the lock is free once both are gone.
    """
    descriptor = os.open(job_folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def close(project: Project, job_id: str, otherwise: JobState, error: str) -> Job:
    """Record how a job ended: as its process said, or `otherwise` with `error` if it said nothing.

    The executed notebook, or what there is of it, goes to the job's run before the state is shown.
    """
    job = get_job(project, job_id)
    where = folder(project, job_id)
    result = _said(where) or {"state": otherwise, "error": error, "error_cell": None}
    output = next((where / name for name in (EXECUTED, PARTIAL) if (where / name).exists()), None)
    for run_id in [job.run_id] if job.run_id else _orphans(project, job_id):
        if output is not None:
            store_file(project, run_id, output, "notebook")
        finish_run(project, run_id, _RUN_STATUS[result["state"]])
    if job.state == "queued" and result["state"] == "succeeded":
        job = move(project, job_id, "running")  # its starter died before it could say so
    return move(
        project,
        job_id,
        result["state"],
        error=result["error"],
        error_cell=result["error_cell"],
        output=project.relative(output) if output else None,
    )


def settle(project: Project) -> list[Job]:
    """Close every job that is open in the records while nobody living holds its lock."""
    query = select(JobRow.id).where(JobRow.state.in_(("queued", "running")))
    with database(project).session() as session:
        open_jobs = session.scalars(query).all()
    settled = []
    for job_id in open_jobs:
        where = folder(project, job_id)
        where.mkdir(parents=True, exist_ok=True)
        lock = hold(where)
        if lock is None:
            continue
        try:
            settled.append(
                close(project, job_id, "lost", "its process was gone without a word (killed?)")
            )
        except JobError:
            continue  # somebody else settled it between our look and our lock
        finally:
            os.close(lock)
    return settled


def _orphans(project: Project, job_id: str) -> list[str]:
    """Find the run of a job whose starter died before it could write the run's id down."""
    if not (project.state / "mlflow.lock").exists():
        return []  # MLflow was never used here; looking would only set it up
    return [run.run_id for run in list_runs(project, f"tags.`{JOB_TAG}` = '{job_id}'")]


def _said(where: Path) -> dict[str, Any] | None:
    try:
        said: dict[str, Any] = json.loads((where / RESULT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return said
