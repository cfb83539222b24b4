"""Lineage: what a node came from and what came of it, as a picture."""

from __future__ import annotations

from collections import Counter
from typing import Any

from workbench.lineage import Lineage, picture, show
from workbench.lineage.drawing.page import fragment
from workbench.panels.notebook import parts
from workbench.panels.notebook.controls import choice, field, refreshed, row
from workbench.panels.notebook.panel import Panel, Still
from workbench.panels.notebook.parts import Cell, Column, Table
from workbench.panels.page import resolve_project
from workbench.project import Project

__all__ = ["lineage"]

_LARGEST = 100_000
"""Bytes of a picture's HTML in a notebook's file: its PNG takes up to twice as much."""

_LONGEST_TREE = 8_000
_DEPTHS = [("as far as it goes", 0), *((f"{steps} steps", steps) for steps in (1, 2, 3, 4, 6, 8))]
_BOTH, _UP, _DOWN = "both ways", "what it came from", "what came of it"


def lineage(
    node: str,
    *,
    up: bool = True,
    down: bool = True,
    depth: int | None = None,
    project: Project | None = None,
    live: bool | None = None,
) -> Panel:
    """Show the chain around a node; with a kernel to look further, or from another node.

    Parameters
    ----------
    node, up, down, depth
        As of `wb.lineage.show`: `model:flights-late@champion`, a run's or a job's id, ….
    project
        Default: that of the variable WORKBENCH_PROJECT, else the one around the working folder.
    live
        Whether to bring what can be clicked; unless said, in a kernel that runs for no job.

    Raises
    ------
    NotFoundError
        If there is no such node.
    """
    project = resolve_project(project)
    found = show(node, up=up, down=down, depth=depth, project=project)
    still = Still(_title(found) + _drawn(found, _LARGEST), picture(found).png(), _words(found))
    return Panel(still, lambda: _live(project, node, _way(up, down), depth or 0), live=live)


def _title(found: Lineage) -> str:
    note = f"{len(found.nodes):,} nodes, {len(found.edges):,} edges"
    return parts.title(f"Lineage of {found.title}", note)


def _drawn(found: Lineage, largest: int) -> str:
    """Draw it as SVG; where that is too large for a file, count what there is."""
    drawn = parts.part(fragment(found))
    if len(drawn.encode()) <= largest:
        return drawn
    counts = Counter(node.kind for node in found.nodes)
    rows = [[Cell(kind), Cell(f"{count:,}")] for kind, count in counts.items()]
    return Table("lineage", [Column("Kind"), Column("Nodes", number=True)], rows).html()


def _words(found: Lineage) -> str:
    tree = found.tree()
    short = tree[:_LONGEST_TREE].rpartition("\n")[0]
    kept = tree if len(tree) <= _LONGEST_TREE else f"{short}\n…"
    return f"Lineage of {found.title}\n{kept}"


def _way(up: bool, down: bool) -> str:  # noqa: FBT001 - both are `lineage`'s, by place
    return _BOTH if up and down else _UP if up else _DOWN


def _live(project: Project, node: str, way: str, depth: int) -> list[Any]:
    typed = field("Node", node, "model:NAME@ALIAS, a run's or a job's id, a notebook's path")
    ways = choice("", [_BOTH, _UP, _DOWN], way)
    depths = _DEPTHS if depth in dict(_DEPTHS).values() else [*_DEPTHS, (f"{depth} steps", depth)]
    far = choice("", depths, depth)

    def render() -> str:
        found = show(
            typed.value.strip(),
            up=ways.value != _DOWN,
            down=ways.value != _UP,
            depth=far.value or None,
            project=project,
        )
        return _title(found) + _drawn(found, 2_000_000)

    return [row(typed, ways, far), refreshed(render, typed, ways, far)]
