"""Jobs on this machine: a few threads, each of which sees one job after the other to its end."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from itertools import count
from pathlib import Path

from workbench.jobs.execution import Execution
from workbench.jobs.records import Job

__all__ = ["LocalExecutor"]

_Waiting = tuple[int, int, Job, Mapping[str, str], Future[Job]]


class LocalExecutor:
    """Runs up to `workers` jobs at a time."""

    def __init__(self, execution: Execution, workers: int) -> None:
        self._execution = execution
        self._waiting: list[_Waiting] = []
        self._changed = threading.Condition()
        self._closed = False
        self._order = count()  # among equals, first come, first served
        self._threads = [
            threading.Thread(target=self._work, name=f"job-{number}", daemon=True)
            for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def expect(self, jobs: int, notebooks: Sequence[Path]) -> None:
        """Get ready for so many jobs."""
        self._execution.launcher.expect(jobs, notebooks)

    def submit(self, job: Job, secrets: Mapping[str, str]) -> Future[Job]:
        """Try the job once, when it is its turn."""
        future: Future[Job] = Future()
        with self._changed:
            heapq.heappush(self._waiting, (-job.priority, next(self._order), job, secrets, future))
            self._changed.notify()
        return future

    def stop(self) -> None:
        """End what runs; what waits is cancelled when its turn comes, which is at once."""
        self._execution.stop.set()

    def close(self) -> None:
        """Wait for everything that was submitted."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            _, _, job, secrets, future = taken
            try:
                future.set_result(self._execution.run(job.id, secrets))
            except BaseException as error:
                future.set_exception(error)

    def _take(self) -> _Waiting | None:
        with self._changed:
            while not self._waiting:
                if self._closed:
                    return None
                self._changed.wait()
            return heapq.heappop(self._waiting)
