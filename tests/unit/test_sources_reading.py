"""Reading by name: what was known when, what is recorded, and what can't be read."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data import frame_digest, list_datasets, observing, read, stamp
from workbench.data.sources import Declared, open_source, reading
from workbench.data.sources.labels import known
from workbench.errors import ConfigError, DataError, NotFoundError, UsageError
from workbench.project import Project


def declare(root: Path, address: str, **declared: Any) -> Project:
    document = {"name": "x", "sources": {"rows": {"address": address, **declared}}}
    (root / "workbench.toml").write_text(tomlkit.dumps(document), "utf-8")
    return Project.find(root)


def day(number: int, hour: int = 0) -> datetime:
    return datetime(2024, 3, number, hour, tzinfo=UTC)


# Labels that arrive later

LABELS = """loan,due,told,paid
a,2024-03-01,2024-03-05T00:00:00Z,true
b,2024-03-01,2024-03-09T00:00:00Z,true
a,2024-03-01,2024-03-07T00:00:00Z,false
c,2024-03-02,,true
a,2024-03-02,2024-03-06T12:00:00Z,true
"""
LATE = {"key": ["loan"], "event_time": "due", "label_time": "told"}


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (day(4), []),
        (day(5), [("a", "2024-03-01", True)]),  # at the very moment
        (day(6, 11), [("a", "2024-03-01", True)]),
        (day(6, 12), [("a", "2024-03-01", True), ("a", "2024-03-02", True)]),
        (day(8), [("a", "2024-03-01", False), ("a", "2024-03-02", True)]),  # corrected
        (
            day(30),
            [("b", "2024-03-01", True), ("a", "2024-03-01", False), ("a", "2024-03-02", True)],
        ),
    ],
)
def test_only_what_was_known_then(
    tmp_path: Path, as_of: datetime, expected: list[tuple[str, str, bool]]
) -> None:
    (tmp_path / "labels.csv").write_text(LABELS)
    project = declare(tmp_path, "labels.csv", **LATE)
    chosen = {"columns": ["loan", "due", "paid"], "as_of": as_of}
    assert read("rows", project, **chosen).rows() == expected
    lazy = read("rows", project, lazy=True, **chosen)
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect().rows() == expected


def test_a_filter_looks_at_rows_as_they_were_corrected(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(LABELS)
    project = declare(tmp_path, "labels.csv", **LATE)
    paid = read("rows", project, where=pl.col("paid"), as_of=day(8))
    assert paid["due"].to_list() == ["2024-03-02"]  # the other was paid, it was thought, till then


moments = st.datetimes(datetime(2024, 1, 1), datetime(2024, 1, 3)).map(  # noqa: DTZ001
    lambda moment: moment.replace(minute=0, second=0, microsecond=0, tzinfo=UTC)
)


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from("ab"), moments, st.none() | moments), max_size=8),
    as_of=moments,
)
def test_what_was_known_is_what_a_slow_look_finds(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], as_of: datetime
) -> None:
    declared = Declared.of("rows", declare(tmp_path_factory.mktemp("known"), "a.parquet", **LATE))
    schema = {"loan": pl.String, "due": pl.Datetime("us", "UTC"), "told": pl.Datetime("us", "UTC")}
    frame = pl.DataFrame(rows, schema, orient="row").with_row_index("row")
    newest: dict[Any, Any] = {}
    for row in frame.to_dicts():
        place = row["loan"], row["due"]
        arrived = row["told"] is not None and row["told"] <= as_of
        if arrived and (place not in newest or row["told"] >= newest[place]["told"]):
            newest[place] = row
    expected = sorted(row["row"] for row in newest.values())
    assert known(declared, frame.lazy(), as_of).collect()["row"].to_list() == expected


@pytest.mark.parametrize(
    ("declared", "as_of", "error", "said"),
    [
        ({}, day(1), UsageError, "sources.rows: as_of needs its label_time (or created) in"),
        (LATE, datetime(2024, 3, 1), UsageError, "as_of=2024-03-01T00:00:00: expected a time zone"),  # noqa: DTZ001
        ({"label_time": "tld"}, day(1), NotFoundError, "unknown column 'tld' in source rows: did"),
        ({"created": "paid"}, day(1), DataError, "expected times in column 'paid', found Boolean"),
        ({"created": "loan"}, day(1), DataError, "labels.csv: can't be read: "),
    ],
)
def test_what_as_of_needs(
    tmp_path: Path, declared: Any, as_of: datetime, error: type[Exception], said: str
) -> None:
    (tmp_path / "labels.csv").write_text(LABELS)
    with pytest.raises(error) as raised:
        read("rows", declare(tmp_path, "labels.csv", **declared), as_of=as_of)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


# What is recorded


def test_a_stamp_knows_how_the_source_is_read(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id,v\n1,NA\n2,7\n")
    before = stamp("rows", declare(tmp_path, "rows.csv"))
    assert stamp("rows", declare(tmp_path, "rows.csv", description="other", tags=["x"])) == before
    for declared in ({"null_values": ["", "7"]}, {"format": "csv"}, {"glob": True}, {"key": "id"}):
        assert stamp("rows", declare(tmp_path, "rows.csv", **declared)) != before


def test_a_large_lazy_read_has_the_stamps_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pl.DataFrame({"id": range(30), "name": ["x"] * 30})
    frame.write_parquet(tmp_path / "rows.parquet")
    project = declare(tmp_path, "rows.parquet")
    monkeypatch.setattr(reading, "_CHEAP_CELLS", 59)
    heard = []
    with observing(heard.append):
        for _ in range(2):
            read("rows", project, lazy=True)
        read("rows", project, lazy=True, where=pl.col("id") > 0)
        read("rows", project)
    first, same, part, whole = heard
    assert first.digest == same.digest
    assert first.digest.startswith("stamp-")
    assert first.columns == {"id": "Int64", "name": "String"}
    assert first.rows == whole.rows == 30
    assert part.digest == frame_digest(frame.tail(-1))  # 58 cells are cheap
    assert whole.digest == frame_digest(frame)
    assert [dataset.digest for dataset in list_datasets(project)] == [
        whole.digest,
        part.digest,
        first.digest,
    ]
    assert list_datasets(project)[1].recipe.where
    frame.head(29).write_parquet(tmp_path / "rows.parquet")
    monkeypatch.setattr(reading, "_CHEAP_CELLS", 0)
    with observing(heard.append):
        read("rows", project, lazy=True)
    assert heard[-1].digest not in (first.digest, whole.digest)


# Folders, patterns and formats


def test_folders_may_hold_columns_in_their_names(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": [1, 2, 3], "month": [1, 1, 2]})
    frame.write_parquet(pl.PartitionBy(tmp_path / "rows", key="month", include_key=False))
    project = declare(tmp_path, "rows")
    source = open_source("rows", project)
    assert source.scan().sort("id").collect().equals(frame)
    plan = source.scan(where=pl.col("month") == 2).explain()
    assert "month" in plan
    assert source.scan(["id"], pl.col("month") == 2).collect()["id"].to_list() == [3]


def test_folders_around_a_source_hold_no_columns_of_it(tmp_path: Path) -> None:
    root = tmp_path / "run=7"
    for month in (1, 2):
        path = root / "rows" / f"month={month}" / "part.parquet"
        path.parent.mkdir(parents=True)
        pl.DataFrame({"a": [month]}).write_parquet(path)
    (root / "rows" / "_SUCCESS").touch()
    frame = read("rows", declare(root, "rows"))
    assert frame.to_dict(as_series=False) == {"a": [1, 2], "month": [1, 2]}


def test_types_of_a_folder_of_csv_come_from_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    for number, text in enumerate(["1", "2", "3.5"]):
        (tmp_path / "rows" / f"{number}.csv").write_text(f"a\n{text}\n")
    assert read("rows", declare(tmp_path, "rows")).to_series().to_list() == [1.0, 2.0, 3.5]


def test_a_pattern_is_one_only_where_that_is_declared(tmp_path: Path) -> None:
    for name in ("a1", "a2", "a[12]"):
        pl.DataFrame({"name": [name]}).write_parquet(tmp_path / f"{name}.parquet")
    address = "a[12].parquet"
    assert read("rows", declare(tmp_path, address))["name"].to_list() == ["a[12]"]
    wild = declare(tmp_path, address, glob=True)
    assert read("rows", wild)["name"].to_list() == ["a1", "a2"]
    absolute = declare(tmp_path, f"file://{tmp_path}/**/a?.parquet", glob=True)
    assert read("rows", absolute)["name"].to_list() == ["a1", "a2"]
    with pytest.raises(DataError, match=r"^b\*: no file of any known format there$"):
        read("rows", declare(tmp_path, "b*", glob=True))


def test_a_declared_format_wins_over_the_name(tmp_path: Path) -> None:
    (tmp_path / "rows.txt").write_text("a\n1\n")
    assert read("rows", declare(tmp_path, "rows.txt", format="csv"))["a"].to_list() == [1]
    (tmp_path / "rows.parquet").write_text('{"a": 2}\n')
    assert read("rows", declare(tmp_path, "rows.parquet", format="jsonl"))["a"].to_list() == [2]


def test_a_file_added_to_a_folder_changes_its_stamp(tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    frame = pl.DataFrame({"a": [1]})
    frame.write_parquet(tmp_path / "rows" / "1.parquet")
    project = declare(tmp_path, "rows")
    before = stamp("rows", project)
    (tmp_path / "rows" / ".2.parquet.tmp").write_text("half")
    assert stamp("rows", project) == before
    frame.write_parquet(tmp_path / "rows" / "2.parquet")
    assert stamp("rows", project) != before


def test_delta_in_a_folder_with_an_odd_name(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    frame.write_delta(str(tmp_path / "plain"))
    odd = tmp_path / "with [brackets] and spaces"
    odd.mkdir()
    (tmp_path / "plain").rename(odd / "table")
    found = read("rows", declare(odd, "table"), columns=["b"], where=pl.col("a") == 2)
    assert found.to_dict(as_series=False) == {"b": ["y"]}


BAD = [
    ("rows.parquet", None, b"PAR1 torn PAR1", {}),
    ("rows.jsonl", None, b'{"a": 1}\n{"a": \n', {}),
    ("rows.arrow", None, b"ARROW1 torn", {}),
    ("rows.csv", None, b"a,b\n1,2\n1,2,3\n", {}),
    ("table", "_delta_log/00000000000000000000.json", b"{torn", {}),
    ("table", None, None, {"format": "delta"}),
    ("folder", "a.parquet", b"torn", {}),
]


@pytest.mark.parametrize(("address", "inner", "content", "declared"), BAD)
@pytest.mark.parametrize("lazy", [True, False])
def test_what_is_corrupt_is_said_in_one_line(
    tmp_path: Path,
    address: str,
    inner: str | None,
    content: bytes | None,
    declared: dict[str, str],
    *,
    lazy: bool,
) -> None:
    file = tmp_path / address / inner if inner else tmp_path / address
    file.parent.mkdir(parents=True, exist_ok=True)
    if content is not None:
        file.write_bytes(content)
    project = declare(tmp_path, address, **declared)
    with pytest.raises(DataError) as raised:
        read("rows", project, lazy=lazy)
    assert str(raised.value).startswith(f"{address}: ")
    assert "\n" not in str(raised.value)
    assert list_datasets(project) == []


def test_a_folder_of_several_formats_asks_which(tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    frame = pl.DataFrame({"a": [1]})
    frame.write_parquet(tmp_path / "rows" / "a.parquet")
    frame.write_csv(tmp_path / "rows" / "a.csv")
    with pytest.raises(DataError, match=r"rows: expected files of one format, found csv, parquet"):
        read("rows", declare(tmp_path, "rows"))
    assert read("rows", declare(tmp_path, "rows", format="csv")).height == 1
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"^empty: no file of any known format there$"):
        read("rows", declare(tmp_path, "empty"))


def test_a_choice_that_is_none_is_refused(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "rows.parquet")
    project = declare(tmp_path, "rows.parquet")
    with pytest.raises(UsageError, match=r"^columns: expected a list of names, like \['a'\]$"):
        read("rows", project, columns="a")
    where: Any = "a > 1"
    with pytest.raises(UsageError, match=r"^where: expected an expression .*, found a str$"):
        read("rows", project, where=where)


def test_an_unknown_kind_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"unknown kind of source 's4://': did you mean s3://"):
        read("rows", declare(tmp_path, "s4://bucket/rows.parquet"))


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"format": "xlsx"}, "sources.rows.format: "),
        ({"sha256": "abc"}, "sources.rows.sha256: "),
        ({"max_mb": 0}, "sources.rows.max_mb: "),
        ({"retries": -1}, "sources.rows.retries: "),
        ({"keys": ["a"]}, "sources.rows.keys: unknown key; did you mean key?"),
        ({"options": {"a": ["b"]}}, "sources.rows.options.a"),
    ],
)
def test_a_declaration_that_cannot_be(tmp_path: Path, declared: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        declare(tmp_path, "a.csv", **declared)
    assert said in str(raised.value)


def test_a_key_of_one_column_may_be_written_as_a_text(tmp_path: Path) -> None:
    project = declare(tmp_path, "a.csv", key="id", owner="ada", tags=["trees"])
    declared = project.settings.sources["rows"]
    assert (declared.key, declared.owner, declared.tags) == (["id"], "ada", ["trees"])


IMPORTED = """
import json, sys
import workbench.data.sources
from workbench import Project
from workbench.data import read
read("rows", Project.find(sys.argv[1]))
heavy = ("psycopg", "duckdb", "deltalake", "requests", "fsspec", "keyring")
print(json.dumps([name for name in (*heavy, "pyarrow", "redis") if name in sys.modules]))
"""


def test_a_kind_that_is_not_opened_is_not_imported(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "rows.parquet")
    declare(tmp_path, "rows.parquet")
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, tmp_path], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []
