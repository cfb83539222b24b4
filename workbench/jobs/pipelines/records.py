"""Runs of pipelines as records: written before the first step starts, true after a kill."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_jsonable_python
from sqlalchemy import select, update

from workbench.errors import JobError, NotFoundError
from workbench.jobs.closing import settle
from workbench.jobs.holders import alive
from workbench.jobs.pipelines.plan import Plan
from workbench.jobs.pipelines.states import RunState, StepState
from workbench.jobs.records import Job, list_jobs
from workbench.project import Project
from workbench.store import PipelineRunRow, database, now

__all__ = [
    "PipelineRun",
    "StepRecord",
    "begin",
    "change",
    "get_pipeline_run",
    "left_behind",
    "list_pipeline_runs",
    "settle_pipelines",
]

_OPEN: tuple[StepState, ...] = ("waiting", "running")


class StepRecord(BaseModel):
    """How far a step is. `job` is its record, an earlier one where the state is `cached`."""

    model_config = ConfigDict(frozen=True)

    state: StepState = "waiting"
    job: str | None = None
    error: str | None = None


class PipelineRun(BaseModel):
    """One run of a pipeline; its steps' jobs are the batch with its id."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: str
    pipeline: str
    digest: str
    state: RunState
    params: dict[str, Any] = Field(validation_alias="parameters")
    steps: dict[str, StepRecord]
    error: str | None
    created_at: datetime
    finished_at: datetime | None

    @property
    def states(self) -> dict[str, StepState]:
        """The state of each step."""
        return {name: step.state for name, step in self.steps.items()}


def begin(project: Project, plan: Plan, run_id: str, holder: str) -> PipelineRun:
    """Write a run down, of which nothing has started yet."""
    row = PipelineRunRow(
        id=run_id,
        pipeline=plan.name,
        digest=plan.digest,
        state="running",
        parameters=to_jsonable_python(dict(plan.parameters)),
        steps={step.name: StepRecord().model_dump() for step in plan.steps},
        holder=holder,
        created_at=now(),
    )
    with database(project).session() as session:
        session.add(row)
    return get_pipeline_run(project, run_id)


def change(
    project: Project,
    run_id: str,
    steps: Mapping[str, StepRecord],
    state: RunState = "running",
    error: str | None = None,
) -> PipelineRun:
    """Write down how far a run is.

    Raises
    ------
    JobError
        If it has ended already: somebody else took it for dead.
    """
    step = (
        update(PipelineRunRow)
        .where(PipelineRunRow.id == run_id, PipelineRunRow.state == "running")
        .values(
            steps={name: record.model_dump() for name, record in steps.items()},
            state=state,
            error=error,
            finished_at=None if state == "running" else now(),
        )
    )
    with database(project).session() as session:
        moved = session.connection().execute(step).rowcount
        row = session.get_one(PipelineRunRow, run_id)
        if not moved:
            raise JobError(f"pipeline run {run_id} is {row.state}: it can't become {state}")
        return PipelineRun.model_validate(row)


def get_pipeline_run(project: Project, run_id: str) -> PipelineRun:
    """Return one run; a unique beginning of its id is enough.

    Raises
    ------
    NotFoundError
        If no run's id begins so, or several do.
    """
    beginning = PipelineRunRow.id.startswith(run_id, autoescape=True)
    with database(project).session() as session:
        rows = session.scalars(select(PipelineRunRow).where(beginning).limit(2)).all()
        if len(rows) > 1:
            raise NotFoundError(f"{run_id!r} is the beginning of several runs' ids")
        if not rows:
            newest = select(PipelineRunRow.id).order_by(PipelineRunRow.id.desc()).limit(5)
            raise NotFoundError.named("pipeline run", run_id, session.scalars(newest))
        return PipelineRun.model_validate(rows[0])


def list_pipeline_runs(
    project: Project, pipeline: str | None = None, limit: int | None = None
) -> list[PipelineRun]:
    """List runs, newest first, of one pipeline or of all; those of the dead are closed before."""
    settle_pipelines(project)
    query = select(PipelineRunRow).order_by(
        PipelineRunRow.created_at.desc(), PipelineRunRow.id.desc()
    )
    if pipeline is not None:
        query = query.where(PipelineRunRow.pipeline == pipeline)
    with database(project).session() as session:
        return [PipelineRun.model_validate(row) for row in session.scalars(query.limit(limit))]


def settle_pipelines(project: Project) -> list[PipelineRun]:
    """Close every run whose process is gone; its steps are what their jobs say."""
    query = select(PipelineRunRow).where(PipelineRunRow.state == "running")
    with database(project).session() as session:
        rows = [(row.holder, PipelineRun.model_validate(row)) for row in session.scalars(query)]
    dead = [run for holder, run in rows if not alive(project, holder)]
    if dead:
        settle(project)
    settled = []
    for run in dead:
        steps = left_behind(project, run.id, run.steps)
        try:
            settled.append(
                change(project, run.id, steps, "lost", "its process was gone without a word")
            )
        except JobError:
            continue  # somebody else closed it between our look and our step
    return settled


def left_behind(
    project: Project, run_id: str, steps: Mapping[str, StepRecord]
) -> dict[str, StepRecord]:
    """Say what became of the steps of a run that broke off; those still open are as their jobs."""
    jobs = {job.label: job for job in list_jobs(project, batch=run_id)}
    return {name: _left(step, jobs.get(name)) for name, step in steps.items()}


def _left(step: StepRecord, job: Job | None) -> StepRecord:
    if step.state not in _OPEN:
        return step
    if job is None:
        return StepRecord(state="skipped")
    if job.state == "queued" or job.state == "running":
        return StepRecord(state="lost", job=job.id)
    return StepRecord(state=job.state, job=job.id, error=job.error)
