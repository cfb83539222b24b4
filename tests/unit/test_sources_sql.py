"""Databases: types, filters that say the same in SQL, and what goes wrong."""

from __future__ import annotations

import math
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import tomlkit
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.dialects import postgresql as postgresql_dialect
from sqlalchemy.dialects import sqlite

from tests.servers import postgresql
from workbench.data import read, stamp
from workbench.data.sources import Declared, open_source
from workbench.data.sources.sql.filters import to_sql
from workbench.data.sources.sql.protocol import Column
from workbench.data.sources.sql.source import DatabaseSource
from workbench.data.sources.sql.warehouses import Adbc
from workbench.errors import ConfigError, DataError, NotFoundError
from workbench.project import Project

MOMENT = datetime(2024, 3, 1, 12, 30, 0, 250, tzinfo=UTC)
ROWS = pl.DataFrame(
    {
        "number": [1, 2, 3, -(2**40), None, 7],
        "small": pl.Series([1, None, 3, 4, 5, 6], dtype=pl.Int32),
        "share": [0.5, -1e300, None, 2.0, 0.1, 3.25],
        "single": pl.Series([0.1, None, 1.5, 2.5, 0.1, -3.5], dtype=pl.Float32),
        "word": ["a", "A", None, "b'; DROP TABLE x; --", "é", ""],
        "flag": [True, None, False, True, False, None],
        "day": [date(2024, 1, day) for day in (1, 2, 3, 4, 5)] + [None],
        "at": [MOMENT, None, *(MOMENT.replace(hour=hour) for hour in (1, 2, 3, 4))],
        "plain": [None, *(datetime(2024, 1, day) for day in (1, 2, 3, 4, 5))],  # noqa: DTZ001
        "cost": pl.Series([Decimal("1.10"), None, *map(Decimal, "2345")], dtype=pl.Decimal(9, 2)),
    },
    schema_overrides={"at": pl.Datetime("us", "UTC"), "plain": pl.Datetime("us")},
)
TYPES = {
    "number": "BIGINT",
    "small": "INTEGER",
    "share": "DOUBLE PRECISION",
    "single": "REAL",
    "word": "TEXT",
    "flag": "BOOLEAN",
    "day": "DATE",
    "at": "TIMESTAMPTZ",
    "plain": "TIMESTAMP",
    "cost": "NUMERIC(9, 2)",
}


def declare(root: Path, **declared: Any) -> Project:
    document = {"name": "x", "sources": {"rows": declared}}
    (root / "workbench.toml").write_text(tomlkit.dumps(document), "utf-8")
    return Project.find(root)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgresql(tmp_path_factory.mktemp("postgresql")) as address:
        with create_engine(address).begin() as connection:
            connection.exec_driver_sql(f"CREATE TABLE rows ({_columns()})")
            marks = ", ".join(["%s"] * ROWS.width)
            for row in ROWS.rows():
                connection.exec_driver_sql(f"INSERT INTO rows VALUES ({marks})", row)
        yield address


