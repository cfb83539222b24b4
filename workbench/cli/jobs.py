"""`workbench run` and `workbench jobs`."""

from __future__ import annotations

from typing import Annotated

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

__all__ = ["app", "run"]

app = group("Notebook jobs: what ran, how it ended, where its record is.")


def run(
    notebook: Annotated[str, typer.Argument(help="The notebook, from the project's root.")],
    param: Annotated[
        list[str] | None, typer.Option("-p", "--param", help="NAME=VALUE, may be repeated.")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Run a notebook as a job."""
    from workbench.cli.progress import Terminal
    from workbench.jobs import (
        JobRequest,
        load_notebook,
        parse_parameters,
        read_parameters,
        run_jobs,
    )

    here = project()
    contract = read_parameters(load_notebook(here.inside(notebook)), notebook)
    parameters = parse_parameters(contract, param or [], notebook)
    with stoppable("the job is cancelled"), Terminal(err).stage(notebook, 1) as stage:
        [job] = run_jobs(here, [JobRequest(notebook, parameters)], on_progress=stage.job)
        stage.done(job.state)
    if json_:
        print_json(job)
    else:
        out.print(Text.assemble("job ", job.id, " ", state_text(job.state)))
        out.print(Text(f"record {job.output}"), soft_wrap=True)
    if job.state != "succeeded":
        where = f" in cell {job.error_cell}" if job.error_cell is not None else ""
        err.print(Text(f"error: {job.error}{where}", style="red"), soft_wrap=True)
        raise typer.Exit(1)


@app.command("list")
def list_(limit: LimitOption = 50, json_: JsonOption = False) -> None:
    """List jobs, newest first."""
    from workbench.jobs import list_jobs, settle

    here = project()
    settle(here)
    jobs = list_jobs(here, limit)
    if json_:
        print_json(jobs)
        return
    print_table(
        "Jobs",
        ("id", "notebook", "for", "state", "started", "took"),
        (
            (j.id, j.notebook, j.label, state_text(j.state), when(j.started_at), j.took)
            for j in jobs
        ),
        empty="no jobs yet: workbench run NOTEBOOK",
    )


@app.command()
def show(job_id: Annotated[str, typer.Argument(metavar="ID")], json_: JsonOption = False) -> None:
    """Show one job; the beginning of its id is enough."""
    from workbench.jobs import get_job, settle

    here = project()
    settle(here)
    job = get_job(here, job_id)
    if json_:
        print_json(job)
        return
    for name, value in job.model_dump(mode="json").items():
        out.print(Text.assemble((f"{name:12}", "dim"), str(value)), soft_wrap=True)
