"""`workbench data`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.syntax import Syntax
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
    when,
)

if TYPE_CHECKING:
    from workbench.data import Check, ColumnReport, DataDiff
    from workbench.project import Project

__all__ = ["app"]

app = group("Data: sources, what was read of them, and their contracts.")

_EMPTY = "no sources: declare one in workbench.toml under [sources.NAME]"
_NO_CONTRACT = "no contracts: workbench data contract NAME --infer writes a first one"
_SHOWN_ROWS = 5

SourceArgument = Annotated[str, typer.Argument(metavar="NAME", help="A source.")]
AnyArgument = Annotated[
    str, typer.Argument(help="A source, a file, NAME@DIGEST, or a digest; shortened as you like.")
]


@app.command("list")
def list_(
    every: Annotated[
        bool, typer.Option("--all", help="Every dataset that was ever read, newest first.")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """List the sources, with what was last read of each."""
    from workbench.data import list_datasets

    here = project()
    datasets = list_datasets(here)
    if every and json_:
        print_json(datasets)
        return
    if every:
        rows = [(d.label, f"{d.rows:,}", str(len(d.columns)), when(d.read_at)) for d in datasets]
        print_table(
            "Datasets",
            ("dataset", "rows", "columns", "last read"),
            rows,
            empty="nothing was read yet",
            whole=("dataset",),
        )
        return
    sources = _sources(here)
    if json_:
        print_json(sources)
        return
    columns = ("source", "address", "description", "rows", "digest", "contract")
    print_table("Sources", columns, (_source_row(source) for source in sources), empty=_EMPTY)


def _sources(here: Project) -> list[dict[str, Any]]:
    from workbench.data import last_checks, list_datasets
    from workbench.data.contracts import has_contract

    read = [found for found in list_datasets(here) if found.recipe.kind in ("source", "unknown")]
    newest = {dataset.name: dataset for dataset in reversed(read)}
    checked = {check.source: check for check in reversed(last_checks(here))}
    found = []
    for name, source in sorted(here.settings.sources.items()):
        dataset = newest.get(name)
        outcome = checked[name].outcome if name in checked else "not checked"
        found.append(
            {
                "name": name,
                "address": source.address,
                "description": source.description,
                "rows": dataset.rows if dataset else None,
                "digest": dataset.digest if dataset else None,
                "read_at": dataset.read_at if dataset else None,
                "contract": outcome if has_contract(here, name) else None,
            }
        )
    return found


def _source_row(source: dict[str, Any]) -> tuple[str | Text, ...]:
    return (
        source["name"],
        source["address"],
        source["description"],
        "–" if source["rows"] is None else f"{source['rows']:,}",
        (source["digest"] or "–")[:12],
        state_text(source["contract"]),
    )


@app.command()
def show(
    dataset: Annotated[str, typer.Argument(metavar="NAME[@DIGEST]", help="A dataset.")],
    json_: JsonOption = False,
) -> None:
    """Show one dataset: its columns, its recipe and what its contract found."""
    from workbench.data import find_dataset, last_checks

    here = project()
    found = find_dataset(here, dataset)
    checks = [check for check in last_checks(here) if check.digest == found.digest]
    if json_:
        print_json({**found.model_dump(mode="json"), "checks": checks})
        return
    facts = {
        "dataset": found.label,
        "address": found.address,
        "rows": f"{found.rows:,}",
        "digest": found.digest,
        "recipe": found.recipe.told(),
        "last read": when(found.read_at),
        **{f"contract {check.source}": check.outcome for check in checks},
    }
    for key, value in facts.items():
        out.print(Text.assemble((f"{key:17}", "dim"), value), soft_wrap=True)
    print_table("Columns", ("column", "type"), found.columns.items(), empty="no columns")


@app.command()
def check(
    name: Annotated[
        str | None, typer.Argument(help="A source; all with a contract if none.")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Read sources and check them by their contracts; exit code 1 if a rule is broken."""
    from workbench.data import check as ask
    from workbench.data import read
    from workbench.data.contracts import has_contract

    here = project()
    if name is not None:
        names = [name]
    else:
        names = [known for known in sorted(here.settings.sources) if has_contract(here, known)]
    found = [ask(source, read(source, here), here) for source in names]
    if json_:
        print_json(found)
    else:
        for one in found:
            _print_check(one)
        if not found:
            out.print(Text(_NO_CONTRACT))
    if not all(one.passed for one in found):
        raise typer.Exit(1)


def _print_check(found: Check) -> None:
    line = Text.assemble(
        (f"{found.source} ", "bold"),
        state_text(found.outcome),
        f"  {found.rows:,} rows, {found.contract}",
    )
    out.print(line, soft_wrap=True)
    for rule in found.broken:
        out.print(Text(f"  {rule.told(found.rows)}"), soft_wrap=True)
        for bad in rule.rows[1:_SHOWN_ROWS]:
            value = "null" if bad.value is None else bad.value
            out.print(Text(f"    row {bad.row}: {value}", style="dim"), soft_wrap=True)
        if rule.count is not None and rule.count > _SHOWN_ROWS:
            out.print(Text(f"    and {rule.count - _SHOWN_ROWS:,} more", style="dim"))


