"""`workbench lineage`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from workbench.cli.context import JsonOption, err, group, out, print_json, project

__all__ = ["app"]

app = group("Lineage: what things came from, and what came of them.")


@app.command()
def show(
    node: Annotated[
        str,
        typer.Argument(
            metavar="NODE",
            help="A node's name or its beginning, model:NAME@ALIAS, a run's or a job's id, a "
            "notebook's path, or prediction:FACTORY/KEY.",
        ),
    ],
    up: Annotated[bool, typer.Option("--up", help="Only what it came from.")] = False,
    down: Annotated[bool, typer.Option("--down", help="Only what came of it.")] = False,
    depth: Annotated[
        int | None, typer.Option("--depth", min=0, help="How many edges away at the most.")
    ] = None,
    columns: Annotated[
        bool, typer.Option("--columns", help="Follow columns and features too.")
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="How many edges at the most, up and down.")
    ] = 2000,
    json_: JsonOption = False,
    svg: Annotated[Path | None, typer.Option("--svg", help="Draw it into this file.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Make a page in this file.")] = None,
) -> None:
    """Show the chain around a node."""
    from workbench.lineage import show as look
    from workbench.lineage.drawing.tree import trees

    found = look(
        node,
        up=up or not down,
        down=down or not up,
        depth=depth,
        columns=True if columns else None,
        limit=limit,
        project=project(),
    )
    for path, draw in ((svg, found.svg), (html, found.html)):
        if path is not None:
            _write(path, draw())
    if json_:
        print_json(found)
    elif svg is None and html is None:
        for part in trees(found):
            out.print(part, soft_wrap=isinstance(part, Text))


@app.command()
def send(json_: JsonOption = False) -> None:
    """Send the OpenLineage events that wait for a server that was away."""
    from workbench.errors import UsageError
    from workbench.lineage import openlineage

    here = project()
    if not here.settings.lineage.openlineage_url:
        raise UsageError("lineage.openlineage_url isn't set in workbench.toml: nothing is told")
    done = openlineage.deliver(here)
    if json_:
        print_json(done)
    else:
        out.print(Text(f"{done.sent} sent, {done.refused} refused, {done.waiting} waiting"))
    if done.waiting:
        err.print(Text(f"not sent: {done.reason}"))
        raise typer.Exit(1)


def _write(path: Path, content: str) -> None:
    from workbench.store import write_atomic

    with write_atomic(path) as beside:
        beside.write_text(content, encoding="utf-8")
    err.print(Text(f"written to {path}"), soft_wrap=True)
