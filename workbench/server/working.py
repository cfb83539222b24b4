"""Who carries out the jobs that the sidebar asks for: a process for each project, not the server.

A request checks and records its jobs and hands them on (`workbench.jobs.worker`); none waits for
one. The worker starts with the first job, ends when it has had nothing to do for a while, and has a
session of its own: a server that is stopped, or killed, takes no training with it.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from workbench.errors import JobError, WorkbenchError
from workbench.jobs.closing import settle
from workbench.jobs.queue import Queued, admit, enqueue
from workbench.jobs.records import Job, get_job, list_jobs
from workbench.jobs.requests import JobRequest
from workbench.jobs.waiting import requeue, secrets_of
from workbench.jobs.worker import task, told
from workbench.project import Project

__all__ = ["WORKERS", "Workers"]

_IDLE_SECONDS = 120.0
"""A worker holds what notebooks import in memory, ready to be forked: not for ever."""

_LOOK_SECONDS = 5.0

_TRIES = 24
"""How often it is tried to close what a dead worker held; later, whoever looks does."""

_START_SECONDS = 60.0

_LOG = "worker.log"

_logger = logging.getLogger("workbench.server")


class Workers:
    """The workers of this server, by project. Threads may share it."""

    def __init__(self) -> None:
        self._by_root: dict[Path, _Worker] = {}
        self._lock = threading.Lock()

    def prepare(self, project: Project) -> None:
        """Start the worker already: somebody is about to ask for jobs."""
        threading.Thread(
            target=self._of(project).prepare, args=(project,), name="worker", daemon=True
        ).start()

    def submit(self, project: Project, requests: Sequence[JobRequest]) -> list[Job]:
        """Check and record jobs as one batch, and have them carried out; returns without waiting.

        Raises
        ------
        NotebookError, ParameterError, ForbiddenError
            As `enqueue`; then nothing was recorded.
        """
        return self._of(project).submit(project, requests)

    def resume(self, project: Project, jobs: Sequence[Job]) -> list[Job]:
        """Have jobs tried again that ended without success.

        Raises
        ------
        ParameterError
            If a secret isn't kept anywhere; then nothing was begun.
        ForbiddenError
            If who asks may not run jobs.
        """
        return self._of(project).resume(project, jobs)

    def stop(self) -> None:
        """Ask nothing more of any of them: each ends when its jobs have ended."""
        with self._lock:
            for worker in self._by_root.values():
                worker.dismiss()
            self._by_root.clear()

    def _of(self, project: Project) -> _Worker:
        with self._lock:
            return self._by_root.setdefault(project.root, _Worker())


class _Worker:
    """One project's worker, started when it is needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._holder = ""
        self._used = 0.0

    def prepare(self, project: Project) -> None:
        with suppress(WorkbenchError), self._lock:  # who asks for jobs will be told
            self._hired(project)

    def submit(self, project: Project, requests: Sequence[JobRequest]) -> list[Job]:
        with self._lock:
            holder = self._hired(project)
            return self._hand_on(enqueue(project, requests, holder=holder))

    def resume(self, project: Project, jobs: Sequence[Job]) -> list[Job]:
        bad = [job for job in jobs if job.state in ("failed", "cancelled", "lost")]
        admit(project, tracked=bool(bad))
        again = [(job, secrets_of(project, job)) for job in bad]
        with self._lock:
            holder = self._hired(project)
            queued = [Queued(_put_back(project, job, holder), found) for job, found in again]
            return self._hand_on([each for each in queued if each.job.holder == holder])

    def dismiss(self) -> None:
        with self._lock:
            self._dismiss()

    def _dismiss(self) -> None:
        if self._process is not None:
            with suppress(OSError):
                _pipe(self._process.stdin).close()
        self._process = None

    def _hand_on(self, queued: Sequence[Queued]) -> list[Job]:
        """Tell the worker; one that died in this moment leaves jobs that are closed as lost."""
        waiting = [each for each in queued if each.job.state == "queued"]
        if waiting and self._process is not None:
            with suppress(OSError):
                pipe = _pipe(self._process.stdin)
                pipe.write(task(waiting))
                pipe.flush()
        return [each.job for each in queued]

    def _hired(self, project: Project) -> str:
        """Return the holder that a living worker is, starting one if there is none."""
        self._used = time.monotonic()
        if self._process is None or self._process.poll() is not None:
            self._dismiss()
            self._process, self._holder = _start(project)
            threading.Thread(
                target=self._watch,
                args=(project, self._process, self._holder),
                name="worker",
                daemon=True,
            ).start()
        return self._holder

    def _watch(self, project: Project, process: subprocess.Popen[bytes], holder: str) -> None:
        """Let it go when it is idle; when it has ended, however it did, close what it left open."""
        while process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK_SECONDS)
            with suppress(WorkbenchError), self._lock:
                if process is not self._process:
                    continue
                if list_jobs(project, 1, states=("queued", "running"), holder=holder):
                    self._used = time.monotonic()
                elif time.monotonic() - self._used > _IDLE_SECONDS:
                    self._dismiss()
        with self._lock:
            if process is self._process:
                self._dismiss()
        _close(project, holder)


def _close(project: Project, holder: str) -> None:
    """Close what a worker that has ended left open.

    Once may not be enough: the records may be away, and a child that it was just starting has its
    lock for a moment longer than itself.
    """
    for _ in range(_TRIES):
        with suppress(WorkbenchError):
            settle(project)
            if not list_jobs(project, 1, states=("queued", "running"), holder=holder):
                return
        time.sleep(_LOOK_SECONDS)


def _start(project: Project) -> tuple[subprocess.Popen[bytes], str]:
    """Start a worker and wait until it says who it is.

    Raises
    ------
    JobError
        If it ends instead.
    """
    log = project.state / _LOG
    with log.open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "workbench.jobs.worker", str(project.root)],
            cwd=project.root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,  # Ctrl-C in the server's terminal isn't meant for its jobs
        )
    patience = threading.Timer(_START_SECONDS, process.kill)
    patience.start()
    with _pipe(process.stdout) as answer:
        line = answer.readline()
    patience.cancel()
    if not line:
        process.wait()
        raise JobError(f"the process that runs jobs ended as it began; see {log}")
    _logger.info("Workbench runs jobs of %s in process %d", project.root, process.pid)
    return process, told(line)


def _put_back(project: Project, job: Job, holder: str) -> Job:
    try:
        return requeue(project, job, holder=holder)
    except JobError:  # somebody else has put it back
        return get_job(project, job.id)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


WORKERS = Workers()
"""Those of this process: operations are functions, and know of no server."""