@app.command()
def contract(
    name: SourceArgument,
    infer: Annotated[
        bool, typer.Option("--infer", help="Write a first one from what the source holds now.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over one that is there.")
    ] = False,
) -> None:
    """Show a source's contract, or write a first one."""
    from workbench.data import infer_contract, read, row_keys
    from workbench.data.contracts import contract_path, load_contract

    here = project()
    if infer:
        path = infer_contract(
            name, read(name, here), here, keys=row_keys(here, name), replace=replace
        )
        err.print(Text(f"wrote {here.relative(path)}: look it over, then commit it"))
    else:
        load_contract(here, name)
        path = contract_path(here, name)
    out.print(Syntax(path.read_text(encoding="utf-8"), "python", background_color="default"))


@app.command()
def diff(
    before: AnyArgument,
    after: AnyArgument,
    key: Annotated[
        str, typer.Option(help="The columns, with commas, that tell every row from the others.")
    ] = "",
    json_: JsonOption = False,
) -> None:
    """Say what changed between two datasets: columns, types, rows and cells."""
    from workbench.data import diff as compare

    columns = [column.strip() for column in key.split(",") if column.strip()]
    found = compare(before, after, project(), key=columns or None)
    if json_:
        print_json(found)
        return
    for line in _diff_lines(found):
        out.print(line, soft_wrap=True)


def _diff_lines(found: DataDiff) -> list[Text]:
    if found.same:
        return [Text(f"the same: {found.rows[0]:,} rows")]
    lines = [Text(f"{found.before} → {found.after}", style="bold")]
    before, after = found.rows
    lines.append(Text(f"rows: {before:,}" + (f" → {after:,}" if before != after else "")))
    lines += [Text(f"+ column {n} ({t})", "green") for n, t in found.columns_added.items()]
    lines += [Text(f"- column {n} ({t})", "red") for n, t in found.columns_removed.items()]
    lines += [
        Text(f"~ column {name}: {one} → {other}", "yellow")
        for name, (one, other) in found.types_changed.items()
    ]
    if found.columns_moved:
        lines.append(Text("~ columns in another order", "yellow"))
    if found.rows_moved:
        lines.append(Text("~ the same rows in another order", "yellow"))
    if found.key:
        lines.append(Text(f"by {', '.join(found.key)}: {_counts(found)}"))
    for column in found.columns:
        cells = "other cells" if column.cells is None else f"{column.cells:,} cells"
        lines.append(Text(f"~ {column.name}: {cells}", "yellow"))
        lines += [
            Text(f"    {example.row}: {_null(example.before)} → {_null(example.after)}", "dim")
            for example in column.examples
        ]
    return lines + [Text(note, "dim") for note in found.notes]


def _counts(found: DataDiff) -> str:
    counts = (
        (found.rows_added, "new"),
        (found.rows_removed, "gone"),
        (found.rows_changed, "changed"),
    )
    return ", ".join(f"{count or 0:,} {word}" for count, word in counts)


def _null(value: str | None) -> str:
    return "null" if value is None else value


@app.command()
def rebuild(
    dataset: Annotated[str, typer.Argument(metavar="NAME@DIGEST", help="A dataset.")],
    json_: JsonOption = False,
) -> None:
    """Read a dataset by its recipe again; exit code 1 if it is not the same."""
    from workbench.data import rebuild as read_again

    found = read_again(dataset, project())
    if json_:
        print_json(found)
    else:
        out.print(Text(f"{found.dataset}: {found.recipe}"), soft_wrap=True)
        out.print(Text.assemble(_same(same=found.same), f"  now {found.now[:12]}"))
        for change in found.changes:
            out.print(Text(f"  {change}"), soft_wrap=True)
    if not found.same:
        raise typer.Exit(1)


def _same(*, same: bool) -> Text:
    return Text("the same", "green") if same else Text("not the same", "red")


@app.command()
def report(
    name: AnyArgument,
    target: Annotated[str | None, typer.Option(help="The column that others go with.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write it as a page here.")] = None,
    json_: JsonOption = False,
) -> None:
    """Describe the columns: types, missing, distinct, distribution, correlation."""
    from workbench.data import frame_of
    from workbench.data import report as describe

    found = describe(frame_of(name, project()), target)
    if html is not None:
        err.print(Text(f"wrote {found.to_html(html)}"), soft_wrap=True)
    if json_:
        print_json(found)
    elif html is None:
        _print_report(name, found)


def _print_report(name: str, found: ColumnReport) -> None:
    strength = {item.column: f"{item.value:.2f} {item.measure}" for item in found.associations}
    columns = ["column", "type", "missing", "distinct", "summary"]
    rows = []
    for column in found.columns:
        distinct = "–" if column.distinct is None else f"{column.distinct:,}"
        row = [
            column.name,
            column.dtype,
            f"{column.missing:,}",
            distinct if column.distinct_exact else f"≈ {distinct}",
            column.told(),
        ]
        rows.append([*row, strength.get(column.name, "")] if found.target else row)
    if found.target:
        columns.append(f"with {found.target}")
    sampled = f", quantiles of {found.sample:,} sampled" if found.sample < found.rows else ""
    print_table(f"{name}: {found.rows:,} rows{sampled}", columns, rows, empty="no columns")
