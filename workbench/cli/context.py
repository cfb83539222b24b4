"""What every command shares: the project it is about, and how it speaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import BaseModel
from pydantic_core import to_json, to_jsonable_python
from rich.console import Console
from rich.table import Table
from rich.text import Text

from workbench.project import Project

if TYPE_CHECKING:
    from workbench.git.notebooks import NotebookDiff
    from workbench.tracking import RunRecord

__all__ = [
    "JsonOption",
    "LimitOption",
    "err",
    "folder",
    "group",
    "out",
    "print_diff",
    "print_json",
    "print_table",
    "project",
    "short_digests",
    "shown_metrics",
    "state_text",
    "stoppable",
    "use_folder",
    "when",
]

out = Console()
err = Console(stderr=True)

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, help="How many at the most.")]

_folder: Path | None = None

_COLOURS = {
    "succeeded": "green",
    "passed": "green",
    "ok": "green",
    "promoted": "green",
    "FINISHED": "green",
    "running": "cyan",
    "RUNNING": "cyan",
    "queued": "cyan",
    "warning": "yellow",
    "kept": "yellow",
    "failed": "red",
    "FAILED": "red",
    "lost": "red",
    "alert": "red",
    "open": "red",
}


def group(help_text: str) -> typer.Typer:
    """Make a noun, whose verbs are its commands."""
    return typer.Typer(help=help_text, no_args_is_help=True, pretty_exceptions_enable=False)


@contextmanager
def stoppable(what_now: str) -> Iterator[None]:
    """Turn Ctrl-C, or a polite kill, into a word and exit code 1."""
    try:
        yield
    except KeyboardInterrupt:
        err.print(f"stopped; {what_now}")
        raise typer.Exit(1) from None


def use_folder(folder: Path | None) -> None:
    """Set the folder whose project the command is about."""
    global _folder
    _folder = folder


def folder() -> Path | None:
    """Return the folder whose project the command is about; None for the working directory."""
    return _folder


def project() -> Project:
    """Open the project that the command is about."""
    return Project.find(_folder)


def print_json(content: BaseModel | Sequence[BaseModel] | dict[str, Any] | list[Any]) -> None:
    """Print one JSON document on standard output.

    JSON has no NaN: a metric that is one is the text "NaN", as the server sends it.
    """
    plain = to_jsonable_python(content)
    typer.echo(to_json(plain, indent=2, inf_nan_mode="strings").decode())


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str | Text]],
    *,
    empty: str,
    whole: Collection[str] = (),
) -> None:
    """Print rows as a table, or what to do where there are none.

    The columns in `whole` stay in one piece where the others wrap: ids, that one copies.
    """
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in whole)
    for row in rows:
        # Text, never markup: a name in square brackets is a name, not a style.
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    if table.row_count:
        out.print(table)
    else:
        out.print(Text(empty))


def print_diff(title: str, diff: NotebookDiff | None) -> None:
    """Print how two notebooks' cells differ."""
    if diff is None:
        out.print(Text(f"{title}: only one side has it"), soft_wrap=True)
    elif not diff.cells:
        out.print(Text(f"{title}: the same"), soft_wrap=True)
    else:
        out.print(Text(title, style="bold"), soft_wrap=True)
    for cell in diff.cells if diff is not None else ():
        index = cell.base_index if cell.other_index is None else cell.other_index
        place = "" if index is None else f" {index + 1}"
        out.print(Text(f"  {cell.kind} {cell.cell_type} cell{place}", style="dim"))
        for line in cell.diff.splitlines():
            style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
            out.print(Text(f"    {line}", style=style), soft_wrap=True)


def shown_metrics(runs: Sequence[RunRecord]) -> list[str]:
    """Choose the few metrics that a table has room for: those that most runs were judged by."""
    found = Counter(name for run in runs for name in run.metrics)
    own = ("cost_", "training_", "base_rate", "baseline")
    names = sorted(found, key=lambda name: (-found[name], name))
    return [name for name in names if not name.startswith(own)][:4]


def short_digests(value: object) -> str:
    """Shorten each of the digests in a cell."""
    return ", ".join(digest[:12] for digest in str(value or "–").split(", "))


def state_text(state: str | None) -> Text:
    """Colour a state."""
    return Text(state or "–", style=_COLOURS.get(state or "", ""))


def when(moment: datetime | None) -> str:
    """Write a time as the user's clock shows it."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}" if moment else "–"
