"""`workbench functions` and `workbench sql`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.syntax import Syntax
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
    when,
)

if TYPE_CHECKING:
    import polars as pl

    from workbench.functions import FunctionVersion, Registered
    from workbench.project import Project

__all__ = ["app", "sql"]

app = group("Functions: the project's own, versioned, in Python and by SQL.")

_EMPTY = "no functions: declare one with @workbench.function, then workbench functions register"
_SHOWN_ROWS = 20

NameArgument = Annotated[str, typer.Argument(metavar="NAME[@VERSION]", help="A function.")]


@app.command("list")
def list_(json_: JsonOption = False) -> None:
    """List the functions, each in its newest version."""
    from workbench.functions import list_functions

    found = list_functions(project())
    if json_:
        print_json(found)
        return
    rows = [
        (f.label, f.signature["text"], f.description, f.owner or f.created_by, ", ".join(f.tags))
        for f in found
    ]
    columns = ("function", "takes and gives", "description", "owner", "tags")
    print_table("Functions", columns, rows, empty=_EMPTY, whole=("function",))


@app.command()
def show(name: NameArgument, json_: JsonOption = False) -> None:
    """Show one function: what it says, its versions and its text."""
    from workbench.functions import history
    from workbench.functions.records import find_version

    here = project()
    found = find_version(here, name)
    versions = history(here, found.name)
    if json_:
        versions_ = [{"version": v.version, "created_at": v.created_at} for v in versions]
        print_json({**found.model_dump(mode="json"), "versions": versions_})
        return
    facts = {
        "function": found.label,
        "signature": found.signature["text"],
        "owner": found.owner,
        "tags": ", ".join(found.tags),
        "examples": str(found.examples),
        "written in": found.origin or "a notebook",
        "modules": ", ".join(found.modules),
        "digest": found.digest,
        "registered": f"{when(found.created_at)} by {found.created_by}",
        "versions": ", ".join(f"{v.version} ({when(v.created_at)})" for v in versions),
    }
    for key, value in facts.items():
        if value:
            out.print(Text.assemble((f"{key:12}", "dim"), value), soft_wrap=True)
    out.print(Text(f"\n{found.doc}\n"), soft_wrap=True)
    out.print(Syntax(found.source, "python", background_color="default"))


@app.command()
def register(
    file: Annotated[
        Path | None,
        typer.Argument(help="A .py file, or a notebook with tagged cells; all of functions/."),
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Register functions once their tests have passed; the same text is the same version."""
    from workbench.functions import register_file, register_notebook

    here = project()
    made: list[Registered] = []
    for path in [file.resolve()] if file else _files(here):
        by = register_notebook if path.suffix == ".ipynb" else register_file
        made += by(path, here)
    if json_:
        print_json(made)
        return
    for one in made:
        word = Text("registered", "green") if one.new else Text("unchanged", "dim")
        out.print(Text.assemble((f"{one.label} ", "bold"), word), soft_wrap=True)


def _files(here: Project) -> list[Path]:
    from workbench.errors import UsageError
    from workbench.functions.registering import FOLDER
    from workbench.functions.source import declared_in

    paths = sorted((here.root / FOLDER).glob("*.py"))
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in paths}
    found = [path for path, text in texts.items() if declared_in(text, here.relative(path))]
    if not found:
        raise UsageError(f"{FOLDER}/: no file there declares a function with @workbench.function")
    return found


@app.command("test")
def run_test(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME[@VERSION]]", help="A function; all if none.")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Run the tests of registered functions again; exit code 1 if one fails."""
    from workbench.functions import list_functions
    from workbench.functions.records import find_version

    here = project()
    found = [find_version(here, name)] if name else list_functions(here)
    results = [_tested(version) for version in found]
    if json_:
        print_json(results)
    for result in () if json_ else results:
        word = Text("passed", "green") if result["error"] is None else Text("failed", "red")
        line = (f"{result['function']} ", "bold"), word, f"  {result['examples']} examples"
        out.print(Text.assemble(*line), soft_wrap=True)
        if result["error"]:
            out.print(Text(f"  {result['error']}"), soft_wrap=True)
    if not found and not json_:
        out.print(Text(_EMPTY))
    if any(result["error"] is not None for result in results):
        raise typer.Exit(1)


def _tested(version: FunctionVersion) -> dict[str, Any]:
    from workbench.errors import WorkbenchError
    from workbench.functions import check
    from workbench.functions.registering import loaded

    error = None
    try:
        check(loaded(version))
    except WorkbenchError as failed:
        error = str(failed)
    return {"function": version.label, "examples": version.examples, "error": error}


@app.command()
def search(
    text: Annotated[
        str, typer.Argument(help="Words, or their beginnings; owner:, tag:, column:, used_by:.")
    ],
    limit: LimitOption = 20,
    json_: JsonOption = False,
) -> None:
    """Find functions by name, description, parameter, owner and tag."""
    from workbench.catalogue import search as find

    found = find(project(), text, "function", limit)
    if json_:
        print_json(found)
        return
    rows = [(e.address, e.description, e.owner, ", ".join(e.tags)) for e in found]
    columns = ("function", "description", "owner", "tags")
    print_table(f"Found for {text!r}", columns, rows, empty="nothing found", whole=("function",))


def sql(
    query: Annotated[
        str, typer.Argument(help="SELECT … FROM a source; predict('model@alias', *).")
    ],
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="NAME=VALUE for $NAME; as often.")
    ] = None,
    json_: JsonOption = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    file: Annotated[Path | None, typer.Option("--out", help="Write .parquet or .csv here.")] = None,
) -> None:
    """Ask the project in SQL: its sources are tables, its functions and models functions."""
    from workbench.errors import UsageError
    from workbench.serving.sql import sql as ask

    if json_ + csv + (file is not None) > 1:
        raise UsageError("choose one of --json, --csv and --out")
    if file is not None and file.suffix not in {".parquet", ".csv"}:
        raise UsageError(f"--out {file}: expected .parquet or .csv")
    answer = ask(query, project(), params=_params(param or ()))
    if file is not None:
        _write(answer, file)
        err.print(Text(f"wrote {answer.height:,} rows to {file}"), soft_wrap=True)
    elif json_:
        typer.echo(answer.write_json())
    elif csv:
        typer.echo(answer.write_csv(), nl=False)
    else:
        _print(answer)


def _params(given: Sequence[str]) -> dict[str, Any] | None:
    """Read `NAME=VALUE`, a value being JSON where it is, else a text."""
    from workbench.errors import UsageError

    found: dict[str, Any] = {}
    for text in given:
        name, sep, value = text.partition("=")
        if not sep or not name:
            raise UsageError(f"--param {text}: expected NAME=VALUE")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found or None


def _write(answer: pl.DataFrame, file: Path) -> None:
    from workbench.store import write_atomic

    with write_atomic(file) as beside:
        if file.suffix == ".csv":
            answer.write_csv(beside)
        else:
            answer.write_parquet(beside)


def _print(answer: pl.DataFrame) -> None:
    shown = answer.head(_SHOWN_ROWS)
    rows = [["" if value is None else str(value) for value in row] for row in shown.iter_rows()]
    print_table(f"{answer.height:,} rows", answer.columns, rows, empty="no rows")
    if answer.height > shown.height and shown.height:
        err.print(Text(f"and {answer.height - shown.height:,} more: --csv, --json or --out"))
