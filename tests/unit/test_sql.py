"""SQL over a project: tables, functions, what is refused, and what is said of a wrong query."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal, assert_series_equal

from workbench import Project
from workbench.data import list_datasets
from workbench.errors import DataError, NotFoundError, UsageError
from workbench.factory.scaffold import create_project
from workbench.functions import get, register_file
from workbench.lineage import observing_use
from workbench.serving.sql import sql
from workbench.serving.sql.problems import place

SETTINGS = """
name = "x"
[sources.flights]
address = "flights.csv"
[sources."two words"]
address = "flights.csv"
[sources.gone]
address = "gone.csv"
"""

FUNCTIONS = '''
from datetime import date, datetime
from typing import Annotated

import polars as pl
import workbench as wb

@wb.function(test=[((1.0, None), 1.0), ((1.0, 2.0), 3.0)])
def total(one: float, other: float | None = None) -> float:
    """Add two numbers, the second of which may be missing."""
    return one + (other or 0.0)

@wb.function(returns=float, test=[(([1.0, None],), [0.5, None])])
def halved(x: Annotated[pl.Series, float]) -> pl.Series:
    """Halve."""
    return x / 2

@wb.function(test=[((["a", "b"], [1, None]), ["a1", None])])
def labelled(
    text: Annotated[pl.Expr, str], number: Annotated[pl.Expr, int]
) -> Annotated[pl.Expr, str]:
    """Put a number behind a text."""
    return text + number.cast(pl.String)

@wb.function(test=[((None,), True), ((1,), False)])
def missing(x: int | None) -> bool:
    """Whether there is none."""
    return x is None

@wb.function(test=[((date(2013, 1, 1), b"a", ["x", "y"]), "2013ax")])
def mixed(day: date, raw: bytes, words: list[str]) -> str:
    """Take several types."""
    return f"{day.year}{raw.decode()}{words[0]}"

@wb.function(test=[(date(2013, 1, 1), datetime.fromisoformat("2013-01-01T00:00:00+00:00"))])
def midnight(day: date) -> datetime:
    """Tell when a day begins."""
    return datetime.fromisoformat(f"{day.isoformat()}T00:00:00+00:00")

@wb.function(test=[(1, [1.0]), (0, [])])
def ones(n: int) -> list[float]:
    """Give as many ones."""
    return [1.0] * n

@wb.function(test=[(1, 1)])
def picky(x: int) -> int:
    """Take one."""
    if x > 1:
        raise ValueError("too much\\nof it")
    return x

@wb.function(returns=float, test=[(([1.0, 2.0],), [1.0, 2.0])])
def shrinking(x: Annotated[pl.Series, float]) -> pl.Series:
    """Lose rows, where there are three."""
    return x.head(2)
'''

ROWS = 5000
"""More than two of DuckDB's batches."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("sql") / "project"
    create_project(root)
    (root / "workbench.toml").write_text(SETTINGS)
    (root / "functions").mkdir()
    (root / "functions" / "all.py").write_text(FUNCTIONS)
    (root / "flights.csv").write_text("flight,delay,carrier\n1,5.5,UA\n2,,AA\n3,-1.0,\n")
    project = Project.find(root)
    register_file(root / "functions" / "all.py", project)
    return project


@pytest.fixture
def frame() -> pl.DataFrame:
    n = pl.int_range(ROWS, eager=True)
    return pl.DataFrame(
        {
            "x": pl.select(pl.when(n % 7 == 0).then(None).otherwise(n / 3)).to_series(),
            "n": pl.select(pl.when(n % 5 == 0).then(None).otherwise(n)).to_series(),
            "text": (n % 3).cast(pl.String),
            "kind": (n % 3).cast(pl.String).cast(pl.Categorical),
            "day": pl.select(pl.date(2013, 1, 1) + pl.duration(days=n % 365)).to_series(),
        }
    )


