"""One attempt at one recorded job, here: claimed, prepared, followed to its end, closed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import JobError, WorkbenchError
from workbench.jobs.closing import Ending, close
from workbench.jobs.engine import sockets
from workbench.jobs.engine.files import INPUT, RESULT, SPEC
from workbench.jobs.engine.journal import progress
from workbench.jobs.failures import FailureKind
from workbench.jobs.launching import Launcher, Process, end_stragglers
from workbench.jobs.parameters import (
    Parameter,
    from_json,
    parameterize,
    read_parameters,
    secret_variable,
)
from workbench.jobs.process import UNWRITABLE
from workbench.jobs.records import Job, folder, get_job, move
from workbench.jobs.requests import Limits, Options
from workbench.jobs.waiting import CANCEL, options_of, source_of
from workbench.lineage import link, openlineage
from workbench.project import JOB_FOLDER, Project
from workbench.store import JobRow, database, write_atomic
from workbench.tracking import (
    JOB_TAG,
    Run,
    StoreAwayError,
    code_status,
    create_run,
    initialise_apart,
    origin_tags,
    snapshot_tags,
)

__all__ = ["THREAD_VARIABLES", "Execution", "Progress"]

THREAD_VARIABLES = ("OMP_NUM_THREADS", "POLARS_MAX_THREADS")

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 5.0
_FORMER = "attempts"
_ANOTHERS = ("WORKBENCH_SECRET_", "WORKBENCH_FORKING_PARENT", "WORKBENCH_FORKED")
"""What a job that starts jobs has of its own."""


@dataclass(frozen=True)
class Progress:
    """How far a job is: `cell` of `cells`, and its state."""

    job: Job
    cell: int
    cells: int


@dataclass(frozen=True)
class Execution:
    """Runs jobs of a project, in the threads of this process that call it."""

    project: Project
    launcher: Launcher
    holder: str
    share: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that the user's own come before."""
    tell: Callable[[Progress], None] = lambda _: None
    stop: threading.Event = field(default_factory=threading.Event)
    """Set, it ends what runs; what has not begun is cancelled."""

    def run(self, job_id: str, secrets: Mapping[str, str]) -> Job:
        """Try a queued job once and return it as it ended, or as somebody else has it."""
        job = get_job(self.project, job_id)
        if job.state != "queued":
            return job
        if self.stop.is_set():
            return self._cancelled_waiting(job)
        try:
            job = move(self.project, job_id, "running", held_by=job.holder, holder=self.holder)
        except JobError:
            return get_job(self.project, job_id)  # cancelled, or begun by somebody else
        try:
            return self._attempt(job, secrets)
        except (WorkbenchError, OSError) as error:
            return self._close(job, _trouble(error))
        except BaseException as error:  # a mistake of ours: no reason to call the job running
            self._close(job, _trouble(error))
            raise

    def _cancelled_waiting(self, job: Job) -> Job:
        why = "stopped before it began"
        return move(self.project, job.id, "cancelled", failure="cancelled", error=why)

    def _attempt(self, job: Job, secrets: Mapping[str, str]) -> Job:
        options = options_of(self.project, job.id)
        where = self._prepare(job, options)
        job = get_job(self.project, job.id)  # with its run
        openlineage.tell(self.project, job.id)
        environment = self._environment(job, where, options, secrets)
        log = where / "process.log"
        process = self.launcher.start(where, environment, cwd=Path(options.cwd), log=log)
        try:
            ours = self._follow(job, process, options.limits, where)
        finally:
            _end(process)
            if not (where / RESULT).exists():
                end_stragglers(job.id, self.project.state)
                sockets.tidy()
        return self._close(job, ours or _death(process, where, log), wanted=ours is not None)

    def _close(self, job: Job, ending: Ending, *, wanted: bool = False) -> Job:
        try:
            closed = close(self.project, job.id, ending, wanted=wanted)
        except JobError:  # somebody took us for dead, and closed it
            closed = get_job(self.project, job.id)
        self.tell(Progress(closed, *progress(folder(self.project, job.id))))
        return closed

    def _prepare(self, job: Job, options: Options) -> Path:
        """Make the job's folder, with all that its process needs, and its run."""
        import nbformat

        where = folder(self.project, job.id)
        where.mkdir(parents=True, exist_ok=True)
        _set_aside(where, job.attempt - 1)
        notebook = source_of(self.project, options)
        contract = read_parameters(notebook, job.notebook)
        values = from_json(contract, job.params)
        if options.track:
            self._start_run(job, Path(options.cwd), _shown(contract, job.params))
        with write_atomic(where / INPUT) as beside:
            nbformat.write(parameterize(notebook, contract, values), beside)
        spec = {"cwd": options.cwd, "limits": options.limits.model_dump(mode="json")}
        with write_atomic(where / SPEC) as beside:
            beside.write_text(json.dumps(spec), encoding="utf-8")
        return where

    def _start_run(self, job: Job, code: Path, params: Mapping[str, Any]) -> None:
        """Give the attempt its MLflow run, named after what it is for, tagged with its origin."""
        tags = {**origin_tags(code_status(code), job.notebook, "JOB"), JOB_TAG: job.id}
        name = job.label or Path(job.notebook).stem
        initialise_apart(self.project)
        run_id = create_run(self.project, name, tags=tags, params=params)
        with database(self.project).session() as session:
            session.get_one(JobRow, job.id).run_id = run_id
        Run(self.project, run_id).set_tags(snapshot_tags(self.project, code, run_id))
        link(self.project, [job.node], f"run:{run_id}", "logged")

    def _environment(
        self, job: Job, where: Path, options: Options, secrets: Mapping[str, str]
    ) -> dict[str, str]:
        threads = options.limits.threads
        environment = {
            **self.share,
            **{name: os.environ[name] for name in os.environ if not name.startswith(_ANOTHERS)},
            **({name: str(threads) for name in THREAD_VARIABLES} if threads else {}),
            **options.environment,
            **{secret_variable(name): value for name, value in secrets.items()},
            "WORKBENCH_JOB_ID": job.id,
            "WORKBENCH_STATE_DIR": str(self.project.state),
            "WORKBENCH_DATA_DIR": str(self.project.data),
            JOB_FOLDER: str(where),
            "MLFLOW_TRACKING_URI": self.project.tracking_uri,
            "MLFLOW_EXPERIMENT_NAME": self.project.name,
        }
        environment.pop("MLFLOW_RUN_ID", None)
        if job.run_id:
            environment["MLFLOW_RUN_ID"] = job.run_id
        return environment

    def _follow(self, job: Job, process: Process, limits: Limits, where: Path) -> Ending | None:
        """Wait for the process; return how the job ended if it was us who ended it."""
        # The process keeps to the limit itself; this is for one that no longer can.
        patience = limits.wall_seconds + 2 * _GRACE_SECONDS if limits.wall_seconds else None
        began = time.monotonic()
        while process.poll() is None:
            if self.stop.is_set():
                return Ending("cancelled", "cancelled", "stopped while it ran")
            if (where / CANCEL).exists():
                return Ending("cancelled", "cancelled", "cancelled while it ran")
            if patience is not None and time.monotonic() - began > patience:
                limit = f"{limits.wall_seconds:g} s"
                return Ending("failed", "timeout", f"it took longer than its limit of {limit}")
            self.tell(Progress(job, *progress(where)))
            with suppress(subprocess.TimeoutExpired):
                process.wait(_POLL_SECONDS)
        return None