def _columns() -> str:
    return ", ".join(f'"{name}" {kind}' for name, kind in TYPES.items())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold the same rows in SQLite and DuckDB, in the types that they have."""
    root = tmp_path_factory.mktemp("databases")
    with duckdb.connect(str(root / "shop.duckdb")) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE TABLE rows ({_columns()})")
        for row in ROWS.rows():
            connection.execute(f"INSERT INTO rows VALUES ({', '.join('?' * ROWS.width)})", row)
    with closing(sqlite3.connect(root / "shop.db")) as database, database:
        database.execute(f"CREATE TABLE rows ({_columns()})")
        for row in ROWS.rows():
            cells = [str(cell) if isinstance(cell, date | Decimal) else cell for cell in row]
            database.execute(f"INSERT INTO rows VALUES ({', '.join('?' * ROWS.width)})", cells)
    return root


@pytest.fixture(params=["sqlite", "duckdb", "postgresql"])
def project(request: pytest.FixtureRequest, folder: Path) -> Project:
    if request.param == "postgresql":
        return declare(folder, address=request.getfixturevalue("server"), table="rows")
    suffix = {"sqlite": "db", "duckdb": "duckdb"}[request.param]
    return declare(folder, address=f"{request.param}:///shop.{suffix}", table="rows")


def as_read(project: Project) -> pl.DataFrame:
    """Give the rows as the database can have them: SQLite has fewer types."""
    if not project.settings.sources["rows"].address.startswith("sqlite"):
        return ROWS
    return ROWS.with_columns(
        pl.col("small").cast(pl.Int64),
        pl.col("single", "cost").cast(pl.Float64),
    )


def test_each_type_is_read_as_what_it_is(project: Project) -> None:
    source = open_source("rows", project)
    expected = as_read(project)
    assert source.schema() == expected.schema
    found = source.scan().collect()
    assert found.drop("single").equals(expected.drop("single"))
    assert found["single"].cast(pl.Float32).equals(ROWS["single"])
    empty = source.scan(where=pl.col("number") == 0).collect()
    assert empty.is_empty()
    assert empty.schema == expected.schema


@pytest.fixture
def rows(project: Project) -> pl.DataFrame:
    return read("rows", project)


NUMBERS = st.sampled_from([*ROWS["number"].drop_nulls(), 0, 2**41, 2**63 - 1])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "number": NUMBERS,
    "small": st.integers(-9, 9) | st.just(2.5),
    "share": st.sampled_from([*ROWS["share"].drop_nulls(), 0.0, float("nan"), float("inf")]),
    "single": st.sampled_from([0.1, 1.5, -3.5]),
    "word": st.sampled_from([*ROWS["word"].drop_nulls(), "%", "B", "a\0"]),
    "flag": st.booleans(),
    "day": st.dates(date(2023, 12, 30), date(2024, 1, 8)),
    "at": st.sampled_from([*ROWS["at"].drop_nulls(), MOMENT.replace(year=2023)]),
    "plain": st.sampled_from(list(ROWS["plain"].drop_nulls())),
    "cost": st.sampled_from([Decimal("1.10"), Decimal(3), Decimal("9.99")]),
}


@st.composite
def conditions(draw: st.DrawFn) -> pl.Expr:
    """Conditions on one column: comparisons either way round, lists, ranges, nulls."""
    name = draw(st.sampled_from(list(VALUES)))
    column, value = pl.col(name), draw(VALUES[name])
    if name == "at":
        column = column if draw(st.booleans()) else column.dt.offset_by("1h")
    test = draw(st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge", "in", "between", "null"]))
    match test:
        case "in":
            other = draw(VALUES[name])
            return column.is_in([value, other] if type(other) is type(value) else [value])
        case "between":
            closed = draw(st.sampled_from(["both", "left", "right", "none"]))
            return column.is_between(value, draw(VALUES[name]), closed=closed)
        case "null":
            return column.is_null() if draw(st.booleans()) else column.is_not_null()
    literal = pl.lit(value)
    condition: pl.Expr = getattr(column, test)(literal)
    return condition if draw(st.booleans()) else getattr(literal, test)(column)


FILTERS = st.recursive(
    conditions() | st.just(pl.col("flag")),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: pair[0] & pair[1]),
        st.tuples(inner, inner).map(lambda pair: pair[0] | pair[1]),
        inner.map(lambda condition: ~condition),
    ),
    max_leaves=4,
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(where=FILTERS)
@example(where=pl.col("number").is_in([1, -(2**40)]))
def test_a_filter_keeps_the_same_rows_in_sql_and_in_polars(
    project: Project, rows: pl.DataFrame, where: pl.Expr
) -> None:
    try:
        expected = rows.filter(where)
    except pl.exceptions.PolarsError:
        return  # polars itself can't compare these
    assert open_source("rows", project).scan(where=where).collect().equals(expected)


COLUMNS = {name: Column(dtype) for name, dtype in ROWS.schema.items()}
COLUMNS["plain"] = Column(pl.Datetime("us"), comparable=False)


@pytest.mark.parametrize(
    ("where", "sql"),
    [
        (pl.col("number") > 5, '"number" > ?'),
        (pl.lit(5) <= pl.col("number"), '"number" >= ?'),
        (pl.col("number").is_in([1, 2]), '"number" IN (?, ?)'),
        (pl.col("number").is_between(1, 3, closed="left"), '"number" >= ? AND "number" < ?'),
        (pl.col("word") == "a", '"word" = ?'),
        ((pl.col("word") == "a") | pl.col("day").is_null(), '"word" = ? OR "day" IS NULL'),
        (pl.col("flag"), '"flag" IS 1'),
        (pl.col("day") >= date(2024, 1, 2), '"day" >= ?'),
        # One side is enough where both have to hold, and not where either does.
        ((pl.col("number") > 5) & (pl.col("word").str.len_bytes() > 1), '"number" > ?'),
        ((pl.col("number") > 5) | (pl.col("word").str.len_bytes() > 1), None),
        # What databases decide in another way than polars stays here.
        (pl.col("word") != "a", None),
        (pl.col("word") > "a", None),
        (pl.col("word").is_in(["a", None]), None),
        (pl.col("single") == 0.1, None),
        (pl.col("cost") == Decimal("1.10"), None),
        (pl.col("share") > float("nan"), None),
        (pl.col("number") == pl.col("small"), None),
        (pl.col("plain") > datetime(2024, 1, 1), None),  # noqa: DTZ001
        (pl.col("number").map_batches(lambda series: series > 1, pl.Boolean), None),
    ],
)
def test_what_goes_down_is_what_means_the_same(where: pl.Expr, sql: str | None) -> None:
    typed: list[pl.Expr] = []

    def keep(_columns: Any, predicate: pl.Expr, _rows: Any, _batch: Any) -> Iterator[pl.DataFrame]:
        typed.append(predicate)
        yield ROWS

    from polars.io.plugins import register_io_source

    register_io_source(keep, schema=ROWS.schema).filter(where).collect()
    if typed[0] is None:  # polars didn't even offer it
        assert sql is None
        return
    condition = to_sql(typed[0], COLUMNS)
    options = {"dialect": sqlite.dialect(), "compile_kwargs": {"render_postcompile": True}}
    assert (None if condition is None else str(condition.compile(**options))) == sql


@settings(max_examples=100)
@given(value=st.floats(allow_nan=False))
@example(value=0.9134648179429581)
def test_a_float_goes_down_to_its_last_bit(value: float) -> None:
    for literal in (pl.lit(value), pl.lit(value, pl.Float64)):
        condition = to_sql(pl.col("share") == literal, COLUMNS)
        if math.isfinite(value):
            assert condition is not None
            assert list(condition.compile().params.values()) == [value]
        else:
            assert condition is None


def test_a_query_can_only_read(project: Project) -> None:
    """Not by accident of a driver: each kind is connected to as one who may not write."""
    address = project.settings.sources["rows"].address
    for query in (
        "SELECT 1) AS source; DELETE FROM rows; SELECT * FROM (SELECT 1",
        "DELETE FROM rows RETURNING *",
    ):
        with pytest.raises(DataError):
            read("rows", declare(project.root, address=address, query=query))
    if address.startswith("postgresql"):
        query = "WITH gone AS (DELETE FROM rows RETURNING *) SELECT * FROM gone"
        with pytest.raises(DataError):
            read("rows", declare(project.root, address=address, query=query))
    assert read("rows", declare(project.root, address=address, table="rows")).height == ROWS.height


def test_a_query_may_end_in_a_comment(project: Project) -> None:
    address = project.settings.sources["rows"].address
    query = "SELECT number FROM rows -- the end"
    assert read("rows", declare(project.root, address=address, query=query)).height == ROWS.height


def test_a_computed_column_of_a_query_has_the_type_of_its_values(project: Project) -> None:
    address = project.settings.sources["rows"].address
    query = """
        SELECT count(*) AS n, sum(number) * 0.5 AS half, min(word) AS "first word",
               '12:30' AS text, 7 % 4 AS "rest%" FROM rows
    """
    [row] = read("rows", declare(project.root, address=address, query=query)).to_dicts()
    assert row["n"] == 6
    assert row["half"] == pytest.approx((13 - 2**40) / 2)
    assert row["first word"] == ""
    assert (row["text"], row["rest%"]) == ("12:30", 3)


def test_sqlites_times_are_read_however_they_were_written(tmp_path: Path) -> None:
    written = ["2024-03-01 12:30:00", "2024-03-01T12:30:00.5", "2024-03-01 14:30:00+02:00", None]
    with closing(sqlite3.connect(tmp_path / "times.db")) as database, database:
        database.execute("CREATE TABLE rows (plain DATETIME, at TIMESTAMP WITH TIME ZONE)")
        database.executemany("INSERT INTO rows VALUES (?, ?)", [(text, text) for text in written])
    frame = read("rows", declare(tmp_path, address="sqlite:///times.db", table="rows"))
    noon = MOMENT.replace(microsecond=0)
    moments = [noon, noon.replace(microsecond=500_000), noon, None]
    assert frame["at"].to_list() == moments
    assert frame["plain"].dt.replace_time_zone("UTC").to_list() == moments


def test_names_are_quoted_and_never_sql(tmp_path: Path) -> None:
    odd = 'a "b"; --'
    with closing(sqlite3.connect(tmp_path / "odd.db")) as database, database:
        quoted = '"' + odd.replace('"', '""') + '"'
        database.execute(f'CREATE TABLE {quoted} ({quoted} INTEGER, "select" TEXT)')
        database.execute(f"INSERT INTO {quoted} VALUES (1, 'x'), (2, 'y')")
    project = declare(tmp_path, address="sqlite:///odd.db", table=odd, key=odd)
    frame = read("rows", project, columns=[odd], where=pl.col("select") == "y")
    assert frame.to_dict(as_series=False) == {odd: [2]}


def test_values_that_are_not_of_their_columns_type_are_named(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "odd.db")) as database, database:
        database.execute("CREATE TABLE rows (id INTEGER, day DATE)")
        database.execute("INSERT INTO rows VALUES (1, '2024-01-01'), ('many', 'never')")
    project = declare(tmp_path, address="sqlite:///odd.db", table="rows")
    with pytest.raises(DataError, match=r"^sqlite:///odd.db#rows: can't be read: column 'id'"):
        read("rows", project)
    with pytest.raises(DataError, match=r"column 'day' isn't all Date"):
        read("rows", project, columns=["day"])
    assert read("rows", project, columns=["day"], where=pl.col("id") == 1).height == 1


@pytest.mark.parametrize("kind", ["TIMESTAMP", "DATE"])
def test_a_number_is_no_time(tmp_path: Path, kind: str) -> None:
    with closing(sqlite3.connect(tmp_path / "odd.db")) as database, database:
        database.execute(f"CREATE TABLE rows (created {kind})")
        database.execute("INSERT INTO rows VALUES (1700000000)")
    address = "sqlite:///odd.db"
    project = declare(tmp_path, address=address, table="rows", event_time="created")
    said = r"column 'created' isn't all Date.*: 1700000000 is no time as text: a query can say"
    for ask in (lambda: read("rows", project), open_source("rows", project).freshness):
        with pytest.raises(DataError, match=said):
            ask()
    query = "SELECT datetime(created, 'unixepoch') AS created FROM rows"
    asked = read("rows", declare(tmp_path, address=address, query=query))
    assert asked["created"].to_list() == ["2023-11-14 22:13:20"]


def test_a_decimal_that_is_no_number_is_said(server: str, tmp_path: Path) -> None:
    query = "SELECT 'NaN'::numeric(10, 2) AS cost"
    with pytest.raises(DataError, match=r"column 'cost' isn't all Decimal.*: NaN is in it"):
        read("rows", declare(tmp_path, address=server, query=query))
    query = "SELECT 'NaN'::numeric(10, 2)::float8 AS cost"
    assert read("rows", declare(tmp_path, address=server, query=query))["cost"].is_nan().all()


def test_numbers_of_any_kind_are_compared_here(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "odd.db")) as database, database:
        database.execute("CREATE TABLE rows (a DECIMAL(20, 0), b NUMERIC, c)")
        database.execute("INSERT INTO rows VALUES (?, ?, ?), (0.5, 0.5, 0.5)", [2**53 + 1] * 3)
    project = declare(tmp_path, address="sqlite:///odd.db", table="rows")
    for name in "abc":
        assert read("rows", project, where=pl.col(name) == float(2**53)).height == 1


def test_what_duckdb_has_in_other_ways_is_compared_here(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "odd.duckdb")) as connection:
        connection.execute("CREATE TABLE rows (u UUID, i INTERVAL, ns TIMESTAMP_NS, w VARCHAR)")
        connection.execute(
            "INSERT INTO rows VALUES (uuid(), INTERVAL 1 DAY, '2024-01-01 00:00:00.123456789', 'x')"
        )
    project = declare(tmp_path, address="duckdb:///odd.duckdb", table="rows")
    moment = read("rows", project)["ns"]
    for where, rows in (
        (pl.col("u") == "nope", 0),
        (pl.col("i") == "nope", 0),
        (pl.col("ns") == pl.lit(moment), 1),
        (pl.col("ns") <= pl.lit(moment), 1),
        (pl.col("w") == "x", 1),
    ):
        assert read("rows", project, where=where).height == rows


def test_a_stamp_knows_the_names_and_types_of_columns(server: str, tmp_path: Path) -> None:
    queries = ("SELECT 1 AS a, 2 AS b", "SELECT 1 AS b, 2 AS a", "SELECT 1::int8 AS a, 2 AS b")
    stamps = set()
    with create_engine(server).begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA renamed")
    project = declare(tmp_path, address=server, table="renamed.rows")
    for query in queries:
        with create_engine(server).begin() as connection:
            connection.exec_driver_sql("DROP VIEW IF EXISTS renamed.rows")
            connection.exec_driver_sql(f"CREATE VIEW renamed.rows AS {query}")
        stamps.add(stamp("rows", project))
    assert len(stamps) == len(queries)


def test_postgresql_types_that_polars_has_not_come_as_text(server: str, tmp_path: Path) -> None:
    query = """
        SELECT '0f9d3a52-3b2f-4f7e-9a55-0a3c1d1f2b11'::uuid AS u, '{"a": 1}'::jsonb AS j,
               ARRAY[1, 2] AS l, interval '1 month' AS i, 'x'::bytea AS b, '12:30'::time AS t,
               1.5::numeric AS n, 'infinity'::float8 AS f
    """
    project = declare(tmp_path, address=server, query=query)
    [row] = read("rows", project).to_dicts()
    assert row == {
        "u": "0f9d3a52-3b2f-4f7e-9a55-0a3c1d1f2b11",
        "j": '{"a": 1}',
        "l": "{1,2}",
        "i": "1 mon",
        "b": b"x",
        "t": time(12, 30),
        "n": 1.5,
        "f": float("inf"),
    }
    beyond = declare(tmp_path, address=server, query="SELECT 'infinity'::timestamp AS t")
    with pytest.raises(DataError, match="can't be read"):
        read("rows", beyond)


def test_a_table_of_many_batches_comes_whole_and_a_few_rows_of_it_quickly(
    server: str, tmp_path: Path
) -> None:
    query = "SELECT n, n % 7 AS rest FROM generate_series(1, 60000) AS n"
    project = declare(tmp_path, address=server, query=query)
    frame = read("rows", project, where=pl.col("rest") == 3)
    assert frame["n"].to_list() == list(range(3, 60_001, 7))
    assert read("rows", project, lazy=True).head(51_000).collect().height == 51_000


def test_a_tables_freshness_is_its_newest_declared_time(project: Project) -> None:
    address = project.settings.sources["rows"].address
    declared = declare(project.root, address=address, table="rows", event_time="at")
    assert open_source("rows", declared).freshness() == MOMENT
    later = declare(project.root, address=address, table="rows", event_time="at", created="plain")
    assert open_source("rows", later).freshness() == datetime(2024, 1, 5, tzinfo=UTC)


def test_what_cannot_be_opened(server: str, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is no database, " * 100)
    for kind, name in (("sqlite", "db"), ("duckdb", "duckdb")):
        with pytest.raises(DataError, match=rf"^{kind}:///gone.{name}#rows: no such file$"):
            read("rows", declare(tmp_path, address=f"{kind}:///gone.{name}", table="rows"))
        with pytest.raises(DataError, match=rf"^{kind}:///text.db#rows: can't be read: "):
            read("rows", declare(tmp_path, address=f"{kind}:///text.db", table="rows"))
    assert not (tmp_path / "gone.db").exists()
    away = "postgresql://ada@127.0.0.1:1/shop"
    with pytest.raises(DataError, match=r"^postgresql://ada@127.0.0.1:1/shop#rows: can't be read"):
        read("rows", declare(tmp_path, address=away, table="rows"))
    with pytest.raises(NotFoundError, match=r"unknown table 'nowhere.rows' in .*rows"):
        read("rows", declare(tmp_path, address=server, table="nowhere.rows"))
    for query in ("SELECT nothing FROM rows", "SELEC 1"):
        with pytest.raises(DataError, match="can't be read: "):
            read("rows", declare(tmp_path, address=server, query=query))


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"address": "sqlite:///a.db"}, "sources.rows: expected a table or a query, found neither"),
        (
            {"address": "duckdb:///a", "table": "t", "query": "SELECT 1"},
            "sources.rows: expected a table or a query, found table and query",
        ),
        ({"address": "a.csv", "table": "t"}, "sources.rows.table: only of a database's address"),
    ],
)
def test_a_table_or_a_query_and_only_of_a_database(
    tmp_path: Path, declared: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        read("rows", declare(tmp_path, **declared))
    assert str(raised.value) == said


HIDDEN = """
import sys
from pathlib import Path
from workbench import Project
from workbench.data import read
class Hidden:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[2].split(): raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Hidden)
project = Project.find(sys.argv[1])
for name in project.settings.sources:
    try: read(name, project)
    except ImportError as error: print(type(error).__name__, error)