def test_sources_are_tables_of_which_what_is_needed_is_read(project: Project) -> None:
    answer = sql("SELECT flight, delay FROM flights WHERE delay > 0", project)
    assert answer.to_dicts() == [{"flight": 1, "delay": 5.5}]
    assert list(list_datasets(project)[0].columns) == ["flight", "delay"]
    assert sql("SELECT count(*) AS n FROM FLIGHTS", project).item() == 3
    assert sql('SELECT * FROM "two words"', project).columns == ["flight", "delay", "carrier"]
    assert sql("FROM flights", project).height == 3
    assert sql("DESCRIBE flights", project)["column_name"].to_list() == [
        "flight",
        "delay",
        "carrier",
    ]
    assert sql("SELECT f FROM flights f LIMIT 1", project).schema["f"] == pl.Struct(
        {"flight": pl.Int64, "delay": pl.Float64, "carrier": pl.String}
    )


def test_a_with_of_a_sources_name_is_made_of_the_source(project: Project) -> None:
    query = "WITH flights AS (SELECT * FROM flights WHERE delay > 0) SELECT flight FROM flights"
    assert sql(query, project)["flight"].to_list() == [1]
    recursive = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) FROM t"
    assert sql(recursive, project)["n"].to_list() == [1, 2, 3]


def test_frames_are_tables_too(project: Project, frame: pl.DataFrame) -> None:
    tables = {"mine": frame, "lazy": frame.lazy().head(3), "pandas": frame.select("n").to_pandas()}
    query = "SELECT count(*) AS n FROM mine UNION ALL SELECT count(*) FROM lazy"
    assert sql(query, project, tables=tables)["n"].to_list() == [ROWS, 3]
    assert sql("SELECT sum(n) AS n FROM pandas", project, tables=tables)["n"].dtype == pl.Float64
    back = sql("FROM mine", project, tables=tables)
    assert_frame_equal(back.drop("kind"), frame.drop("kind"))
    assert back["kind"].cast(pl.String).equals(frame["kind"].cast(pl.String))
    hidden = sql("FROM flights", project, tables={"flights": frame.head(2)})
    assert hidden.height == 2  # what is given goes before a source


@settings(max_examples=25, deadline=None)
@given(st.text("ab\"'; \n\\.ä-)", min_size=1), st.text("xy\"'; \t\\.$(", min_size=1))
def test_names_are_names(project: Project, table: str, column: str) -> None:
    quoted = [name.replace('"', '""') for name in (table, column)]
    query = 'SELECT "{1}", halved("{1}") AS half FROM "{0}"'.format(*quoted)
    answer = sql(query, project, tables={table: pl.DataFrame({column: [1.0]})})
    assert answer.row(0) == (1.0, 0.5)
    assert answer.columns == [column, "half"]


def test_values_are_values(project: Project) -> None:
    evil = "x'; DROP TABLE flights; --"
    assert sql("SELECT $a AS a", project, params={"a": evil}).item() == evil
    assert sql("SELECT ? + ? AS a", project, params=[1, 2]).item() == 3
    assert (
        sql("SELECT carrier FROM flights WHERE flight = $n", project, params={"n": 1}).item()
        == "UA"
    )
    with pytest.raises(UsageError, match=r"[Pp]arameter"):
        sql("SELECT $a", project)
    with pytest.raises(UsageError, match=r"[Pp]arameter"):
        sql("SELECT 1", project, params={"a": 1})


def test_whole_numbers_stay_whole(project: Project) -> None:
    answer = sql("SELECT sum(flight) AS total, count(*) AS n FROM flights", project)
    assert answer.schema == {"total": pl.Int64, "n": pl.Int64}
    assert sql("SELECT 1.5::DECIMAL(10, 2) AS d", project).schema["d"] == pl.Decimal(10, 2)
    with pytest.raises(DataError, match="larger than 64 bits hold"):
        sql("SELECT 10::HUGEINT ** 0 AS x, sum(9223372036854775807) AS big FROM range(2)", project)


