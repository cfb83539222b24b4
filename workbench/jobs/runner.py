"""Running jobs, several at a time, each in a process of its own."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import UsageError
from workbench.git import Status
from workbench.jobs.parameters import check_parameters, load_notebook, read_parameters
from workbench.jobs.process import INPUT, JOURNAL, JOURNAL_VARIABLE, SPEC
from workbench.jobs.records import Job, folder, move
from workbench.jobs.settle import close, hold
from workbench.lineage import link
from workbench.project import JOB_FOLDER, Project
from workbench.store import JobRow, database, now, write_atomic
from workbench.tracking import JOB_TAG, Run, code_status, create_run, origin_tags, snapshot_tags

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["JobRequest", "Progress", "run_jobs"]

_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class JobRequest:
    """What to run: a notebook (from the root of `code`) and its parameters."""

    notebook: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    key: str | None = None
    """What went in, as a digest: `find_done` finds a job that did the same."""
    track: bool = True
    """Whether the job gets an MLflow run to log to."""
    code: Path | None = None
    """The work tree to run in; the project's own root if None."""


@dataclass(frozen=True)
class Progress:
    """How far a job is: `cell` of `cells`, and its state."""

    job: Job
    cell: int
    cells: int


def run_jobs(
    project: Project,
    requests: Sequence[JobRequest],
    *,
    workers: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_end: Callable[[int, Job], None] | None = None,
) -> list[Job]:
    """Run notebooks and return their jobs, in the order of the requests, however they ended.

    Everything is checked and every job recorded before the first one starts. An exception in here,
    an interrupt included, ends the jobs that run and cancels those that wait. `on_progress` is
    called from the workers' threads, `on_end` (with the request's position) from the caller's.

    Raises
    ------
    NotebookError, ParameterError
        If a notebook or a parameter isn't right; then nothing was started.
    """
    tell = on_progress or (lambda _: None)
    prepared = [_prepare(project, request) for request in requests]
    recorded = [_record(project, *request) for request in prepared]
    stop = threading.Event()
    workers = workers or project.settings.workers
    threads = max(1, (os.cpu_count() or 1) // workers)
    with ThreadPoolExecutor(max_workers=workers) as pool:
        futures = [pool.submit(_run, project, *job, threads, tell, stop) for job in recorded]
        try:
            for future in _as_they_end(futures):
                job = future.result()
                if on_end is not None:
                    on_end(futures.index(future), job)
        except BaseException:
            stop.set()
            raise
    return [future.result() for future in futures]


def _as_they_end(futures: Sequence[Future[Job]]) -> Iterator[Future[Job]]:
    """Yield futures as they end; short waits leave room for an interrupt to be noticed."""
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
        yield from done


def _prepare(
    project: Project, request: JobRequest
) -> tuple[JobRequest, NotebookNode, dict[str, Any]]:
    root = request.code or project.root
    path = (root / request.notebook).resolve()
    if not path.is_relative_to(root):
        raise UsageError(f"{request.notebook}: outside the project {root}")
    notebook = load_notebook(path)
    contract = read_parameters(notebook, request.notebook)
    return request, notebook, check_parameters(contract, request.parameters, request.notebook)


def _record(
    project: Project,
    request: JobRequest,
    notebook: NotebookNode,
    parameters: dict[str, Any],
) -> tuple[str, int, Path]:
    """Write the job down: its folder, its lock, its run and, with all that true, its row."""
    import nbformat

    job_id = f"{now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    where = folder(project, job_id)
    where.mkdir(parents=True)
    lock = hold(where)
    assert lock is not None, "a new folder's lock is free"
    root = request.code or project.root
    with write_atomic(where / INPUT) as beside:
        nbformat.write(notebook, beside)
    with write_atomic(where / SPEC) as beside:
        beside.write_text(json.dumps({"parameters": parameters, "cwd": str(root)}), "utf-8")
    status = code_status(root)
    row = JobRow(
        id=job_id,
        notebook=request.notebook,
        parameters=parameters,
        state="queued",
        label=request.label,
        key=request.key,
        branch=status.branch,
        commit=status.commit,
        created_at=now(),
    )
    with database(project).session() as session:
        session.add(row)
    if status.commit:
        link(project, [f"commit:{status.commit}"], f"job:{job_id}", "code")
    if request.track:
        contract = read_parameters(notebook, request.notebook)
        values = {p.name: parameters.get(p.name, p.default) for p in contract}
        _start_run(project, request, job_id, status, values)
    return job_id, lock, root


def _start_run(
    project: Project, request: JobRequest, job_id: str, status: Status, values: dict[str, Any]
) -> None:
    """Give the job its MLflow run, named after what it is for and tagged with where it is from."""
    tags = {**origin_tags(status, request.notebook, "JOB"), JOB_TAG: job_id}
    name = request.label or Path(request.notebook).stem
    run_id = create_run(project, name, tags=tags, params=values)
    code = request.code or project.root
    Run(project, run_id).set_tags(snapshot_tags(project, code, run_id))
    with database(project).session() as session:
        session.get_one(JobRow, job_id).run_id = run_id
    link(project, [f"job:{job_id}"], f"run:{run_id}", "logged")


def _run(
    project: Project,
    job_id: str,
    lock: int,
    root: Path,
    threads: int,
    tell: Callable[[Progress], None],
    stop: threading.Event,
) -> Job:
    try:
        if stop.is_set():
            return close(project, job_id, "cancelled", "stopped before it began")
        return _execute(project, job_id, lock, root, threads, tell, stop)
    finally:
        os.close(lock)


def _execute(
    project: Project,
    job_id: str,
    lock: int,
    root: Path,
    threads: int,
    tell: Callable[[Progress], None],
    stop: threading.Event,
) -> Job:
    where = folder(project, job_id)
    job = move(project, job_id, "running")
    with (where / "process.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "workbench.jobs.process", str(where)],
            stdin=subprocess.PIPE,  # its closing tells the process that we are gone
            stdout=log,
            stderr=log,
            cwd=root,
            env=_environment(project, job, where, threads),
            pass_fds=[lock],
            start_new_session=True,  # an interrupt at the terminal is ours to deal with
        )
        assert process.stdin is not None
        try:
            while process.poll() is None and not stop.is_set():
                tell(_progress(job, where / JOURNAL))
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_POLL_SECONDS)
        finally:
            _end(process)
    if stop.is_set():
        closed = close(project, job_id, "cancelled", "stopped while it ran")
    else:
        how = _how_it_ended(process.returncode)
        closed = close(project, job_id, "failed", f"its process {how}; see {where / log.name}")
    tell(_progress(closed, where / JOURNAL))
    return closed


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the job's process and wait for it; harmless where it has ended."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _environment(project: Project, job: Job, where: Path, threads: int) -> dict[str, str]:
    # Jobs that each take every core only get in each other's way. A user's own setting counts.
    share = {name: str(threads) for name in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS")}
    environment = {
        **share,
        **os.environ,
        "WORKBENCH_JOB_ID": job.id,
        "WORKBENCH_STATE_DIR": str(project.state),
        "WORKBENCH_DATA_DIR": str(project.data),
        JOURNAL_VARIABLE: str(where / JOURNAL),
        JOB_FOLDER: str(where),
        "MLFLOW_TRACKING_URI": project.tracking_uri,
        "MLFLOW_EXPERIMENT_NAME": project.name,
    }
    environment.pop("MLFLOW_RUN_ID", None)
    if job.run_id:
        environment["MLFLOW_RUN_ID"] = job.run_id
    return environment


def _progress(job: Job, journal: Path) -> Progress:
    try:
        *_, last = journal.read_text(encoding="utf-8").splitlines()
        line = json.loads(last)
    except (FileNotFoundError, ValueError):
        return Progress(job, 0, 0)  # not begun, or a line half written
    return Progress(job, line["cell"] + (line["status"] == "completed"), line["of"])


def _how_it_ended(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
