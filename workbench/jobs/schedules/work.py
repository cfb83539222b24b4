"""The work of a tick for real: a job of its notebook, or a run of its pipeline.

Both are recorded under the tick's batch, which says whose they are even if the scheduler dies
before it could write them into the tick's row.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from functools import cached_property
from typing import Any

from workbench.errors import NotFoundError
from workbench.jobs.closing import settle
from workbench.jobs.pipelines import (
    PipelineRun,
    get_pipeline_run,
    plan_pipeline,
    run_pipeline,
    settle_pipelines,
)
from workbench.jobs.pool import JobPool
from workbench.jobs.records import ENDED, Job, list_jobs
from workbench.jobs.requests import JobRequest
from workbench.jobs.schedules.spec import Schedule
from workbench.jobs.schedules.starting import Outcome, Started
from workbench.jobs.schedules.ticks import Tick
from workbench.jobs.waiting import cancel
from workbench.project import Project

__all__ = ["JobStarter"]


class JobStarter:
    """Starts jobs in one pool, which is opened with the first, and pipelines in threads."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._open = ExitStack()
        self._ours: dict[str, Future[Any]] = {}  # batch → its end
        self._stops: dict[str, threading.Event] = {}

    @cached_property
    def _pool(self) -> JobPool:
        return self._open.enter_context(JobPool(self._project))

    def start(self, schedule: Schedule, tick: Tick) -> Started:
        """Begin the tick's job or pipeline, or find it begun."""
        if schedule.spec.pipeline is not None:
            if self._run_of(tick) is None:
                self._start_pipeline(schedule.spec.pipeline, schedule, tick)
            return Started(pipeline_run=tick.batch)
        if not list_jobs(self._project, batch=tick.batch):
            [self._ours[tick.batch]] = self._pool.submit([_request(schedule, tick)], tick.batch)
        return Started(jobs=tuple(job.id for job in list_jobs(self._project, batch=tick.batch)))

    def outcome(self, tick: Tick) -> Outcome | None:
        """Say how it ended, by the records."""
        ours = self._ours.get(tick.batch)
        if ours is not None and not ours.done():
            return None
        run = self._run_of(tick)
        outcome = self._of_run(run) if run is not None else self._of_jobs(tick)
        if outcome is None and ours is not None and (error := ours.exception()) is not None:
            outcome = Outcome("failed", f"{type(error).__name__}: {error}")
        if outcome is not None:
            self._ours.pop(tick.batch, None)
            self._stops.pop(tick.batch, None)
        return outcome

    def cancel(self, tick: Tick) -> None:
        """Ask its jobs to end, wherever they run, and its pipeline, if that is here."""
        if tick.batch in self._stops:
            self._stops[tick.batch].set()
        open_jobs = [job for job in self._jobs(tick) if job.state not in ENDED]
        cancel(self._project, open_jobs)

    def close(self) -> None:
        """End everything that runs here, and wait for that."""
        for stop in self._stops.values():
            stop.set()
        if "_pool" in vars(self):
            self._pool.stop()
        self._open.close()
        for future in list(self._ours.values()):
            future.exception()  # waits, and leaves it to `outcome` to tell

    def _start_pipeline(self, name: str, schedule: Schedule, tick: Tick) -> None:
        parameters = schedule.parameters_at(tick.at)
        plan_pipeline(self._project, name, parameters)  # complains here, not in the thread
        stop, ended = threading.Event(), Future[Any]()
        self._stops[tick.batch], self._ours[tick.batch] = stop, ended

        def run() -> None:
            try:
                ended.set_result(
                    run_pipeline(self._project, name, parameters, run_id=tick.batch, stop=stop)
                )
            except BaseException as error:
                ended.set_exception(error)

        threading.Thread(target=run, name=f"pipeline {name}", daemon=True).start()

    def _run_of(self, tick: Tick) -> PipelineRun | None:
        try:
            return get_pipeline_run(self._project, tick.batch)
        except NotFoundError:
            return None

    def _of_run(self, run: PipelineRun) -> Outcome | None:
        if run.state == "running":
            settle_pipelines(self._project)  # it may be that of a scheduler that died
            run = get_pipeline_run(self._project, run.id)
        if run.state == "running":
            return None
        if run.state == "cancelled" or "cancelled" in run.states.values():
            return Outcome("cancelled", run.error or "")
        if run.state == "succeeded":
            return Outcome("succeeded")
        return Outcome("failed", run.error or f"the pipeline run was {run.state}")

    def _of_jobs(self, tick: Tick) -> Outcome | None:
        jobs = self._jobs(tick)
        if not jobs:
            return Outcome("failed", "nothing was begun")
        if any(job.state not in ENDED for job in jobs):
            settle(self._project)  # they may be those of a scheduler that died
            jobs = self._jobs(tick)
        if any(job.state not in ENDED for job in jobs):
            return None
        return _worst(jobs)

    def _jobs(self, tick: Tick) -> list[Job]:
        return list_jobs(self._project, batch=tick.batch)


def _request(schedule: Schedule, tick: Tick) -> JobRequest:
    assert schedule.spec.notebook is not None
    return JobRequest(
        schedule.spec.notebook,
        schedule.parameters_at(tick.at),
        label=f"{schedule.name} {tick.at.astimezone(schedule.zone):%Y-%m-%d %H:%M}",
        limits=schedule.spec.limits,
        retries=schedule.spec.retries,
    )


def _worst(jobs: Sequence[Job]) -> Outcome:
    """Say how jobs that ended did so as a whole."""
    bad = [job for job in jobs if job.state in ("failed", "lost")]
    if bad:
        return Outcome("failed", f"job {bad[0].id} {bad[0].state}: {bad[0].error}")
    if any(job.state == "cancelled" for job in jobs):
        return Outcome("cancelled")
    return Outcome("succeeded")
