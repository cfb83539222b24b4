"""`workbench runs`."""

from __future__ import annotations

from collections.abc import Sequence
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
    print_diff,
    print_json,
    print_table,
    project,
    short_digests,
    shown_metrics,
    state_text,
    when,
)

if TYPE_CHECKING:
    from workbench.tracking import Comparison, Row

__all__ = ["app"]

app = group("Runs: what jobs and notebooks logged.")

RunId = Annotated[str, typer.Argument(metavar="RUN", help="Its id; the first characters will do.")]
FilterOption = Annotated[
    str | None, typer.Option("--filter", help="MLflow's filter: metrics.roc_auc > 0.7")
]
OrderOption = Annotated[
    str | None, typer.Option("--order-by", help="metrics.roc_auc desc, start_time, …")
]


@app.command("list")
def list_(
    filter_: FilterOption = None,
    order_by: OrderOption = None,
    limit: LimitOption = 50,
    deleted: Annotated[bool, typer.Option("--deleted", help="Those in the bin.")] = False,
    json_: JsonOption = False,
) -> None:
    """List runs, newest first unless ordered otherwise."""
    from workbench.tracking import list_runs

    runs = list_runs(
        project(), filter_, order_by, limit, lifecycle="deleted" if deleted else "active"
    )
    if json_:
        print_json(runs)
        return
    metrics = shown_metrics(runs)
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
        whole=("run",),
        empty="no runs; a job's notebook has one by itself, another after %load_ext workbench",
    )


@app.command()
def show(run_id: RunId, json_: JsonOption = False) -> None:
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


@app.command()
def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN RUN…")],
    everything: Annotated[bool, typer.Option("--all", help="Also what they agree on.")] = False,
    json_: JsonOption = False,
) -> None:
    """Show how runs differ: parameters, metrics, data, features, packages, cells."""
    from workbench.tracking import compare_runs

    comparison = compare_runs(project(), runs)
    if json_:
        print_json(comparison)
        return
    ids = [run.run_id[:8] for run in comparison.runs]
    for part in ("params", "metrics", "datasets", "features"):
        _print_rows(part, ids, getattr(comparison, part), everything=everything)
    _print_packages(comparison, everything=everything)
    _print_cells(comparison)


def _print_rows(part: str, ids: Sequence[str], rows: Sequence[Row], *, everything: bool) -> None:
    wanted = [row for row in rows if everything or row.differs]
    print_table(
        part,
        ("name", *ids),
        ((row.name, *(_cell(part, value) for value in row.values)) for row in wanted),
        empty=f"{part}: the same" if rows else f"{part}: none",
    )


def _print_packages(comparison: Comparison, *, everything: bool) -> None:
    """Print the packages of the runs that have them recorded, and which runs do not."""
    ids = [run.run_id for run in comparison.runs]
    known = [place for place, id_ in enumerate(ids) if id_ not in comparison.without_packages]
    rows = [
        row.model_copy(update={"values": [row.values[place] for place in known]})
        for row in comparison.packages
    ]
    if len(known) > 1 or (known and everything):
        _print_rows("packages", [ids[place][:8] for place in known], rows, everything=everything)
    for run_id in comparison.without_packages:
        out.print(Text(f"packages: {run_id[:8]} has none recorded"))


def _cell(part: str, value: float | str | None) -> str:
    if part == "datasets":
        return short_digests(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return "–" if value is None else value


def _print_cells(comparison: Comparison) -> None:
    first, *others = [run.run_id[:8] for run in comparison.runs]
    for other, diff in zip(others, comparison.cells, strict=True):
        print_diff(f"cells: {first} → {other}", diff)


@app.command()
def tag(
    run_id: RunId,
    tags: Annotated[list[str], typer.Argument(metavar="KEY=VALUE…", help="KEY= removes one.")],
) -> None:
    """Set tags of a run, or remove them."""
    from workbench.errors import UsageError
    from workbench.tracking import get_run, tag_run

    pairs = [text.partition("=") for text in tags]
    for key, equals, _ in pairs:
        if not (key and equals):
            raise UsageError(f"{key or '='}: expected KEY=VALUE")
    here = project()
    run = get_run(here, run_id)
    for key, _, value in pairs:
        tag_run(here, run.run_id, key, value or None)


@app.command()
def delete(run_id: RunId) -> None:
    """Put a run into the bin; `restore` takes it out again."""
    from workbench.tracking import delete_run, get_run

    here = project()
    run = get_run(here, run_id)
    delete_run(here, run.run_id)
    out.print(Text(f"deleted; to undo: workbench runs restore {run.run_id}"), soft_wrap=True)


@app.command()
def restore(run_id: RunId) -> None:
    """Take a run out of the bin."""
    from workbench.errors import NotFoundError
    from workbench.experiments.checkout import find_snapshot
    from workbench.tracking import get_run, restore_run

    here = project()
    run = get_run(here, run_id)
    restore_run(here, run.run_id)
    out.print(Text(f"restored {run.name}: run {run.run_id}"), soft_wrap=True)
    try:
        find_snapshot(here, run)
    except NotFoundError as error:
        err.print(Text(str(error)), soft_wrap=True)


@app.command()
def checkout(
    run_id: RunId,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or an empty folder.")],
    json_: JsonOption = False,
) -> None:
    """Bring a run's code into a folder: commit, work that wasn't committed, cells as executed."""
    from workbench.experiments import checkout_run

    found = checkout_run(project(), run_id, folder)
    if json_:
        print_json(found)
        return
    out.print(Text(f"the code of run {found.run_id} is in {folder}"), soft_wrap=True)
    if found.left_out:
        err.print(Text(f"not in it (too large): {', '.join(found.left_out)}"), soft_wrap=True)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where to: .parquet, .csv or .jsonl.")],
    filter_: FilterOption = None,
    order_by: OrderOption = None,
) -> None:
    """Write all runs to a table, one row each."""
    from workbench.tracking import export_runs

    rows = export_runs(project(), file, filter_, order_by)
    out.print(Text(f"{rows} runs in {file}"), soft_wrap=True)


@app.command()
def sync(json_: JsonOption = False) -> None:
    """Send what still waits in the local spool, and close runs whose process is gone."""
    from workbench.tracking import deliver, settle_runs

    here = project()
    delivery, interrupted = deliver(here), settle_runs(here)
    if json_:
        print_json({**delivery.model_dump(mode="json"), "interrupted": interrupted})
        return
    out.print(f"sent {delivery.sent}, waiting {delivery.waiting}, refused {len(delivery.refused)}")
    for entry in delivery.refused:
        err.print(Text(f"refused: {entry}", style="yellow"), soft_wrap=True)
    for run_id in interrupted:
        out.print(Text(f"run {run_id} was interrupted"))
    if delivery.waiting:
        raise typer.Exit(1)
