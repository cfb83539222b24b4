"""The chain, asked in both directions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from workbench import Project
from workbench.lineage import Edge, downstream, link, upstream
from workbench.store import EdgeRow, database


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "workbench.toml").write_text('name = "x"\n')
    return Project.find(tmp_path)


@pytest.fixture
def chain(project: Project) -> Project:
    """Two sources make a view, a view and a source a frame, the frame two models."""
    link(project, ["dataset:a", "dataset:b"], "view:v", "computed")
    link(project, ["view:v", "dataset:b"], "dataset:frame", "joined")
    link(project, ["dataset:frame"], "run:1", "read")
    link(project, ["dataset:frame"], "run:2", "read")
    link(project, ["run:1"], "model:m/1", "registered")
    return project


def edges(found: list[Edge]) -> list[str]:
    return [f"{edge.source} {edge.relation} {edge.target}" for edge in found]


def count(project: Project) -> int:
    with database(project).session() as session:
        return session.scalar(select(func.count()).select_from(EdgeRow)) or 0


def test_upstream_is_all_that_it_was_made_from_nearest_first(chain: Project) -> None:
    assert edges(upstream(chain, "model:m/1")) == [
        "run:1 registered model:m/1",
        "dataset:frame read run:1",
        "view:v joined dataset:frame",
        "dataset:b joined dataset:frame",
        "dataset:a computed view:v",
        "dataset:b computed view:v",
    ]


def test_downstream_is_all_that_was_made_from_it_nearest_first(chain: Project) -> None:
    assert edges(downstream(chain, "dataset:a")) == [
        "dataset:a computed view:v",
        "view:v joined dataset:frame",
        "dataset:frame read run:1",
        "dataset:frame read run:2",
        "run:1 registered model:m/1",
    ]
    assert edges(downstream(chain, "run:2")) == []


def test_an_end_of_the_chain_and_an_unknown_node_have_no_edges(chain: Project) -> None:
    assert upstream(chain, "dataset:a") == []
    assert downstream(chain, "model:m/1") == []
    assert upstream(chain, "dataset:") == downstream(chain, "%") == []


def test_an_edge_that_is_reached_twice_is_told_once(project: Project) -> None:
    link(project, ["a"], "b1", "made")
    link(project, ["a"], "b2", "made")
    link(project, ["b1", "b2"], "c", "made")
    assert len(upstream(project, "c")) == len(downstream(project, "a")) == 4


def test_a_circle_ends(project: Project) -> None:
    link(project, ["a"], "b", "made")
    link(project, ["b"], "c", "made")
    link(project, ["c"], "a", "made")
    link(project, ["a"], "a", "made")
    everything = {"a made b", "b made c", "c made a", "a made a"}
    for node in "abc":
        assert set(edges(upstream(project, node))) == everything
        assert set(edges(downstream(project, node))) == everything


def test_a_link_written_again_is_one_edge(chain: Project) -> None:
    before = count(chain)
    link(chain, ["dataset:a", "dataset:b", "dataset:a"], "view:v", "computed")
    assert count(chain) == before
    link(chain, ["dataset:a"], "view:v", "read")  # another relation is another edge
    assert count(chain) == before + 1
    assert edges(upstream(chain, "view:v")) == [
        "dataset:a computed view:v",
        "dataset:b computed view:v",
        "dataset:a read view:v",
    ]


def test_no_sources_are_no_edges(project: Project) -> None:
    link(project, [], "view:v", "computed")
    assert upstream(project, "view:v") == []


def test_projects_do_not_share_a_chain(chain: Project, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "workbench.toml").write_text('name = "x"\n')
    assert upstream(Project.find(folder), "model:m/1") == []


def test_a_wide_and_deep_chain_is_walked_whole(project: Project) -> None:
    width = 2_000
    link(project, (f"row:{number}" for number in range(width)), "level:0", "made")
    for depth in range(60):
        link(project, [f"level:{depth}"], f"level:{depth + 1}", "made")
    assert len(upstream(project, "level:60")) == width + 60
    assert len(downstream(project, "row:7")) == 61


LINK = """
import os, sys
from workbench import Project
from workbench.lineage import link
project = Project.find(sys.argv[1])
children = []
for name in range(4):  # none of them has opened the tables yet: they race to make them too
    child = os.fork()
    if child == 0:
        for number in range(15):
            link(project, [f"node:{number}", f"own:{name}-{number}"], f"node:{number + 1}", "made")
        os._exit(0)
    children.append(child)
sys.exit(any(os.waitpid(child, 0)[1] for child in children))
"""


def test_processes_that_link_at_once_lose_and_double_nothing(project: Project) -> None:
    subprocess.run([sys.executable, "-c", LINK, project.root], check=True)
    assert count(project) == 15 + 4 * 15
    assert len(upstream(project, "node:15")) == 15 + 4 * 15
