"""Writing and walking the edges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from workbench.project import Project
from workbench.store import EdgeRow, database, insert_missing, now

__all__ = ["Edge", "downstream", "link", "link_all", "upstream"]


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
    with database(project).session() as session:
        insert_missing(session, EdgeRow, rows)


def upstream(project: Project, *nodes: str) -> list[Edge]:
    """Return every edge that leads to one of `nodes`, nearest first."""
    return _walk(project, nodes, towards_sources=True)


def downstream(project: Project, *nodes: str) -> list[Edge]:
    """Return every edge that starts from one of `nodes`, nearest first."""
    return _walk(project, nodes, towards_sources=False)


def _walk(project: Project, nodes: Sequence[str], *, towards_sources: bool) -> list[Edge]:
    near, far = (EdgeRow.target, "source") if towards_sources else (EdgeRow.source, "target")
    found: dict[Edge, None] = {}
    frontier, seen = set(nodes), set(nodes)
    with database(project).session() as session:
        while frontier:
            rows = session.scalars(select(EdgeRow).where(near.in_(frontier)).order_by(EdgeRow.id))
            edges = [Edge.model_validate(row) for row in rows]
            found.update(dict.fromkeys(edges))
            frontier = {getattr(edge, far) for edge in edges} - seen
            seen |= frontier
    return list(found)
