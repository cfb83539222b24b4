"""Any value of any type comes back: from a record, from a command line, from the injected cell."""

from __future__ import annotations

import copy
import json
import pickle
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import nbformat
import papermill
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from workbench.errors import ParameterError
from workbench.jobs.parameters import (
    Parameter,
    check_parameters,
    from_json,
    load_notebook,
    parameterize,
    parse_parameters,
    read_parameters,
    to_json,
)
from workbench.jobs.parameters.forms import alike

HEADS = {
    "names": (
        "from datetime import date, datetime, time, timedelta\n"
        "from decimal import Decimal\n"
        "from pathlib import Path\n"
        "from typing import *\n"
        "from typing import Annotated, Literal, Optional, Union\n"
        "from workbench.jobs import Range\n"
        "from enum import Enum\n"
    ),
    "modules": (
        "import datetime as d, decimal, pathlib, enum\n"
        "from typing import Annotated, Literal, Optional, Union\n"
        "from workbench.jobs.parameters import Range\n"
    ),
    "hidden": (  # every name that the injected cell would like is taken
        "from datetime import date, datetime, time, timedelta\n"
        "from decimal import Decimal as D\n"
        "from pathlib import Path as date, Path as P\n"
        "from datetime import date as day\n"
        "from typing import Annotated, Literal, Optional, Union\n"
        "from workbench.jobs import Range\n"
        "from enum import Enum\n"
    ),
}
NAMES = {
    "names": {},
    "modules": {
        "date": "d.date",
        "datetime": "d.datetime",
        "time": "d.time",
        "timedelta": "d.timedelta",
        "Decimal": "decimal.Decimal",
        "Path": "pathlib.Path",
        "Enum": "enum.Enum",
    },
    "hidden": {"date": "day", "Decimal": "D", "Path": "P"},
}
ENUM = "class Mode({Enum}):\n    FAST = 'fast'\n    ONE = 1\n    PAIR = (1, 'a')\n"

ZONES = st.sampled_from(
    [
        None,
        timezone.utc,  # noqa: UP017  # the older name, as well
        timezone(timedelta(hours=-3, minutes=-30)),
        ZoneInfo("America/New_York"),
    ]
)
TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    [
        '"',
        "'",
        "\\",
        '"""',
        '\\"; import os #',
        "\n",
        "\0",
        "{x}",
        "# no",
        "é€😀",
        "NaN",
        "2013-07-01",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "int": st.integers(),
    "float": st.floats(),
    "str": TEXT,
    "date": st.dates(),
    "datetime": st.datetimes(
        datetime.fromisoformat("0001-01-03"), datetime.fromisoformat("9999-12-29"), timezones=ZONES
    ),
    "time": st.times(),
    "timedelta": st.timedeltas(),
    "Decimal": st.decimals(allow_nan=False),
    "Path": TEXT.filter(lambda text: "\0" not in text).map(Path),
    "Literal['a', 'b', 1, None, True, '1']": st.sampled_from(["a", "b", 1, None, True, "1"]),
    "Annotated[int, Range(1, 12)]": st.integers(1, 12),
    "Mode": st.sampled_from(["fast", 1, (1, "a")]),
}


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    one = inner
    scalar = st.sampled_from(list(SCALARS.items()))
    return st.one_of(
        one.map(lambda d: (f"list[{d[0]}]", st.lists(d[1], max_size=3))),
        one.map(lambda d: (f"tuple[{d[0]}, ...]", st.lists(d[1], max_size=3).map(tuple))),
        st.tuples(one, one).map(
            lambda p: (f"tuple[{p[0][0]}, {p[1][0]}]", st.tuples(p[0][1], p[1][1]))
        ),
        scalar.map(lambda d: (f"set[{d[0]}]", st.sets(d[1], max_size=3))),
        st.tuples(scalar, one).map(
            lambda p: (f"dict[{p[0][0]}, {p[1][0]}]", st.dictionaries(p[0][1], p[1][1], max_size=3))
        ),
        one.map(lambda d: (f"Optional[{d[0]}]", st.none() | d[1])),
        st.tuples(one, one).map(lambda p: (f"Union[{p[0][0]}, {p[1][0]}]", p[0][1] | p[1][1])),
    )


DECLARED = st.recursive(
    st.sampled_from(
        [
            *SCALARS.items(),
            ("list", st.lists(JSON, max_size=3)),
            ("dict", JSON.filter(lambda value: isinstance(value, dict))),
        ]
    ),
    containers,
    max_leaves=4,
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, str, Any]:
    annotation, values = draw(DECLARED)
    head = draw(st.sampled_from(list(HEADS)))
    return head, annotation, draw(values)


def spelled(text: str, head: str) -> str:
    names = NAMES[head]
    return re.sub(r"\b[A-Za-z]\w*", lambda match: names.get(match[0], match[0]), text)


