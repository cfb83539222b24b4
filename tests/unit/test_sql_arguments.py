"""SQL: how arguments find their parameters, and that SQL and Python mean the same call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from workbench import Project
from workbench.errors import DataError, UsageError
from workbench.factory.scaffold import create_project
from workbench.functions import Function, get, register_file
from workbench.serving.sql import sql

FUNCTIONS = '''
from datetime import datetime
from typing import Annotated

import polars as pl
import workbench as wb

@wb.function(test=[((1.0, 2.0, 3.0), 123.0), ((1.0,), 100.0)])
def digits(one: float, two: float = 0.0, three: float = 0.0) -> float:
    """Put three digits behind each other."""
    return 100 * one + 10 * two + three

@wb.function(test=[(datetime.fromisoformat("2013-01-01T00:00:00+02:00"), 22)])
def hour(at: datetime) -> int:
    """Tell the hour, in UTC."""
    return at.hour

@wb.function(returns=float, test=[(([1.0, 2.0], 1.0), [2.0, 3.0])])
def plus(x: Annotated[pl.Series, float], y: Annotated[pl.Series, float]) -> pl.Series:
    """Add."""
    return x + y

@wb.function(test=[(1, 2)])
def power(n: int) -> int:
    """Raise two."""
    return 2**n
'''
FRAME = pl.DataFrame({"x": [1.0, 2.0, None], "y": [4.0, 5.0, 6.0]})


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = create_project(tmp_path_factory.mktemp("arguments") / "project")
    path = Path(made.root, "functions", "all.py")
    path.parent.mkdir(exist_ok=True)
    path.write_text(FUNCTIONS)
    register_file(path, made)
    return made


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("digits(one := x, three := y)", lambda f: f(FRAME["x"], three=FRAME["y"])),
        ("digits(x, three := y)", lambda f: f(FRAME["x"], three=FRAME["y"])),
        ("digits(x, three := y, two := 7)", lambda f: f(FRAME["x"], 7, FRAME["y"])),
        ("digits(x)", lambda f: f(FRAME["x"])),
    ],
)
def test_arguments_mean_in_sql_what_they_mean_in_python(
    project: Project, text: str, call: Any
) -> None:
    answer = sql(f"SELECT {text} AS it FROM t", project, tables={"t": FRAME})
    assert answer["it"].to_list() == call(get("digits", project)).to_list()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("digits(x, one := y)", "one is given twice"),
        ("digits(x, four := y)", "unknown argument 'four'"),
        ("digits(three := y)", "lacks one"),
        ("digits()", "0 columns given; expected 1 to 3"),
    ],
)
def test_arguments_that_fit_no_parameter_are_refused(
    project: Project, call: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        sql(f"SELECT {call} FROM t", project, tables={"t": FRAME})


def test_a_time_is_in_utc_however_it_comes(project: Project) -> None:
    at = datetime(2024, 6, 1, 10, tzinfo=timezone(timedelta(hours=2)))
    hour = get("hour", project)
    asked = sql("SELECT hour(TIMESTAMPTZ '2024-06-01 10:00:00+02')", project).item()
    assert (hour(at), hour(pl.Series([at])).item(), asked) == (8, 8, 8)


@pytest.mark.parametrize("name", ["plus", "digits"])
def test_no_rows_beside_a_value_are_no_rows(project: Project, name: str) -> None:
    made: Function = get(name, project)
    for rows in (FRAME, FRAME.head(1), FRAME.clear()):
        found = rows.select(made(pl.col("x"), 1.0)).to_series()
        assert found.to_list() == made(rows["x"], 1.0).to_list()


def test_a_whole_number_has_64_bits(project: Project) -> None:
    power = get("power", project)
    for call in (power, lambda n: power(pl.Series([n]))):
        with pytest.raises(DataError, match="function power: its answer"):
            call(64)
    with pytest.raises(DataError, match="function power: its answer"):
        sql("SELECT power(64)", project)
    assert power(62) == sql("SELECT power(62)", project).item() == 2**62


def test_answers_of_every_type_come_back(project: Project) -> None:
    answer = sql(
        "SELECT t - TIMESTAMPTZ '2024-01-01' AS gone, INTERVAL 90 MINUTE AS wait FROM t",
        project,
        tables={"t": pl.DataFrame({"t": [datetime(2024, 1, 2, 1, tzinfo=UTC)]})},
    )
    assert answer.row(0) == (timedelta(days=1, hours=1), timedelta(minutes=90))
    assert answer.schema == {"gone": pl.Duration("us"), "wait": pl.Duration("us")}
    back = pl.DataFrame({"d": [timedelta(days=2, microseconds=5), None, timedelta(hours=-1)]})
    assert sql("FROM t", project, tables={"t": back}).equals(back)
    assert sql("FROM t WHERE d IS NULL", project, tables={"t": back}).equals(back[1:2])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("INTERVAL 1 MONTH", "it: an INTERVAL of months has no one length"),
        ("[INTERVAL 1 DAY]", "it: polars has no list"),
        ("union_value(a := 1)", "it: polars has no .*union"),
    ],
)
def test_answers_that_polars_has_no_type_for_are_named(
    project: Project, text: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        sql(f"SELECT {text} AS it", project)


def test_values_of_numpy_and_polars_are_values(project: Project) -> None:
    params = {"one": np.int64(2), "many": np.array([1.5, 2.5]), "names": pl.Series(["a", "b"])}
    answer = sql("SELECT $one AS one, $many AS many, $names AS names", project, params=params)
    assert answer.row(0) == (2, [1.5, 2.5], ["a", "b"])


@pytest.mark.parametrize("call", ["digits(x) OVER ()", "x.digits()", "main.digits(x)"])
def test_another_way_to_call_is_told(project: Project, call: str) -> None:
    with pytest.raises(UsageError, match=r"digits is called as digits\(…\)"):
        sql(f"SELECT {call} FROM t", project, tables={"t": FRAME})


def test_pandas_columns_of_several_types_are_told(project: Project) -> None:
    mixed = pl.DataFrame({"a": [1, 2]}).to_pandas().astype(object)
    mixed.loc[1, "a"] = "two"
    with pytest.raises(DataError, match="table mixed: "):
        sql("FROM mixed", project, tables={"mixed": mixed})
