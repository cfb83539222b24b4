"""A pipeline in the terminal's characters: from top to bottom, for that is where there is room."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from workbench.jobs.pipelines.drawing.layout import Edge, Layout, Node, layout
from workbench.jobs.pipelines.plan import Plan, PlannedStep
from workbench.jobs.pipelines.states import StepState

__all__ = ["text"]

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_LINES = " ╵╷│╴┘┐┤╶└┌├─┴┬┼"
"""The character that leads in the directions of its place here, as bits."""

_BOX_HEIGHT, _GAP = 3, 2


def text(plan: Plan, states: Mapping[str, StepState] | None = None, *, width: int = 100) -> str:
    """Draw a plan in lines of at most `width` characters; a wider one is listed instead."""
    states = states or {}
    boxes = {step.name: _box_text(step.name, states) for step in plan.steps}
    arriving = _arriving(plan)

    def breadth(node: Node) -> float:
        if not node.step:
            return 1
        labels = [len(label) + 4 for label in arriving[node.step].values()]
        return max(len(boxes[node.step]) + 4, sum(labels))

    made = layout(plan, breadth, _GAP)
    if made.breadth > width:
        return _list(plan, states)
    return _Canvas(made, boxes, {name: breadth(Node(0, name)) for name in boxes}).draw()


def _box_text(name: str, states: Mapping[str, StepState]) -> str:
    return f"{name} · {states[name]}" if name in states else name


def _arriving(plan: Plan) -> dict[str, dict[str, str]]:
    """Give, for each step, those before it and what comes from each."""
    found: dict[str, dict[str, str]] = {}
    for step in plan.steps:
        found[step.name] = {
            before: ", ".join(dict.fromkeys(a.output for a in step.arrows if a.source == before))
            for before in step.needs
        }
    return found


def _list(plan: Plan, states: Mapping[str, StepState]) -> str:
    longest = max(len(step.name) for step in plan.steps)
    return "\n".join(
        f"{step.name:{longest}}  {states.get(step.name, ''):9}  {_needs(step)}".rstrip()
        for step in plan.steps
    )


def _needs(step: PlannedStep) -> str:
    named = [f"{arrow.source}.{arrow.output}" for arrow in step.arrows]
    only = [name for name in step.after if name not in {a.source for a in step.arrows}]
    return f"← {', '.join([*named, *only])}" if named or only else ""


class _Canvas:
    """Lines are kept as the directions in which they lead, so that those which meet join."""

    def __init__(self, made: Layout, boxes: Mapping[str, str], breadths: Mapping[str, float]):
        self._made = made
        self._boxes = boxes
        self._breadths = breadths
        self._lines: dict[tuple[int, int], int] = {}
        self._written: dict[tuple[int, int], str] = {}

    def draw(self) -> str:
        """Draw layer by layer, each with the arrows that leave it."""
        row = 0
        for nodes, below in zip(self._made.layers, [*self._made.layers[1:], []], strict=True):
            for node in nodes:
                self._node(node, row)
            row += _BOX_HEIGHT
            if below:
                row = self._between(nodes, row)
        return self._rendered()

    def _node(self, node: Node, row: int) -> None:
        middle = self._middle(node)
        if not node.step:
            self._vertical(middle, row, row + _BOX_HEIGHT - 1)
            return
        left, right = self._sides(node)
        for y in (row, row + 2):
            self._horizontal(y, left, right)
        for x in (left, right):
            self._join(x, row, _DOWN)
            self._join(x, row + 1, _UP | _DOWN)
            self._join(x, row + 2, _UP)
        content = self._boxes[node.step]
        self._write(left + (right - left + 1 - len(content)) // 2, row + 1, content)

    def _between(self, nodes: list[Node], row: int) -> int:
        """Draw the arrows from one layer to the next: a track each source, then the heads."""
        leaving = {node: self._ends(node) for node in nodes}
        tracks = self._tracks(leaving)
        heads = row + max(len(tracks), 1)
        for node, ends in leaving.items():
            start = self._middle(node)
            if not ends:
                continue
            if node.step:
                self._join(start, row - 1, _DOWN)
            if node not in tracks:
                self._vertical(start, row, heads - 1)
                continue
            track = row + tracks.index(node)
            self._vertical(start, row, track - 1)
            self._join(start, track, _UP)
            self._horizontal(track, min(start, *ends), max(start, *ends))
            for end in ends:
                self._join(end, track, _DOWN)
                self._vertical(end, track + 1, heads - 1)
        for path in self._made.paths.values():
            for node, target in pairwise(path):
                if node in leaving:
                    self._head(path, node, target, heads)
        return heads + 1

    def _tracks(self, leaving: Mapping[Node, list[int]]) -> list[Node]:
        """Order the nodes whose arrows go sideways: who begins in a column that another ends in
        has to be out of it first.
        """
        bent = [node for node, ends in leaving.items() if ends and ends != [self._middle(node)]]
        first = {
            node: [
                other for other in bent if other != node and self._middle(other) in leaving[node]
            ]
            for node in bent
        }
        try:
            return list(TopologicalSorter(first).static_order())
        except CycleError:
            return bent

    def _head(self, path: list[Node], source: Node, target: Node, row: int) -> None:
        end = self._end(source, target)
        if not target.step:
            self._vertical(end, row, row)
            return
        edge = next(edge for edge, nodes in self._made.paths.items() if nodes is path)
        self._write(end, row, f"▼ {edge.label}".rstrip())

    def _ends(self, node: Node) -> list[int]:
        return sorted(
            self._end(source, target)
            for path in self._made.paths.values()
            for source, target in pairwise(path)
            if source == node
        )

    def _end(self, source: Node, target: Node) -> int:
        """Return the column at which the arrow from `source` arrives."""
        if not target.step:
            return self._middle(target)
        arriving = [
            (self._middle(before), before, edge)
            for edge, path in self._made.paths.items()
            for before, at in pairwise(path)
            if at == target
        ]
        arriving.sort(key=lambda each: each[0])
        left, right = self._sides(target)
        if len(arriving) == 1 and self._middle(target) + _room(arriving[0][2]) <= right + 2:
            return self._middle(target)
        free = (right - left - 1) - sum(_room(edge) for _, _, edge in arriving)
        column = left + 1 + free // 2
        for _, before, edge in arriving:
            if before == source:
                return column
            column += _room(edge)
        raise AssertionError("an arrow arrives where it leads")

    def _middle(self, node: Node) -> int:
        return round(self._made.places[node])

    def _sides(self, node: Node) -> tuple[int, int]:
        left = self._middle(node) - int(self._breadths[node.step]) // 2
        return left, left + int(self._breadths[node.step]) - 1

    def _join(self, x: int, y: int, directions: int) -> None:
        self._lines[x, y] = self._lines.get((x, y), 0) | directions

    def _horizontal(self, y: int, left: int, right: int) -> None:
        for x in range(left, right):
            self._join(x, y, _RIGHT)
            self._join(x + 1, y, _LEFT)

    def _vertical(self, x: int, top: int, bottom: int) -> None:
        for y in range(top, bottom + 1):
            self._join(x, y, _UP | _DOWN)

    def _write(self, x: int, y: int, content: str) -> None:
        for place, letter in enumerate(content):
            self._written[x + place, y] = letter

    def _rendered(self) -> str:
        cells = {at: _LINES[directions] for at, directions in self._lines.items()} | self._written
        left = min(x for x, _ in cells)
        lines: list[str] = []
        for y in range(max(y for _, y in cells) + 1):
            columns = [x for x, row in cells if row == y]
            line = (cells.get((x, y), " ") for x in range(left, max(columns, default=left) + 1))
            lines.append("".join(line).rstrip())
        return "\n".join(lines)


def _room(edge: Edge) -> int:
    return len(edge.label) + 3
