"""What a node may be called, which kinds there are, and pages with more than one picture."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench import Project
from workbench.lineage import link, show
from workbench.lineage.drawing.svg import COLOURS
from workbench.lineage.nodes import KINDS
from workbench.store import DecisionRow, GateRow, ReproductionRow, database, now


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with all that comes of a version besides predictions."""
    (tmp_path / "workbench.toml").write_text('name = "x"\n')
    found = Project.find(tmp_path)
    link(found, ["model:late/1"], "gate:late/1@abcdef012345", "judged")
    link(found, ["model:late/1", "gate:late/1@abcdef012345"], "decision:1", "promoted")
    link(found, ["model:late/1"], "reproduction:1", "reproduced")
    link(found, ["notebook:n.ipynb", "commit:0123456"], "function:rate@1", "defined")
    link(found, ["notebook:n.ipynb"], "function:rate@2", "defined")
    link(found, ["cell:n.ipynb#fit@1"], "run:0123456789abcdef", "ran")
    with database(found).session() as session:
        session.add(
            GateRow(
                factory="f",
                model="late",
                version="1",
                policy="p",
                outcome="passed",
                report={},
                digest="abcdef012345" + "0" * 52,
                evaluated_at=now(),
            )
        )
        session.add(
            ReproductionRow(
                model="late",
                version="1",
                verdict="same bytes",
                report={},
                reproduced_by="ada",
                reproduced_at=now(),
            )
        )
        session.add(
            DecisionRow(
                factory="f",
                model="late",
                alias="champion",
                version="1",
                outcome="promoted",
                reason="better",
                evidence={},
                decided_by="eva",
                previous_hash="",
                hash="h",
                decided_at=now(),
            )
        )
    return found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("gate:late/1", "gate:late/1@abcdef012345"),
        ("gate:late/1@abc", "gate:late/1@abcdef012345"),
        ("gate:la", "gate:late/1@abcdef012345"),
        ("function:rate", "function:rate@2"),
        ("function:rate@1", "function:rate@1"),
        ("reproduction:1", "reproduction:1"),
        ("notebook:n.ipynb", "notebook:n.ipynb"),
        ("n.ipynb", "cell:n.ipynb#fit@1"),
    ],
)
def test_all_that_is_made_of_a_version_is_found(project: Project, text: str, name: str) -> None:
    assert show(text, project=project).starts == [name]


def test_what_is_known_of_a_version_and_what_came_of_it(project: Project) -> None:
    found = show("model:late/1", project=project)
    told = {node.kind: node.facts for node in found.nodes}
    assert told["gate"]["outcome"] == "passed"
    assert told["reproduction"]["outcome"] == "same bytes"
    assert told["decision"]["outcome"] == "late/1 promoted for champion"
    assert told["model"]["gate"] == "passed"
    assert told["model"]["promoted"].endswith("eva")
    assert "reproduction 1" in found.svg()


def test_each_kind_has_a_colour() -> None:
    assert {kind for kinds in COLOURS.values() for kind in kinds} == {*KINDS, "other"}


@pytest.mark.parametrize("text", ["dataset:\U0010ffff", "gate:\ud7ff", "dataset:\udcff", "\udcff"])
def test_letters_at_the_edge_of_what_can_be_written(
    project: Project, cli: Callable[..., Any], text: str
) -> None:
    for command in (("lineage", "show", text), ("lineage", "show", f"prediction:{text}/k")):
        done = cli(*command, folder=project.root)
        assert done.returncode == 2
        assert "unknown" in done.stderr


def test_two_pictures_on_a_page_share_no_name(project: Project) -> None:
    drawn = [show(node, project=project).svg() for node in ("model:late/1", "function:rate")]
    assert not re.findall(r'\bid="', "".join(drawn))
    assert 'class="head"' in drawn[0]