"""

DRIVERS = {
    "duckdb": (
        "duckdb:///a.db",
        'duckdb is not installed: pip install "jupyter-workbench[duckdb]"',
    ),
    "psycopg": (
        "postgresql://host/shop",
        'psycopg is not installed: pip install "jupyter-workbench[postgres]"',
    ),
    "adbc_driver_snowflake": (
        "snowflake://user@account/D/S",
        'adbc-driver-snowflake is not installed: pip install "jupyter-workbench[snowflake]"',
    ),
    "adbc_driver_bigquery": (
        "bigquery://project/dataset",
        'adbc-driver-bigquery is not installed: pip install "jupyter-workbench[bigquery]"',
    ),
    "pymysql": (
        "mysql+pymysql://user@host/shop",
        "mysql+pymysql:// needs a driver that isn't installed: pymysql",
    ),
}


def test_a_driver_that_is_not_installed_is_named(tmp_path: Path) -> None:
    """In an interpreter that can't see them, for some are installed here."""
    sources = {
        module: {"address": address, "table": "rows"} for module, (address, _) in DRIVERS.items()
    }
    document = {"name": "x", "sources": sources}
    (tmp_path / "workbench.toml").write_text(tomlkit.dumps(document), "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", HIDDEN, tmp_path, " ".join(DRIVERS)],
        capture_output=True,
        text=True,
        check=True,
    )
    said = [f"MissingExtraError {line}" for _, line in DRIVERS.values()]
    assert done.stdout.splitlines() == said


def test_the_code_of_the_warehouses_reads_by_any_arrow_driver(folder: Path, server: str) -> None:
    """Neither can run here: what they share is run with the driver of one that can."""
    from adbc_driver_postgresql import dbapi

    def connect() -> Any:
        return dbapi.connect(server.replace("+psycopg", ""))

    dialect = postgresql_dialect.dialect(paramstyle="numeric_dollar")
    database = Adbc(dbapi, connect, dialect, "max(number)")
    project = declare(folder, address="snowflake://u@a/D/S", table="rows")
    source = DatabaseSource(Declared.of("rows", project), database)
    where = (pl.col("number") > 1) & (pl.col("word").is_null() | (pl.col("word") == "A"))
    found = source.scan(["share", "number"], where).collect()
    assert found.equals(ROWS.filter(where).select("share", "number"))
    assert source.stamp().endswith(" 6 7")
    gone = declare(folder, address="snowflake://u@a/D/S", table="rovs")
    with pytest.raises(NotFoundError, match=r"unknown table 'rovs' .*did you mean rows"):
        DatabaseSource(Declared.of("rows", gone), database).schema()
