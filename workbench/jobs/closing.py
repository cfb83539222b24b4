"""Closing jobs: the one way from "running" to how it ended, also for those left by the dead."""

from __future__ import annotations

import fcntl
import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from workbench.errors import JobError, WorkbenchError
from workbench.git.notebooks import clean_bytes
from workbench.jobs.engine.files import EXECUTED, INPUT, RESULT, tidy
from workbench.jobs.engine.journal import replay
from workbench.jobs.failures import FailureKind
from workbench.jobs.holders import alive, forget_dead
from workbench.jobs.kernels.learning import learn_from
from workbench.jobs.records import Job, JobState, folder, get_job, list_jobs, move
from workbench.jobs.waiting import options_of
from workbench.lineage import cell_edges, executed_cells, link_all, openlineage
from workbench.project import Project
from workbench.store import now, write_atomic
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
from workbench.tracking.capture.cells import with_source
from workbench.usage import Usage, cost_metrics

__all__ = ["Ending", "close", "settle"]

_RUN_STATUS: dict[str, Literal["FINISHED", "FAILED", "KILLED"]] = {
    "succeeded": "FINISHED",
    "failed": "FAILED",
    "cancelled": "KILLED",
    "lost": "KILLED",
}

_LONGEST_ERROR = 2000

_logger = logging.getLogger("workbench.jobs")


@dataclass(frozen=True)
class Ending:
    """How a job ended, as far as somebody outside of it can tell."""

    state: JobState
    failure: FailureKind | None
    error: str | None


def close(project: Project, job_id: str, ending: Ending, *, wanted: bool = False) -> Job:
    """Record how a job ended: as its process said, or as `ending` if it said nothing.

    The executed notebook, or what there is of it, goes to the job's run before the state is shown.

    Parameters
    ----------
    wanted
        The ending was brought about on purpose: what a cell said while it was ended is no failure.
    """
    job = get_job(project, job_id)
    where = folder(project, job_id)
    began = job.state == "running"  # else what is in its folder is of an attempt before
    said = _said(where) if began else None
    if said is None or (wanted and said["state"] != "succeeded"):
        cell = said["error_cell"] if said else None
        said = {**(said or {}), **vars(ending), "error_cell": cell}
    output = _executed(where) if began else None
    tidy(where)
    learn_from(where, project.state)
    runs = [job.run_id] if job.run_id else _orphans(project, job)
    for run_id in runs:
        try:
            _store_record(project, job, run_id, output, said.get("usage"))
            finish_run(project, run_id, _RUN_STATUS[said["state"]])
        except (WorkbenchError, OSError) as error:
            # The job ended all the same; that its run knows less is no reason to call it running.
            _logger.warning(
                "job %s: its run %s lacks some of its record: %s", job_id, run_id, error
            )
    if began and not runs:
        try:
            _store_untracked(project, job, output)
        except (WorkbenchError, OSError) as error:
            _logger.warning("job %s: the lineage lacks its cells: %s", job_id, error)
    closed = move(
        project,
        job_id,
        said["state"],
        failure=said["failure"],
        error=_storable(said["error"]),
        error_cell=said["error_cell"],
        kernel=said.get("kernel"),
        output=project.relative(output) if output else None,
    )
    if began:
        openlineage.tell(project, job_id)
    if output is not None and closed.state == "succeeded":
        _register_functions(project, job, output.read_bytes())
    return closed


def _register_functions(project: Project, job: Job, executed: bytes) -> None:
    """Register the functions of cells that are tagged so, of which most notebooks have none."""
    if b'"function"' not in executed:
        return
    from workbench.functions import register_tagged

    cells = json.loads(executed)["cells"]
    register_tagged(map(with_source, cells), project, job.notebook)


def _executed(where: Path) -> Path | None:
    """Return the executed notebook; where its process couldn't write it, from its journal."""
    import nbformat

    executed = where / EXECUTED
    if executed.exists() or not (where / INPUT).exists():
        return executed if executed.exists() else None
    try:
        with write_atomic(executed) as beside:
            nbformat.write(replay(where), beside)
    except Exception as error:  # whatever is in the journal, the job has ended
        _logger.warning("%s: the notebook as far as it came can't be written: %s", where, error)
        return None
    return executed


