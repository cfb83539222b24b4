"""`workbench runs`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from workbench.cli.context import (
    JsonOption,
    LimitOption,
    group,
    out,
    print_json,
    print_table,
    project,
    state_text,
    when,
)

__all__ = ["app"]

app = group("Runs: what jobs and notebooks logged.")


@app.command("list")
def list_(
    filter_: Annotated[
        str | None, typer.Option("--filter", help="MLflow's filter: metrics.roc_auc > 0.7")
    ] = None,
    order_by: Annotated[
        str | None, typer.Option("--order-by", help="metrics.roc_auc desc, start_time, …")
    ] = None,
    limit: LimitOption = 50,
    json_: JsonOption = False,
) -> None:
    """List runs, newest first unless ordered otherwise."""
    from workbench.tracking import list_runs

    runs = list_runs(project(), filter_, order_by, limit)
    if json_:
        print_json(runs)
        return
    metrics = sorted({name for run in runs for name in run.metrics if "baseline" not in name})[:5]
    print_table(
        "Runs",
        ("run", "name", "status", "started", *metrics),
        (
            (
                run.run_id[:8],
                run.name,
                state_text(run.status),
                when(run.start_time),
                *(f"{run.metrics[m]:.4f}" if m in run.metrics else "–" for m in metrics),
            )
            for run in runs
        ),
        empty="no runs; a job's notebook logs one with workbench.tracking.current_run()",
    )


@app.command()
def show(run_id: Annotated[str, typer.Argument(metavar="RUN")], json_: JsonOption = False) -> None:
    """Show one run: its parameters, metrics and tags."""
    from workbench.tracking import get_run

    run = get_run(project(), run_id)
    if json_:
        print_json(run)
        return
    out.print(Text.assemble((run.name, "bold"), " ", state_text(run.status), f" {run.run_id}"))
    for part, values in (("params", run.params), ("metrics", run.metrics), ("tags", run.tags)):
        print_table(
            part, ("name", "value"), ((k, str(v)) for k, v in values.items()), empty=f"no {part}"
        )
