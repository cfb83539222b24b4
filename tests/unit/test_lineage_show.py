"""What somebody types, and what they see: found, refused, drawn, whatever the names are."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import Project
from workbench.lineage import Cut, Edge, Lineage, Node, link, show
from workbench.lineage.drawing.grouping import group
from workbench.lineage.drawing.layout import lay_out
from workbench.lineage.drawing.tree import plain
from workbench.lineage.nodes import kind_of, label_of

HOSTILE = (
    "<script>alert(1)</script>",
    "\"quotes\" & 'others'",
    "new\nline",
    "\x00\x1b[31mred\x07",
    "]]></style><b>",
    "\udcff lone",
    "a" * 500,
    "[bold]markup[/bold]",
    "</script><!--",
    "🙂 ‮ right to left",
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with two states of a data set, of a cell, and two versions of a model."""
    (tmp_path / "workbench.toml").write_text('name = "x"\n')
    found = Project.find(tmp_path)
    link(found, ["dataset:rows@aaaa1111"], "run:0123456789abcdef", "read")
    link(found, ["dataset:rows@aaaa2222"], "run:0123ffffffffffff", "read")
    link(found, ["cell:n.ipynb#fit@1", "cell:n.ipynb#fit@2"], "run:0123456789abcdef", "ran")
    link(found, ["run:0123456789abcdef"], "model:late/1", "registered")
    link(found, ["run:0123ffffffffffff"], "model:late/2", "registered")
    link(found, ["job:20240101-000000-aa"], "run:0123456789abcdef", "logged")
    link(found, ["model:late/1"], "predictions:f/2024-01-01@bbbb", "scored")
    link(found, ["feature:weather:wind@77"], "input:0123456789abcdef/weather__wind", "column")
    return found


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("dataset:rows@aaaa1111", ["dataset:rows@aaaa1111"]),
        ("dataset:rows@aaaa1", ["dataset:rows@aaaa1111"]),
        ("dataset:rows", ["dataset:rows@aaaa2222"]),
        (" dataset:ro ", ["dataset:rows@aaaa2222"]),
        ("model:late", ["model:late/2"]),
        ("model:late/1", ["model:late/1"]),
        ("cell:n.ipynb#fit", ["cell:n.ipynb#fit@2"]),
        ("n.ipynb", ["cell:n.ipynb#fit@1", "cell:n.ipynb#fit@2"]),
        ("012345", ["run:0123456789abcdef"]),
        ("run:0123f", ["run:0123ffffffffffff"]),
        ("20240101-0000", ["job:20240101-000000-aa"]),
        ("predictions:f/2024-01-01", ["predictions:f/2024-01-01@bbbb"]),
        ("feature:weather:wind", ["feature:weather:wind@77"]),
    ],
)
def test_a_node_is_found_by_as_much_as_is_clear(
    project: Project, text: str, names: list[str]
) -> None:
    assert sorted(show(text, project=project).starts) == names


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "dataset:row5",
            r"unknown node of the lineage 'dataset:row5': did you mean dataset:rows\?",
        ),
        ("datset:rows", "unknown node of the lineage 'datset:rows': did you mean dataset:rows"),
        ("run:0123", "means several nodes: run:0123"),
        ("dataset:rows@aaaa", "means several nodes"),
        ("model:late/9", "unknown node"),
        ("other.ipynb", "unknown node"),
        ("", "unknown node"),
        ("%", "unknown node"),
        ("dataset:' or 1=1 --", "unknown node"),
        ("\0", "unknown node"),
        ("prediction:f/key", "unknown scored factory 'f': there are none"),
        ("prediction:", "expected prediction:FACTORY/KEY"),
        ("model:late@champion", "unknown model 'late'"),
    ],
)
def test_what_is_not_there_or_not_clear_is_refused(
    project: Project, cli: Callable[..., Any], text: str, said: str
) -> None:
    with pytest.raises((LookupError, ValueError), match=said):
        show(text, project=project)
    if "\0" not in text:
        assert cli("lineage", "show", text, folder=project.root).returncode == 2


@pytest.mark.parametrize("options", [{"depth": -1}, {"limit": 0}, {"limit": 10**30}])
def test_numbers_below_their_bounds(project: Project, options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="expected 0 or more"):
        show("model:late", project=project, **options)  # type: ignore[arg-type]


def test_directions_and_depth(project: Project) -> None:
    def names(**options: Any) -> set[str]:
        found = show("run:0123456789abcdef", project=project, **options)
        return {node.name for node in found.nodes} - set(found.starts)

    up = {"dataset:rows@aaaa1111", "cell:n.ipynb#fit@1", "cell:n.ipynb#fit@2"}
    up |= {"job:20240101-000000-aa"}
    down = {"model:late/1", "predictions:f/2024-01-01@bbbb"}
    assert names() == up | down
    assert names(down=False) == up
    assert names(up=False, depth=1) == {"model:late/1"}
    assert names(depth=0) == set()
    [first, *_] = show("run:0123456789abcdef", up=False, depth=1, project=project).cuts
    assert first == Cut(direction="down", depth=1, edges=1, reason="depth")
    assert show("feature:weather:wind", project=project).kind("input")


