"""`workbench run` and `workbench params`: notebooks as jobs, one or many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from workbench.cli.context import (
    JsonOption,
    err,
    out,
    print_json,
    print_table,
    project,
    state_text,
    stoppable,
    when,
)
from workbench.cli.progress import Terminal
from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.jobs import Job
    from workbench.project import Project

__all__ = ["ClusterOption", "WorkersOption", "finish", "params", "run"]

_STOPPED = "what ran is cancelled; to go on: workbench jobs resume {}"

WorkersOption = Annotated[
    int | None, typer.Option("--workers", min=1, help="Jobs at a time; else the project's setting.")
]
ClusterOption = Annotated[
    str | None,
    typer.Option("--cluster", help="A Dask scheduler, like tcp://host:8786; or `local`."),
]


def run(
    notebook: Annotated[str, typer.Argument(help="The notebook, from the project's root.")],
    param: Annotated[
        list[str] | None, typer.Option("-p", "--param", help="NAME=VALUE, may be repeated.")
    ] = None,
    grid: Annotated[
        list[str] | None,
        typer.Option("--grid", help="NAME=A,B,C or NAME=1..12: a job for each combination."),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option("--params", help="A .parquet, .csv, .yaml or .json file: a job for each row."),
    ] = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    cache: Annotated[
        bool, typer.Option(help="Give the record of an earlier job that did the same.")
    ] = True,
    label: Annotated[str, typer.Option(help="What the job is for.")] = "",
    timeout: Annotated[
        float | None, typer.Option(min=0.001, help="Seconds for the whole job.")
    ] = None,
    cell_timeout: Annotated[
        float | None, typer.Option(min=0.001, help="Seconds for each cell.")
    ] = None,
    memory_mb: Annotated[
        float | None, typer.Option(min=1, max=1e8, help="Memory of its kernel.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of numeric libraries.")
    ] = None,
    retries: Annotated[
        int | None, typer.Option(min=0, help="Try again so often, also after an error in a cell.")
    ] = None,
    priority: Annotated[
        int, typer.Option(min=-1000, max=1000, help="Higher ones are started first.")
    ] = 0,
    env: Annotated[
        list[str] | None, typer.Option("--env", help="NAME=VALUE for the job alone.")
    ] = None,
    data: Annotated[
        list[str] | None, typer.Option("--data", help="A named source it reads, for the cache.")
    ] = None,
    track: Annotated[bool, typer.Option(help="Give the job an MLflow run.")] = True,
    json_: JsonOption = False,
) -> None:
    """Run a notebook as a job, or as many jobs."""
    from workbench.jobs import FAILURE_KINDS, JobRequest, Limits, Retries, new_id, run_jobs

    here = project()
    notebook = _from_root(here, notebook)
    batch = new_id()
    limits = Limits(
        wall_seconds=timeout, cell_seconds=cell_timeout, memory_mb=memory_mb, threads=threads
    )
    kinds = frozenset(FAILURE_KINDS) - {"cancelled", "notebook"}
    again = Retries() if retries is None else Retries(attempts=retries + 1, kinds=kinds)
    requests = [
        JobRequest(
            notebook,
            values,
            label=label,
            track=track,
            limits=limits,
            retries=again,
            priority=priority,
            environment=_pairs(env or [], "--env"),
            cache=cache,
            data=tuple(data or []),
        )
        for values in _parameters(here, notebook, param or [], grid or [], table)
    ]
    with stoppable(_STOPPED.format(batch)), Terminal(err).stage(notebook, len(requests)) as stage:
        jobs = run_jobs(
            here,
            requests,
            workers=workers,
            cluster=cluster,
            batch=batch,
            on_progress=stage.job,
            on_end=lambda _, job: stage.done(job.state),
        )
    finish(jobs, json_=json_, one=not (grid or table))


def _parameters(
    here: Project, notebook: str, param: list[str], grid: list[str], table: Path | None
) -> list[dict[str, Any]]:
    """Return the parameters of each job: those given for all, and a row of the grid or table."""
    from workbench.jobs import load_notebook, parse_parameters, read_parameters
    from workbench.jobs.parameters import read_grid, read_table

    if grid and table:
        raise UsageError("--grid and --params both say which jobs to run: give one of them")
    contract = read_parameters(load_notebook(here.inside(notebook)), notebook)
    shared = parse_parameters(contract, param, notebook)
    _given_once([text.partition("=")[0] for text in (*param, *grid)])
    rows: list[dict[str, Any]] = [{}]
    if grid:
        rows = read_grid(contract, grid, notebook, shared)
    elif table:
        rows = read_table(contract, table, notebook, shared)
        if not rows:
            raise UsageError(f"{table}: no rows, so no jobs")
    return [{**shared, **row} for row in rows]


def _from_root(here: Project, notebook: str) -> str:
    """Take a notebook's path from the project's root, or else from the working directory."""
    found = (Path.cwd() / notebook).resolve()
    if not (here.root / notebook).exists() and found.exists() and here.root in found.parents:
        return here.relative(found)
    return notebook


def _given_once(names: Sequence[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise UsageError(f"{name}: given {count} times, by -p or --grid; expected once")


def _pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for name, equals, _ in pairs:
        if not (equals and name):
            raise UsageError(f"{option} {name!r}: expected NAME=VALUE")
    return {name: value for name, _, value in pairs}


def finish(jobs: Sequence[Job], *, json_: bool, one: bool) -> None:
    """Print how jobs ended; leave with exit code 1 unless all succeeded."""
    if json_:
        print_json(jobs[0] if one else list(jobs))
    elif one:
        _print_job(jobs[0])
    else:
        _print_batch(jobs)
    if one:
        _print_error(jobs[0])
    if any(job.state != "succeeded" for job in jobs):
        raise typer.Exit(1)


def _print_job(job: Job) -> None:
    cached = f" (cached: it did the same at {when(job.finished_at)})" if job.cached else ""
    out.print(Text.assemble("job ", job.id, " ", state_text(job.state), cached), soft_wrap=True)
    out.print(Text(f"record {job.output}"), soft_wrap=True)


def _print_error(job: Job) -> None:
    if job.state != "succeeded":
        where = f" in cell {job.error_cell}" if job.error_cell is not None else ""
        err.print(Text(f"error: {job.error}{where}", style="red"), soft_wrap=True)


def _print_batch(jobs: Sequence[Job]) -> None:
    cached = sum(job.cached for job in jobs)
    counts = Counter(job.state for job in jobs)
    told = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    out.print(Text(f"{len(jobs)} jobs: {told}" + (f" ({cached} cached)" if cached else "")))
    batch = next((job.batch for job in jobs if not job.cached), None)
    if batch:
        out.print(Text(f"batch {batch}"), soft_wrap=True)
    if batch and counts["succeeded"] < len(jobs):
        line = f"why: workbench jobs failures {batch}; again: workbench jobs resume {batch}"
        err.print(Text(line), soft_wrap=True)


def params(
    notebook: Annotated[str, typer.Argument(help="The notebook, from the project's root.")],
    json_: JsonOption = False,
) -> None:
    """Show the parameters that a notebook takes."""
    from workbench.jobs import load_notebook, read_parameters

    contract = read_parameters(load_notebook(project().inside(notebook)), notebook)
    if json_:
        print_json(contract)
        return
    print_table(
        f"Parameters of {notebook}",
        ("name", "type", "default", "description"),
        ((p.name, p.type, p.shown_default, p.description) for p in contract),
        empty="it takes none: tag a cell of assignments as `parameters`",
    )
