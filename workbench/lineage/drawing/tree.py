"""The chain as a tree in the terminal: each node once, many of a kind in one line."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.text import Text
from rich.tree import Tree

from workbench.lineage.nodes import Node, clean, family, many
from workbench.lineage.showing import Lineage

__all__ = ["plain", "trees"]

_ALONE = 6
_WIDTH = 110


def plain(lineage: Lineage) -> str:
    """Draw a lineage with characters alone."""
    written = io.StringIO()
    # In a notebook a console would display what it is only asked to write.
    console = Console(file=written, width=_WIDTH, color_system=None, force_jupyter=False)
    for tree in trees(lineage):
        console.print(tree)
    return written.getvalue()


def trees(lineage: Lineage) -> Iterator[RenderableType]:
    """Give what there is to print: what it came from, what came of it, what was left out."""
    nodes = {node.name: node for node in lineage.nodes}
    if lineage.row is not None:
        yield Text(clean(str(lineage.row)), style="bold")
    both = [
        ("came from", _links(lineage, nodes, up=True)),
        ("led to", _links(lineage, nodes, up=False)),
    ]
    for start in lineage.starts:
        for heading, links in both:
            if links.get(start):
                yield _tree(start, heading, links, nodes)
        if not any(links.get(start) for _, links in both):
            yield _line(nodes[start], "")
    for cut in lineage.cuts:
        yield Text(str(cut), style="yellow")


_Links = dict[str, list[tuple[str, str]]]


def _links(lineage: Lineage, nodes: dict[str, Node], *, up: bool) -> _Links:
    """Give, for each node, those beside it that are further away, and by which relation."""
    found: _Links = defaultdict(list)
    for edge in lineage.edges:
        near, far = (edge.target, edge.source) if up else (edge.source, edge.target)
        there, here = nodes[far].distance, nodes[near].distance
        if (there <= here <= 0 and there < 0) if up else (there >= here >= 0 and there > 0):
            found[near].append((far, edge.relation))
    return found


def _tree(start: str, heading: str, links: _Links, nodes: dict[str, Node]) -> Tree:
    title = Text.assemble(_line(nodes[start], ""), (f"  {heading}", "dim"))
    root = Tree(title, guide_style="dim")
    shown = {start}
    level: list[tuple[Tree, list[str]]] = [(root, [start])]
    while level:  # the nearest first: each node has its place where it is least far away
        further: list[tuple[Tree, list[str]]] = []
        for branch, names in level:
            beside = dict.fromkeys(link for name in names for link in links.get(name, ()))
            for relation, members in _families(list(beside)):
                fresh = [name for name in members if name not in shown]
                text = _text_of(members, relation, nodes, seen=not fresh)
                shown.update(fresh)
                further.append((branch.add(text), fresh))
        level = further
    return root


def _families(links: list[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Part what is beside a node into what has a line of its own and what shares one."""
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, relation in links:
        alike[relation, family(name)].append(name)
    for (relation, _), names in alike.items():
        if len(names) > _ALONE:
            yield relation, names
        else:
            yield from ((relation, [name]) for name in names)


def _text_of(names: list[str], relation: str, nodes: dict[str, Node], *, seen: bool) -> Text:
    if len(names) == 1:
        line = _line(nodes[names[0]], relation, brief=seen)
    else:
        ends = f"{nodes[names[0]].label} … {nodes[names[-1]].label}"
        line = Text.assemble(
            (f"{clean(relation)} ", "cyan"),
            clean(many(family(names[0]), len(names))),
            (f"  {clean(ends)}", "dim"),
        )
    return Text.assemble(line, ("  (above)", "dim")) if seen else line


def _line(node: Node, relation: str, *, brief: bool = False) -> Text:
    told = {} if brief else node.facts
    facts = ", ".join(f"{name} {fact}" for name, fact in told.items())
    return Text.assemble(
        (f"{clean(relation)} " if relation else "", "cyan"),
        (clean(node.name), "bold" if not node.distance else ""),
        (f"  {clean(facts)}" if facts else "", "dim"),
    )
