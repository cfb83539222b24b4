"""A pool whose kernels are forked, warmed up, and what it takes to run jobs in it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.benchmarks.sections.jobs.notebooks import TRAINING
from workbench.errors import JobError
from workbench.jobs import Job, JobPool, JobRequest, run_jobs
from workbench.project import Project

__all__ = ["WORKERS", "checked", "learn", "seconds", "training", "warm_pool"]

WORKERS = 2


def training(seeds: range, *, track: bool = True) -> list[JobRequest]:
    """Ask for the training notebook with each of the seeds."""
    return [JobRequest(TRAINING, {"seed": seed}, track=track) for seed in seeds]


def learn(project: Project) -> None:
    """Let a first job tell what the notebooks import; it is no measurement."""
    checked(run_jobs(project, training(range(1))), forked=False)


@contextmanager
def warm_pool(project: Project, cluster: str | None = None) -> Iterator[JobPool]:
    """Give a pool whose workers all have a forking parent that is ready."""
    with JobPool(project, workers=WORKERS, cluster=cluster) as pool:
        seconds(pool, training(range(2 * WORKERS)))
        yield pool


def seconds(pool: JobPool, requests: Sequence[JobRequest]) -> float:
    """Say how long it takes from asking for the jobs until the last of them has ended."""
    began = time.perf_counter()
    jobs = [future.result() for future in pool.submit(requests)]
    took = time.perf_counter() - began
    checked(jobs)
    return took


def checked(jobs: Sequence[Job], *, forked: bool = True) -> None:
    """See to it that what was measured is what was meant.

    Raises
    ------
    JobError
        If a job failed, or has taken an ordinary kernel unasked.
    """
    for job in jobs:
        if job.state != "succeeded":
            raise JobError(f"job {job.id} of {job.notebook} {job.state}: {job.error}")
        if forked and job.kernel != "forked":
            raise JobError(f"job {job.id} of {job.notebook} had a kernel that was {job.kernel}")
