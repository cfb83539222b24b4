"""Running a pipeline: each step is a job, started once what it needs is there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from queue import Empty, SimpleQueue
from typing import Any

from workbench.errors import WorkbenchError, what_exists
from workbench.jobs.execution import Progress
from workbench.jobs.holders import holding
from workbench.jobs.outputs import Output, job_outputs
from workbench.jobs.pipelines.plan import Plan, PlannedStep, plan_pipeline
from workbench.jobs.pipelines.records import (
    PipelineRun,
    StepRecord,
    begin,
    change,
    left_behind,
)
from workbench.jobs.pipelines.states import RunState
from workbench.jobs.pool import JobPool
from workbench.jobs.records import Job, new_id
from workbench.jobs.requests import JobRequest
from workbench.lineage import link
from workbench.project import Project

__all__ = ["run_pipeline"]

_POLL_SECONDS = 0.2

_Tell = Callable[[str, StepRecord], None]


def run_pipeline(
    project: Project,
    name: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    workers: int | None = None,
    cluster: str | None = None,
    cache: bool = True,
    on_progress: Callable[[Progress], None] | None = None,
    on_step: _Tell | None = None,
    run_id: str | None = None,
    stop: threading.Event | None = None,
) -> PipelineRun:
    """Run a pipeline and return its record, however it ended.

    A step that fails stops those that need it, and no others. Run again, it goes on from there: a
    step that did the same before, with the same data, is not done again.

    Parameters
    ----------
    cache
        Whether an earlier job that did the same will do.
    on_progress
        Called from workers' threads as jobs go on.
    on_step
        Called from the caller's thread with each step whose state changed.
    run_id
        The id of its record, for who has to know it before; a new one if None.
    stop
        Once set, what runs is ended and the run is cancelled.

    Raises
    ------
    UsageError
        Of some kind, as `plan_pipeline`; then nothing was started or recorded.
    """
    plan = plan_pipeline(project, name, parameters)
    begun: SimpleQueue[str] = SimpleQueue()

    def tell(progress: Progress) -> None:
        if progress.job.state == "running":
            begun.put(progress.job.label)
        if on_progress is not None:
            on_progress(progress)

    with holding(project, "pipeline") as holder:
        record = begin(project, plan, run_id or new_id(), holder)
        tell_step = on_step or (lambda *_: None)
        run = _Run(project, plan, record.id, begun, tell_step, cache=cache)
        try:
            with JobPool(
                project,
                workers=workers,
                cluster=cluster,
                expected=len(plan.steps),
                on_progress=tell,
            ) as pool:
                run.carry_out(pool, stop or threading.Event())
        except BaseException as error:
            run.give_up(error)
            raise
        return run.end(stopped=stop is not None and stop.is_set())


class _Run:
    """One run on its way. All of it happens in the caller's thread."""

    def __init__(
        self,
        project: Project,
        plan: Plan,
        run_id: str,
        begun: SimpleQueue[str],
        tell: _Tell,
        *,
        cache: bool,
    ) -> None:
        self._project = project
        self._plan = plan
        self._id = run_id
        self._cache = cache
        self._begun = begun
        self._tell = tell
        self._steps = {step.name: StepRecord() for step in plan.steps}
        self._outputs: dict[str, dict[str, Output]] = {}
        self._futures: dict[Future[Job], PlannedStep] = {}
        self._submitted: set[str] = set()

    def carry_out(self, pool: JobPool, stop: threading.Event) -> None:
        """Run all steps that can be; stop early where that is asked for."""
        stopped = False
        while True:
            if stop.is_set() and not stopped:
                stopped = True
                pool.stop()
            if not stopped:
                self._start_ready(pool)
            if not self._futures:
                return
            done, _ = wait(self._futures, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
            self._note_begun()
            for future in done:
                self._ended(pool, self._futures.pop(future), future.result())

    def give_up(self, error: BaseException) -> None:
        """Write down how far it came, after what ran was ended."""
        self._steps = left_behind(self._project, self._id, self._steps)
        failed = isinstance(error, Exception)
        said = f"{type(error).__name__}: {error}" if failed else "stopped"
        self.end("failed" if failed else "cancelled", said)

    def end(
        self, state: RunState | None = None, error: str | None = None, *, stopped: bool = False
    ) -> PipelineRun:
        """Write down how it ended; by its steps, if nothing else says."""
        for name, record in self._steps.items():
            if record.state in ("waiting", "running"):
                self._steps[name] = StepRecord(state="skipped")
        bad = [name for name, record in self._steps.items() if record.state not in _GOOD]
        state = state or ("succeeded" if not bad else "cancelled" if stopped else "failed")
        because = next((name for name in bad if self._steps[name].error), None)
        said = f"step {because}: {self._steps[because].error}" if because else None
        return change(self._project, self._id, self._steps, state, error or said)

    def _start_ready(self, pool: JobPool) -> None:
        for step in self._plan.steps:  # each after those it needs: one pass is enough
            if self._steps[step.name].state != "waiting" or step.name in self._submitted:
                continue
            before = [self._steps[name].state for name in step.needs]
            if any(state in _BAD for state in before):
                self._set(step, StepRecord(state="skipped"))
            elif all(state in _GOOD for state in before):
                self._start(pool, step, cache=self._cache)

    def _start(self, pool: JobPool, step: PlannedStep, *, cache: bool) -> None:
        self._submitted.add(step.name)
        try:
            [future] = pool.submit([self._request(step, cache=cache)], batch=self._id)
        except WorkbenchError as error:  # what an arrow brought isn't what the parameter takes
            self._set(step, StepRecord(state="failed", error=str(error)))
        else:
            self._futures[future] = step

    def _request(self, step: PlannedStep, *, cache: bool) -> JobRequest:
        taken = {a: self._outputs[a.source][a.output] for a in step.arrows}
        handed = {a.parameter: out.handed_on(as_path=a.as_path) for a, out in taken.items()}
        return JobRequest(
            step.notebook,
            {**step.parameters, **handed},
            label=step.name,
            limits=step.limits,
            retries=step.retries,
            cache=cache,
            data=step.data,
            digests={a.parameter: out.digest for a, out in taken.items()},
        )

    def _note_begun(self) -> None:
        while True:
            try:
                name = self._begun.get_nowait()
            except Empty:
                return
            if self._steps[name].state == "waiting":
                step = next(step for step in self._plan.steps if step.name == name)
                self._set(step, StepRecord(state="running"))

    def _ended(self, pool: JobPool, step: PlannedStep, job: Job) -> None:
        if job.state != "succeeded":
            self._set(step, StepRecord(state=job.state, job=job.id, error=job.error))
            return
        outputs = job_outputs(self._project, job.id)
        missing = [name for name in self._wanted(step) if not _is_there(outputs, name)]
        if missing and job.cached:
            self._start(pool, step, cache=False)  # the record stands, but its files were removed
            return
        if missing:
            known = what_exists(missing[0], outputs)
            error = f"its notebook gave out no {missing[0]!r}: {known}"
            self._set(step, StepRecord(state="failed", job=job.id, error=error))
            return
        self._outputs[step.name] = outputs
        self._link(step, job)
        self._set(step, StepRecord(state="cached" if job.cached else "succeeded", job=job.id))

    def _wanted(self, step: PlannedStep) -> list[str]:
        arrows = [arrow for after in self._plan.steps for arrow in after.arrows]
        return [arrow.output for arrow in arrows if arrow.source == step.name]

    def _link(self, step: PlannedStep, job: Job) -> None:
        sources = {self._steps[arrow.source].job for arrow in step.arrows}
        if sources:
            link(
                self._project,
                [f"job:{source}" for source in sorted(filter(None, sources))],
                job.node,
                "output",
            )

    def _set(self, step: PlannedStep, record: StepRecord) -> None:
        self._steps[step.name] = record
        change(self._project, self._id, self._steps)
        self._tell(step.name, record)


_BAD = ("failed", "cancelled", "lost", "skipped")
_GOOD = ("succeeded", "cached")


def _is_there(outputs: Mapping[str, Output], name: str) -> bool:
    return name in outputs and outputs[name].path.is_file()