def test_the_command_line(
    project: Project, cli: Callable[..., Any], cli_json: Callable[..., Any], tmp_path: Path
) -> None:
    found = cli_json("lineage", "show", "model:late/1", "--down", folder=project.root)
    assert [edge["relation"] for edge in found["edges"]] == ["scored"]
    assert {"name", "kind", "label", "distance", "at", "facts"} == set(found["nodes"][0])
    done = cli("lineage", "show", "model:late/1", "--depth", "1", folder=project.root)
    assert "registered run:0123456789abcdef" in done.stdout
    assert "4 more edges go up at distance 1: --depth 2" in done.stdout
    picture, page = tmp_path / "out" / "l.svg", tmp_path / "l.html"
    done = cli(
        *("lineage", "show", "late.ipynb".replace("late", "n"), "--svg", picture, "--html", page),
        folder=project.root,
    )
    assert done.returncode == 0, done.stderr
    ET.parse(picture)
    assert "<svg" in page.read_text()
    assert cli("lineage", "send", folder=project.root).returncode == 2


def chain(names: list[str]) -> Lineage:
    return Lineage(
        starts=[names[0]],
        nodes=[
            Node(name=n, kind=kind_of(n), label=label_of(n), distance=d, facts={n: n})
            for d, n in enumerate(names)
        ],
        edges=[Edge(source=a, target=b, relation=f"by {a}") for a, b in pairwise(names)],
    )


def test_hostile_names_are_text_everywhere() -> None:
    names = [f"dataset:{name}@1" for name in HOSTILE]
    found = chain(names)
    drawn = ET.fromstring(found.svg())
    texts = [text.text or "" for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert any("<script>" in text for text in texts), "as text"
    assert not list(drawn.iter("{http://www.w3.org/2000/svg}script"))
    for written in (found.svg(), found.html(), found._repr_html_()):
        assert "<script" not in written
        assert "<b>" not in written
        assert "\x1b" not in written
    tree = plain(found)
    assert "\x1b" not in tree
    assert "\x07" not in tree
    assert "[bold]markup[/bold]" in tree
    json.loads(json.dumps(json.loads(chain(names[:5]).model_dump_json())))


@given(st.lists(st.text(st.characters(), max_size=30), min_size=1, max_size=8, unique=True))
@settings(max_examples=100, deadline=None)
def test_any_name_makes_a_picture_that_is_xml(names: list[str]) -> None:
    ET.fromstring(chain([f"run:{name}" for name in names]).svg())


def test_many_nodes_of_a_kind_are_one_box() -> None:
    days = [f"predictions:f/2024-{m:02}-{d:02}@{m}{d}" for m in range(1, 5) for d in range(1, 13)]
    nodes = ["model:late/1", *days]
    found = Lineage(
        starts=nodes[:1],
        nodes=[
            Node(name=n, kind=kind_of(n), label=label_of(n), distance=int(n in days)) for n in nodes
        ],
        edges=[Edge(source=nodes[0], target=day, relation="scored") for day in days],
    )
    titles = [box.title for box in group(found).boxes]
    assert titles == ["late/1", "48 scored windows of f"]
    assert "48 scored windows of f" in plain(found)
    assert "48 scored windows of f" in found.svg()


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=80))
@settings(max_examples=60, deadline=None)
def test_no_two_boxes_stand_on_each_other(pairs: list[tuple[int, int]]) -> None:
    names = sorted({f"run:{n}" for pair in pairs for n in pair})
    found = Lineage(
        starts=names[:1],
        nodes=[Node(name=n, kind="run", label=n, distance=0) for n in names],
        edges=[Edge(source=f"run:{a}", target=f"run:{b}", relation="made") for a, b in pairs],
    )
    made = lay_out(group(found, alone=1000))
    places = list(made.places.values())
    for here, one in enumerate(places):
        assert one.x >= 0
        assert one.x + one.width <= made.width
        for other in places[here + 1 :]:
            apart = abs(one.y - other.y) >= 40 or one.x + one.width <= other.x
            assert apart or other.x + other.width <= one.x


def test_the_picture_of_a_notebook_is_small_and_has_a_png(project: Project) -> None:
    pytest.importorskip("bokeh")
    from workbench.lineage import picture

    drawn = picture("model:late", project=project)
    bundle, _ = drawn._repr_mimebundle_()
    assert bundle["image/png"].startswith(b"\x89PNG")
    assert "<svg" in bundle["text/html"]
    assert len(bundle["text/html"]) + len(bundle["image/png"]) < 300_000
    hostile = picture(chain([f"dataset:{name}@1" for name in HOSTILE]))
    script = hostile._repr_mimebundle_()[0]["text/html"].partition("<script>")[2]
    assert "<" not in script.removesuffix("</script>").partition("document.")[0]
