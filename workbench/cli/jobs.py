"""`workbench jobs`: what ran, how it ended, and what to do about it."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from workbench.cli.context import (
    JsonOption,
    LimitOption,
    err,
    group,
    out,
    print_json,
    print_table,
    project,
    state_text,
    stoppable,
    when,
)
from workbench.cli.progress import Terminal
from workbench.cli.running import ClusterOption, WorkersOption, finish
from workbench.errors import NotFoundError

if TYPE_CHECKING:
    from workbench.jobs import Job
    from workbench.project import Project

__all__ = ["app"]

app = group("Notebook jobs: what ran, how it ended, where its record is.")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="A job, or a whole batch.")]

_CANCEL_SECONDS = 30
_LATEST = 1000


@app.command("list")
def list_(
    limit: LimitOption = 50,
    batch: Annotated[str | None, typer.Option(help="The jobs of one batch.")] = None,
    state: Annotated[str | None, typer.Option(help="The jobs in one state.")] = None,
    json_: JsonOption = False,
) -> None:
    """List jobs, newest first."""
    from workbench.jobs import JOB_STATES, list_jobs, settle

    here = project()
    if state is not None and state not in JOB_STATES:
        raise NotFoundError.named("state", state, JOB_STATES)
    settle(here)
    jobs = list_jobs(here, limit, batch=batch, states=[state] if state else None)
    if batch is not None and not list_jobs(here, 1, batch=batch):
        batches = {job.batch for job in list_jobs(here, _LATEST) if job.batch}
        raise NotFoundError.named("batch", batch, batches)
    if json_:
        print_json(jobs)
        return
    print_table(
        "Jobs",
        ("id", "notebook", "for", "state", "started", "took"),
        (
            (j.id, j.notebook, _purpose(j), state_text(j.state), when(j.started_at), j.took)
            for j in jobs
        ),
        empty="no jobs yet: workbench run NOTEBOOK",
        whole=("id", "state", "took"),
    )


def _purpose(job: Job) -> str:
    return job.label or ", ".join(f"{name}={value}" for name, value in job.params.items())


@app.command()
def show(job_id: Annotated[str, typer.Argument(metavar="ID")], json_: JsonOption = False) -> None:
    """Show one job with the state of its cells; the beginning of its id is enough."""
    from workbench.jobs import cell_states, get_job, settle

    here = project()
    settle(here)
    job = get_job(here, job_id)
    cells = cell_states(here, job.id)
    if json_:
        print_json({**job.model_dump(mode="json"), "cells": cells})
        return
    for name, value in job.model_dump(mode="json").items():
        out.print(Text.assemble((f"{name:12}", "dim"), str(value)), soft_wrap=True)
    counts = Counter(cells)
    told = ", ".join(f"{count} {state}" for state, count in counts.items()) or "–"
    out.print(Text.assemble((f"{'cells':12}", "dim"), told))


@app.command()
def logs(
    job_id: Annotated[str, typer.Argument(metavar="ID")],
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until it ends.")] = False,
) -> None:
    """Print what a job's cells put out, as it happens with -f."""
    from workbench.cli.joblogs import print_log
    from workbench.jobs import get_job

    here = project()
    job = get_job(here, job_id)
    with stoppable("the job goes on"):
        print_log(here, job, follow=follow)
    if follow and get_job(here, job.id).state != "succeeded":
        raise typer.Exit(1)


@app.command()
def cancel(job_id: IdArgument, json_: JsonOption = False) -> None:
    """Cancel a job, or what is left of a batch; a running one ends within seconds."""
    from workbench.jobs import cancel as ask
    from workbench.jobs import get_job, settle

    here = project()
    jobs = [job for job in _find(here, job_id) if job.state in ("queued", "running")]
    ask(here, jobs)
    end = time.monotonic() + _CANCEL_SECONDS
    while time.monotonic() < end:
        settle(here)
        now = [get_job(here, job.id) for job in jobs]
        if all(job.state not in ("queued", "running") for job in now):
            break
        time.sleep(0.2)
    now = [get_job(here, job.id) for job in jobs]
    if json_:
        print_json(now)
    elif not now:
        out.print("nothing to cancel: all of it has ended")
    for job in () if json_ else now:
        out.print(Text.assemble("job ", job.id, " ", state_text(job.state)), soft_wrap=True)
    left = [job for job in now if job.state in ("queued", "running")]
    if left:
        err.print(Text(f"after {_CANCEL_SECONDS} s {left[0].id} has not ended yet"), soft_wrap=True)
        raise typer.Exit(1)


@app.command()
def resume(
    job_id: IdArgument,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    json_: JsonOption = False,
) -> None:
    """Run what isn't done of a batch, or a job again that didn't succeed."""
    from workbench.jobs import resume_jobs

    here = project()
    jobs = _find(here, job_id)
    waiting = [job for job in jobs if job.state != "succeeded"]
    title = f"{len(waiting)} of {len(jobs)} jobs"
    with (
        stoppable("what ran is cancelled; the same command goes on"),
        Terminal(err).stage(title, len(waiting)) as stage,
    ):
        ended = resume_jobs(
            here,
            waiting,
            workers=workers,
            cluster=cluster,
            on_progress=stage.job,
            on_end=lambda _, job: stage.done(job.state),
        )
    if ended:
        finish(ended, json_=json_, one=False)
    else:
        print_json([]) if json_ else out.print("nothing to resume: all of it is done")


@app.command()
def failures(
    batch: Annotated[str | None, typer.Argument(help="A batch; else the newest jobs.")] = None,
    limit: LimitOption = 1000,
    json_: JsonOption = False,
) -> None:
    """Group what failed by cell and exception."""
    from workbench.jobs import group_failures, list_jobs, settle

    here = project()
    settle(here)
    groups = group_failures(_find(here, batch) if batch else list_jobs(here, limit))
    if json_:
        print_json(groups)
        return
    print_table(
        "Failures",
        ("jobs", "notebook", "cell", "failure", "for example", "one of them"),
        (
            (
                str(len(group.jobs)),
                group.notebook,
                "–" if group.cell is None else str(group.cell),
                group.exception,
                group.example,
                group.jobs[0],
            )
            for group in groups
        ),
        empty="no failures",
        whole=("one of them",),
    )


@app.command()
def html(
    job_id: Annotated[str, typer.Argument(metavar="ID")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where to; else beside the record.")
    ] = None,
    dark: Annotated[bool, typer.Option("--dark", help="Light on dark.")] = False,
) -> None:
    """Write a job's executed notebook as a page."""
    from workbench.jobs import get_job, write_html

    here = project()
    out.print(Text(str(write_html(here, get_job(here, job_id), output, dark=dark))), soft_wrap=True)


def _find(here: Project, name: str) -> list[Job]:
    """Return the jobs of a batch, or the one job, oldest first."""
    from workbench.jobs import get_job, list_jobs, settle

    settle(here)
    return list_jobs(here, batch=name)[::-1] or [get_job(here, name)]
