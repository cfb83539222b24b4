"""`workbench pipeline`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.text import Text

from workbench.cli.context import (
    JsonOption,
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

if TYPE_CHECKING:
    from workbench.jobs.pipelines import PipelineRun, StepRecord

__all__ = ["app"]

app = group("Pipelines: notebooks that hand their outputs on.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="As in pipelines/NAME.toml.")]
Param = Annotated[
    list[str] | None, typer.Option("-p", "--param", help="NAME=VALUE, may be repeated.")
]

_STYLES = {"cached": "green", "skipped": "yellow", "cancelled": "yellow", "waiting": "dim"}


@app.command("list")
def list_(json_: JsonOption = False) -> None:
    """List pipelines and how each went last."""
    from workbench.jobs.pipelines import list_pipeline_runs, list_pipelines

    here = project()
    names = list_pipelines(here)
    runs: dict[str, PipelineRun] = {}
    for run in list_pipeline_runs(here):
        runs.setdefault(run.pipeline, run)
    if json_:
        print_json([{"name": name, "last_run": runs.get(name)} for name in names])
        return
    print_table(
        "Pipelines",
        ("name", "last run", "state", "started"),
        (
            (name, last.id, state_text(last.state), when(last.created_at))
            if (last := runs.get(name))
            else (name, "–", state_text(None), "–")
            for name in names
        ),
        whole=("last run",),
        empty="no pipelines yet: write pipelines/NAME.toml",
    )


@app.command()
def show(
    name: Name,
    param: Param = None,
    svg_file: Annotated[Path | None, typer.Option("--svg", help="Draw it into a file.")] = None,
    json_: JsonOption = False,
) -> None:
    """Draw a pipeline, with the states of its last run."""
    from workbench.jobs.pipelines import (
        list_pipeline_runs,
        load_pipeline,
        parsed,
        plan_pipeline,
        svg,
        text,
    )
    from workbench.store import write_atomic

    here = project()
    given = parsed(load_pipeline(here, name).parameters, param or [], name)
    plan = plan_pipeline(here, name, given)
    run = next(iter(list_pipeline_runs(here, name, 1)), None)
    states = run.states if run else {}
    if svg_file is not None:
        with write_atomic(svg_file) as beside:
            beside.write_text(svg(plan, states), encoding="utf-8")
    if json_:
        print_json({"plan": plan.shown(), "last_run": run})
        return
    out.print(Text(plan.description, style="bold"), soft_wrap=True)
    out.print(_coloured(text(plan, states, width=out.width)), soft_wrap=True)
    if run is not None:
        out.print(Text.assemble("run ", run.id, " ", state_text(run.state)))
        _print_errors(run)


@app.command()
def run(
    name: Name,
    param: Param = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Jobs at the same time.")] = None,
    cluster: Annotated[
        str | None, typer.Option(help="A Dask scheduler's address, or `local`.")
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Do again what an earlier job did the same.")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Run a pipeline; again after a fix, it goes on from what failed."""
    from workbench.cli.progress import Terminal
    from workbench.jobs.pipelines import load_pipeline, parsed, run_pipeline

    here = project()
    spec = load_pipeline(here, name)
    given = parsed(spec.parameters, param or [], name)
    again = f"to go on: workbench pipeline run {name}"
    with stoppable(again), Terminal(err).stage(name, len(spec.steps)) as stage:

        def ended(step: str, record: StepRecord) -> None:
            if record.state != "running":
                stage.done(f"{step} {record.state}")

        done = run_pipeline(
            here,
            name,
            given,
            workers=workers,
            cluster=cluster,
            cache=not no_cache,
            on_progress=stage.job,
            on_step=ended,
        )
    if json_:
        print_json(done)
    else:
        out.print(Text.assemble("run ", done.id, " ", state_text(done.state)))
    if done.state != "succeeded":
        _print_errors(done)
        err.print(Text(again), soft_wrap=True)
        raise typer.Exit(1)


@app.command()
def export(
    name: Name,
    to: Annotated[Literal["airflow", "github-actions"], typer.Option(help="For what.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; else standard output.")
    ] = None,
    param: Param = None,
) -> None:
    """Write a pipeline for another tool."""
    from workbench.jobs.pipelines import EXPORTS, load_pipeline, parsed, plan_pipeline
    from workbench.store import write_atomic

    here = project()
    given = parsed(load_pipeline(here, name).parameters, param or [], name)
    written = EXPORTS[to](here, plan_pipeline(here, name, given))
    if output is None:
        typer.echo(written, nl=False)
        return
    with write_atomic(output) as beside:
        beside.write_text(written, encoding="utf-8")
    out.print(Text(f"written: {output}"), soft_wrap=True)


@app.command("output")
def output_(
    folder: Annotated[Path, typer.Argument(help="A folder of outputs: jobs/ID/outputs.")],
    name: Annotated[str, typer.Argument(help="The output's name.")],
    path: Annotated[bool, typer.Option("--path", help="Its file, also of a JSON value.")] = False,
) -> None:
    """Print what a parameter is handed: a JSON value, of all else the file."""
    from workbench.errors import NotFoundError
    from workbench.jobs.outputs import read_outputs

    outputs = read_outputs(folder)
    if name not in outputs:
        raise NotFoundError.named("output", name, outputs, f" in {folder}")
    value = outputs[name].handed_on(as_path=path)
    typer.echo(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _coloured(drawn: str) -> Text:
    lines = Text(drawn)
    for found in re.finditer(r"· (\w+)", drawn):
        state = found[1]
        style = _STYLES.get(state) or str(state_text(state).style)
        lines.stylize(style, *found.span(1))
    return lines


def _print_errors(run: PipelineRun) -> None:
    for name, step in run.steps.items():
        if step.error:
            err.print(Text(f"{name} {step.state}: {step.error}", style="red"), soft_wrap=True)
