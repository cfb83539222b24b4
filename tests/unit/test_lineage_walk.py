"""Walks against a graph that is walked the naive way; bounds that say what they leave out."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from workbench.lineage import Edge, downstream, link, link_all, show, upstream
from workbench.lineage.edges import COLUMN, COLUMNS, NOTES, UNKNOWN
from workbench.lineage.walk import walk
from workbench.project import Project
from workbench.store import EdgeRow, database

NAMES = st.sampled_from([f"dataset:{letter}@1" for letter in "abcdefgh"])
RELATIONS = st.sampled_from(["computed", "read", COLUMN, UNKNOWN, *sorted(NOTES)])
EDGES = st.lists(st.builds(Edge, source=NAMES, target=NAMES, relation=RELATIONS), max_size=30)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("walk")
    (folder / "workbench.toml").write_text('name = "x"\n')
    return Project.find(folder)


def fresh(project: Project, edges: list[Edge]) -> None:
    with database(project).session() as session:
        session.execute(delete(EdgeRow))
    link_all(project, edges)


def naive(
    edges: list[Edge], start: str, *, up: bool, columns: bool, depth: int | None
) -> tuple[dict[str, int], set[Edge]]:
    """Follow edges one by one, by the rules of the docstrings."""
    distances, found, ahead = {start: 0}, set(), [start]
    shown = {start: 0}
    while ahead:
        node = ahead.pop(0)
        if distances[node] == depth:
            continue
        for edge in edges:
            near, far = (edge.target, edge.source) if up else (edge.source, edge.target)
            is_note = edge.relation in NOTES
            if near != node or (edge.relation in COLUMNS and not columns):
                continue
            if is_note and node != start:
                continue
            found.add(edge)
            shown.setdefault(far, distances[node] + 1)
            if not is_note and far not in distances:
                distances[far] = distances[node] + 1
                ahead.append(far)
    return shown, found


@given(EDGES, NAMES, st.tuples(st.booleans(), st.booleans()), st.none() | st.integers(0, 4))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_walk_is_the_naive_one(
    project: Project, edges: list[Edge], start: str, asked: tuple[bool, bool], depth: int | None
) -> None:
    up, columns = asked
    fresh(project, edges)
    walked = walk(project, [start], up=up, down=not up, depth=depth, columns=columns)
    distances, found = naive(edges, start, up=up, columns=columns, depth=depth)
    assert set(walked.edges) == found
    assert {name: abs(far) for name, far in walked.distances.items()} == distances
    if depth is None:
        assert not walked.cuts
        plain = naive(edges, start, up=up, columns=False, depth=None)[1]
        assert set((upstream if up else downstream)(project, start)) == plain


@given(EDGES, NAMES, st.integers(1, 6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_bound_is_kept_and_told(
    project: Project, edges: list[Edge], start: str, limit: int
) -> None:
    fresh(project, edges)
    whole = walk(project, [start], up=False, columns=True)
    some = walk(project, [start], up=False, columns=True, limit=limit)
    assert set(some.edges) <= set(whole.edges)
    assert len(some.edges) == min(limit, len(whole.edges))
    assert bool(some.cuts) == (len(whole.edges) > limit)
    assert all(cut.reason == "limit" and cut.edges > 0 for cut in some.cuts)
    told = sum(cut.edges for cut in some.cuts)
    assert told <= len(whole.edges) - len(some.edges)


def test_a_hub_is_cut_with_its_number(project: Project) -> None:
    fresh(project, [])
    link_all(
        project,
        [Edge(source="dataset:all@1", target=f"run:{n}", relation="read") for n in range(3000)],
    )
    found = show("dataset:all@1", limit=100, project=project)
    assert len(found.edges) == 100
    assert [(cut.direction, cut.depth, cut.edges, cut.reason) for cut in found.cuts] == [
        ("down", 0, 2900, "limit")
    ]
    assert "2,900 more edges go down at distance 0: --limit N" in found._repr_html_()
    assert len(show("dataset:all", limit=5000, project=project).edges) == 3000


def test_circles_end_and_are_drawn(project: Project) -> None:
    fresh(project, [])
    names = ["run:1", "model:m/1", "predictions:f/1@1", "window:f/1", "run:1"]
    for one, other in pairwise(names):
        link(project, [one], other, "made")
    link(project, ["run:1"], "run:1", "made")
    found = show("model:m/1", project=project)
    assert len(found.edges) == 5
    assert {node.name for node in found.nodes} == set(names)
    assert "back-arrow" in found.svg()
    assert "window:f/1" in repr(found._repr_mimebundle_()["text/plain"])


def test_a_wide_frontier_is_asked_in_parts(project: Project, tmp_path: Path) -> None:
    width = 3_000
    fresh(project, [])
    link_all(
        project,
        [
            Edge(source=source, target=target, relation="made")
            for n in range(width)
            for source, target in (("a:0", f"b:{n}"), (f"b:{n}", "c:0"))
        ],
    )
    assert len(downstream(project, "a:0")) == 2 * width
    assert len(upstream(project, "c:0")) == 2 * width
