"""Where boxes stand: in layers from left to right, ordered so that few arrows cross.

Sugiyama's method (IEEE Trans. SMC 11, 1981): arrows that would go back are left out of the order,
layers are the longest paths, the order within one is by the mean place of the neighbours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from workbench.lineage.drawing.grouping import Box, Grouped

__all__ = ["HEIGHT", "Curve", "Layout", "Place", "lay_out", "short"]

HEIGHT = 40.0
_GAP, _BETWEEN, _MARGIN, _PADDING = 14.0, 70.0, 20.0, 14.0
_TITLE, _NOTE = 7.9, 6.4  # of a letter, on the wide side: fonts differ
_LONGEST = 38
_SWEEPS = 10

Curve = tuple[float, float, float, float]
"""Where an arrow begins and ends."""


@dataclass(frozen=True)
class Place:
    """A box with its corner and its width."""

    box: Box
    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Layout:
    """All places, by the boxes' keys, and the arrows with the relations that they stand for."""

    places: dict[int, Place]
    curves: list[tuple[Curve, tuple[int, int], list[str]]]
    width: float
    height: float


def lay_out(grouped: Grouped) -> Layout:
    """Lay boxes out."""
    layers = _layers(grouped)
    _order(layers, grouped.arrows)
    heights = _heights(layers, grouped.arrows)
    boxes = {box.key: box for box in grouped.boxes}
    places: dict[int, Place] = {}
    x = _MARGIN
    for layer in layers:
        width = max(_width(boxes[key]) for key in layer)
        for key in layer:
            places[key] = Place(boxes[key], x, heights[key] + _MARGIN, width)
        x += width + _BETWEEN
    bottom = max(place.y for place in places.values()) + HEIGHT
    curves = [
        (_curve(places[source], places[target]), (source, target), relations)
        for (source, target), relations in grouped.arrows.items()
    ]
    return Layout(places, curves, x - _BETWEEN + _MARGIN, bottom + _MARGIN)


def short(text: str) -> str:
    """Cut a text in its middle where a box has no room for it."""
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST // 2]}…{text[-_LONGEST // 2 + 1 :]}"


def _width(box: Box) -> float:
    inner = max(len(short(box.title)) * _TITLE, len(short(box.note)) * _NOTE)
    return max(90.0, inner + 2 * _PADDING)


def _curve(source: Place, target: Place) -> Curve:
    """Leave a box on the right and come in on the left; back, where an arrow goes back."""
    middle = HEIGHT / 2
    if source.x < target.x:
        return (source.x + source.width, source.y + middle, target.x, target.y + middle)
    return (source.x, source.y + middle, target.x + target.width, target.y + middle)


def _layers(grouped: Grouped) -> list[list[int]]:
    before: dict[int, set[int]] = {box.key: set() for box in grouped.boxes}
    for source, target in grouped.arrows:
        before[target].add(source)
    layer: dict[int, int] = {}
    for key in _sorted(before):
        layer[key] = max((layer[other] + 1 for other in before[key]), default=0)
    after: dict[int, list[int]] = defaultdict(list)
    for key, others in before.items():
        for other in others:
            after[other].append(key)
    for key in sorted(layer, key=lambda key: -layer[key]):
        if after[key]:  # near to what it leads to, where it has the room
            layer[key] = min(layer[other] for other in after[key]) - 1
    found: list[list[int]] = [[] for _ in range(max(layer.values()) + 1)]
    for key in before:
        found[layer[key]].append(key)
    return [keys for keys in found if keys]


def _sorted(before: dict[int, set[int]]) -> list[int]:
    """Order the keys after those before them; of a circle the last arrow found counts for none."""
    while True:
        try:
            return list(TopologicalSorter(before).static_order())
        except CycleError as error:
            circle = error.args[1]  # each is before the next one
            before[circle[-1]].discard(circle[-2])


def _order(layers: list[list[int]], arrows: Collection[tuple[int, int]]) -> None:
    beside = _neighbours(arrows)
    for sweep in range(_SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            rank = {key: place / len(keys) for keys in layers for place, key in enumerate(keys)}
            layer.sort(key=lambda key: _mean([rank[other] for other in beside[key]], rank[key]))


def _heights(
    layers: Sequence[Sequence[int]], arrows: Collection[tuple[int, int]]
) -> Mapping[int, float]:
    """Give each box a height near to its neighbours', and none the room of another."""
    step, beside = HEIGHT + _GAP, _neighbours(arrows)
    heights = {key: place * step for layer in layers for place, key in enumerate(layer)}
    for sweep in range(_SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted = [
                _mean([heights[other] for other in beside[key]], heights[key]) for key in layer
            ]
            placed: list[float] = []
            for want in wanted:
                placed.append(max(want, placed[-1] + step) if placed else want)
            pushed = _mean([at - want for at, want in zip(placed, wanted, strict=True)], 0.0)
            for key, at in zip(layer, placed, strict=True):
                heights[key] = at - pushed
    top = min(heights.values())
    return {key: at - top for key, at in heights.items()}


def _neighbours(arrows: Collection[tuple[int, int]]) -> dict[int, list[int]]:
    beside: dict[int, list[int]] = defaultdict(list)
    for source, target in arrows:
        beside[source].append(target)
        beside[target].append(source)
    return beside


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
