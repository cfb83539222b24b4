"""Jobs on a Dask cluster: each is a task that says which row to run; the row says the rest.

A worker is given ids, not notebooks: project folder and database are the ones that all machines
share. Dask starts a task anew if its worker dies; the row tells whether somebody still has the job.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from workbench.errors import JobError, MissingExtraError, UsageError
from workbench.jobs.closing import settle
from workbench.jobs.engine.journal import progress
from workbench.jobs.execution import THREAD_VARIABLES, Execution, Progress
from workbench.jobs.holders import alive, holding
from workbench.jobs.launching import Launcher
from workbench.jobs.records import ENDED, Job, folder, get_job, list_jobs, move
from workbench.jobs.waiting import cancel
from workbench.project import Project

__all__ = ["DaskExecutor"]

LOCAL = "local"

_CONNECT_SECONDS = 15
_POLL_SECONDS = 0.5

_lock = threading.Lock()


class DaskExecutor:
    """Runs jobs on the cluster whose scheduler is at `address`, or on one of its own."""

    def __init__(
        self,
        project: Project,
        address: str,
        workers: int,
        holder: str,
        tell: Callable[[Progress], None],
    ) -> None:
        self._project = project
        self._holder = holder
        self._tell = tell
        with ExitStack() as undo:
            self._open = undo
            self._client = self._connect(address, workers)
            self._open = undo.pop_all()
        self._tasks: dict[str, Any] = {}
        self._closed = threading.Event()
        threading.Thread(target=self._watch, name="progress", daemon=True).start()

    def _connect(self, address: str, workers: int) -> Any:
        try:
            from distributed import Client, LocalCluster
        except ModuleNotFoundError as error:
            raise MissingExtraError.of("distributed", "dask") from error
        if address == LOCAL:
            cluster = self._open.enter_context(
                LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address=None,
                    protocol="tcp://",
                )
            )
            return self._open.enter_context(Client(cluster))
        try:
            return self._open.enter_context(Client(address, timeout=_CONNECT_SECONDS))
        except (OSError, ValueError) as error:
            raise UsageError(
                f"--cluster {address}: no Dask scheduler answers there; expected an address like "
                f"tcp://host:8786, or {LOCAL}"
            ) from error

    def expect(self, jobs: int, notebooks: Sequence[Path]) -> None:
        """Leave that to the workers."""

    def submit(self, job: Job, secrets: Mapping[str, str]) -> Future[Job]:
        """Try the job once, on some worker; higher priorities first, as Dask does it."""
        future: Future[Job] = Future()
        task = self._client.submit(
            _run,
            str(self._project.root),
            job.id,
            dict(secrets),
            key=f"{job.id}-{job.attempt}",
            pure=False,
            priority=job.priority,
        )
        self._tasks[job.id] = task
        task.add_done_callback(lambda done: self._ended(job, done, future))
        return future

    def stop(self) -> None:
        """Cancel what waits, and ask for what runs to be ended."""
        for job_id, task in list(self._tasks.items()):
            cancel(self._project, [get_job(self._project, job_id)])
            task.cancel()

    def close(self) -> None:
        """Let go of the cluster, ending it if it is our own."""
        self._closed.set()
        self._open.close()

    def _ended(self, job: Job, task: Any, future: Future[Job]) -> None:
        """Give the job as its row has it: the task only tells that there is something to see."""
        self._tasks.pop(job.id, None)
        try:
            if task.status == "error":
                self._note(job.id, task.exception())
            ended = _wait(self._project, job.id)
            if ended.state not in ENDED:
                raise JobError(
                    f"the Dask cluster was lost before job {job.id} began; "
                    f"workbench jobs resume {job.batch}"
                )
            future.set_result(ended)
        except BaseException as error:
            future.set_exception(error)

    def _note(self, job_id: str, error: BaseException | None) -> None:
        """Write down what kept a worker from even beginning: it lacks the project, or us."""
        if get_job(self._project, job_id).state == "queued":
            line = f"{type(error).__name__}: {error}".splitlines()[0]
            why = f"no worker of the cluster could begin it: {line}"
            with suppress(JobError):  # one did
                move(self._project, job_id, "failed", failure="start", error=why)

    def _watch(self) -> None:
        while not self._closed.wait(_POLL_SECONDS):
            for job in list_jobs(self._project, states=("running",)):
                if job.id in self._tasks:
                    self._tell(Progress(job, *progress(folder(self._project, job.id))))


def _run(root: str, job_id: str, secrets: dict[str, str]) -> str:
    """Run a job on a worker; if it was begun by another one, see first what became of it."""
    project = Project.find(root)
    job = _wait(project, job_id)
    return job.id if job.state in ENDED else _execution(root).run(job_id, secrets).id


def _wait(project: Project, job_id: str) -> Job:
    """Wait while somebody living runs the job; what a dead one has is closed as lost."""
    while (job := get_job(project, job_id)).state == "running":
        if not alive(project, job.holder):
            settle(project)
        time.sleep(_POLL_SECONDS)
    return job


def _execution(root: str) -> Execution:
    with _lock:  # tasks may begin at the same time
        return _worker_of(root)


@lru_cache(maxsize=8)
def _worker_of(root: str) -> Execution:
    """Be a worker of a project for as long as this process lives."""
    project = Project.find(root)
    kept = ExitStack()
    atexit.register(kept.close)
    # Dask gives its workers one thread each for numeric libraries; polars it doesn't know.
    share = dict.fromkeys(THREAD_VARIABLES, "1")
    holder = kept.enter_context(holding(project, "worker"))
    launcher = kept.enter_context(Launcher(project, share))
    launcher.expect(2, [])  # whoever has a cluster has many
    return Execution(project, launcher, holder, share)
