"""Where steps stand: in layers after what they need, ordered so that few arrows cross.

Sugiyama's method (IEEE Trans. SMC 11, 1981) with the simplest good choice for each of its parts:
layers by the longest path, an arrow over several layers broken into pieces, the order in a layer by
barycentres, and in it the places nearest to the neighbours' by isotonic regression.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from workbench.jobs.pipelines.plan import Plan, PlannedStep

__all__ = ["Edge", "Layout", "Node", "layout", "spread"]

_SWEEPS = 12
_STRAIGHT = 8.0  # how much more a long arrow's place counts than a step's


@dataclass(frozen=True)
class Edge:
    """All arrows from one step to another, and the outputs that they carry."""

    source: str
    target: str
    outputs: tuple[str, ...]

    @property
    def label(self) -> str:
        """The names of the outputs; empty where there is only an order."""
        return ", ".join(self.outputs)


@dataclass(frozen=True)
class Node:
    """A step in its layer; or, with `edge`, the place where a long arrow passes through one."""

    layer: int
    step: str = ""
    edge: Edge | None = None


@dataclass(frozen=True)
class Layout:
    """Nodes by layer, in order; the paths of edges through them, and each node's place.

    A place is the node's middle across the layers' direction; the smallest edge of all is at 0.
    """

    layers: list[list[Node]]
    paths: dict[Edge, list[Node]]
    places: dict[Node, float]
    breadth: float


def layout(plan: Plan, breadth: Callable[[Node], float], gap: float) -> Layout:
    """Lay a plan out; `breadth` is how much room a node takes in its layer."""
    edges = [edge for step in plan.steps for edge in _edges(step)]
    layer: dict[str, int] = {}
    for step in plan.steps:  # each comes after those it needs
        layer[step.name] = max((layer[before] + 1 for before in step.needs), default=0)
    paths = {edge: _path(edge, layer) for edge in edges}
    layers: list[list[Node]] = [[] for _ in range(max(layer.values()) + 1)]
    nodes = [Node(layer[step.name], step.name) for step in plan.steps]
    nodes += [node for path in paths.values() for node in path[1:-1]]
    for node in nodes:
        layers[node.layer].append(node)
    before, after = _neighbours(paths)
    _order(layers, before, after)
    places = _places(layers, before, after, breadth, gap)
    low = min(places[node] - breadth(node) / 2 for node in places)
    high = max(places[node] + breadth(node) / 2 for node in places)
    return Layout(layers, paths, {node: places[node] - low for node in places}, high - low)


def spread(
    wanted: Sequence[float], apart: Sequence[float], weights: Sequence[float] | None = None
) -> list[float]:
    """Return the places nearest to those `wanted` (least squares) that keep order and distance.

    `apart[i]` is how far the place after the i-th has to be from it, at least.

    >>> spread([0, 0, 10], [4, 4])
    [-2.0, 2.0, 10.0]
    """
    shift = list(accumulate(apart, initial=0.0))
    blocks: list[tuple[float, float, int]] = []  # mean, weight, size; pool adjacent violators
    for want, moved, given in zip(wanted, shift, weights or [1.0] * len(wanted), strict=True):
        mean, weight, size = want - moved, given, 1
        while blocks and blocks[-1][0] > mean:
            other, heavy, count = blocks.pop()
            mean = (mean * weight + other * heavy) / (weight + heavy)
            weight, size = weight + heavy, size + count
        blocks.append((mean, weight, size))
    level = [mean for mean, _, size in blocks for _ in range(size)]
    return [mean + moved for mean, moved in zip(level, shift, strict=True)]


def _edges(step: PlannedStep) -> list[Edge]:
    carried: dict[str, list[str]] = {source: [] for source in step.needs}
    for arrow in step.arrows:
        if arrow.output not in carried[arrow.source]:
            carried[arrow.source].append(arrow.output)
    return [Edge(source, step.name, tuple(outputs)) for source, outputs in carried.items()]


def _path(edge: Edge, layer: Mapping[str, int]) -> list[Node]:
    first, last = layer[edge.source], layer[edge.target]
    between = [Node(at, edge=edge) for at in range(first + 1, last)]
    return [Node(first, edge.source), *between, Node(last, edge.target)]


_Neighbours = dict[Node, list[Node]]


def _neighbours(paths: Mapping[Edge, list[Node]]) -> tuple[_Neighbours, _Neighbours]:
    before: _Neighbours = {}
    after: _Neighbours = {}
    for path in paths.values():
        for source, target in pairwise(path):
            before.setdefault(target, []).append(source)
            after.setdefault(source, []).append(target)
    return before, after


def _order(layers: list[list[Node]], before: _Neighbours, after: _Neighbours) -> None:
    """Order each layer by the mean place of its neighbours in the one beside it; keep the best."""
    best = [list(nodes) for nodes in layers]
    fewest = _crossings(layers, after)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        beside = before if forward else after
        for nodes in layers if forward else reversed(layers):
            rank = {node: place for every in layers for place, node in enumerate(every)}
            mean = {node: _mean([rank[n] for n in beside.get(node, [node])]) for node in nodes}
            nodes.sort(key=mean.__getitem__)
        crossings = _crossings(layers, after)
        if crossings < fewest:
            best, fewest = [list(nodes) for nodes in layers], crossings
    layers[:] = best


def _crossings(layers: list[list[Node]], after: _Neighbours) -> int:
    count = 0
    for here, there in pairwise(layers):
        rank = {node: place for place, node in enumerate(there)}
        ends = [sorted(rank[target] for target in after.get(node, [])) for node in here]
        flat = [end for group in ends for end in group]
        count += sum(a > b for place, a in enumerate(flat) for b in flat[place + 1 :])
    return count


def _places(
    layers: list[list[Node]],
    before: _Neighbours,
    after: _Neighbours,
    breadth: Callable[[Node], float],
    gap: float,
) -> dict[Node, float]:
    places: dict[Node, float] = {}
    apart = [[(breadth(a) + breadth(b)) / 2 + gap for a, b in pairwise(n)] for n in layers]
    weights = [[1.0 if node.step else _STRAIGHT for node in nodes] for nodes in layers]
    for nodes, distances in zip(layers, apart, strict=True):
        places.update(zip(nodes, spread([0.0] * len(nodes), distances), strict=True))
    for sweep in range(_SWEEPS):
        rows = list(zip(layers, apart, weights, strict=True))
        for nodes, distances, heavy in rows if sweep % 2 == 0 else reversed(rows):
            wanted = [
                _wanted(node, (*before.get(node, []), *after.get(node, [])), places)
                for node in nodes
            ]
            places.update(zip(nodes, spread(wanted, distances, heavy), strict=True))
    return places


def _wanted(node: Node, beside: Sequence[Node], places: Mapping[Node, float]) -> float:
    """Say where a node would best be; a long arrow first of all wants to be straight."""
    straight = [] if node.step else [other for other in beside if not other.step]
    return _mean([places[other] for other in straight or beside or [node]])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
