"""`workbench features`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.syntax import Syntax
from rich.text import Text

from workbench.cli.context import JsonOption, group, out, print_json, print_table, project

if TYPE_CHECKING:
    from workbench.features import FeatureEntry

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
    from workbench.errors import NotFoundError
    from workbench.features import catalogue

    entries = {entry.name: entry for entry in catalogue(project())}
    if name not in entries:
        raise NotFoundError.named("feature", name, entries)
    entry = entries[name]
    if json_:
        print_json(entry)
        return
    for key, value in entry.model_dump(mode="json", exclude={"code"}).items():
        out.print(Text.assemble((f"{key:17}", "dim"), str(value)), soft_wrap=True)
    out.print(Syntax(entry.code, "python", background_color="default"))


@app.command()
def apply(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    json_: JsonOption = False,
) -> None:
    """Check features/*.py and register what they declare."""
    from workbench.features import apply as register

    changes = register(project(), dry_run=dry_run)
    if json_:
        print_json(changes)
        return
    title = "Would change" if dry_run else "Applied"
    print_table(title, ("view", "change"), ((c.view, c.change) for c in changes), empty=_EMPTY)


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
