"""Many jobs: submitted as batches, tried again where that helps, waited for or stopped together."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from workbench.errors import JobError
from workbench.jobs.closing import settle
from workbench.jobs.execution import THREAD_VARIABLES, Execution, Progress
from workbench.jobs.executors import Executor, LocalExecutor
from workbench.jobs.holders import holding
from workbench.jobs.launching import Launcher
from workbench.jobs.queue import Queued, admit, enqueue
from workbench.jobs.records import Job, folder, get_job
from workbench.jobs.requests import JobRequest
from workbench.jobs.waiting import CANCEL, cancel, options_of, requeue, secrets_of
from workbench.project import Project

__all__ = ["JobPool", "as_they_end", "resume_jobs", "run_jobs"]

_POLL_SECONDS = 0.2


class JobPool:
    """Runs the jobs that it is given until it is closed; an error in its block stops them.

    Parameters
    ----------
    workers
        How many jobs run at a time here; the project's setting if None.
    cluster
        The address of a Dask scheduler, or `local` for a Dask cluster of `workers` processes;
        None runs the jobs from threads of this process.
    expected
        How many jobs there will be, as far as that is known: for many it pays to import ahead.
    on_progress
        Called from the pool's threads as jobs go on.
    """

    def __init__(
        self,
        project: Project,
        *,
        workers: int | None = None,
        cluster: str | None = None,
        expected: int = 1,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self._project = project
        self._expected = expected
        self._workers = workers or project.settings.workers
        self._cluster = cluster
        self._tell = on_progress or (lambda _: None)
        self._open = ExitStack()
        self._stopped = threading.Event()
        self._pending: set[Future[Job]] = set()

    def __enter__(self) -> Self:
        """Become the holder of the jobs to come."""
        with ExitStack() as undo:
            self._open = undo
            self._holder = undo.enter_context(holding(self._project, "pool"))
            self._executor = self._executes()
            self._open = undo.pop_all()
        return self

    def _executes(self) -> Executor:
        if self._cluster is not None:
            from workbench.jobs.executors.dask import DaskExecutor

            return DaskExecutor(
                self._project, self._cluster, self._workers, self._holder, self._tell
            )
        threads = str(max(1, (os.cpu_count() or 1) // self._workers))
        share = dict.fromkeys(THREAD_VARIABLES, threads)
        launcher = self._open.enter_context(Launcher(self._project, share))
        execution = Execution(
            self._project, launcher, self._holder, share, self._tell, self._stopped
        )
        return LocalExecutor(execution, self._workers)

    def submit(self, requests: Sequence[JobRequest], batch: str | None = None) -> list[Future[Job]]:
        """Check and record all requests, then start them; give a future for each, in order.

        Raises
        ------
        NotebookError, ParameterError
            If a notebook or a parameter isn't right; then nothing was recorded.
        """
        if not all(request.cache for request in requests):  # else there may be nothing to run
            self._expect(len(requests), [(r.code, r.notebook) for r in requests])
        return self.take(enqueue(self._project, requests, holder=self._holder, batch=batch))

    @property
    def holder(self) -> str:
        """Who holds this pool's jobs: for who records jobs for it from elsewhere."""
        return self._holder

    def take(self, queued: Sequence[Queued]) -> list[Future[Job]]:
        """Start jobs that were recorded for this pool's holder elsewhere."""
        waiting = [each.job for each in queued if each.job.state == "queued"]
        self._expect(len(waiting), [(None, job.notebook) for job in waiting])
        return [self._accept(each) for each in queued]

    def resume(self, jobs: Sequence[Job]) -> list[Future[Job]]:
        """Try jobs again that ended without success; the others are given back as they are.

        Raises
        ------
        ParameterError
            If a secret isn't kept anywhere; then nothing was begun.
        ForbiddenError
            If who asks may not run jobs.
        """
        admit(self._project, tracked=any(job.state != "succeeded" for job in jobs))
        again = [
            Queued(job, secrets_of(self._project, job) if job.state != "succeeded" else {})
            for job in jobs
        ]
        waiting = [queued.job for queued in again if queued.job.state != "succeeded"]
        self._expect(len(waiting), [(None, job.notebook) for job in waiting])
        return [self._accept(self._again(queued)) for queued in again]

    def _expect(self, jobs: int, notebooks: Sequence[tuple[Path | None, str]]) -> None:
        """Let the executor get ready, unless all is done already."""
        root = self._project.root
        if jobs:
            paths = [(code or root) / notebook for code, notebook in dict.fromkeys(notebooks)]
            self._executor.expect(max(jobs, self._expected), paths)

    def _again(self, queued: Queued) -> Queued:
        if queued.job.state == "succeeded":
            return queued
        try:
            job = requeue(self._project, queued.job, holder=self._holder)
        except JobError:  # somebody else has put it back
            job = get_job(self._project, queued.job.id)
        return Queued(job, queued.secrets)

    def _accept(self, queued: Queued) -> Future[Job]:
        future: Future[Job] = Future()
        self._pending.add(future)
        future.add_done_callback(self._pending.discard)
        if queued.job.state == "queued":
            self._start(queued, future)
        else:
            future.set_result(queued.job)
        return future

    def _start(self, queued: Queued, future: Future[Job]) -> None:
        attempt = self._executor.submit(queued.job, queued.secrets)
        attempt.add_done_callback(lambda done: self._ended(queued, done, future))

    def _ended(self, queued: Queued, done: Future[Job], future: Future[Job]) -> None:
        """Pass an attempt's end on, or begin another attempt after a pause."""
        error = done.exception()
        if error is not None:
            future.set_exception(error)
            return
        try:
            job, pause = self._put_back(done.result())
        except BaseException as error:
            future.set_exception(error)
            return
        if pause is None:
            future.set_result(job)
        else:
            self._later(pause, Queued(job, queued.secrets), future)

    def _put_back(self, job: Job) -> tuple[Job, float | None]:
        """Put a job back if it is to be tried again, and say after how long; None if it isn't."""
        retries = options_of(self._project, job.id).retries
        cancelled = (folder(self._project, job.id) / CANCEL).exists()
        if self._stopped.is_set() or cancelled or not retries.wants(job.attempt, job.failure):
            return job, None
        pause = retries.pause(job.attempt)
        try:
            return requeue(self._project, job, holder=self._holder, pause=pause), pause
        except JobError:  # somebody else has it now
            return get_job(self._project, job.id), None

    def _later(self, pause: float, queued: Queued, future: Future[Job]) -> None:
        def wait_and_start() -> None:
            until = time.monotonic() + pause
            while (left := until - time.monotonic()) > 0 and not self._stopped.wait(min(left, 1)):
                job = get_job(self._project, queued.job.id)
                if job.state != "queued":  # cancelled meanwhile
                    future.set_result(job)
                    return
            if self._stopped.is_set():
                cancel(self._project, [queued.job])
                future.set_result(get_job(self._project, queued.job.id))
                return
            self._start(queued, future)

        threading.Thread(target=wait_and_start, name="retry", daemon=True).start()

    def stop(self) -> None:
        """End what runs and cancel what waits."""
        self._stopped.set()
        self._executor.stop()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait for all jobs; after an error, an interrupt included, stop them first."""
        try:
            if kind is not None:
                self.stop()
            for _ in as_they_end(list(self._pending)):
                pass
        except BaseException:
            self.stop()
            wait(list(self._pending))
            raise
        finally:
            self._executor.close()
            self._open.close()


def as_they_end(futures: Sequence[Future[Job]]) -> Iterator[Future[Job]]:
    """Yield futures as they end; short waits leave room for an interrupt to be noticed."""
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
        yield from done


def run_jobs(
    project: Project,
    requests: Sequence[JobRequest],
    *,
    workers: int | None = None,
    cluster: str | None = None,
    batch: str | None = None,
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
    workers = min(workers or project.settings.workers, max(1, len(requests)))
    with JobPool(project, workers=workers, cluster=cluster, on_progress=on_progress) as pool:
        return _ended(pool.submit(requests, batch), on_end)


def resume_jobs(
    project: Project,
    jobs: Sequence[Job],
    *,
    workers: int | None = None,
    cluster: str | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_end: Callable[[int, Job], None] | None = None,
) -> list[Job]:
    """Run what isn't done of `jobs`, as it was asked for then; return all of them, in order.

    Raises
    ------
    JobError
        If one of them runs at this moment.
    ParameterError
        If one needs a secret that was given as a value: it is kept nowhere.
    """
    settle(project)
    jobs = [get_job(project, job.id) for job in jobs]
    held = [job.id for job in jobs if job.state in ("queued", "running")]
    if held:
        raise JobError(f"{len(held)} of the jobs are under way elsewhere: {', '.join(held[:3])}")
    with JobPool(project, workers=workers, cluster=cluster, on_progress=on_progress) as pool:
        return _ended(pool.resume(jobs), on_end)


def _ended(futures: Sequence[Future[Job]], on_end: Callable[[int, Job], None] | None) -> list[Job]:
    positions = {future: position for position, future in enumerate(futures)}
    for future in as_they_end(futures):
        job = future.result()
        if on_end is not None:
            on_end(positions[future], job)
    return [future.result() for future in futures]