@pytest.mark.parametrize(
    ("query", "call"),
    [
        ("total(x, n)", lambda f, p: get("total", p)(f["x"], f["n"])),
        ("total(x)", lambda f, p: get("total", p)(f["x"])),
        ("total(other := n, one := x)", lambda f, p: get("total", p)(f["x"], f["n"])),
        ("halved(x)", lambda f, p: get("halved", p)(f["x"])),
        ("halved(n)", lambda f, p: get("halved", p)(f["n"])),
        ("labelled(text, n)", lambda f, p: get("labelled", p)(f["text"], f["n"])),
        ("labelled(kind, n)", lambda f, p: get("labelled", p)(f["kind"], f["n"])),
        ("missing(n)", lambda f, p: get("missing", p)(f["n"])),
        ("MISSING(NULL)", lambda f, p: f["n"].is_null() | True),
        ("mixed(day, 'a'::BLOB, [text])",
         lambda f, p: get("mixed", p)(f["day"], b"a", f.select(pl.concat_list("text"))["text"])),
        ("midnight(day)", lambda f, p: get("midnight", p)(f["day"])),
        ("ones(n % 3)", lambda f, p: get("ones", p)(f["n"] % 3)),
        ('"total@1"(x, n)', lambda f, p: get("total@1", p)(f["x"], f["n"])),
    ],
)  # fmt: skip
def test_sql_and_python_agree(project: Project, frame: pl.DataFrame, query: str, call: Any) -> None:
    for rows in (frame, frame.head(1), frame.clear()):
        answer = sql(f"SELECT {query} AS it FROM mine", project, tables={"mine": rows})["it"]
        assert_series_equal(answer, call(rows, project), check_names=False, check_exact=True)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.none() | st.floats(), st.none() | st.floats()), max_size=20))
def test_sql_and_python_agree_on_any_number(
    project: Project, rows: list[tuple[float | None, float | None]]
) -> None:
    schema = {"one": pl.Float64, "other": pl.Float64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    query = "SELECT total(one, other) AS a, halved(other) AS b FROM mine"
    answer = sql(query, project, tables={"mine": frame})
    assert answer["a"].equals(get("total", project)(frame["one"], frame["other"]))
    assert answer["b"].equals(get("halved", project)(frame["other"]))


def test_functions_stand_wherever_sql_has_them(project: Project, frame: pl.DataFrame) -> None:
    answer = sql(
        "SELECT text, sum(halved(x)) AS s, round(total(max(x)), 1) FROM mine "
        "WHERE NOT missing(n) GROUP BY text HAVING total(count(*)) > 0 ORDER BY labelled(text, 1)",
        project,
        tables={"mine": frame},
    )
    assert answer.columns == ["text", "s", "round(total(max(x)), 1)"]
    kept = frame.filter(pl.col("n").is_not_null())
    expected = kept.group_by("text").agg((pl.col("x") / 2).sum()).sort("text")
    assert answer["s"].to_list() == pytest.approx(expected["x"].to_list())


def test_a_column_is_called_as_it_was_written(project: Project) -> None:
    answer = sql("SELECT halved(1), 1 + total(2, 3), total(1) AS mine", project)
    assert answer.columns == ["halved", "(1 + total(2, 3))", "mine"]


def test_what_was_used_is_told(project: Project) -> None:
    told: list[str] = []
    with observing_use(told.append):
        sql("SELECT total(1), halved(2), halved(3) AS again", project)
    assert sorted(told) == ["function:halved@1", "function:total@1"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM read_parquet('https://example.org/x.parquet')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
    ],
)
def test_sql_reads_no_files(project: Project, query: str) -> None:
    with pytest.raises(UsageError, match="reads no files and no network"):
        sql(query, project)


@pytest.mark.parametrize(
    "query",
    [
        "COPY (SELECT 1) TO 'out.csv'",
        "ATTACH 'x.db'",
        "CREATE TABLE t (a INT)",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "LOAD httpfs",
        "PRAGMA database_list",
        "SELECT 1; SELECT 2",
        "",
        "EXPORT DATABASE 'x'",
        "SELECT 1; COPY (SELECT 1) TO 'out.csv'",
    ],
)
def test_sql_is_one_query(project: Project, query: str) -> None:
    with pytest.raises(UsageError, match="SQL: "):
        sql(query, project)


