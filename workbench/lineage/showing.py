"""What a node came from and what came of it, as one answer that every face shows."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from workbench.errors import UsageError
from workbench.lineage.edges import Edge
from workbench.lineage.facts import facts_of
from workbench.lineage.finding import find
from workbench.lineage.nodes import Node, kind_of, label_of
from workbench.lineage.scored import Row
from workbench.lineage.walk import Cut, walk
from workbench.project import Project

__all__ = ["Lineage", "show"]

_MOST = 1_000_000_000


class Lineage(BaseModel):
    """The chain around nodes: `nodes` nearest first, `cuts` say what isn't here and why."""

    model_config = ConfigDict(frozen=True)

    starts: list[str]
    nodes: list[Node]
    edges: list[Edge]
    cuts: list[Cut] = []
    row: Row | None = None

    def node(self, name: str) -> Node:
        """Return the node of a name."""
        return next(node for node in self.nodes if node.name == name)

    def kind(self, kind: str) -> list[Node]:
        """Return the nodes of a kind: `cell`, `model`, `predictions`, …."""
        return [node for node in self.nodes if node.kind == kind]

    @property
    def title(self) -> str:
        """What it is the lineage of, in a line."""
        if self.row is not None:
            return str(self.row)
        more = f" and {len(self.starts) - 1} more" if len(self.starts) > 1 else ""
        return f"{self.starts[0]}{more}"

    def tree(self) -> str:
        """Draw it with characters, as the terminal shows it."""
        from workbench.lineage.drawing.tree import plain

        return plain(self)

    def svg(self) -> str:
        """Draw it as an SVG picture that needs nothing else."""
        from workbench.lineage.drawing.svg import svg

        return svg(self)

    def html(self) -> str:
        """Draw it as a page of its own."""
        from workbench.lineage.drawing.page import page

        return page(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from workbench.lineage.drawing.page import fragment

        return {"text/plain": self.tree(), "text/html": fragment(self)}

    def _repr_html_(self) -> str:
        return self._repr_mimebundle_()["text/html"]


def show(
    node: str,
    *,
    up: bool = True,
    down: bool = True,
    depth: int | None = None,
    columns: bool | None = None,
    limit: int = 2000,
    project: Project | None = None,
) -> Lineage:
    """Show what a node came from and what came of it.

    Parameters
    ----------
    node
        Its name or as much of it as is clear; `model:NAME@ALIAS`; a run's or a job's id; the path
        of a notebook; `prediction:FACTORY/KEY`.
    depth
        How many edges away a node may be; as far as it goes if None.
    columns
        Whether to follow columns too; unless said, if the node is a column, a feature or an input.
    limit
        The most edges in either direction; what is left out stands in `cuts`.

    Raises
    ------
    NotFoundError
        If there is no such node.
    UsageError
        If the name means several, or a number is out of its bounds.
    """
    if (depth is not None and depth < 0) or not 1 <= limit <= _MOST:
        raise UsageError(f"depth {depth}, limit {limit}: expected 0 or more, and 1 to {_MOST}")
    project = project or Project.find()
    found = find(project, node)
    if columns is None:
        columns = any(kind_of(name) in ("column", "feature", "input") for name in found.nodes)
    walked = walk(project, found.nodes, up=up, down=down, depth=depth, columns=columns, limit=limit)
    times: dict[str, Any] = {}
    for edge, at in walked.edges.items():
        times.setdefault(edge.target, at)
    told = facts_of(project, walked.distances)
    return Lineage(
        starts=found.nodes,
        nodes=[
            Node(
                name=name,
                kind=kind_of(name),
                label=label_of(name),
                distance=distance,
                at=times.get(name),
                facts=told.get(name, {}),
            )
            for name, distance in walked.distances.items()
        ],
        edges=list(walked.edges),
        cuts=walked.cuts,
        row=found.row,
    )
