"""Running a notebook as a job, or as many: the form, its checks, and asking."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from workbench.access import at_least, require, who
from workbench.errors import ParameterError, UsageError
from workbench.jobs import (
    FAILURE_KINDS,
    JobRequest,
    Limits,
    Parameter,
    Retries,
    load_notebook,
    read_parameters,
)
from workbench.jobs.parameters.fields import Filled, read_fields
from workbench.project import Project
from workbench.server.operation import Operation, Query
from workbench.server.resources.jobs.suggesting import suggestions
from workbench.server.working import WORKERS

__all__ = ["OPERATIONS", "contract_of"]

_MOST_JOBS = 2000
"""More than that are a matter for the command line, which shows how far it is."""


class NotebookQuery(Query):
    """Which notebook."""

    notebook: str = Field(description="from the project's root")


class FormField(BaseModel):
    """A parameter as a form shows it."""

    model_config = ConfigDict(frozen=True)

    parameter: Parameter
    text: str = Field(description="the default as it would be typed; empty if there is none")
    suggestions: list[str] = Field(description="names of the project that may be meant")


class JobForm(BaseModel):
    """What a notebook takes."""

    model_config = ConfigDict(frozen=True)

    notebook: str
    fields: list[FormField]
    workers: int = Field(description="how many jobs run at a time")


class FormFields(BaseModel):
    """The fields of a form, as they were typed. What isn't there has the notebook's default."""

    model_config = ConfigDict(extra="forbid")

    notebook: str = Field(description="from the project's root")
    values: dict[str, str] = Field(default={}, description="a text for a parameter")
    grid: dict[str, str] = Field(
        default={}, description="values parted by commas, or 1..12: a job for each combination"
    )


class AskedJobs(FormFields):
    """A notebook to be run as a job, or as many."""

    label: str = Field(default="", max_length=500, description="what the jobs are for")
    limits: Limits = Limits()
    retries: int | None = Field(
        default=None, ge=0, le=100, description="try again so often, also after an error in a cell"
    )
    priority: int = Field(default=0, ge=-1000, le=1000, description="higher ones are started first")
    cache: bool = Field(default=True, description="give the record of a job that did the same")
    track: bool = Field(default=True, description="give each job an MLflow run")


class Checked(BaseModel):
    """What would come of a form."""

    model_config = ConfigDict(frozen=True)

    jobs: int = Field(description="how many there would be; 0 if something is wrong")
    problems: dict[str, str] = Field(description="what is wrong, by parameter")
    problem: str | None = Field(description="what is wrong with the whole")


class Submitted(BaseModel):
    """What was asked for."""

    model_config = ConfigDict(frozen=True)

    ids: list[str]
    batch: str | None = Field(description="the batch that they were asked for as")
    cached: int = Field(description="how many of them are earlier jobs that did the same")


def get_form(project: Project, query: NotebookQuery) -> JobForm:
    """Say what a notebook takes, as its parameters cell has it."""
    contract = contract_of(project, query.notebook)
    if at_least(who(project), "developer"):
        WORKERS.prepare(project)
    return JobForm(
        notebook=query.notebook,
        fields=[
            FormField(
                parameter=each, text=each.shown_default, suggestions=suggestions(project, each)
            )
            for each in contract
        ],
        workers=project.settings.workers,
    )


def check_form(project: Project, body: FormFields) -> Checked:
    """Check the fields of a form; nothing is started."""
    try:
        filled = _filled(project, body)
    except ParameterError as error:
        return Checked(jobs=0, problems={}, problem=str(error))
    return Checked(jobs=len(filled.jobs), problems=filled.problems, problem=None)


def submit_jobs(project: Project, body: AskedJobs) -> Submitted:
    """Run a notebook as a job, or as a job for each combination of a grid."""
    require(project, "developer", "run jobs")
    filled = _filled(project, body)
    if filled.problems:
        wrong = "; ".join(f"{name}: {text}" for name, text in filled.problems.items())
        raise ParameterError(f"{body.notebook}: {wrong}")
    kinds = frozenset(FAILURE_KINDS) - {"cancelled", "notebook"}
    again = Retries() if body.retries is None else Retries(attempts=body.retries + 1, kinds=kinds)
    requests = [
        JobRequest(
            body.notebook,
            parameters,
            label=body.label,
            limits=body.limits,
            retries=again,
            priority=body.priority,
            cache=body.cache,
            track=body.track,
        )
        for parameters in filled.jobs
    ]
    jobs = WORKERS.submit(project, requests)
    fresh = [job for job in jobs if not job.cached]
    return Submitted(
        ids=[job.id for job in jobs],
        batch=fresh[0].batch if fresh else None,
        cached=len(jobs) - len(fresh),
    )


def _filled(project: Project, form: FormFields) -> Filled:
    contract = contract_of(project, form.notebook)
    filled = read_fields(contract, form.values, form.grid, form.notebook)
    if len(filled.jobs) > _MOST_JOBS:
        raise ParameterError(
            f"{form.notebook}: a grid of {len(filled.jobs):,} jobs; expected at most "
            f"{_MOST_JOBS:,} here: for more there is `workbench run --grid`"
        )
    return filled


def contract_of(project: Project, notebook: str) -> list[Parameter]:
    """Read what a notebook of the project takes."""
    if not notebook.endswith(".ipynb"):
        raise UsageError(f"{notebook}: expected a notebook, NAME.ipynb")
    return read_parameters(load_notebook(project.inside(notebook)), notebook)


OPERATIONS = (
    Operation("GET", "/job-form", get_form),
    Operation("POST", "/job-form/check", check_form),
    Operation("POST", "/jobs", submit_jobs, status=201),
)
