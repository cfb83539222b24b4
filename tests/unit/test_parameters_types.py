"""What a parameters cell may declare, how it is understood, and how it is refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from workbench.errors import NotebookError, ParameterError
from workbench.jobs.parameters import (
    HIDDEN,
    Parameter,
    check_parameters,
    from_json,
    parse_parameters,
    read_parameters,
    to_json,
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def contract_of(source: str) -> list[Parameter]:
    cell = new_code_cell(source, metadata={"tags": ["parameters"]})
    return read_parameters(new_notebook(cells=[cell]), "train")


def only(source: str) -> Parameter:
    [parameter] = contract_of(source)
    return parameter


def check(source: str, value: Any) -> Any:
    contract = contract_of(source)
    [taken] = check_parameters(contract, {contract[-1].name: value}, "train").values()
    return taken


def parse(source: str, text: str) -> Any:
    contract = contract_of(source)
    [taken] = parse_parameters(contract, [f"{contract[-1].name}={text}"], "train").values()
    return taken


ENUM = "from enum import Enum\nclass Mode(Enum):\n    FAST = 'fast'\n    SLOW = 'slow'\n"


# Names and imports


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import date\nx: date",
        "from datetime import date as day\nx: day",
        "import datetime\nx: datetime.date",
        "import datetime as dt\nx: dt.date",
        "x: date",
        "x: dt.date",
        "x: 'date'",
        "x: datetime.date",
        "from typing import Optional\nfrom datetime import date\nx: Optional[date]",
        "import typing as t\nx: t.Union[None, date]",
        "x: date | None",
        "x: None | 'date'",
    ],
)
def test_a_type_is_found_by_whatever_name_the_cell_has_for_it(source: str) -> None:
    assert check(source, date(2013, 7, 1)) == date(2013, 7, 1)
    with pytest.raises(ParameterError, match=r"expected .*date.*, found 'July'"):
        parse(source, "July")


@pytest.mark.parametrize(
    "source",
    [
        "from typing import Literal as L\nx: L['a', 'b']",
        "import typing\nx: typing.Literal['a', 'b'] = 'a'",
        "from typing_extensions import Literal\nx: Literal['a', 'b']",
        "x: Literal['a', 'b'] | None = None",
    ],
)
def test_choices_are_listed_and_enforced(source: str) -> None:
    assert only(source).choices == ("a", "b")
    assert check(source, "a") == "a"
    assert parse(source, "b") == "b"
    with pytest.raises(ParameterError, match=r"expected one of 'a', 'b'.*, found 'c'"):
        check(source, "c")


@pytest.mark.parametrize(
    "source",
    [
        "from workbench.jobs import Range\nx: Annotated[int, Range(1, 12)] = 3",
        "from workbench.jobs.parameters import Range\nx: Annotated[int, Range(1, 12)] = 3",
        "import workbench as wb\nx: Annotated[int, wb.jobs.Range(1, 12)] = 3",
        "import typing as t\nfrom workbench import jobs\nx: t.Annotated[int, jobs.Range(1, 12)]",
        "x: Annotated[int, 'months', Range(minimum=1, maximum=12)] = 3",
        "x: Annotated[int, Range(1, 12)] | None = None",
        "x: Annotated[int | None, Range(1, 12)]",
    ],
)
def test_a_range_is_shown_and_enforced(source: str) -> None:
    assert (only(source).minimum, only(source).maximum) == (1, 12)
    assert [check(source, value) for value in (1, 12)] == [1, 12]
    for value in (0, 13):
        with pytest.raises(ParameterError, match=rf"expected .*from 1 up to 12.*, found {value}"):
            check(source, value)


def test_a_range_may_be_open_and_of_anything_that_has_an_order() -> None:
    assert check("x: Annotated[float, Range(0)]", 1e300) == 1e300
    assert check("x: Annotated[float, Range(None, 1)]", -1) == -1.0
    source = "x: Annotated[date, Range(date(2013, 1, 1))]"
    assert only(source).minimum == "2013-01-01"
    assert check(source, date(2013, 1, 1))
    for broken, value in [
        (source, date(2012, 12, 31)),
        ("x: Annotated[float, Range(0)]", float("nan")),
        ("x: Annotated[Decimal, Range(0)]", Decimal("nan")),
        ("x: Annotated[datetime, Range(datetime(2013, 1, 1))]", datetime(2014, 1, 1, tzinfo=UTC)),
        ("x: list[Annotated[int, Range(1)]]", [1, 0]),
    ]:
        with pytest.raises(ParameterError, match="expected"):
            check(broken, value)


def test_what_is_required_and_what_is_not() -> None:
    contract = contract_of("a: int\nb: int = 1\nc: date\nd: int = None")
    assert [(p.name, p.required) for p in contract] == [
        ("a", True),
        ("b", False),
        ("c", True),
        ("d", False),
    ]
    assert check_parameters(contract, {"a": 1, "c": date(2013, 1, 1), "d": None}, "train")
    with pytest.raises(ParameterError, match=r"^train: required and not given: c \(date\)$"):
        check_parameters(contract, {"a": 1}, "train")
    with pytest.raises(ParameterError, match=r"a \(int\), c \(date\)$"):
        check_parameters(contract, {}, "train")


def test_a_type_that_is_not_known_is_shown_and_lets_everything_through() -> None:
    parameter = only("import pandas as pd\nx: pd.DataFrame | int")
    assert parameter.type == "pd.DataFrame | int"
    source = "x: Whatever[int] = 'a'"
    for value in (1, "b", None, [1, {"a": None}], {"k": 1.5}, date(2013, 1, 1), (1, 2)):
        assert check(source, value) == value
    for value in (object(), b"bytes", 1j, {"a": object()}):
        with pytest.raises(ParameterError, match="expected a value that JSON can hold"):
            check(source, value)


@pytest.mark.parametrize(
    ("source", "type_", "default"),
    [
        ("x = 3", "int", 3),
        ("x = None", "NoneType", None),
        ("x = [1, 'a']", "list", [1, "a"]),
        ("x = {'a': 1}", "dict", {"a": 1}),
        ("x = {1: 'a'}", "dict", {"$type": "pairs", "value": [[1, "a"]]}),
        ("x = (1, 2)", "tuple", [1, 2]),
        ("x = {1}", "set", [1]),
        ("x = set()", "set", []),
        ("x = -1.5", "float", -1.5),
        ("x = float('nan')", "float", "NaN"),
        ("import numpy as np\nx = -np.inf", "float", "-Infinity"),
        ("x = date(2013, 7, 1)", "date", "2013-07-01"),
        ("x = date.fromisoformat('2013-07-01')", "date", "2013-07-01"),
        ("x = datetime(2013, 7, 1, tzinfo=timezone.utc)", "datetime", "2013-07-01T00:00:00+00:00"),
        ("x = time(10, 30)", "time", "10:30:00"),
        ("x = timedelta(hours=36)", "timedelta", "P1DT43200S"),
        ("x = Decimal('1.50')", "Decimal", "1.50"),
        ("x = Path('data') / 'x.csv'", "Path", "data/x.csv"),
        (ENUM + "x = Mode.FAST", "Mode", "fast"),
        (ENUM + "x: Mode = Mode('slow')", "Mode", "slow"),
        (ENUM + "x: list[Mode] = [Mode.SLOW]", "list[Mode]", ["slow"]),
        ("x = 3  # type: float  the rate", "float", 3.0),
        ("x: float = 1", "float", 1.0),
        ("x: str = None", "str", None),
        ("x: 'list[int]' = [1]", "list[int]", [1]),
        ("x: tuple[int, str] = (1, 'a')", "tuple[int, str]", [1, "a"]),
        ("x: dict[int, str] = {1: 'a'}", "dict[int, str]", {"1": "a"}),
        ("x = 1\nx: str = 'later'", "str", "later"),
    ],
)
def test_defaults_are_read_from_their_source(source: str, type_: str, default: Any) -> None:
    parameter = only(source)
    assert (parameter.type, parameter.default) == (type_, default)
    assert json.loads(parameter.model_dump_json())["default"] == default
    assert from_json([parameter], {"x": default})  # so a default can be given again


def test_descriptions_come_from_comments() -> None:
    contract = contract_of(
        "a = 1  # type: float  the rate\nb = 2  # type: ignore\nc = d = 3  # #3  "
    )
    assert [(p.name, p.description) for p in contract] == [
        ("a", "the rate"),
        ("b", "type: ignore"),
        ("c", "3"),
        ("d", "3"),
    ]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x: int = 'a'", "the default of 'x': expected int, found 'a'"),
        ("x: Annotated[int, Range(1)] = 0", "the default of 'x': expected int from 1, found 0"),
        ("x: date = '2013-07-01'", "the default of 'x': expected date, found '2013-07-01'"),
        ("x: date = date(2013, 13, 1)", "the default of 'x' is not a literal (month must be"),
        ("x = timedelta(days=10**20)", "the default of 'x' is not a literal"),
        ("x = timedelta(days=99999999999)", "the default of 'x' is not a literal ("),
        ("x = Decimal('a')", "the default of 'x' is not a literal"),
        (
            "x = open('a')",
            "the default of 'x' is not a literal (of calls, only these are read: Decimal, Path, ",
        ),
        ("x = b'a'", "the parameter 'x': the default has a type that isn't known: b'a'"),
        ("x = ...", "the parameter 'x': the default has a type that isn't known: ..."),
        ("x = {**{}}", "the default of 'x' is not a literal"),
        ("x = -'a'", "the default of 'x' is not a literal"),
        ("x = not 1", "the default of 'x' is not a literal"),
        ("x = 4 / 2", "the default of 'x' is not a literal"),
        ("x = y", "the default of 'x' is not a literal"),
        ("x: Annotated[int, Range('a')]", "the parameter 'x': expected Range(minimum, maximum), "),
        (
            "x: Annotated[int, Range(1, 2, 3)]",
            "the parameter 'x': expected Range(minimum, maximum)",
        ),
        ("x: Annotated[int, Secret]", "the parameter 'x': a secret is a str, not int"),
        ("x: Annotated[str | int, Secret]", "the parameter 'x': a secret is a str, not str or int"),
        ("x: Annotated[Token, Secret]", "the parameter 'x': a secret is a str, not "),
        ("x: Annotated[int, Range(*y)]", "the parameter 'x': "),
        (ENUM + "x: Literal[Mode.FAST]", "the parameter 'x': declare the enum itself, instead of"),
        (
            "x: Literal[1.5]",
            "the parameter 'x': Literal takes texts, whole numbers, bools and None",
        ),
        (ENUM + "x = Mode.FASTER", "the default of 'x' is no Mode: there are FAST, SLOW"),
        (ENUM + "x = Mode('fastest')", "the default of 'x' is no Mode (one of 'fast', 'slow')"),
        (ENUM + "Mode: Mode = Mode.FAST", "the parameter 'Mode' hides the enum of that name"),
        ("class A:\n    x = 1", "the parameters cell, line 1: class A: expected an Enum"),
        ("class A(Enum):\n    x = y", "the parameters cell, line 1: class A: x = y: is not a lit"),
        ("class A(Enum):\n    pass", "the parameters cell, line 1: class A: expected members"),
        ("def f(): pass", "the parameters cell, line 1: expected `name: type = value`"),
        ("x = " + "(" * 500, "the parameters cell, line 1: "),
        ("x = " + "-" * 5000 + "1", ""),
    ],
)
def test_what_is_no_contract_is_refused_in_one_line(source: str, said: str) -> None:
    with pytest.raises(NotebookError, match=f"^train: {re.escape(said)}") as raised:
        contract_of(source)
    assert "\n" not in str(raised.value)


# Values from Python


@pytest.mark.parametrize(
    ("annotation", "value", "taken"),
    [
        ("int", "numpy.int64(7)", 7),
        ("int", "numpy.array(7)", 7),
        ("float", "numpy.float32(0.5)", 0.5),
        ("float", "numpy.longdouble(0.5)", 0.5),
        ("float", "numpy.int8(3)", 3.0),
        ("bool", "numpy.bool_(True)", True),
        ("str", "numpy.str_('a')", "a"),
        ("date", "numpy.datetime64('2013-07-01')", date(2013, 7, 1)),
        ("date", "pandas.Timestamp('2013-07-01')", date(2013, 7, 1)),
        ("date", "datetime(2013, 7, 1)", date(2013, 7, 1)),
        ("datetime", "numpy.datetime64('2013-07-01T10:00:00', 'ns')", at("2013-07-01T10")),
        ("datetime", "pandas.Timestamp('2013-07-01 10:00')", at("2013-07-01T10")),
        ("datetime", "pandas.Timestamp('2013-07-01', tz='UTC')", datetime(2013, 7, 1, tzinfo=UTC)),
        ("datetime", "date(2013, 7, 1)", at("2013-07-01")),
        ("timedelta", "numpy.timedelta64(90, 's')", timedelta(seconds=90)),
        ("timedelta", "pandas.Timedelta('1h')", timedelta(hours=1)),
        ("time", "time(10, 30)", time(10, 30)),
        ("Decimal", "Decimal('1.50')", Decimal("1.50")),
        ("Decimal", "3", Decimal(3)),
        ("Path", "Path('a/b')", Path("a/b")),
        ("Path", "PurePosixPath('a/b')", Path("a/b")),
        ("Path", "'a/b'", Path("a/b")),
        ("list[int]", "[numpy.int64(7), 8]", [7, 8]),
        ("list[float]", "[1, 2.5]", [1.0, 2.5]),
        ("tuple[int, ...]", "[1, 2]", (1, 2)),
        ("tuple[()]", "()", ()),
        ("set[int]", "[1, 1]", {1}),
        ("set", "frozenset({1})", {1}),
        ("dict[str, int]", "{'a': numpy.int8(1)}", {"a": 1}),
        ("int | float", "1", 1),
        ("float | int", "1", 1),
        ("float | str", "1", 1.0),
        ("str | Path", "Path('a')", Path("a")),
        ("Path | str", "'a'", "a"),
        ("int", "IntEnum('E', 'ONE').ONE", 1),
        ("str", "StrEnum('E', 'ONE').ONE", "one"),
        ("Any", "numpy.float64(2)", 2.0),
    ],
)
def test_values_of_python_and_its_libraries_are_taken(
    annotation: str, value: str, taken: Any
) -> None:
    import numpy
    import pandas

    space = {"numpy": numpy, "pandas": pandas}
    exec(
        "from datetime import *; from decimal import *; from pathlib import *; from enum import *",
        space,
    )
    found = check(f"x: {annotation}", eval(value, space))
    assert found == taken
    assert type(found) is type(taken)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("int", "numpy.bool_(True)"),
        ("int", "numpy.float64(1)"),
        ("int", "numpy.array([1])"),
        ("int", "10**5000"),
        ("int", "pandas.NA"),
        ("float", "10**400"),
        ("float", "Decimal('1.5')"),
        ("str", "b'a'"),
        ("str", "'\\ud800'"),
        ("bool", "0"),
        ("date", "'2013-07-01'"),
        ("date", "datetime(2013, 7, 1, 10)"),
        ("date", "datetime(2013, 7, 1, tzinfo=timezone.utc)"),
        ("date", "pandas.NaT"),
        ("datetime", "pandas.NaT"),
        ("datetime", "numpy.datetime64('NaT')"),
        ("datetime", "pandas.Timestamp('2013-07-01 00:00:00.000000001')"),
        ("datetime", "numpy.datetime64('2013-07-01T00:00:00.000000001', 'ns')"),
        ("timedelta", "pandas.Timedelta('1ns')"),
        ("timedelta", "5"),
        ("Decimal", "1.5"),
        ("Decimal", "True"),
        ("Path", "1"),
        ("tuple[int, int]", "(1,)"),
        ("tuple[int, ...]", "{1}"),
        ("list[int]", "[1, '2']"),
        ("list[int]", "numpy.array([1])"),
        ("set[list]", "[[1]]"),
        ("dict[str, int]", "{1: 1}"),
        ("dict", "[]"),
        ("Literal[1]", "True"),
        ("Literal[True]", "1"),
        ("int | None", "'a'"),
        ("list", "endless"),
        ("int", "nasty"),
        ("int", "pandas.DataFrame({'a': [1]})"),
    ],
)
def test_values_of_other_types_are_refused_in_one_line(annotation: str, value: str) -> None:
    import numpy
    import pandas

    class Nasty:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    endless: list[Any] = []
    endless.append(endless)
    space = {"numpy": numpy, "pandas": pandas, "endless": endless, "nasty": Nasty()}
    exec("from datetime import *; from decimal import *; from pathlib import *", space)
    with pytest.raises(ParameterError, match=r"^train: x: expected .+, found .+$") as raised:
        check(f"x: {annotation}", eval(value, space))
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 200


def test_a_member_of_an_enum_is_given_by_value_by_name_or_as_one() -> None:
    from enum import Enum

    class Mode(Enum):
        FAST = "fast"

    source = ENUM + "x: Mode"
    assert only(source).choices == ("fast", "slow")
    assert [check(source, value) for value in ("fast", "FAST", Mode.FAST)] == ["fast"] * 3
    assert [parse(source, text) for text in ("slow", "SLOW")] == ["slow"] * 2
    with pytest.raises(ParameterError, match=r"expected Mode \(one of 'fast', 'slow'\), found 'x'"):
        check(source, "x")
    numbers = "class Level(IntEnum):\n    LOW = 1\n    HIGH = 2\nx: Level"
    assert parse(numbers, "2") == parse(numbers, "HIGH") == check(numbers, 2) == 2


# Values from a command line


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        ("date", "2013-07-01", date(2013, 7, 1)),
        ("datetime", "2013-07-01", at("2013-07-01")),
        ("datetime", "2013-07-01T10:00:00Z", datetime(2013, 7, 1, 10, tzinfo=UTC)),
        ("time", "10:30", time(10, 30)),
        ("timedelta", "PT90S", timedelta(seconds=90)),
        ("timedelta", "1:30:00", timedelta(hours=1, minutes=30)),
        ("Decimal", "1.50", Decimal("1.50")),
        ("Path", "a b/c", Path("a b/c")),
        ("float", "-inf", float("-inf")),
        ("float", "1e3", 1000.0),
        ("int | None", "null", None),
        ("int | str", "5", 5),
        ("str | int", "5", 5),
        ("str | int", "five", "five"),
        ("date | str", "latest", "latest"),
        ("list[date]", '["2013-07-01"]', [date(2013, 7, 1)]),
        ("list[str]", "['a', 'b']", ["a", "b"]),
        ("tuple[int, str]", "(1, 'a')", (1, "a")),
        ("set[int]", "{1, 2}", {1, 2}),
        ("dict[int, str]", '{"1": "a"}', {1: "a"}),
        ("dict[int, str]", "{1: 'a'}", {1: "a"}),
        ("dict", '{"1": "a"}', {"1": "a"}),
        ("Literal['1', 2, True, None]", "1", "1"),
        ("Literal['1', 2, True, None]", "2", 2),
        ("Literal['1', 2, True, None]", "true", True),
        ("Literal['1', 2, True, None]", "None", None),
        ("Literal['true']", "true", "true"),
        ("Annotated[str, Secret]", "007", "007"),
        ("Annotated[date, Range(date(2013, 1, 1))]", "2013-07-01", date(2013, 7, 1)),
    ],
)
def test_a_text_is_read_by_the_declared_type(annotation: str, text: str, value: Any) -> None:
    found = parse(f"x: {annotation}", text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        ("date", "2013-02-30"),
        ("date", "1"),
        ("timedelta", "soon"),
        ("Decimal", "1,5"),
        ("int", "9" * 5000),
        ("int", "1_000"),
        ("list", "[" * 100_000),
        ("list[date]", '["July"]'),
        ("dict[int, str]", '{"a": "a"}'),
        ("Literal[1]", "1.0"),
        ("bool | None", "yes"),
    ],
)
def test_a_text_of_another_type_is_refused(annotation: str, text: str) -> None:
    with pytest.raises(ParameterError, match=r"^train: x: expected .+, found '.+$") as raised:
        parse(f"x: {annotation}", text)
    assert len(str(raised.value)) < 200


# Secrets


def test_a_secret_is_in_no_listing_no_record_and_no_message() -> None:
    source = "from workbench.jobs import Secret\nx: Annotated[str, Secret] = 'hunter2'"
    contract = contract_of(source)
    assert (only(source).secret, only(source).default) == (True, HIDDEN)
    assert "hunter2" not in repr(contract) + contract[0].model_dump_json()
    assert to_json(contract, {"x": "hunter3"}) == {"x": HIDDEN}
    with pytest.raises(ParameterError) as raised:
        check_parameters(contract, {"x": ["hunter4"]}, "train")
    assert str(raised.value) == "train: x: expected str, found a list"
    assert raised.value.__cause__ is None
    with pytest.raises(NotebookError, match="the default of 'x': expected str, found another type"):
        only("x: Annotated[str, Secret] = 31337")
    assert only("import workbench.jobs as j\nx: Annotated[str | None, j.Secret()] = None").secret
    assert only("x: Annotated[str, Secret]").default is None


def test_nothing_heavy_is_imported_to_read_a_contract() -> None:
    code = (
        "import sys, workbench.jobs.parameters\n"
        "heavy = {'numpy', 'pandas', 'polars', 'papermill', 'nbformat', 'mlflow', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
