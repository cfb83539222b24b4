"""Closing jobs: the one way from "running" to how it ended, also for those left by the dead."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import select

from workbench.errors import JobError
from workbench.git.notebooks import clean_bytes
from workbench.jobs.process import EXECUTED, PARTIAL, RESULT, SPEC
from workbench.jobs.records import Job, JobState, folder, get_job, move
from workbench.project import Project
from workbench.store import JobRow, database, now
from workbench.tracking import (
    JOB_TAG,
    LINEAR,
    Captured,
    Run,
    finish_run,
    keep_code,
    list_runs,
    read_notes,
    store_captured,
)
from workbench.usage import Usage, cost_metrics

__all__ = ["close", "hold", "settle"]

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
        _store_record(project, job, run_id, output, result.get("usage"))
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


def _store_record(
    project: Project, job: Job, run_id: str, output: Path | None, usage: dict[str, Any] | None
) -> None:
    """Give the run what its job left behind: what the kernel noticed, the notebook, the cost."""
    where = folder(project, job.id)
    run, captured = Run(project, run_id), Captured.of(read_notes(where))
    store_captured(run, captured)
    cells = {}
    if output is not None:
        executed = output.read_bytes()
        run.log_text(executed.decode("utf-8"), f"notebook/{output.name}")
        cells = {job.notebook: clean_bytes(executed)}
    root = _work_tree(project, where)
    keep_code(project, root, run_id, modules=captured.modules, files=cells)
    wall = (now() - (job.started_at or now())).total_seconds()
    used = Usage(**usage) if usage else Usage(wall_seconds=wall)
    peak = max(used.peak_memory_bytes or 0, captured.peak_memory_bytes) or None
    used = used.model_copy(update={"peak_memory_bytes": peak})
    run.set_tags({LINEAR: "true"})  # a new kernel, and the engine goes from cell to cell
    run.log_metrics(cost_metrics(used, project.settings.cost))


def _work_tree(project: Project, where: Path) -> Path:
    """Return the tree that the job ran in; the project's own where it is gone."""
    try:
        root = Path(json.loads((where / SPEC).read_text(encoding="utf-8"))["cwd"])
    except (OSError, ValueError, KeyError):
        return project.root
    return root if root.exists() else project.root


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
