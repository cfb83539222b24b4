"""Whether what was executed is the notebook from the top."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.tracking.capture.cells import CellRun, assigned_names, judge, parameters_source

NOTEBOOK = ["a = 1", "b = a + 1", "print(b)"]


def runs(*sources: str) -> list[CellRun]:
    return [CellRun(source=source) for source in sources]


def test_from_the_top_is_linear() -> None:
    assert judge(runs(*NOTEBOOK), NOTEBOOK).linear is True


def test_cells_not_reached_yet_do_not_matter() -> None:
    assert judge(runs(*NOTEBOOK[:2]), NOTEBOOK).linear is True
    assert judge([], NOTEBOOK).linear is True


def test_empty_cells_do_not_matter() -> None:
    assert judge(runs("a = 1", "", "b = a + 1\n"), ["a = 1", "  ", "b = a + 1"]).linear is True


def test_a_cell_before_an_earlier_one() -> None:
    found = judge(runs("b = a + 1", "a = 1"), NOTEBOOK)
    assert (found.linear, found.reason) == (False, "cell 2 was run before cell 1")


def test_a_cell_twice() -> None:
    found = judge(runs("a = 1", "b = a + 1", "a = 1"), NOTEBOOK)
    assert (found.linear, found.reason) == (False, "a cell was run 2 times")


def test_a_cell_that_was_changed_since() -> None:
    found = judge(runs("a = 2", "b = a + 1"), NOTEBOOK)
    assert found.linear is False
    assert "execution 1 ran a cell that the notebook doesn't have" in found.reason


def test_a_skipped_cell() -> None:
    assert judge(runs("a = 1", "print(b)"), NOTEBOOK).reason == "cell 3 was run before cell 2"


def test_the_same_cell_with_another_source_is_known_by_its_id() -> None:
    edited = [CellRun(source="a = 1", cell_id="x"), CellRun(source="a = 2", cell_id="x")]
    assert judge(edited, None).linear is False


def test_without_the_file_nobody_can_tell() -> None:
    assert judge(runs(*NOTEBOOK), None).linear is None


@given(st.permutations(NOTEBOOK))
def test_only_the_notebooks_order_is_linear(order: list[str]) -> None:
    assert judge(runs(*order), NOTEBOOK).linear is (order == NOTEBOOK)


def test_the_parameters_cell_is_the_tagged_one() -> None:
    cells = [
        {"source": "x = 1", "metadata": {}},
        {"source": "y = 2", "metadata": {"tags": ["parameters"]}},
    ]
    assert parameters_source(cells) == "y = 2"
    assert parameters_source(cells[:1]) is None
    assert parameters_source(None) is None


def test_names_of_what_cannot_be_parsed() -> None:
    assert assigned_names("%matplotlib inline\nx = 1") == []
    assert assigned_names("x: int\ny: int = 2\nz.a = 3\nfor i in []: pass") == ["y"]
