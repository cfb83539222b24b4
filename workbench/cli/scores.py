"""`workbench score`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from workbench.cli.context import JsonOption, group, out, print_json, print_table, project, when

__all__ = ["app"]

app = group("Batch scoring: windows that were scored, and scoring of any days.")


@app.command("list")
def list_(
    factory: Annotated[str | None, typer.Option(help="Only this factory's.")] = None,
    json_: JsonOption = False,
) -> None:
    """List scored windows: which version scored how many rows, and where they are."""
    from workbench.serving import list_predictions

    predictions = list_predictions(project(), factory)
    if json_:
        print_json(predictions)
        return
    print_table(
        "Scored windows",
        ("factory", "from", "to", "rows", "model", "version", "file"),
        (
            (
                p.factory,
                when(p.window_start),
                when(p.window_end),
                f"{p.rows:,}",
                p.model,
                p.version,
                p.path,
            )
            for p in predictions
        ),
        empty="nothing scored yet: workbench factory run NAME",
    )


@app.command()
def run(
    factory: Annotated[str, typer.Argument(help="The factory whose rows are scored.")],
    start: Annotated[str, typer.Option(help="First day, like 2013-07-01.")],
    end: Annotated[str, typer.Option(help="The day after the last.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="A new Parquet file.")],
    alias: Annotated[str, typer.Option(help="The version that has this alias.")] = "champion",
    json_: JsonOption = False,
) -> None:
    """Score a factory's rows of any days into a new file."""
    from workbench.factory import load
    from workbench.factory.watch import score_days

    result = score_days(load(factory, project()), start, end, output, alias)
    if json_:
        print_json(result)
        return
    out.print(
        Text(f"{result['rows']:,} rows scored by version {result['version']}: {result['path']}"),
        soft_wrap=True,
    )
