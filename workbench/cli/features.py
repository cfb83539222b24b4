"""`workbench features`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.syntax import Syntax
from rich.text import Text

from workbench.cli.context import (
    JsonOption,
    group,
    out,
    print_json,
    print_table,
    project,
    when,
)

if TYPE_CHECKING:
    from workbench.features import FeatureEntry, ViewChange
    from workbench.features.statistics import FeatureStatistics

__all__ = ["app"]

app = group("Features: the catalogue of the project's feature views.")

_EMPTY = "no features: declare views in features/*.py, then workbench features apply"


@app.command("list")
def list_(json_: JsonOption = False) -> None:
    """List the registered features."""
    from workbench.features import catalogue

    _print("Features", catalogue(project()), json_)


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="Words of a name, description or tag.")],
    json_: JsonOption = False,
) -> None:
    """Find features by words."""
    from workbench.features import search as find

    _print(f"Features with {text!r}", find(project(), text), json_)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="VIEW:FEATURE")], json_: JsonOption = False
) -> None:
    """Show one feature, with the code that uses it."""
    from workbench.features.catalogue import entry as find
    from workbench.features.statistics import sparkline

    entry = find(project(), name)
    if json_:
        print_json(entry)
        return
    for key, value in entry.model_dump(mode="json", exclude={"code", "statistics"}).items():
        shown = ", ".join(value) if isinstance(value, list) else value
        out.print(Text.assemble((f"{key:17}", "dim"), _cell(shown or None)), soft_wrap=True)
    if entry.statistics is not None:
        drawn = sparkline(entry.statistics.points)
        out.print(Text.assemble((f"{'statistics':17}", "dim"), drawn), soft_wrap=True)
    out.print(Syntax(entry.code, "python", background_color="default"))


@app.command()
def apply(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Also change or remove what models were made from.")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Check features/*.py and register what they declare: the plan first, then all or nothing."""
    from workbench.features import apply as register

    here = project()
    if json_:
        print_json(register(here, dry_run=dry_run, breaking=yes or dry_run))
        return
    changes = register(here, dry_run=dry_run, breaking=yes or dry_run, plan=_print_plan)
    if not changes:
        out.print(_EMPTY)
    elif not dry_run:
        done = sum(change.change != "unchanged" for change in changes)
        out.print(Text(f"applied: {done} of {len(changes)} views changed"))


@app.command()
def history(
    view: Annotated[str, typer.Argument(metavar="VIEW")], json_: JsonOption = False
) -> None:
    """Show the definitions that a view has had, newest first."""
    from workbench.features import history as versions_of

    versions = versions_of(project(), view)
    if json_:
        print_json(versions)
        return
    print_table(
        f"Definitions of {view}",
        ("applied", "digest", "", "what changed"),
        (
            (
                when(v.applied_at),
                v.digest[:12],
                "current" if v.current else "",
                "; ".join(v.details) or "first",
            )
            for v in versions
        ),
        empty=_EMPTY,
    )


@app.command()
def stats(
    name: Annotated[str, typer.Argument(metavar="VIEW:FEATURE")], json_: JsonOption = False
) -> None:
    """Show what a feature's values were, window by window of their event time."""
    from workbench.features.statistics import sparkline, statistics, summary

    here = project()
    windows = statistics(here, name)
    if json_:
        print_json(windows)
        return
    overall = summary(here, name)
    if overall is not None:
        out.print(Text(f"{name}  {sparkline(overall.points)}  {overall.rows:,} rows"))
    print_table(
        "By event time",
        ("from", "rows", "null", "mean", "std", "min", "median", "max", "distinct", "values"),
        (_statistics_row(window) for window in windows),
        empty=f"no statistics of {name} yet: they come with its first training frame",
    )


def _print_plan(changes: Sequence[ViewChange]) -> None:
    if not changes:
        return
    print_table(
        "Plan",
        ("view", "change", "what changes", "what it breaks"),
        ((c.view, c.change, "; ".join(c.details), _broken(c.breaks)) for c in changes),
        empty="",
    )
    for change in changes:
        if change.unchecked:
            out.print(Text(f"{change.view}: not checked: {change.unchecked}", style="yellow"))


def _broken(nodes: Sequence[str]) -> Text:
    """Name what breaks, a few of each kind: `model late/3, late/4; run 4711 and 12 more`."""
    kinds: dict[str, list[str]] = {}
    for node in nodes:
        kind, _, name = node.partition(":")
        kinds.setdefault(kind, []).append(name)
    parts = []
    for kind, names in kinds.items():
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        parts.append(f"{kind} {', '.join(names[:3])}{more}")
    return Text("; ".join(parts), style="red")


def _statistics_row(window: FeatureStatistics) -> tuple[str, ...]:
    from workbench.features.statistics import sparkline

    found = window.statistics
    counts = found.get("histogram", {}).get("counts") or [
        count for _, count in found.get("top", [])
    ]
    cells = (found.get(key) for key in ("mean", "std", "min"))
    return (
        f"{window.window_start:%Y-%m-%d}",
        f"{window.rows:,}",
        f"{found['nulls'] / window.rows:.1%}" if window.rows else "–",
        *(_cell(value) for value in cells),
        _cell(found.get("quantiles", {}).get("0.5")),
        _cell(found.get("max")),
        _cell(found.get("distinct")),
        sparkline(counts),
    )


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "–" if value is None else str(value)


def _print(title: str, entries: list[FeatureEntry], as_json: bool) -> None:
    if as_json:
        print_json(entries)
        return
    print_table(
        title,
        ("name", "description", "entity", "tags", "availability", "owner"),
        (
            (
                e.name,
                e.description,
                ", ".join(e.entity) or "request",
                ", ".join(e.tags),
                e.availability,
                e.owner,
            )
            for e in entries
        ),
        empty=_EMPTY,
    )