def test_sql_sees_no_variable_of_pythons(project: Project) -> None:
    secret = pl.DataFrame({"a": [1]})
    with pytest.raises(NotFoundError, match="unknown table 'secret'"):
        sql("FROM secret", project)
    assert secret.height == 1


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELEC 1", r'syntax error at or near "SELEC" \(line 1, column 1\)'),
        ("SELECT 1\nFROM\n  WHERE", r"syntax error.*\(line 3, column 3\)"),
        ("SELECT nope FROM flights", r'"nope" not found.*bindings: .*\(line 1, column 8\)'),
        ("SELECT flight FROM flihgts", "unknown table 'flihgts': did you mean flights"),
        ("FROM 'flights.csv'", "unknown table 'flights.csv'.*reads no files"),
        ("SELECT totl(1)", "unknown function 'totl' of the project: did you mean total"),
        ("SELECT total(1, 2, 3)", r"3 columns given; expected 1 to 2: one, other \(line 1, col"),
        ("SELECT total(two := 1)", "unknown argument 'two'"),
        ("SELECT total(other := 1)", "lacks one"),
        ("SELECT total(f.*) FROM flights f", "name its arguments"),
        ("SELECT total(carrier) FROM flights", "function total: one is String; expected float"),
        ("SELECT missing(1.5)", "x is Decimal.*expected int"),
        ("SELECT sum(DISTINCT 1), total(DISTINCT 1)", "total answers for each row"),
        ("SELECT picky(n::INT) FROM range(3) t(n)", "function picky: ValueError: too much$"),
        ("SELECT shrinking(n) FROM range(3) t(n)", "function shrinking: 2 answers for 3 rows"),
        ("SELECT 1 AS a, 2 AS a", "two columns called a"),
        ("SELECT CAST('a' AS INT)", "Could not convert string 'a' to INT32"),
        ("SELECT * FROM gone", "no such file"),
        ('SELECT "total@9"(1)', "total@9"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(project: Project, query: str, message: str) -> None:
    with pytest.raises((UsageError, NotFoundError, DataError), match=message) as caught:
        sql(query, project)
    assert "\n" not in str(caught.value)
    assert "__workbench" not in str(caught.value)


def test_a_column_that_no_table_can_have_is_named(project: Project) -> None:
    odd = pl.DataFrame({"a": pl.Series([object()], dtype=pl.Object)})
    with pytest.raises(DataError, match="table odd"):
        sql("FROM odd", project, tables={"odd": odd})
    with pytest.raises(UsageError, match="is a int; expected a frame"):
        sql("FROM odd", project, tables={"odd": 1})  # type: ignore[dict-item]


def test_places_are_counted_in_characters() -> None:
    assert place("SELECT 'ä', x", len("SELECT 'ä', ".encode())) == " (line 1, column 13)"
    assert place("a\nbc", 3) == " (line 2, column 2)"


def test_times_come_back_in_utc(project: Project) -> None:
    answer = sql(
        "SELECT TIMESTAMPTZ '2013-01-01 12:00:00+01' AS at, DATE '2013-01-01' AS d", project
    )
    assert answer.row(0) == (datetime(2013, 1, 1, 11, tzinfo=UTC), date(2013, 1, 1))


def test_more_than_the_memory_goes_beside_the_records(project: Project) -> None:
    small = project.settings.model_copy(update={"memory_mb": 256})
    tight = Project(project.root, small)
    many = "SELECT DISTINCT i, repeat('x', 100) || i FROM range(2000000) t(i)"
    query = f"SELECT count(*) AS n FROM ({many})"
    assert sql(query, tight).item() == 2_000_000
    assert not list(project.state.glob("sql-*"))
    assert not (Path.cwd() / ".tmp").exists()


def test_the_command_line(project: Project, cli: Any, tmp_path: Path) -> None:
    folder = project.root
    query = "SELECT flight, total(delay) AS t FROM flights ORDER BY flight"
    assert json.loads(cli("sql", query, "--json", folder=folder).stdout)[0] == {
        "flight": 1,
        "t": 5.5,
    }
    assert cli("sql", query, "--csv", folder=folder).stdout.splitlines()[1] == "1,5.5"
    assert "5.5" in cli("sql", query, folder=folder).stdout
    path = tmp_path / "out.parquet"
    assert cli("sql", query, "--out", path, folder=folder).returncode == 0
    assert pl.read_parquet(path).height == 3
    given = cli("sql", "SELECT $a AS a", "-p", "a=ab", "--csv", folder=folder)
    assert given.stdout.splitlines() == ["a", "ab"]
    for arguments in (
        ("SELEC",),
        ("FROM nowhere",),
        ("SELECT 1 AS a", "--json", "--csv"),
        ("SELECT 1 AS a", "--out", "x.txt"),
        ("SELECT 1 AS a", "-p", "a"),
    ):
        assert cli("sql", *arguments, folder=folder).returncode == 2, arguments
