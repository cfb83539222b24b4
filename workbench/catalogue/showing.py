"""One entry, with what it came from and what came of it."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, or_, select

from workbench.catalogue.entries import KINDS, Entry, Kind, of_feature
from workbench.catalogue.finding import list_entries
from workbench.errors import NotFoundError
from workbench.features.catalogue import entries as feature_entries
from workbench.lineage import Edge, downstream, upstream
from workbench.project import Project
from workbench.store import EdgeRow, database

__all__ = ["Shown", "show"]

_NODES = {
    "source": "dataset:{}@",
    "dataset": "dataset:{}@",
    "view": "view:{}@",
    "feature": "feature:{}@",
    "function": "function:{}@",
    "model": "model:{}/",
}
_NEWEST = 10
"""Of how many states of a thing the lineage is shown: each of them has a chain of its own."""


class Shown(BaseModel):
    """An entry and the chain around it: of its newest states, nearest first."""

    model_config = ConfigDict(frozen=True)

    entry: Entry
    upstream: list[Edge]
    downstream: list[Edge]


def show(project: Project, name: str, kind: Kind | None = None) -> Shown:
    """Return the entry called `name`, or `kind:name`, with its lineage in both directions.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    entry = _entry(project, name, kind)
    nodes = _nodes(project, entry.kind, entry.name)
    # A feature that nobody has used yet comes from where its view does.
    view = _nodes(project, "view", entry.name.partition(":")[0]) if entry.kind == "feature" else []
    return Shown(
        entry=entry,
        upstream=_edges(project, nodes or view, upstream),
        downstream=_edges(project, nodes, downstream),
    )


def _entry(project: Project, name: str, kind: Kind | None) -> Entry:
    prefix, _, rest = name.partition(":")
    if kind is None and prefix in KINDS:
        return _entry(project, rest, prefix)
    if kind in {None, "feature"}:
        for feature in feature_entries(project, [name]):
            return of_feature(feature)
    entries = list_entries(project, kind)
    for entry in entries:
        if entry.name == name:
            return entry
    raise NotFoundError.named(kind or "entry of the catalogue", name, {e.name for e in entries})


def _nodes(project: Project, kind: str, name: str) -> list[str]:
    """Name the newest states of a thing as the lineage does."""
    if kind not in _NODES:
        return []
    prefix = _NODES[kind].format(name)
    begins = {
        column: func.substr(column, 1, len(prefix)) == prefix  # LIKE would not mind the case
        for column in (EdgeRow.source, EdgeRow.target)
    }
    query = select(EdgeRow.source, EdgeRow.target).where(or_(*begins.values()))
    with database(project).session() as session:
        rows = session.execute(query.order_by(EdgeRow.id.desc())).all()
    nodes = (node for row in rows for node in row if node.startswith(prefix))
    return list(dict.fromkeys(nodes))[:_NEWEST]


def _edges(
    project: Project, nodes: list[str], walk: Callable[[Project, str], list[Edge]]
) -> list[Edge]:
    return list(dict.fromkeys(edge for node in nodes for edge in walk(project, node)))
