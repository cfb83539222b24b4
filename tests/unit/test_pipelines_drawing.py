"""The picture of a pipeline: nothing overlaps, nothing is markup that was a name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.jobs.pipelines import Arrow, Plan, PlannedStep, StepState, svg, text
from workbench.jobs.pipelines.drawing.layout import Node, layout, spread

NAME = "{http://www.w3.org/2000/svg}"


def step(name: str, *inputs: str, after: Sequence[str] = ()) -> PlannedStep:
    arrows = [Arrow(*each.split("."), parameter="x") for each in inputs]
    return PlannedStep(name, f"{name}.ipynb", arrows=tuple(arrows), after=tuple(after))


def plan(*steps: PlannedStep) -> Plan:
    return Plan("p", "A <test> & more", {}, steps)


DIAMOND = plan(
    step("prepare"),
    step("left", "prepare.frame"),
    step("right", "prepare.frame", "prepare.folds"),
    step("join", "left.rows", "right.rows", after=["prepare"]),
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    count = draw(st.integers(1, 12))
    steps: list[PlannedStep] = []
    for number in range(count):
        earlier = st.sampled_from([s.name for s in steps]) if steps else st.nothing()
        before = draw(st.lists(earlier, max_size=3, unique=True)) if steps else []
        split = draw(st.integers(0, len(before)))
        inputs = [f"{name}.{draw(st.sampled_from(['a', 'frame']))}" for name in before[:split]]
        steps.append(step(f"s{number}" + "x" * (number % 5), *inputs, after=before[split:]))
    return plan(*steps)


@given(plans())
@settings(deadline=None)
def test_a_layout_goes_forward_and_leaves_room(drawn: Plan) -> None:
    made = layout(drawn, lambda node: 10.0 if node.step else 2.0, 4.0)
    of_step = {node.step: node for nodes in made.layers for node in nodes if node.step}
    assert set(of_step) == {each.name for each in drawn.steps}
    for path in made.paths.values():
        assert [node.layer for node in path] == list(range(path[0].layer, path[-1].layer + 1))
    for each in drawn.steps:
        for before in each.needs:
            assert of_step[before].layer < of_step[each.name].layer
    for nodes in made.layers:
        for one, other in pairwise(nodes):
            room = (10 if one.step else 2) / 2 + (10 if other.step else 2) / 2 + 4
            assert made.places[other] - made.places[one] >= room - 1e-6
        for node in nodes:
            half = 5 if node.step else 1
            assert -1e-6 <= made.places[node] - half <= made.breadth - 2 * half + 1e-6


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=8), st.floats(0, 20))
def test_places_keep_order_and_distance(wanted: list[float], apart: float) -> None:
    found = spread(wanted, [apart] * (len(wanted) - 1))
    assert all(b - a >= apart - 1e-6 for a, b in pairwise(found))
    assert sum(found) == pytest.approx(sum(wanted), abs=1e-6)  # least squares: the mean stays
    if all(b - a >= apart for a, b in pairwise(wanted)):
        assert found == pytest.approx(wanted)


def test_few_arrows_cross() -> None:
    drawn = plan(step("a"), step("b"), step("c", "b.x"), step("d", "a.x"))
    made = layout(drawn, lambda _: 1.0, 1.0)
    places = {node.step: place for node, place in made.places.items()}
    assert (places["a"] < places["b"]) == (places["d"] < places["c"])


def test_a_chain_is_straight_also_past_others() -> None:
    drawn = plan(step("a"), step("b", "a.x"), step("c", "b.x", "a.y"))
    made = layout(drawn, lambda node: 10.0 if node.step else 2.0, 4.0)
    [long] = [path for path in made.paths.values() if len(path) == 3]
    assert isinstance(long[1], Node)
    assert long[1].step == ""


STATES: dict[str, StepState] = {"prepare": "cached", "left": "failed", "join": "skipped"}


def test_the_svg_is_whole_and_needs_nothing_else() -> None:
    drawn = svg(DIAMOND, STATES)
    root = ElementTree.fromstring(drawn)
    texts = [element.text for element in root.iter(f"{NAME}text")]
    assert {"prepare", "left", "right", "join"} <= set(texts)
    assert {"frame", "frame, folds", "rows"} <= set(texts)
    assert {"cached", "failed", "skipped"} <= set(texts)
    assert len(list(root.iter(f"{NAME}rect"))) == 5
    assert sum("order" in str(each.get("class")) for each in root.iter(f"{NAME}path")) == 1
    assert "prefers-color-scheme: dark" in drawn
    links = re.findall(r"https?://[^\"' ]+", drawn)
    assert set(links) == {"http://www.w3.org/2000/svg"}
    assert "script" not in drawn


@given(plans())
@settings(deadline=None)
def test_boxes_of_the_svg_do_not_overlap(drawn: Plan) -> None:
    root = ElementTree.fromstring(svg(drawn))
    width, height = float(str(root.get("width"))), float(str(root.get("height")))
    boxes = [
        tuple(float(str(rect.get(key))) for key in ("x", "y", "width", "height"))
        for rect in root.iter(f"{NAME}rect")
        if rect.get("class") == "box"
    ]
    for place, (x, y, w, h) in enumerate(boxes):
        assert 0 <= x <= x + w <= width
        assert 0 <= y <= y + h <= height
        for ox, oy, ow, oh in boxes[place + 1 :]:
            assert x + w <= ox or ox + ow <= x or y + h <= oy or oy + oh <= y


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=50))
def test_a_name_is_text_and_never_markup(name: str) -> None:
    drawn = svg(plan(PlannedStep(name, "x.ipynb")), {name: "running"})
    root = ElementTree.fromstring(drawn)
    assert not list(root.iter(f"{NAME}script"))
    [shown, state] = [element.text for element in root.iter(f"{NAME}text")]
    assert shown is not None
    assert name.startswith(shown.rstrip("…")[:39])
    assert state == "running"


def test_in_the_terminal() -> None:
    assert text(DIAMOND, STATES).splitlines() == EXPECTED.strip("\n").splitlines()


EXPECTED = """
              ┌──────────────────┐
              │ prepare · cached │
              └─────────┬────────┘
        ┌──────────┬────┴─────────────┐
        ▼ frame    ▼ frame, folds     │
┌───────────────┐  ┌──────────────┐   │
│ left · failed │  │    right     │   │
└───────┬───────┘  └───────┬──────┘   │
        └────────────┐     │          │
                     │     └┐         │
                     │      │      ┌──┘
                     ▼ rows ▼ rows ▼
                    ┌──────────────────┐
                    │  join · skipped  │
                    └──────────────────┘
"""


def test_a_wide_one_is_listed() -> None:
    assert text(DIAMOND, STATES, width=20).splitlines() == [
        "prepare  cached",
        "left     failed     ← prepare.frame",
        "right               ← prepare.frame, prepare.folds",
        "join     skipped    ← left.rows, right.rows, prepare",
    ]


@given(plans())
@settings(deadline=None)
def test_every_name_is_whole_in_the_terminal(drawn: Plan) -> None:
    lines = text(drawn, width=200).splitlines()
    assert max(map(len, lines)) <= 200
    for each in drawn.steps:
        assert any(re.search(rf"\b{each.name}\b", line) for line in lines)
    if any("┌" in line for line in lines):
        heads = sum(line.count("▼") for line in lines)
        assert heads == sum(len(each.needs) for each in drawn.steps)
