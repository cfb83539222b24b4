"""`workbench models explain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from workbench.cli.context import JsonOption, out, print_json, print_table, project

if TYPE_CHECKING:
    import polars as pl

    from workbench.explanation import Explanation
    from workbench.project import Project

__all__ = ["explain"]


def explain(
    name: Annotated[
        str, typer.Argument(metavar="NAME[@ALIAS|/VERSION]", help="A registered model's version.")
    ],
    rows: Annotated[
        Path | None, typer.Option("--rows", metavar="FILE", help="A Parquet file of rows.")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--source", metavar="NAME", help="A source of the project's.")
    ] = None,
    row: Annotated[
        int | None, typer.Option("--row", min=0, help="Tell how this row came to its prediction.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Explain a sample of so many at the most.")
    ] = 1000,
    folder: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write values and pictures here.")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Say what each column adds to what a model says; of its last scored window, unless told."""
    from workbench.explanation import explain as ask
    from workbench.explanation.storing import describe

    here = project()
    found, text = _rows(here, name, rows, source)
    explained = ask(name, found, rows=limit if row is None else [row], project=here)
    written = [] if folder is None else _write(explained, folder)
    if json_:
        print_json({**describe(explained), "of": text, "files": [str(path) for path in written]})
        return
    _print(explained, text, row)
    for path in written:
        out.print(Text(str(path)), soft_wrap=True)


def _rows(
    here: Project, name: str, path: Path | None, source: str | None
) -> tuple[pl.DataFrame, str]:
    """Read the rows to explain, and say which they are."""
    import polars as pl

    from workbench.data import read
    from workbench.errors import DataError, NotFoundError, UsageError

    if path is not None and source is not None:
        raise UsageError("give --rows or --source, not both")
    if source is not None:
        return read(source, here), f"source {source}"
    if path is None:
        return _scored(here, name)
    if not path.is_file():
        raise NotFoundError(f"{path}: no such file")
    try:
        return pl.read_parquet(path, glob=False), str(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path}: can't be read as Parquet: {error}") from error


def _scored(here: Project, name: str) -> tuple[pl.DataFrame, str]:
    """Take the rows of the last window that the model scored, whichever version did."""
    from workbench.errors import UsageError
    from workbench.explanation.naming import find_version
    from workbench.serving import list_predictions, read_predictions

    version = find_version(here, name)
    windows = [p for p in list_predictions(here) if p.model == version.name]
    if not windows:
        raise UsageError(
            f"{version.text} has scored nothing yet: give --rows FILE or --source NAME"
        )
    last = max(windows, key=lambda window: window.window_start)
    return read_predictions(here, last), last.path


def _write(explained: Explanation, folder: Path) -> list[Path]:
    from workbench.explanation.storing import write_explanation

    folder.mkdir(parents=True, exist_ok=True)
    return write_explanation(explained, folder)


def _print(explained: Explanation, text: str, row: int | None) -> None:
    if row is None:
        columns: tuple[str, ...] = ("column", f"mean |value|, {explained.units}")
        cells: Any = ((name, f"{value:.4g}") for name, value in explained.importance.items())
    else:
        columns = ("column", "its value", *(f"added, {label}" for label in explained.labels))
        cells = _local(explained)
    print_table(f"{explained.model}: {explained.subject}", columns, cells, empty="no columns")
    how = f"{explained.flavor}: {explained.method}"
    beside = f", compared with {explained.background.told}" if explained.background else ""
    error = f", standard error {explained.error:.2g}" if explained.error is not None else ""
    of = f"row {row}" if row is not None else (explained.sampled or f"{explained.rows:,} rows")
    out.print(Text(f"{of} of {text}; {how}{beside}{error}", style="dim"), soft_wrap=True)
    for label, base in explained.base_values.items():
        said = f", said {explained.outputs[label][0]:.4g}" if row is not None else ""
        out.print(Text(f"{label}: base value {base:.4g}{said}", style="dim"))


def _local(explained: Explanation) -> list[list[str]]:
    rows = []
    for name in explained.importance:
        place = explained.columns.index(name)
        value = explained.data[name][0]
        shown = "missing" if value is None else str(value)
        added = [
            f"{explained.array[output, 0, place]:+.4g}" for output in range(len(explained.base))
        ]
        rows.append([name, shown, *added])
    return rows