def _trouble(error: BaseException) -> Ending:
    """Say what kept us from carrying a job out."""
    away = isinstance(error, StoreAwayError)  # MLflow's store, which is no disk of ours
    kind: FailureKind = "disk" if isinstance(error, OSError) and not away else "start"
    return Ending("failed", kind, (str(error).strip() or type(error).__name__).splitlines()[0])


def _set_aside(where: Path, former: int) -> None:
    """Make room for another attempt: what the former one left moves to a folder of its own."""
    left = [path for path in where.iterdir() if path.name not in (_FORMER, CANCEL)]
    if not left or not former:
        return
    aside = where / _FORMER / str(former)
    aside.mkdir(parents=True, exist_ok=True)
    for path in left:
        path.rename(aside / path.name)


def _shown(contract: Sequence[Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return all parameters as a run shows them; a secret is in none of them."""
    return {p.name: given.get(p.name, p.default) for p in contract if not p.secret}


def _end(process: Process) -> None:
    """End the job's process and wait for it; harmless where it has ended."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_GRACE_SECONDS)
    process.close()


def _death(process: Process, where: Path, log: Path) -> Ending:
    """Say how a process ended that left no word of its own."""
    code = process.returncode or 0
    if code == UNWRITABLE:
        return Ending("failed", "disk", f"{where}: its result can't be written; see {log.name}")
    if code < 0:
        how = f"was killed by {signal.Signals(-code).name}"
    else:
        how = f"ended with exit code {code} and no word"
    return Ending("failed", "process", f"its process {how}; see {log.name}")
