"""Writing and walking the edges."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from workbench.project import Project
from workbench.store import EdgeRow, database, insert_missing, now

__all__ = [
    "COLUMN",
    "COLUMNS",
    "NOTES",
    "UNKNOWN",
    "Edge",
    "chunks",
    "downstream",
    "link",
    "link_all",
    "upstream",
]

COLUMN, UNKNOWN = "column", "columns not known"
"""The relation of edges between columns, and of a table's to one of which nobody can tell more."""

COLUMNS = frozenset({COLUMN, UNKNOWN})
"""What a walk follows only where it is asked to."""

NOTES = frozenset({"reads", "joins", "makes"})
"""What a cell did with data. These say something about the cell and belong to no chain.

Two notebooks that read the same dataset have nothing to do with each other's models: such an edge
is shown where a walk begins, and isn't followed.
"""

_AT_ONCE = 500  # names in one query: databases have limits


class Edge(BaseModel):
    """`source` was used to make `target`; `relation` says how."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    source: str
    target: str
    relation: str


def link(project: Project, sources: Iterable[str], target: str, relation: str) -> None:
    """Write an edge from each source to `target`; writing one again changes nothing."""
    link_all(project, [Edge(source=s, target=target, relation=relation) for s in sources])


def link_all(project: Project, edges: Iterable[Edge]) -> None:
    """Write many edges at once; writing one again changes nothing."""
    rows = [{**edge.model_dump(), "at": now()} for edge in dict.fromkeys(edges)]
    if rows:
        with database(project).session() as session:
            insert_missing(session, EdgeRow, rows)


def upstream(project: Project, *nodes: str) -> list[Edge]:
    """Return every edge that leads to one of `nodes`, nearest first; none between columns."""
    return _walk(project, nodes, towards_sources=True)


def downstream(project: Project, *nodes: str) -> list[Edge]:
    """Return every edge that starts from one of `nodes`, nearest first; none between columns."""
    return _walk(project, nodes, towards_sources=False)


def chunks(names: Collection[str]) -> Iterator[list[str]]:
    """Part names into lists that one query can hold."""
    listed = list(names)
    return (listed[start : start + _AT_ONCE] for start in range(0, len(listed), _AT_ONCE))


def _walk(project: Project, nodes: Sequence[str], *, towards_sources: bool) -> list[Edge]:
    near, far = (EdgeRow.target, "source") if towards_sources else (EdgeRow.source, "target")
    found: dict[Edge, None] = {}
    frontier, seen = set(nodes), set(nodes)
    skipped: frozenset[str] = COLUMNS
    with database(project).session() as session:
        while frontier:
            rows = [
                row
                for names in chunks(sorted(frontier))
                for row in session.scalars(select(EdgeRow).where(near.in_(names)))
                if row.relation not in skipped
            ]
            edges = [Edge.model_validate(row) for row in sorted(rows, key=lambda row: row.id)]
            found.update(dict.fromkeys(edges))
            frontier = {getattr(e, far) for e in edges if e.relation not in NOTES} - seen
            seen |= frontier
            skipped = COLUMNS | NOTES
    return list(found)
