"""The parameters cell as a contract, and what is said of values that break it."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from workbench.errors import NotebookError, ParameterError, UsageError
from workbench.jobs.parameters import (
    Parameter,
    check_parameters,
    load_notebook,
    parse_parameters,
    read_parameters,
)


def contract_of(*cells: str, tags: tuple[str, ...] = ("parameters",)) -> list[Parameter]:
    tagged = [new_code_cell(source, metadata={"tags": list(tags)}) for source in cells]
    notebook = new_notebook(
        cells=[new_markdown_cell("# Title"), *tagged, new_code_cell("x = 1 + 1")]
    )
    return read_parameters(notebook, "train")


CELL = '''
"""What this notebook takes."""
from datetime import date

library: str = "xgboost"  # which library trains
rounds: int = 100
rate: float = 0.1  # step size, 0–1
deep = False
days: list[int] = [  # of the week
    1,
    -2,
]  # Monday is 1
options: dict = {"a": None}
label: str | None = None
when: date = date(2013, 1, 1)
'''


@pytest.fixture
def contract() -> list[Parameter]:
    return contract_of(CELL)


def test_a_cell_gives_names_types_defaults_and_descriptions(contract: list[Parameter]) -> None:
    assert [(p.name, p.type, p.default, p.description) for p in contract] == [
        ("library", "str", "xgboost", "which library trains"),
        ("rounds", "int", 100, ""),
        ("rate", "float", 0.1, "step size, 0–1"),
        ("deep", "bool", False, ""),
        ("days", "list[int]", [1, -2], "Monday is 1"),
        ("options", "dict", {"a": None}, ""),
        ("label", "str | None", None, ""),
        ("when", "date", "2013-01-01", ""),
    ]


def test_a_text_that_looks_like_a_comment_is_none() -> None:
    [colour] = contract_of("colour: str = '#fff'")
    assert (colour.default, colour.description) == ("#fff", "")


def test_a_notebook_without_the_cell_takes_nothing() -> None:
    assert contract_of("a = 1", tags=("other",)) == []
    assert contract_of("", tags=("parameters",)) == []
    assert check_parameters([], {}, "train") == {}
    with pytest.raises(NotebookError, match=r"train: takes no parameters .*given: a, b"):
        check_parameters([], {"a": 1, "b": 2}, "train")


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("a = 1 + 1", "the default of 'a' is not a literal"),
        ("a: list = list(range(3))", "the default of 'a' is not a literal"),
        ("a = f'{1}'", "the default of 'a' is not a literal"),
        ("a = {[1]: 2}", "the default of 'a' is not a literal"),
        ("b = 1\na += 1", "the parameters cell, line 2: expected `name: type = value`"),
        ("a, b = 1, 2", "the parameters cell, line 1: expected `name: type = value`"),
        ("if True:\n    a = 1", "the parameters cell, line 1: expected"),
        ("a = 1\n%matplotlib inline", "the parameters cell, line 2: invalid syntax"),
        ("a = (", "the parameters cell, line 1: "),
        ("a\0 = 1", "the parameters cell, line "),
    ],
)
def test_a_cell_that_is_no_contract_is_refused_with_its_line(cell: str, said: str) -> None:
    with pytest.raises(NotebookError, match=f"^train: {re.escape(said)}"):
        contract_of(cell)


def test_two_tagged_cells_are_refused() -> None:
    with pytest.raises(NotebookError, match="train: 2 cells are tagged 'parameters'; expected one"):
        contract_of("a = 1", "b = 2")


def test_the_cell_is_read_and_never_run(tmp_path: Path) -> None:
    contract_of(f"import pathlib\npathlib.Path({str(tmp_path / 'x')!r}).touch()\na = 1")
    assert not (tmp_path / "x").exists()


# Values


def test_an_unknown_name_is_answered_with_the_names_there_are(contract: list[Parameter]) -> None:
    with pytest.raises(ParameterError) as raised:
        check_parameters(contract, {"rate": 0.2, "libary": "sklearn"}, "train")
    assert str(raised.value) == (
        "train: unknown parameter 'libary'; did you mean library? "
        "There are: days, deep, label, library, options, rate, rounds, when"
    )
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("library", "sklearn"),
        ("library", ""),
        ("rounds", -5),
        ("rounds", 10**30),
        ("rate", 0.5),
        ("deep", True),
        ("days", []),
        ("days", [7, 6]),
        ("options", {"a": {"b": [1]}}),
        ("label", None),
        ("label", "text"),
    ],
)
def test_a_value_of_the_declared_type_is_taken_as_it_is(
    contract: list[Parameter], name: str, value: Any
) -> None:
    [taken] = check_parameters(contract, {name: value}, "train").values()
    assert taken == value
    assert type(taken) is type(value)


def test_a_whole_number_is_a_float_where_one_is_declared(contract: list[Parameter]) -> None:
    [rate] = check_parameters(contract, {"rate": 1}, "train").values()
    assert rate == 1.0
    assert type(rate) is float


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("library", 1),
        ("library", None),
        ("rounds", "100"),
        ("rounds", 1.0),
        ("rounds", True),
        ("rounds", None),
        ("rate", "0.1"),
        ("rate", True),
        ("deep", 1),
        ("deep", "true"),
        ("days", (1, 2)),
        ("days", ["1"]),
        ("days", [True]),
        ("days", 1),
        ("options", []),
    ],
)
def test_a_value_of_another_type_is_refused_with_both(
    contract: list[Parameter], name: str, value: Any
) -> None:
    declared = {parameter.name: parameter.type for parameter in contract}[name]
    said = f"train: {name}: expected {declared}, found {value!r}"
    with pytest.raises(ParameterError, match=f"^{re.escape(said)}$") as raised:
        check_parameters(contract, {name: value}, "train")
    assert isinstance(raised.value, TypeError)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("library=007", "007"),  # declared a text: what looks like a number stays one
        ("library=true", "true"),
        ("library=null", "null"),
        ("library=[1]", "[1]"),
        ("library=a=b", "a=b"),
        ("library=", ""),
        ('library="x"', '"x"'),
        ("rounds=7", 7),
        ("rate=1e-3", 0.001),
        ("rate=2", 2.0),
        ("deep=true", True),
        ("deep=True", True),
        ("deep=False", False),
        ("days=[1, 2]", [1, 2]),
        ('options={"a": [true]}', {"a": [True]}),
        ("label=text", "text"),
        ("label=None", None),
        ("label=null", None),
        ("when=2013-06-01", date(2013, 6, 1)),
        ("days=[1,2]", [1, 2]),
    ],
)
def test_a_text_is_read_in_the_declared_type(
    contract: list[Parameter], text: str, value: Any
) -> None:
    [(name, taken)] = parse_parameters(contract, [text], "train").items()
    assert name == text.partition("=")[0]
    assert taken == value
    assert type(taken) is type(value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rounds", "train: 'rounds': expected NAME=VALUE"),
        ("rounds=", "train: rounds: expected int, found ''"),
        ("rounds=007", "train: rounds: expected int, found '007'"),
        ("rounds=1.5", "train: rounds: expected int, found '1.5'"),
        ("rounds=true", "train: rounds: expected int, found 'true'"),
        ("deep=1", "train: deep: expected bool, found '1'"),
        ("deep=yes", "train: deep: expected bool, found 'yes'"),
        ("days=1,2", "train: days: expected list[int], found '1,2'"),
        ("=1", "train: unknown parameter ''"),
        ("round=1", "train: unknown parameter 'round'; did you mean rounds?"),
        ("rounds =1", "train: unknown parameter 'rounds '; did you mean rounds?"),
    ],
)
def test_a_text_that_cannot_be_is_refused(contract: list[Parameter], text: str, said: str) -> None:
    with pytest.raises(ParameterError, match=f"^{re.escape(said)}"):
        parse_parameters(contract, [text], "train")


def test_of_two_texts_for_one_name_the_last_stands(contract: list[Parameter]) -> None:
    assert parse_parameters(contract, ["rounds=1", "rounds=2"], "train") == {"rounds": 2}


def test_a_text_can_smuggle_no_code_in(contract: list[Parameter]) -> None:
    nasty = 'x"; import os; os.abort() #'
    assert parse_parameters(contract, [f"library={nasty}"], "train") == {"library": nasty}


# The file


def test_a_notebook_is_read_with_its_cells(tmp_path: Path) -> None:
    path = tmp_path / "with é.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("é = 1")]), path)
    assert load_notebook(path).cells[0].source == "é = 1"


def notebook(**changes: Any) -> bytes:
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [], **changes}
    ).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b'{"cells": [',
        b"\x89PNG\r\n\xff\xfe\0",
        "é".encode("utf-16"),
        b"null",
        b"3",
        b'"text"',
        b"[]",
        b"{}",
        b'{"a": 1}',
        b'{"nbformat": 4}',
        notebook(nbformat="four"),
        notebook(nbformat=None),
        notebook(nbformat=99),
        notebook(nbformat_minor=None),
        notebook(cells=3),
        notebook(cells=[{}]),
        notebook(cells=[{"cell_type": "code", "source": 1}]),
    ],
)
def test_a_file_that_is_no_notebook_is_named_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "corrupt.ipynb"
    path.write_bytes(content)
    with pytest.raises(NotebookError) as raised:
        load_notebook(path)
    said = str(raised.value)
    assert re.match(rf"{re.escape(str(path))}: (not a valid notebook|can't be read): .+", said)
    assert "\n" not in said


def test_a_notebook_that_is_missing_or_a_folder(tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match=r"gone.ipynb: no such notebook"):
        load_notebook(tmp_path / "gone.ipynb")
    (tmp_path / "folder.ipynb").mkdir()
    with pytest.raises(UsageError, match=r"folder.ipynb: is a folder; expected a notebook"):
        load_notebook(tmp_path / "folder.ipynb")