def notebook_of(head: str, annotation: str) -> Any:
    source = HEADS[head] + spelled(ENUM.format(Enum="Enum"), head)
    hidden = "float = time = 1\n" if head == "hidden" else ""
    declared = spelled(annotation, head)
    source += f"x: {declared}\n{hidden}"
    cells = [
        new_markdown_cell("# Title"),
        new_code_cell(source, metadata={"tags": ["parameters"]}),
        new_code_cell("print(x)"),
    ]
    return new_notebook(cells=cells)


def meant(value: Any, mode: Any) -> Any:
    """Put values of an enum's members for members, as only they are known outside."""
    if isinstance(value, mode):
        return value.value
    if isinstance(value, list | tuple | set):
        return type(value)(meant(item, mode) for item in value)
    if isinstance(value, dict):
        return {meant(key, mode): meant(item, mode) for key, item in value.items()}
    return value


def run(notebook: Any) -> dict[str, Any]:
    space: dict[str, Any] = {}
    for cell in notebook.cells:
        if set(cell.metadata.get("tags", [])) & {"parameters", "injected-parameters"}:
            exec(cell.source, space)
    return space


@settings(max_examples=400, deadline=None)
@given(cases())
def test_a_value_comes_back_from_its_record_and_from_the_cell(case: tuple[str, str, Any]) -> None:
    head, annotation, value = case
    notebook = notebook_of(head, annotation)
    contract = [p for p in read_parameters(notebook, "nb") if p.name == "x"]
    checked = check_parameters(contract, {"x": value}, "nb")
    assert alike(check_parameters(contract, checked, "nb"), checked)

    record = json.loads(json.dumps(to_json(contract, checked), allow_nan=False))
    assert alike(from_json(contract, record), checked)

    made = parameterize(notebook, contract, checked)
    nbformat.validate(made)
    space = run(made)
    assert alike(meant(space["x"], space["Mode"]), checked["x"])
    assert made.metadata.papermill.parameters == record


@given(st.sampled_from(list(SCALARS)).flatmap(lambda name: st.tuples(st.just(name), SCALARS[name])))
@settings(max_examples=200, deadline=None)
def test_a_value_comes_back_from_a_command_line(case: tuple[str, Any]) -> None:
    annotation, value = case
    contract = read_parameters(notebook_of("names", annotation), "nb")
    checked = check_parameters(contract, {"x": value}, "nb")
    data = to_json(contract, checked)["x"]
    text = data if isinstance(data, str) else json.dumps(data)
    if annotation.startswith("Literal"):
        text = str(value)  # where 1 and '1' are both choices, the text is the text
        checked = {"x": value if value != 1 or value is True else "1"}
    if isinstance(value, tuple):
        return  # a member of an enum with a strange value is given by its name
    assert alike(parse_parameters(contract, [f"x={text}"], "nb"), checked)


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


def papermills(source: str, values: dict[str, Any], tmp_path: Path) -> tuple[Any, Any]:
    """Parameterize the same notebook with papermill and with ours."""
    cell = new_code_cell(source, metadata={"tags": ["parameters"]})
    notebook = new_notebook(cells=[new_markdown_cell("# Title"), cell, new_code_cell("x")])
    notebook.metadata.kernelspec = {"name": "python3", "language": "python", "display_name": "P"}
    path = tmp_path / "nb.ipynb"
    nbformat.write(notebook, path)
    theirs = parameterize_notebook(load_notebook_node(str(path)), values)
    contract = read_parameters(notebook, "nb")
    ours = parameterize(load_notebook(path), contract, check_parameters(contract, values, "nb"))
    return theirs, ours


def shape(notebook: Any) -> list[tuple[str, str, list[str]]]:
    return [(c.cell_type, c.source, c.metadata.get("tags", [])) for c in notebook.cells]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("papermill")


@settings(max_examples=60, deadline=None)
@given(value=PLAIN)
def test_papermill_would_inject_the_same(folder: Path, value: Any) -> None:
    theirs, ours = papermills("x = None\ny: str = 'a'", {"y": "b", "x": value}, folder)
    assert shape(ours) == shape(theirs)


def test_papermill_keeps_what_it_finds(tmp_path: Path) -> None:
    _, ours = papermills("x: int = 1\ny = 'a'", {"x": 2}, tmp_path)
    nbformat.write(ours, tmp_path / "input.ipynb")
    papermill.execute_notebook(
        tmp_path / "input.ipynb", tmp_path / "output.ipynb", prepare_only=True, progress_bar=False
    )
    kept = nbformat.read(tmp_path / "output.ipynb", 4)
    assert shape(kept) == shape(ours)
    record = kept.metadata.papermill
    assert record.parameters == {"x": 2}
    assert (record.default_parameters, record.environment_variables) == ({}, {})
    assert record.version == papermill.__version__


# Where the cell goes


def tagged(source: str, *tags: str) -> Any:
    return new_code_cell(source, metadata={"tags": list(tags)})


def sources(*cells: Any, values: dict[str, Any]) -> list[str]:
    notebook = new_notebook(cells=list(cells))
    before = copy.deepcopy(notebook)
    contract = read_parameters(notebook, "nb")
    made = parameterize(notebook, contract, values)
    assert notebook == before  # the input is never changed
    return [cell.source for cell in made.cells]


