"""Contracts: what breaks them is told row by row, and the quick answer is pandera's answer."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench import Project
from workbench.data import check, frame_digest, guard, infer_contract, last_checks
from workbench.data.contracts import (
    contract_path,
    guard_source,
    load_contract,
)
from workbench.data.contracts.inference import contract_text
from workbench.errors import ConfigError, DataError, NotFoundError, UsageError

CONTRACT = """
import pandera.polars as pa
import polars as pl


class Flights(pa.DataFrameModel):
    flight: int = pa.Field(ge=1, unique=True)
    carrier: str = pa.Field(isin=["AA", "UA"], nullable=True)
    delay: float = pa.Field(ge=-60, le=600, nullable=True)

    @pa.dataframe_check
    def late_flights_have_a_carrier(cls, data):
        return data.lazyframe.select((pl.col("delay") < 300) | pl.col("carrier").is_not_null())
"""

GOOD = pl.DataFrame(
    {"flight": [1, 2, 3], "carrier": ["AA", None, "UA"], "delay": [1.5, None, 400.0]}
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "workbench.toml").write_text('name = "x"\n')
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "flights.py").write_text(CONTRACT)
    return Project.find(tmp_path)


def test_what_keeps_its_contract_passes_and_is_kept(project: Project) -> None:
    found = check("flights", GOOD, project)
    assert found.passed
    assert found.broken == []
    assert found.rows == 3
    assert found.digest == frame_digest(GOOD)
    assert found.contract.startswith("contracts/flights.py@")
    assert last_checks(project) == [found]
    assert guard("flights", GOOD, project) is GOOD


def test_each_broken_rule_names_rows_and_values_and_counts_whole(project: Project) -> None:
    bad = pl.DataFrame(
        {
            "flight": [1, 1, None, 4],
            "carrier": ["AA", "ZZ", None, None],
            "delay": [700.0, None, -100.0, 500.0],
        }
    )
    found = check("flights", bad, project)
    assert not found.passed
    told = {
        (rule.column, rule.rule): (rule.count, [(row.row, row.value) for row in rule.rows])
        for rule in found.broken
    }
    assert told[("flight", "not_nullable")] == (1, [(2, None)])
    assert told[("flight", "field_uniqueness")] == (2, [(0, "1"), (1, "1")])
    assert told[("carrier", "isin(['AA', 'UA'])")] == (1, [(1, "ZZ")])
    assert told[("delay", "less_than_or_equal_to(600)")] == (1, [(0, "700.0")])
    assert told[("delay", "greater_than_or_equal_to(-60)")] == (1, [(2, "-100.0")])
    whole_row = "{'flight': 4, 'carrier': None, 'delay': 500.0}"
    assert told[(None, "late_flights_have_a_carrier")] == (1, [(3, whole_row)])
    assert [known.outcome for known in last_checks(project)] == ["failed"]
    json.dumps(found.model_dump(mode="json"))


def test_rows_are_bounded_and_counts_are_whole(project: Project) -> None:
    many = pl.DataFrame({"flight": range(1, 5001), "carrier": ["ZZ"] * 5000, "delay": [0.0] * 5000})
    [rule] = check("flights", many, project).broken
    assert rule.count == 5000
    assert [row.row for row in rule.rows] == list(range(20))


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (GOOD.drop("delay"), r"column_in_dataframe: delay"),
        (GOOD.with_columns(pl.col("flight").cast(pl.String)), r"flight: dtype\('Int64'\): String"),
    ],
)
def test_columns_and_types_are_part_of_it(project: Project, frame: pl.DataFrame, said: str) -> None:
    with pytest.raises(DataError, match=said) as raised:
        guard("flights", frame, project)
    assert "\n" not in str(raised.value)


def test_frames_may_be_lazy_and_must_be_polars(project: Project) -> None:
    lazy = GOOD.lazy()
    assert guard("flights", lazy, project) is lazy
    assert check("flights", lazy, project).rows == 3
    with pytest.raises(UsageError, match=r"expected a frame of polars, got pandas.DataFrame"):
        guard("flights", GOOD.to_pandas(), project)  # type: ignore[type-var]


def test_a_guard_stops_with_one_line(project: Project) -> None:
    bad = GOOD.with_columns(carrier=pl.lit("ZZ"), flight=pl.lit(0, pl.Int64), delay=pl.lit(1e3))
    with pytest.raises(
        DataError, match=r"flights breaks its contract contracts/flights.py"
    ) as raised:
        guard("flights", bad, project)
    said = str(raised.value)
    assert "(row 0: 0)" in said
    assert "broken by 3 of 3 rows" in said
    assert said.endswith("; and 1 more rules")
    assert "\n" not in said


def test_checking_again_replaces_and_another_content_or_contract_is_another(
    project: Project,
) -> None:
    check("flights", GOOD, project)
    check("flights", GOOD, project)
    assert len(last_checks(project)) == 1
    check("flights", GOOD.head(1), project)
    assert len(last_checks(project)) == 2
    path = contract_path(project, "flights")
    path.write_text(CONTRACT.replace('["AA", "UA"]', '["UA"]'))
    found = check("flights", GOOD, project)  # the changed file is run anew
    assert [rule.column for rule in found.broken] == ["carrier"]
    assert [known.outcome for known in last_checks(project)] == ["failed", "passed", "passed"]


def test_a_file_that_did_not_change_is_loaded_once(project: Project) -> None:
    assert load_contract(project, "flights") is load_contract(project, "flights")
    path = contract_path(project, "flights")
    os.utime(path, ns=(time.time_ns(), time.time_ns() + 10**9))
    assert load_contract(project, "flights").digest
    assert not (path.parent / "__pycache__").exists()


def test_without_a_contract_nothing_passes_in_silence(project: Project) -> None:
    with pytest.raises(NotFoundError, match=r"did you mean flights\?.*contract flihgts --infer"):
        guard("flihgts", GOOD, project)
    with pytest.raises(NotFoundError):
        check("weather", GOOD, project)


@pytest.mark.parametrize("name", ["../flights", "", "a/b"])
def test_a_name_never_leads_out_of_the_folder(project: Project, name: str) -> None:
    with pytest.raises(UsageError, match="not a name for a file in contracts/"):
        guard(name, GOOD, project)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n\nraise RuntimeError('so\\nthere')", r"contracts/bad.py:3: RuntimeError: so$"),
        ("def f(:", r"contracts/bad.py: SyntaxError"),
        ("x = 1", r"expected one pandera.polars schema .*, found none"),
        (
            "import pandera.polars as pa\na = pa.DataFrameSchema({})\nb = pa.DataFrameSchema({})",
            r"found several: a, b; call one contract",
        ),
    ],
)
def test_a_file_that_is_no_contract_is_named(project: Project, text: str, said: str) -> None:
    contract_path(project, "bad").write_text(text)
    with pytest.raises(ConfigError, match=said) as raised:
        check("bad", GOOD, project)
    assert "\n" not in str(raised.value)


def test_of_several_schemas_the_one_called_contract_counts(project: Project) -> None:
    contract_path(project, "two").write_text(
        "import pandera.polars as pa\n"
        "part = pa.DataFrameSchema({'nope': pa.Column(int)})\n"
        "contract = pa.DataFrameSchema({'flight': pa.Column(int)})\n"
    )
    assert check("two", GOOD, project).passed


@pytest.mark.parametrize(
    "rule",
    [
        "pa.Check(lambda data: data.lazyframe.select(pl.col(data.key) < 3))",
        "pa.Check(lambda data: data.lazyframe.with_columns(x=1).select(pl.col(data.key) < 3))",
        "pa.Check(lambda value: value < 3, element_wise=True)",
        "pa.Check(lambda data: data.lazyframe.select(pl.col(data.key).max() < 3))",
    ],
)
def test_rules_of_the_projects_own(project: Project, rule: str) -> None:
    contract_path(project, "own").write_text(
        "import pandera.polars as pa\nimport polars as pl\n"
        f"contract = pa.DataFrameSchema({{'n': pa.Column(int, {rule})}})\n"
    )
    assert check("own", pl.DataFrame({"n": [1, 2]}), project).passed
    assert not check("own", pl.DataFrame({"n": [1, 7]}), project).passed


# The quick answer

RULES = [
    "pa.Check.ge(0)",
    "pa.Check.lt(3)",
    "pa.Check.in_range(-1, 2, include_max=False)",
    "pa.Check.isin([0, 1, 2])",
    "pa.Check.ne(1)",
    "pa.Check.notin([2], ignore_na=False)",
    "pa.Check.ge(0, ignore_na=False)",
    "pa.Check(lambda data: data.lazyframe.select(pl.col(data.key).mean() < 2))",
]


@st.composite
def contracts(draw: st.DrawFn) -> str:
    columns = []
    for name, dtype in (("a", "pl.Int64"), ("b", "pl.Float64")):
        rules = draw(st.lists(st.sampled_from(RULES), max_size=2))
        flags = draw(st.sampled_from(["", ", nullable=True", ", unique=True"]))
        required = draw(st.sampled_from(["", ", required=False"]))
        columns.append(f"'{name}': pa.Column({dtype}, [{', '.join(rules)}]{flags}{required})")
    more = draw(st.sampled_from(["", ", unique=['a', 'b']", ", strict=True", ", ordered=True"]))
    return (
        "import pandera.polars as pa\nimport polars as pl\n"
        f"contract = pa.DataFrameSchema({{{', '.join(columns)}}}{more})\n"
    )


numbers = st.integers(-2, 4)
frames = st.builds(
    lambda rows, order: pl.DataFrame(rows, {"a": pl.Int64, "b": pl.Float64}, orient="row").select(
        order
    ),
    st.lists(
        st.tuples(
            numbers | st.none(),
            numbers.map(float) | st.none() | st.sampled_from([float("nan"), float("inf")]),
        ),
        max_size=4,
    ),
    st.sampled_from([["a", "b"], ["a", "b"], ["b", "a"], ["a"]]),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=contracts(), tried=st.lists(frames, min_size=1, max_size=4))
def test_the_quick_answer_is_panderas_answer(
    project: Project, text: str, tried: list[pl.DataFrame]
) -> None:
    import pandera.errors

    path = contract_path(project, "random")
    path.unlink(missing_ok=True)
    path.write_text(text)
    contract = load_contract(project, "random")
    for frame in tried:
        try:
            contract.schema.validate(frame, lazy=True)
            truth = True
        except pandera.errors.SchemaErrors:
            truth = False
        assert contract.quick.passes(frame) is truth, (text, frame)


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        ("'a': pa.Column(float, coerce=True)", "", "coerce"),
        ("'a': pa.Column(int, pa.Check.ge(0))", ", drop_invalid_rows=True", "drop_invalid_rows"),
        ("'a': pa.Column(int)", ", strict='filter'", "strict='filter'"),
        ("'a': pa.Column(int, nullable=True, default=1)", "", "default"),
    ],
)
def test_a_schema_that_changes_the_frame_is_no_contract(
    project: Project, columns: str, options: str, said: str
) -> None:
    contract_path(project, "changing").write_text(
        f"import pandera.polars as pa\ncontract = pa.DataFrameSchema({{{columns}}}{options})\n"
    )
    with pytest.raises(ConfigError, match=rf"changing.py: {said} would change the frame"):
        guard("changing", pl.DataFrame({"a": [-1, 2]}), project)


def test_a_rule_of_the_projects_own_is_asked_anew_each_time(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract_path(project, "fresh").write_text(
        "import os\nimport pandera.polars as pa\nimport polars as pl\n"
        "lowest = lambda: int(os.environ['ORCHARD_LOWEST'])\n"
        "rule = pa.Check(lambda data: data.lazyframe.select(pl.col(data.key) >= lowest()))\n"
        "contract = pa.DataFrameSchema({'n': pa.Column(int, rule)})\n"
    )
    frame = pl.DataFrame({"n": [5]})
    monkeypatch.setenv("ORCHARD_LOWEST", "0")
    guard("fresh", frame, project)
    assert load_contract(project, "fresh").quick.passes(frame)
    monkeypatch.setenv("ORCHARD_LOWEST", "9")
    with pytest.raises(DataError, match="fresh breaks its contract"):
        guard("fresh", frame, project)


def test_a_source_with_a_hidden_name_is_guarded_too(project: Project) -> None:
    contract_path(project, "_raw").write_text(
        "import pandera.polars as pa\n"
        "contract = pa.DataFrameSchema({'n': pa.Column(int, pa.Check.ge(0))})\n"
    )
    with pytest.raises(NotFoundError, match="flights") as raised:
        load_contract(project, "nope")
    assert "_raw" not in str(raised.value)
    with pytest.raises(DataError, match="_raw breaks its contract"):
        guard_source("_raw", "digest", lambda: pl.DataFrame({"n": [-1]}), project)
    guard_source("a/b", "digest", lambda: pl.DataFrame({"n": [-1]}), project)


def test_a_contract_is_also_what_it_imports(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(project.root)
    package = project.root / "orchard_rules"
    package.mkdir()
    (package / "__init__.py").write_text("from .limits import LOW\n")
    text = (
        "import pandera.polars as pa\nimport orchard_rules\n"
        "contract = pa.DataFrameSchema({'n': pa.Column(int, pa.Check.ge(orchard_rules.LOW))})\n"
    )
    labels = []
    for number, low in enumerate(["0", "5 "]):
        (package / "limits.py").write_text(f"LOW = {low}\n")
        for module in ("orchard_rules", "orchard_rules.limits"):  # as another process has it
            monkeypatch.delitem(sys.modules, module, raising=False)
        contract_path(project, f"rules{number}").write_text(text)
        labels.append(load_contract(project, f"rules{number}").label.partition("@")[2])
    assert labels[0] != labels[1]


# The first contract

COLUMNS: dict[Any, st.SearchStrategy[Any]] = {
    pl.Int64: st.integers(-(2**63), 2**63 - 1),
    pl.UInt8: st.integers(0, 255),
    pl.UInt64: st.integers(0, 2**64 - 1),
    pl.Int128: st.integers(-(2**126), 2**126),
    pl.Float64: st.floats(),
    pl.Float32: st.floats(width=32),
    pl.Boolean: st.booleans(),
    pl.String: st.text(max_size=3),
    pl.Binary: st.binary(max_size=2),
    pl.Date: st.dates(),
    pl.Time: st.times(),
    pl.Datetime("us", "UTC"): st.datetimes(timezones=st.just(UTC)),
    pl.Datetime("ms"): st.datetimes(),
    pl.Duration("us"): st.timedeltas(timedelta(-999), timedelta(999)),
    pl.Decimal(12, 2): st.decimals(-999, 999, places=2),
    pl.Categorical(): st.sampled_from(["a", "b", "c"]),
    pl.Enum(["x", "y'"]): st.sampled_from(["x", "y'"]),
    pl.List(pl.Int64): st.lists(st.integers(0, 3), max_size=2),
    pl.Array(pl.Int8, 2): st.lists(st.integers(0, 3), min_size=2, max_size=2),
    pl.Struct({"x y": pl.Date}): st.fixed_dictionaries({"x y": st.dates()}),
}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_what_is_inferred_passes_on_what_it_was_inferred_from(
    project: Project, data: st.DataObject
) -> None:
    dtypes = data.draw(st.lists(st.sampled_from(list(COLUMNS)), min_size=1, max_size=4))
    names = st.text(min_size=1, max_size=3)
    chosen = data.draw(st.lists(names, min_size=len(dtypes), max_size=len(dtypes), unique=True))
    repeats = data.draw(st.sampled_from([1, 30]))
    height = data.draw(st.integers(0, 3))
    columns = [
        pl.Series(
            name,
            data.draw(st.lists(COLUMNS[dtype] | st.none(), min_size=height, max_size=height))
            * repeats,
            dtype,
        )
        for name, dtype in zip(chosen, dtypes, strict=True)
    ]
    frame = pl.DataFrame(columns)
    infer_contract("inferred", frame, project, replace=True)
    assert check("inferred", frame, project).passed


def rows(count: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "order_id": range(count),
            "price": [10.0 + place % 7 for place in range(count)],
            "stock": [place % 5 for place in range(count)],
            "shop": [("north", "it's", 'a "b"')[place % 3] for place in range(count)],
            "note": [f"note {place}" for place in range(count)],
            "gap": [None if place % 2 else 1.5 for place in range(count)],
            "day": [date(2024, 1, 1) + timedelta(place) for place in range(count)],
        }
    )


def test_a_first_contract_has_types_ranges_words_and_the_key(project: Project) -> None:
    frame = rows(60)
    path = infer_contract("orders", frame, project)
    assert path == contract_path(project, "orders")
    text = path.read_text()
    assert '"order_id": pa.Column(pl.Int64, pa.Check.in_range(0, 65), unique=True)' in text
    assert '"price": pa.Column(pl.Float64, pa.Check.in_range(9.4, 16.6))' in text
    assert '"stock": pa.Column(pl.Int64, pa.Check.in_range(0, 5))' in text
    assert """pa.Check.isin(["a \\"b\\"", "it's", "north"])""" in text
    assert '"note": pa.Column(pl.String),' in text
    assert "nullable=True" in text.split('"gap"')[1].splitlines()[0]
    assert '"day": pa.Column(pl.Date),' in text
    broken = frame.with_columns(pl.lit("south").alias("shop"), pl.col("price") * 10)
    assert {rule.column for rule in check("orders", broken, project).broken} == {"shop", "price"}


def test_a_key_that_is_declared_counts_alone_or_with_its_time(project: Project) -> None:
    frame = pl.DataFrame({"shop": ["a", "a", "b"], "day": [1, 2, 1], "x": [1, 1, 1]})
    text = contract_text("shops", frame, [["shop"], ["shop", "day"]])
    assert 'unique=["shop", "day"]' in text
    infer_contract("shops", frame, project, keys=[["shop"], ["shop", "day"]])
    assert not check("shops", frame.with_columns(day=pl.lit(1, pl.Int64)), project).passed
    assert "unique" not in contract_text("shops", frame, [["shop"]])


def test_a_contract_that_is_there_is_not_written_over(project: Project) -> None:
    with pytest.raises(UsageError, match=r"contracts/flights.py: is there already; --replace"):
        infer_contract("flights", GOOD, project)
    assert contract_path(project, "flights").read_text() == CONTRACT
    infer_contract("flights", GOOD, project, replace=True)
    assert contract_path(project, "flights").read_text() != CONTRACT


def test_a_contract_stays_until_a_new_one_is_known_to_load(project: Project) -> None:
    with pytest.raises(ConfigError, match=r"^contracts/flights.py: "):
        infer_contract("flights", pl.DataFrame({"*": [1, 2], "b": [3, 4]}), project, replace=True)
    assert contract_path(project, "flights").read_text() == CONTRACT
    assert sorted(path.name for path in (project.root / "contracts").iterdir()) == ["flights.py"]


def test_names_and_words_are_values_and_never_source(project: Project) -> None:
    nasty = '\'); import os; os.abort() #\n"""'
    frame = pl.DataFrame({nasty: [nasty] * 20, "d": [Decimal("1.5")] * 20})
    infer_contract("nasty", frame, project)
    assert check("nasty", frame, project).passed
    moments = pl.DataFrame({"t": [datetime(2024, 1, 1, tzinfo=UTC)]})
    assert 'pl.Datetime("us", "UTC")' in contract_text("nasty", moments)
