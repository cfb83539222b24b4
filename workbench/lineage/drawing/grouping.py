"""Many nodes of one kind as one box: 48 scored windows are a fact, and no picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from workbench.lineage.nodes import KINDS, Node, clean, family, kind_of, many
from workbench.lineage.showing import Lineage

__all__ = ["Box", "Grouped", "group"]

_ALONE = 4
"""Of how many nodes of a family each has a box of its own."""

_BOXES = 120
"""More boxes can't be read: then distance doesn't part a family any longer."""


@dataclass(frozen=True)
class Box:
    """What is drawn as one: a node, or many of a kind."""

    key: int
    kind: str
    title: str
    note: str
    names: tuple[str, ...]
    is_start: bool


@dataclass(frozen=True)
class Grouped:
    """The boxes, and which leads to which, by what relations."""

    boxes: list[Box]
    arrows: dict[tuple[int, int], list[str]]


def group(lineage: Lineage, alone: int = _ALONE) -> Grouped:
    """Put nodes into boxes; those of a family that are alike and as far away share one."""
    above: dict[str, set[str]] = defaultdict(set)  # what is made of others isn't like a source
    for edge in lineage.edges:
        above[edge.target].add(kind_of(edge.source))
    groups = _grouped(
        lineage,
        alone,
        lambda node: (family(node.name), node.distance, frozenset(above[node.name])),
    )
    if len(groups) > _BOXES:
        groups = _grouped(lineage, alone, lambda node: (family(node.name), node.distance > 0))
    boxes = [_box(key, nodes, lineage) for key, nodes in enumerate(groups)]
    home = {name: box.key for box in boxes for name in box.names}
    arrows: dict[tuple[int, int], dict[str, None]] = defaultdict(dict)
    for edge in lineage.edges:
        ends = home[edge.source], home[edge.target]
        if ends[0] != ends[1]:
            arrows[ends][edge.relation] = None
    return Grouped(boxes, {ends: list(relations) for ends, relations in arrows.items()})


def _grouped(lineage: Lineage, alone: int, alike: Callable[[Node], Hashable]) -> list[list[Node]]:
    families: dict[Hashable, list[Node]] = defaultdict(list)
    for node in lineage.nodes:
        families[(node.name in lineage.starts, alike(node))].append(node)
    found: list[list[Node]] = []
    for nodes in families.values():
        found += [nodes] if len(nodes) > alone else [[node] for node in nodes]
    return found


def _box(key: int, nodes: list[Node], lineage: Lineage) -> Box:
    first = nodes[0]
    if len(nodes) == 1:
        word = KINDS.get(first.kind, (first.kind, ""))[0]
        title, note = first.label, " · ".join([word, *_fact(first)])
    else:
        title = many(family(first.name), len(nodes))
        note = f"{nodes[0].label} … {nodes[-1].label}"
    return Box(
        key=key,
        kind=first.kind if first.kind in KINDS else "other",
        title=clean(title),
        note=clean(note),
        names=tuple(node.name for node in nodes),
        is_start=first.name in lineage.starts,
    )


_TOLD = ("label", "status", "gate", "rows", "outcome", "notebook")


def _fact(node: Node) -> list[str]:
    """Pick the one fact that a small box has room for."""
    told = [node.facts[name] for name in _TOLD if name in node.facts]
    unit = " rows" if told and told[0] == node.facts.get("rows") else ""
    return [f"{told[0]}{unit}"] if told else []
