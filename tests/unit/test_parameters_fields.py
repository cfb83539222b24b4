"""A form's fields: all mistakes at once, each where it was made."""

from __future__ import annotations

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from workbench.errors import ParameterError
from workbench.jobs import Parameter, read_parameters
from workbench.jobs.parameters.fields import read_fields

CELL = """
from typing import Annotated
from workbench.jobs import Range, Secret
day: str
month: Annotated[int, Range(1, 12)] = 6
airports: list[str] = ["JFK"]
token: Annotated[str | None, Secret] = None
"""


@pytest.fixture
def contract() -> list[Parameter]:
    cell = new_code_cell(CELL, metadata={"tags": ["parameters"]})
    return read_parameters(new_notebook(cells=[cell]), "n.ipynb")


def test_texts_become_values(contract: list[Parameter]) -> None:
    filled = read_fields(contract, {"day": "3", "airports": '["LGA"]'}, {}, "n.ipynb")
    assert filled.jobs == [{"day": "3", "airports": ["LGA"]}]
    assert filled.problems == {}


def test_a_grid_makes_a_job_of_each_combination(contract: list[Parameter]) -> None:
    filled = read_fields(contract, {"day": "x"}, {"month": "1..2", "token": "a,b"}, "n.ipynb")
    assert [(job["month"], job["token"]) for job in filled.jobs] == [
        (1, "a"),
        (1, "b"),
        (2, "a"),
        (2, "b"),
    ]
    assert {job["day"] for job in filled.jobs} == {"x"}


def test_every_mistake_is_told_where_it_was_made(contract: list[Parameter]) -> None:
    filled = read_fields(contract, {"month": "0", "yaer": "1"}, {"airports": "[1],("}, "n.ipynb")
    assert filled.jobs == []
    assert filled.problems == {
        "day": "expected str: it has no default",
        "month": "expected int from 1 up to 12, found '0'",
        "yaer": "unknown parameter 'yaer'; there are: airports, day, month, token",
        "airports": "the list ends inside of a bracket: expected )",
    }


def test_a_value_and_a_list_are_one_too_many(contract: list[Parameter]) -> None:
    filled = read_fields(contract, {"day": "x", "month": "1"}, {"month": "1,2"}, "n.ipynb")
    assert list(filled.problems) == ["month"]


def test_a_secret_is_in_no_message(contract: list[Parameter]) -> None:
    filled = read_fields(contract, {"day": "x", "token": "hush\ud800"}, {}, "n.ipynb")
    assert "hush" not in filled.problems["token"]


def test_too_many_jobs_are_no_fields_fault(contract: list[Parameter]) -> None:
    grid = {"month": "1..12", "day": ",".join(map(str, range(9000)))}
    with pytest.raises(ParameterError, match="a grid of 108,000 jobs"):
        read_fields(contract, {}, grid, "n.ipynb")


def test_a_notebook_without_parameters_says_so() -> None:
    filled = read_fields([], {"month": "1"}, {}, "n.ipynb")
    assert filled.problems["month"].startswith("takes no parameters")
    assert read_fields([], {}, {}, "n.ipynb").jobs == [{}]