def _store_record(
    project: Project, job: Job, run_id: str, output: Path | None, usage: dict[str, Any] | None
) -> None:
    """Give the run what its job left behind: what the kernel noticed, the notebook, the cost."""
    run, captured = Run(project, run_id), Captured.of(read_notes(folder(project, job.id)))
    executed = output.read_bytes() if output is not None else None
    ran = executed_cells(executed) if executed is not None else []
    store_captured(run, captured, cell_edges(job.notebook, ran, captured.touches, run.node))
    cells = {}
    if output is not None and executed is not None:
        run.writer.file(executed, f"notebook/{output.name}")
        cells = {job.notebook: clean_bytes(executed)}
    keep_code(project, _work_tree(project, job), run_id, modules=captured.modules, files=cells)
    used = Usage(**usage) if usage else Usage(wall_seconds=_since_start(job))
    peak = max(used.peak_memory_bytes or 0, captured.peak_memory_bytes) or None
    used = used.model_copy(update={"peak_memory_bytes": peak})
    run.set_tags({LINEAR: "true"})  # a new kernel, and the engine goes from cell to cell
    run.log_metrics(cost_metrics(used, project.settings.cost))


def _store_untracked(project: Project, job: Job, output: Path | None) -> None:
    """Lead the cells of a job without a run to the job; what they read, nobody has noted."""
    ran = executed_cells(output.read_bytes()) if output is not None else []
    link_all(project, cell_edges(job.notebook, ran, [], job.node))


def _since_start(job: Job) -> float:
    return (now() - job.started_at).total_seconds() if job.started_at else 0.0


def _work_tree(project: Project, job: Job) -> Path:
    """Return the tree that the job ran in; the project's own where it is gone."""
    root = Path(options_of(project, job.id).cwd)
    return root if root.is_absolute() and root.exists() else project.root


def settle(project: Project) -> list[Job]:
    """Close every job that is open in the records while nobody living holds it."""
    settled = []
    open_jobs = list_jobs(project, states=("queued", "running"))
    living = {holder: alive(project, holder) for holder in {job.holder for job in open_jobs}}
    for job in open_jobs:
        if living[job.holder]:
            continue
        try:
            closed = _settle(project, job)
        except JobError:
            continue  # somebody else settled it between our look and our lock
        except Exception as error:  # one that can't be closed keeps nobody from the others
            _logger.warning("job %s can't be closed: %s", job.id, error)
            continue
        if closed is not None:
            settled.append(closed)
    if settled:
        forget_dead(project)
    return settled


def _settle(project: Project, job: Job) -> Job | None:
    where = folder(project, job.id)
    where.mkdir(parents=True, exist_ok=True)
    lock = hold(where)
    if lock is None:
        return None  # its process is about to notice that it is alone
    waited = "whoever asked for it was gone before it began"
    ran = "its process was gone without a word (killed?)"
    why = waited if job.state == "queued" else ran
    try:
        return close(project, job.id, Ending("lost", "lost", why))
    finally:
        os.close(lock)


def hold(job_folder: Path) -> int | None:
    """Take the lock of a job's process; None while that process lives."""
    descriptor = os.open(job_folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _orphans(project: Project, job: Job) -> list[str]:
    """Find the run of a job whose starter died before it could write the run's id down."""
    if job.started_at is None or not (project.state / "mlflow.lock").exists():
        return []  # MLflow was never used here; looking would only set it up
    former = {attempt.run_id for attempt in job.attempts}
    runs = list_runs(project, f"tags.`{JOB_TAG}` = '{job.id}'")
    return [run.run_id for run in runs if run.run_id not in former]


def _said(where: Path) -> dict[str, Any] | None:
    try:
        said: dict[str, Any] = json.loads((where / RESULT).read_text(encoding="utf-8"))
        return said if {"state", "failure", "error", "error_cell"} <= said.keys() else None
    except (OSError, ValueError, AttributeError):  # none, or half of one
        return None


def _storable(text: str | None) -> str | None:
    """Return an error as any database takes it, and as a list can show it.

    The executed notebook has all of it.
    """
    if text is None:
        return None
    plain = text.replace("\0", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode("utf-8")
    return plain if len(plain) <= _LONGEST_ERROR else f"{plain[:_LONGEST_ERROR]}…"
