"""A grid on one line, and tables with a job a row."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook

from workbench.errors import NotebookError, ParameterError
from workbench.jobs.parameters import Parameter, read_grid, read_parameters, read_table

CELL = """
from datetime import date
from typing import Annotated, Literal
from workbench.jobs import Range

month: Annotated[int, Range(1, 12)] = 1
library: str = "xgboost"
rate: float = 0.1
start: date = date(2013, 1, 1)
days: list[int] = []
deep: bool = False
label: str | None = None
price: Decimal = Decimal("1.5")
anything = None
"""


@pytest.fixture(scope="module")
def contract() -> list[Parameter]:
    return contract_of(CELL)


def contract_of(source: str) -> list[Parameter]:
    cell = new_code_cell(source, metadata={"tags": ["parameters"]})
    return read_parameters(new_notebook(cells=[cell]), "train")


# Grids


def test_a_grid_is_the_product_and_the_last_varies_fastest(contract: list[Parameter]) -> None:
    assert read_grid(contract, ["month=1,2", "library=xgboost,lightgbm"], "train") == [
        {"month": 1, "library": "xgboost"},
        {"month": 1, "library": "lightgbm"},
        {"month": 2, "library": "xgboost"},
        {"month": 2, "library": "lightgbm"},
    ]
    assert read_grid(contract, [], "train") == [{}]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("month=1..12", list(range(1, 13))),
        ("month=1..3,6,9..9", [1, 2, 3, 6, 9]),
        ("library=1..3", ["1..3"]),
        ("rate=1..2,0.5", [1.0, 2.0, 0.5]),
        ("anything=-1..1", [-1, 0, 1]),
        ("library=", [""]),
        ("library=a,,b", ["a", "", "b"]),
        ("library='a,b',c", ["a,b", "c"]),
        ('library="a, \\"b\\"",c', ['a, "b"', "c"]),
        ("library=O'Brien,Smith", ["O'Brien", "Smith"]),
        ("library='", None),
        ("library='a'b,c'", ["'a'b", "c'"]),
        ("library=f(a,b),c", ["f(a,b)", "c"]),
        ("library=),(", None),
        ("library=),]", [")", "]"]),
        ("library=a=b,c", ["a=b", "c"]),
        ("days=[1,2],[3],[]", [[1, 2], [3], []]),
        ("start=2013-01-01,2013-02-01", [date(2013, 1, 1), date(2013, 2, 1)]),
        ("deep=true,False", [True, False]),
        ("label=None,a", [None, "a"]),
        ('anything={"a": [1, 2]},"]",3', [{"a": [1, 2]}, "]", 3]),
    ],
)
def test_a_text_is_parted_at_its_commas(
    contract: list[Parameter], text: str, values: list[Any] | None
) -> None:
    if values is None:
        with pytest.raises(ParameterError, match=r"ends inside of a (quote|bracket): expected"):
            read_grid(contract, [text], "train")
    else:
        assert [v for row in read_grid(contract, [text], "train") for v in row.values()] == values


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["month"], "train: 'month': expected NAME=VALUE,VALUE,..."),
        (["moth=1"], "train: unknown parameter 'moth'; did you mean month?"),
        (["month=1,13"], "train: month: expected int from 1 up to 12, found '13'"),
        (["month=11..13"], "train: month: expected int from 1 up to 12, found 13"),
        (["month=1,"], "train: month: expected int from 1 up to 12, found ''"),
        (["month=3..1"], "train: month: expected FIRST..LAST, upwards"),
        (["anything=1..999999999999"], "train: anything: expected FIRST..LAST, upwards"),
        (["month=1", "month=2"], "train: 'month' is given twice in the grid"),
        (["anything=1..1000", "rate=1..1000"], "train: a grid of 1,000,000 jobs; expected at most"),
        (["deep=1..2"], "train: deep: expected bool, found 1"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(
    contract: list[Parameter], texts: list[str], said: str
) -> None:
    with pytest.raises(ParameterError, match=f"^{re.escape(said)}"):
        read_grid(contract, texts, "train")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5))
def test_texts_in_quotes_come_back_whatever_they_hold(texts: list[str]) -> None:
    grid = "library=" + ",".join(json.dumps(text) for text in texts)
    rows = read_grid(contract_of("library: str"), [grid], "train")
    assert [row["library"] for row in rows] == texts


@given(st.text(st.sampled_from("a,'\"[](){}\\1. "), max_size=12))
def test_any_text_can_be_quoted_and_then_stands_beside_others(text: str) -> None:
    rows = read_grid(contract_of("library: str"), [f"library=a,{text!r},b"], "train")
    assert [row["library"] for row in rows] == ["a", text, "b"]


@given(st.text(st.sampled_from("a1.- "), max_size=12))
def test_a_text_without_commas_is_one_value(text: str) -> None:
    rows = read_grid(contract_of("library: str"), [f"library={text}"], "train")
    assert rows == [{"library": text}]


def test_what_is_required_may_come_from_elsewhere() -> None:
    contract = contract_of("a: int\nb: int = 2")
    assert read_grid(contract, ["b=1"], "train") == [{"b": 1}]
    assert read_grid(contract, ["b=1"], "train", {"a": 1}) == [{"b": 1}]
    assert read_grid(contract, ["a=1"], "train", {}) == [{"a": 1}]
    with pytest.raises(ParameterError, match=r"^train: required and not given: a \(int\)$"):
        read_grid(contract, ["b=1"], "train", {})
    with pytest.raises(NotebookError, match="train: takes no parameters"):
        read_grid([], ["b=1"], "train")


# Tables

ROWS: list[dict[str, Any]] = [
    {"month": 1, "library": "007", "start": date(2013, 7, 1), "price": Decimal("2.50")},
    {"month": 2, "start": date(2013, 8, 1), "days": [1, 2]},
    {"library": "a,b", "days": [], "rate": 2.0},
]


def test_a_csv_file_is_read_by_the_declared_types(
    contract: list[Parameter], tmp_path: Path
) -> None:
    path = tmp_path / "jobs.csv"
    path.write_text(
        "month,library,start,price,days,rate\n"
        "1,007,2013-07-01,2.50,,\n"
        '2,,2013-08-01,,"[1, 2]",\n'
        ',"a,b",,,[],2\n'
    )
    rows = read_table(contract, path, "train")
    assert rows == ROWS
    assert type(rows[2]["rate"]) is float
    path.write_text('library,month\n"",1\n')
    assert read_table(contract, path, "train") == [{"library": "", "month": 1}]


def test_a_parquet_file_is_read_with_its_types(contract: list[Parameter], tmp_path: Path) -> None:
    path = tmp_path / "jobs.parquet"
    pl.DataFrame(ROWS, infer_schema_length=None).write_parquet(path)
    assert read_table(contract, path, "train") == ROWS
    frame = pl.DataFrame(
        {
            "start": [datetime.fromisoformat("2013-07-01")],
            "label": pl.Series(["a"], dtype=pl.Categorical),
            "month": pl.Series([3], dtype=pl.UInt8),
            "anything": [{"a": 1, "b": [1.5]}],
        }
    )
    frame.write_parquet(path)
    assert read_table(contract, path, "train") == [
        {"start": date(2013, 7, 1), "label": "a", "month": 3, "anything": {"a": 1, "b": [1.5]}}
    ]
    pl.DataFrame({"start": ["2013-07-01"]}).write_parquet(path)
    assert read_table(contract, path, "train") == [{"start": date(2013, 7, 1)}]


@pytest.mark.parametrize("name", ["jobs.yaml", "jobs.yml", "JOBS.YAML", "jobs.json"])
def test_a_yaml_or_json_file_is_a_list_of_mappings(
    contract: list[Parameter], tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_text(
        '[{"month": 1, "library": "007", "start": "2013-07-01", "price": "2.50"},\n'
        ' {"month": 2, "start": "2013-08-01", "days": [1, 2], "rate": null},\n'
        ' {"library": "a,b", "days": [], "rate": 2}]'
    )
    assert read_table(contract, path, "train") == ROWS


def test_a_date_of_yaml_is_one(contract: list[Parameter], tmp_path: Path) -> None:
    path = tmp_path / "jobs.yaml"
    path.write_text("- start: 2013-07-01\n  price: 2.50\n  label:\n- {}\n")
    assert read_table(contract, path, "train") == [
        {"start": date(2013, 7, 1), "price": Decimal("2.5")},
        {},
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", "", "not a table that can be read; expected .csv, .parquet, .yaml, .yml, .json"),
        ("a.csv", "", "can't be read: "),
        ("a.csv", "month\n1,2,3\n", "can't be read: "),
        ("a.csv", "moth\n1\n", ", row 1: unknown parameter 'moth'; did you mean month?"),
        ("a.csv", "month\n1\n13\n", ", row 2: month: expected int from 1 up to 12, found '13'"),
        ("a.csv", "month,month\n1,2\n", ", row 1: unknown parameter 'month_duplicated_0'"),
        ("a.parquet", "PAR1", "can't be read: "),
        ("a.yaml", "a: [", "can't be read: "),
        ("a.yaml", "!!python/object/apply:os.abort []", "can't be read: could not determine a con"),
        ("a.yaml", "month: 1", "expected a list of mappings, found dict"),
        ("a.yaml", "", "expected a list of mappings, found NoneType"),
        ("a.yaml", "- {}\n- 3", ", row 2: expected a mapping, found int"),
        ("a.yaml", "- 1: 2", ", row 1: unknown parameter 1; there are: anything, days, "),
        ("a.yaml", "- library: 007", ", row 1: library: expected str, found 7"),
        ("a.json", "[", "can't be read: "),
        ("a.json", '[{"start": "July"}]', ", row 1: start: expected date, found 'July'"),
    ],
)
def test_a_table_that_cannot_be_is_refused_with_file_row_and_column(
    contract: list[Parameter], tmp_path: Path, name: str, content: str, said: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ParameterError) as raised:
        read_table(contract, path, "train")
    message = str(raised.value)
    assert str(path) in message
    assert message.partition(str(path))[2].removeprefix(": ").startswith(said)
    assert "\n" not in message


def test_a_missing_table_and_a_folder(contract: list[Parameter], tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"gone\.csv: no such file"):
        read_table(contract, tmp_path / "gone.csv", "train")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ParameterError, match=r"folder\.csv: no such file"):
        read_table(contract, tmp_path / "folder.csv", "train")


def test_a_row_without_what_is_required_is_named(tmp_path: Path) -> None:
    contract = contract_of("a: int\nb: int = 2")
    path = tmp_path / "jobs.csv"
    path.write_text("a,b\n1,1\n,2\n")
    rows: list[dict[str, int]] = [{"a": 1, "b": 1}, {"b": 2}]
    assert read_table(contract, path, "train") == rows
    assert read_table(contract, path, "train", {"a": 3}) == rows
    said = rf"{re.escape(str(path))}, row 2: required and not given: a \(int\)$"
    with pytest.raises(ParameterError, match=said):
        read_table(contract, path, "train", {})


def test_a_secret_in_a_table_is_in_no_message(tmp_path: Path) -> None:
    path = tmp_path / "jobs.yaml"
    path.write_text("- token: 31337\n")
    with pytest.raises(ParameterError) as raised:
        read_table(contract_of("token: Annotated[str, Secret]"), path, "train")
    assert "31337" not in str(raised.value)
