"""`workbench catalogue`."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

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
    when,
)

if TYPE_CHECKING:
    from workbench.catalogue import Entry, Kind
    from workbench.lineage import Edge

__all__ = ["app"]

app = group("Catalogue: sources, datasets, features and models, and who uses them.")


class _Kind(StrEnum):
    source = "source"
    dataset = "dataset"
    view = "view"
    function = "function"
    feature = "feature"
    model = "model"


KindOption = Annotated[_Kind | None, typer.Option("--kind", help="Only things of this kind.")]


@app.command("list")
def list_(kind: KindOption = None, json_: JsonOption = False) -> None:
    """List all there is."""
    from workbench.catalogue import list_entries

    _print("Catalogue", list_entries(project(), _plain(kind)), json_)


@app.command()
def search(
    text: Annotated[
        str, typer.Argument(help="Words, or their beginnings; owner:, tag:, column:, used_by:.")
    ],
    kind: KindOption = None,
    limit: LimitOption = 20,
    json_: JsonOption = False,
) -> None:
    """Find things by name, description, column, owner, tag, and by what uses them."""
    from workbench.catalogue import search as find

    _print(f"Found for {text!r}", find(project(), text, _plain(kind), limit), json_)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name, or kind:name.")],
    kind: KindOption = None,
    json_: JsonOption = False,
) -> None:
    """Show one thing, what it came from and what came of it."""
    from workbench.catalogue import show as look

    shown = look(project(), name, _plain(kind))
    if json_:
        print_json(shown)
        return
    for key, value in shown.entry.model_dump(mode="json").items():
        text = ", ".join(value) if isinstance(value, list) else str(value)
        out.print(Text.assemble((f"{key:12}", "dim"), text), soft_wrap=True)
    _print_edges("Came from", shown.upstream)
    _print_edges("Led to", shown.downstream)


def _plain(kind: _Kind | None) -> Kind | None:
    return kind.value if kind is not None else None


def _print(title: str, entries: Sequence[Entry], as_json: bool) -> None:
    if as_json:
        print_json(entries)
        return
    print_table(
        title,
        ("kind", "name", "description", "owner", "tags", "used by", "updated"),
        (
            (
                entry.kind,
                entry.name,
                entry.description,
                entry.owner,
                ", ".join(entry.tags),
                ", ".join(entry.used_by),
                when(entry.updated_at),
            )
            for entry in entries
        ),
        empty="nothing found: sources stand in workbench.toml, features in features/*.py",
    )


def _print_edges(title: str, edges: Sequence[Edge]) -> None:
    if edges:
        rows = ((edge.source, edge.relation, edge.target) for edge in edges)
        print_table(title, ("made from", "how", "what"), rows, empty="")