def test_the_cell_follows_the_parameters_and_replaces_an_earlier_one() -> None:
    parameters, earlier = tagged("x = 1", "parameters"), tagged("x = 5", "injected-parameters")
    first, last = new_code_cell("first"), new_code_cell("last")
    new = "# Parameters\nx = 2\n"
    values = {"x": 2}
    assert sources(first, parameters, last, values=values) == ["first", "x = 1", new, "last"]
    assert sources(parameters, earlier, last, values=values) == ["x = 1", new, "last"]
    assert sources(parameters, last, earlier, values=values) == ["x = 1", "last", new]
    # Before the parameters cell, or twice, it would have no effect or the wrong one.
    assert sources(earlier, first, parameters, values=values) == ["first", "x = 1", new]
    again = tagged("x = 6", "injected-parameters")
    assert sources(parameters, earlier, last, again, values=values) == ["x = 1", new, "last"]


def test_without_values_the_defaults_hold_whatever_was_injected_before() -> None:
    parameters, earlier = tagged("x = 1", "parameters"), tagged("x = 5", "injected-parameters")
    assert sources(parameters, earlier, values={}) == ["x = 1"]
    assert sources(new_code_cell("a"), values={}) == ["a"]


@pytest.mark.parametrize(
    ("source", "value", "line"),
    [
        (
            "from datetime import date\nx: date",
            date(2013, 7, 1),
            "date.fromisoformat('2013-07-01')",
        ),
        (
            "import datetime as dt\nx: dt.date",
            date(2013, 7, 1),
            "dt.date.fromisoformat('2013-07-01')",
        ),
        ("x: date", date(2013, 7, 1), "__import__('datetime').date.fromisoformat('2013-07-01')"),
        ("from pathlib import Path\nx: Path", Path("a'b"), 'Path("a\'b")'),
        ("from decimal import Decimal\nx: Decimal", Decimal("1.5"), "Decimal('1.5')"),
        (
            "from enum import Enum\nclass Mode(Enum):\n    FAST = 'fast'\nx: Mode",
            "fast",
            'Mode("fast")',
        ),
        (
            "import datetime\nx: datetime.time",
            time(1, 2),
            "datetime.time.fromisoformat('01:02:00')",
        ),
        ("x: float", float("nan"), "float('nan')"),
        ("x: str", 'a"; b\n', '"a\\"; b\\n"'),
        ("x: tuple[int, ...]", (1,), "(1,)"),
        ("x: set[str]", {"b", "a"}, '{"a", "b"}'),
    ],
)
def test_values_are_spelled_by_the_names_of_the_cell(source: str, value: Any, line: str) -> None:
    [_, injected] = sources(tagged(source, "parameters"), values={"x": value})
    assert injected == f"# Parameters\nx = {line}\n"


def test_an_older_notebook_is_upgraded_as_papermill_does() -> None:
    notebook = new_notebook(cells=[tagged("x = 1", "parameters")])
    notebook.nbformat_minor = 4
    del notebook.cells[0]["id"]
    made = parameterize(notebook, read_parameters(notebook, "nb"), {"x": 2})
    nbformat.validate(made)
    assert (made.nbformat_minor, len(made.cells)) == (5, 2)


def test_a_fold_of_the_clock_is_kept() -> None:
    notebook = notebook_of("names", "datetime")
    contract = [p for p in read_parameters(notebook, "nb") if p.name == "x"]
    zone = ZoneInfo("America/New_York")
    values = [datetime(2013, 11, 3, 1, 30, tzinfo=zone, fold=fold) for fold in (0, 1)]
    given: Callable[[datetime], Any] = lambda value: check_parameters(contract, {"x": value}, "nb")  # noqa: E731
    first, second = (run(parameterize(notebook, contract, given(value)))["x"] for value in values)
    assert second - first == timedelta(hours=1)


def in_language(name: str, kernel: str, source: str) -> Any:
    notebook = new_notebook(cells=[tagged(source, "parameters")])
    notebook.metadata.kernelspec = {"name": kernel, "language": name, "display_name": name}
    return notebook


def test_another_language_is_spelled_by_papermill() -> None:
    notebook = in_language("R", "ir", "n = 3  # how many")
    contract = read_parameters(notebook, "nb")
    made = parameterize(notebook, contract, check_parameters(contract, {"n": 5}, "nb"))
    assert made.cells[1].source == "# Parameters\nn = 5\n"
    with pytest.raises(ParameterError, match="n: a secret needs a notebook in Python, not R"):
        parameterize(notebook, contract, {"n": "secret://N"})
    notebook = in_language("cobol", "cobol", "n = 3")
    with pytest.raises(ParameterError, match="parameters can't be written in cobol: No param"):
        parameterize(notebook, contract, {"n": 5})


def test_a_contract_travels_between_processes() -> None:
    contract = read_parameters(notebook_of("names", "dict[str, list[Mode | date]] | None"), "nb")
    assert pickle.loads(pickle.dumps(contract)) == contract
    shown = contract[0].model_dump()
    assert set(Parameter.model_json_schema()["properties"]) == set(shown)
    assert "kind" not in shown
