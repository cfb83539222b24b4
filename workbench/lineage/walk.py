"""A walk with bounds: how far, how much in all, and what was left out where it ended.

A source that everything was made of leads to everything. So a walk stops at a number of edges, and
says at which distance it stopped and how many edges it left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from workbench.lineage.edges import COLUMNS, NOTES, Edge, chunks
from workbench.project import Project
from workbench.store import EdgeRow, database

__all__ = ["Cut", "Direction", "Walked", "walk"]

Direction = Literal["up", "down"]


class Cut(BaseModel):
    """Where a walk stopped, why, and how many edges from there it didn't follow."""

    model_config = ConfigDict(frozen=True)

    direction: Direction
    depth: int
    edges: int
    reason: Literal["depth", "limit"]

    def __str__(self) -> str:
        """Say it in a line, with what to type for more."""
        what = "edge goes" if self.edges == 1 else "edges go"
        side = "up" if self.direction == "up" else "down"
        more = f"--depth {self.depth + 1}" if self.reason == "depth" else "--limit N"
        return f"{self.edges:,} more {what} {side} at distance {self.depth}: {more} follows them"


@dataclass
class Walked:
    """What a walk came to: the distance of each node, negative above, and the edges with times."""

    distances: dict[str, int]
    edges: dict[Edge, datetime] = field(default_factory=dict)
    cuts: list[Cut] = field(default_factory=list)


def walk(
    project: Project,
    starts: Sequence[str],
    *,
    up: bool = True,
    down: bool = True,
    depth: int | None = None,
    columns: bool = False,
    limit: int = 2000,
) -> Walked:
    """Walk from nodes in one direction or both, nearest first.

    Parameters
    ----------
    depth
        How many edges away a node may be; as far as it goes if None.
    columns
        Whether edges between columns are followed too.
    limit
        The most edges in either direction.
    """
    found = Walked(dict.fromkeys(starts, 0))
    with database(project).session() as session:
        if up:
            _Side(session, "up", columns=columns, limit=limit).go(found, depth)
        if down:
            _Side(session, "down", columns=columns, limit=limit).go(found, depth)
    return found


@dataclass
class _Side:
    """A walk in one direction."""

    session: Session
    direction: Direction
    columns: bool
    limit: int

    def go(self, found: Walked, depth: int | None) -> None:
        """Go distance by distance, until there is nothing more or a bound is met."""
        frontier = [node for node, distance in found.distances.items() if distance == 0]
        seen, left, distance = set(frontier), self.limit, 0
        while frontier:
            hidden = set() if self.columns else set(COLUMNS)
            hidden |= NOTES if distance else set()  # which say something of the start alone
            if distance == depth:
                self._stop(found, distance, self._count(frontier, hidden), "depth")
                return
            rows = self._rows(frontier, hidden, left + 1)
            if len(rows) > left:
                more = self._count(frontier, hidden) - left
                self._stop(found, distance, more, "limit")
            distance += 1
            frontier = self._take(found, rows[:left], seen, distance)
            if len(rows) > left:
                return
            left -= len(rows)

    def _take(
        self, found: Walked, rows: Sequence[EdgeRow], seen: set[str], distance: int
    ) -> list[str]:
        """Add edges to what was found; return the nodes that are new, and lead on."""
        ahead: dict[str, None] = {}
        for row in sorted(rows, key=lambda row: row.id):
            found.edges.setdefault(Edge.model_validate(row), row.at)
            other = row.source if self.direction == "up" else row.target
            if other not in seen:
                found.distances.setdefault(other, -distance if self.direction == "up" else distance)
                if row.relation not in NOTES:
                    seen.add(other)
                    ahead[other] = None
        return list(ahead)

    def _stop(
        self, found: Walked, depth: int, edges: int, reason: Literal["depth", "limit"]
    ) -> None:
        if edges > 0:
            cut = Cut(direction=self.direction, depth=depth, edges=edges, reason=reason)
            found.cuts.append(cut)

    def _rows(self, frontier: Sequence[str], hidden: set[str], most: int) -> list[EdgeRow]:
        rows: list[EdgeRow] = []
        for names in chunks(frontier):
            query = select(EdgeRow).where(*self._leaving(names, hidden))
            rows += self.session.scalars(query.limit(most - len(rows)))
            if len(rows) >= most:
                break
        return rows

    def _count(self, frontier: Sequence[str], hidden: set[str]) -> int:
        count = 0
        for names in chunks(frontier):
            query = select(func.count()).select_from(EdgeRow)
            count += self.session.scalar(query.where(*self._leaving(names, hidden))) or 0
        return count

    def _leaving(self, names: Sequence[str], hidden: set[str]) -> list[ColumnElement[bool]]:
        near: InstrumentedAttribute[str] = (
            EdgeRow.target if self.direction == "up" else EdgeRow.source
        )
        return [near.in_(names), EdgeRow.relation.not_in(hidden)]
