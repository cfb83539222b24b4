"""What every kind of source promises, checked on each of them with the real thing behind it."""

from __future__ import annotations

import logging
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import polars as pl
import pytest
import tomlkit
from sqlalchemy import create_engine

from tests.servers import FileServer, ObjectStorage, file_server, object_storage, postgresql
from workbench.data import frame_digest, list_datasets, observing, read
from workbench.data.sources import Source, open_source
from workbench.errors import DataError, NotFoundError
from workbench.project import Project

FRAME = pl.DataFrame(
    {
        "id": [1, 2, 3, 4],
        "name": ["ash", None, 'elm\'s "own"', "yew, ÿ"],
        "price": [1.5, -0.25, None, 1e300],
        "sold": [True, False, None, True],
    }
)
CHANGED = FRAME.with_columns(pl.col("price").fill_null(7.0))
WHERE = (pl.col("id") >= 2) & (pl.col("price").is_not_null() | pl.col("sold").is_null())
BUCKET = "orchard"


@dataclass
class Place:
    """Where sources of all kinds can be put; a server starts when the first one needs it."""

    root: Path
    request: pytest.FixtureRequest

    @property
    def storage(self) -> ObjectStorage:
        found: ObjectStorage = self.request.getfixturevalue("storage")
        return found

    @property
    def server(self) -> str:
        address: str = self.request.getfixturevalue("server")
        return address

    @property
    def web(self) -> FileServer:
        found: FileServer = self.request.getfixturevalue("web")
        return found


Put = Callable[[Place, pl.DataFrame], dict[str, Any]]
"""Puts a frame where a source of one kind reads it, and gives that source's declaration."""


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStorage]:
    with object_storage(tmp_path_factory.mktemp("objects"), BUCKET) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgresql(tmp_path_factory.mktemp("postgresql")) as address:
        yield address


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    with file_server(tmp_path_factory.mktemp("web")) as running:
        yield running


WRITERS: dict[str, Callable[[pl.DataFrame, Path], Any]] = {
    "parquet": pl.DataFrame.write_parquet,
    "csv": pl.DataFrame.write_csv,
    "jsonl": pl.DataFrame.write_ndjson,
    "arrow": pl.DataFrame.write_ipc,
}


def file(kind: str, place: Place, frame: pl.DataFrame) -> dict[str, Any]:
    WRITERS[kind](frame, place.root / f"rows [1].{kind}")
    return {"address": f"rows [1].{kind}"}


def folder(kind: str, place: Place, frame: pl.DataFrame) -> dict[str, Any]:
    (place.root / "rows*" / "deeper").mkdir(parents=True, exist_ok=True)
    WRITERS[kind](frame.head(1), place.root / "rows*" / f"a.{kind}")
    WRITERS[kind](frame.tail(-1), place.root / "rows*" / "deeper" / f"a [2].{kind}")
    (place.root / "rows*" / "_SUCCESS").touch()
    (place.root / "rows*" / f".half.{kind}").touch()
    return {"address": "rows*", "format": kind}


def pattern(place: Place, frame: pl.DataFrame) -> dict[str, Any]:
    frame.head(2).write_parquet(place.root / "part-1.parquet")
    frame.tail(-2).write_parquet(place.root / "part-2.parquet")
    return {"address": "part-*.parquet", "glob": True}


def archive(place: Place, frame: pl.DataFrame) -> dict[str, Any]:
    with zipfile.ZipFile(place.root / "rows.zip", "w") as packed:
        packed.writestr("rows.csv", frame.write_csv())
    return {"address": "rows.zip"}


def delta(place: Place, frame: pl.DataFrame) -> dict[str, Any]:
    frame.write_delta(str(place.root / "table"), mode="overwrite")
    return {"address": "table"}


def _stored(place: Place, **declared: Any) -> dict[str, Any]:
    return {
        **declared,
        "options": {**place.storage.options, "aws_secret_access_key": "env:ORCHARD"},
    }


def stored(kind: str, place: Place, frame: pl.DataFrame) -> dict[str, Any]:
    address, options = f"s3://{BUCKET}/rows.{kind}", place.storage.options
    sink: Any = {
        "parquet": frame.lazy().sink_parquet,
        "csv": frame.lazy().sink_csv,
        "jsonl": frame.lazy().sink_ndjson,
        "arrow": frame.lazy().sink_ipc,
    }[kind]
    sink(address, storage_options=options)
    return _stored(place, address=address)


def stored_folder(place: Place, frame: pl.DataFrame) -> dict[str, Any]:
    address, options = f"s3://{BUCKET}/rows/", place.storage.options
    frame.head(3).write_parquet(f"{address}a.parquet", storage_options=options)
    frame.tail(-3).write_parquet(f"{address}b.parquet", storage_options=options)
    return _stored(place, address=address, format="parquet")


def stored_pattern(place: Place, frame: pl.DataFrame) -> dict[str, Any]:
    stored_folder(place, frame)
    return _stored(place, address=f"s3://{BUCKET}/rows/*.parquet", glob=True)


def stored_delta(place: Place, frame: pl.DataFrame) -> dict[str, Any]:
    address = f"s3://{BUCKET}/table"
    frame.write_delta(address, mode="overwrite", storage_options=place.storage.options)
    return _stored(place, address=address, format="delta")


def stored_archive(place: Place, frame: pl.DataFrame) -> dict[str, Any]:
    archive(place, frame)
    files = fsspec.filesystem(
        "s3",
        key=place.storage.key,
        secret=place.storage.secret,
        endpoint_url=place.storage.endpoint,
    )
    files.put_file(str(place.root / "rows.zip"), f"{BUCKET}/rows.zip")
    return _stored(place, address=f"s3://{BUCKET}/rows.zip")


def in_memory(place: Place, frame: pl.DataFrame) -> dict[str, Any]:
    with fsspec.open("memory://rows.csv", "wb") as content:
        content.write(frame.write_csv().encode())
    return {"address": "memory://rows.csv"}


def fetched(kind: str, place: Place, frame: pl.DataFrame) -> dict[str, Any]:
    WRITERS[kind](frame, place.web.folder / f"rows.{kind}")
    return {"address": f"{place.web.address}/rows.{kind}"}


COLUMNS = "id BIGINT, name TEXT, price DOUBLE PRECISION, sold BOOLEAN"


def _fill(execute: Callable[[str, Any], Any], name: str, frame: pl.DataFrame, mark: str) -> None:
    execute(f"DROP TABLE IF EXISTS {name}", ())
    execute(f"CREATE TABLE {name} ({COLUMNS})", ())
    for row in frame.reverse().rows():  # a table has no order: `key` gives it one
        execute(f"INSERT INTO {name} VALUES ({', '.join([mark] * 4)})", row)


def sqlite(place: Place, frame: pl.DataFrame) -> dict[str, Any]:
    with closing(sqlite3.connect(place.root / "shop.db")) as connection, connection:
        _fill(connection.execute, '"the rows"', frame, "?")
    return {"address": "sqlite:///shop.db", "table": "the rows", "key": ["id"]}


def generic(place: Place, frame: pl.DataFrame) -> dict[str, Any]:
    return {**sqlite(place, frame), "address": "sqlite+pysqlite:///shop.db"}


def duckdb(place: Place, frame: pl.DataFrame) -> dict[str, Any]:
    import duckdb

    with duckdb.connect(str(place.root / "shop.duckdb")) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS stock")
        _fill(lambda sql, row: connection.execute(sql, row), "stock.rows", frame, "?")
    return {"address": "duckdb:///shop.duckdb", "table": "stock.rows", "key": ["id"]}


def postgres(place: Place, frame: pl.DataFrame) -> dict[str, Any]:
    engine = create_engine(place.server)
    with engine.begin() as connection:
        run = connection.connection.dbapi_connection
        assert run is not None
        cursor = run.cursor()
        _fill(cursor.execute, "rows", frame, "%s")
    engine.dispose()
    return {"address": place.server, "table": "rows", "key": ["id"]}


def queried(put: Put, place: Place, frame: pl.DataFrame) -> dict[str, Any]:
    declared = put(place, frame)
    table = '"the rows"' if "sqlite" in declared["address"] else declared["table"]
    query = f"SELECT id, name, price, sold FROM {table} WHERE ':x%' <> '12:30' ORDER BY id;"
    return {"address": declared["address"], "query": query}


KINDS: dict[str, Put] = {
    **{kind: partial(file, kind) for kind in WRITERS},
    **{f"folder of {kind}": partial(folder, kind) for kind in WRITERS},
    "pattern": pattern,
    "archive": archive,
    "delta": delta,
    **{f"s3 {kind}": partial(stored, kind) for kind in WRITERS},
    "s3 folder": stored_folder,
    "s3 pattern": stored_pattern,
    "s3 delta": stored_delta,
    "s3 archive": stored_archive,
    "fsspec": in_memory,
    "http parquet": partial(fetched, "parquet"),
    "http csv": partial(fetched, "csv"),
    "sqlite": sqlite,
    "sqlalchemy": generic,
    "duckdb": duckdb,
    "postgresql": postgres,
    "sqlite query": partial(queried, sqlite),
    "duckdb query": partial(queried, duckdb),
    "postgresql query": partial(queried, postgres),
}
DATABASES = [kind for kind in KINDS if "sql" in kind or "duckdb" in kind]


def declare(root: Path, **declared: Any) -> Project:
    document = {"name": "x", "sources": {"rows": declared}}
    (root / "workbench.toml").write_text(tomlkit.dumps(document), "utf-8")
    return Project.find(root)


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Place:
    root = tmp_path / "project"
    root.mkdir()
    made = Place(root, request)
    kind = request.node.callspec.params.get("kind", "") if hasattr(request.node, "callspec") else ""
    if kind.startswith("s3"):
        monkeypatch.setenv("ORCHARD", made.storage.secret)
    return made


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def project(kind: str, place: Place) -> Project:
    return declare(place.root, **KINDS[kind](place, FRAME))


@pytest.fixture
def source(project: Project) -> Source:
    return open_source("rows", project)


def test_folders_of_object_storage_may_hold_columns_in_their_names(
    storage: ObjectStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCHARD", storage.secret)
    address = f"s3://{BUCKET}/run=7/months/"
    for month in (1, 2):
        name = f"{address}month={month}/part.parquet"
        pl.DataFrame({"a": [month]}).write_parquet(name, storage_options=storage.options)
    options = {**storage.options, "aws_secret_access_key": "env:ORCHARD"}
    project = declare(tmp_path, address=address, format="parquet", options=options)
    assert read("rows", project).to_dict(as_series=False) == {"a": [1, 2], "month": [1, 2]}


def test_the_same_rows_and_types_whatever_the_kind(source: Source) -> None:
    assert source.schema() == FRAME.schema
    rows = source.scan().collect()
    assert rows.equals(FRAME, null_equal=True)
    assert source.digest() == frame_digest(rows) == frame_digest(FRAME)


def test_columns_and_rows_are_chosen_at_the_source(
    kind: str, source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "workbench.data")
    chosen = source.scan(["price", "id"], WHERE)
    assert chosen.collect().equals(FRAME.filter(WHERE).select("price", "id"))
    if kind in DATABASES:
        [statement] = [record.getMessage() for record in caplog.records]
        selected, _, condition = statement.partition(" FROM ")
        assert "name" not in selected
        assert "id >= " in condition.rpartition(" WHERE ")[2].replace('"', "")
    else:
        plan = chosen.explain()
        assert "/4 COLUMNS" in plan
        assert "4/4" not in plan
        assert "SELECTION" in plan


def test_what_is_asked_later_goes_down_as_well(source: Source) -> None:
    later = source.scan().filter(pl.col("sold")).select("name")
    assert later.collect().equals(FRAME.filter(pl.col("sold")).select("name"))
    assert source.scan().head(3).collect().equals(FRAME.head(3))
    assert source.scan().select(pl.len()).collect().item() == FRAME.height
    nobody = source.scan(["id"], pl.col("id") > 99).collect()
    assert nobody.schema == {"id": pl.Int64}
    assert nobody.is_empty()


def test_a_stamp_changes_with_the_content(kind: str, place: Place, project: Project) -> None:
    source = open_source("rows", project)
    before, now = source.stamp(), datetime.now(UTC)
    assert open_source("rows", project).stamp() == before
    fresh = source.freshness()
    if fresh is None:
        assert kind in DATABASES
    else:
        assert now - timedelta(minutes=2) < fresh < now + timedelta(seconds=2)
    KINDS[kind](place, CHANGED)
    again = open_source("rows", project)
    assert again.stamp() != before
    assert again.digest() == frame_digest(CHANGED)


def test_reading_by_name_records_the_same_dataset_lazy_or_not(project: Project) -> None:
    heard = []
    with observing(heard.append):
        eager = read("rows", project)
        lazy = read("rows", project, lazy=True)
        part = read("rows", project, columns=["name"], where=pl.col("id") == 1)
    assert eager.equals(FRAME)
    assert lazy.collect().equals(FRAME)
    assert part.to_dict(as_series=False) == {"name": ["ash"]}
    assert heard[0].read_at < heard[1].read_at
    assert heard[0] == heard[1].model_copy(update={"read_at": heard[0].read_at})
    assert heard[0].digest == frame_digest(FRAME)
    assert [dataset.rows for dataset in heard] == [4, 4, 1]
    assert len(list_datasets(project)) == 2


def test_an_unknown_column_is_answered_with_those_there_are(source: Source) -> None:
    for wrong in (lambda: source.scan(["nme"]), lambda: source.scan(where=pl.col("nme") == "x")):
        with pytest.raises(NotFoundError, match=r"unknown column 'nme' in source rows: did you"):
            wrong()


def test_what_is_gone_is_said_in_one_line(kind: str, place: Place, project: Project) -> None:
    declared = project.settings.sources["rows"].model_dump(exclude_defaults=True)
    if "table" in declared:
        declared["table"] = declared["table"].replace("rows", "rovs")
    elif "query" in declared:
        declared["query"] = declared["query"].replace("rows", "rovs")
    else:
        declared["address"] = declared["address"].replace("rows", "rovs").replace("part", "prt")
        declared["address"] = declared["address"].replace("table", "tible")
    project = declare(place.root, **declared)
    source = open_source("rows", project)
    for ask in (source.schema, lambda: read("rows", project), source.stamp, source.digest):
        with pytest.raises((DataError, NotFoundError)) as raised:
            ask()
        message = str(raised.value)
        assert declared["address"] in message
        assert "\n" not in message
        if "table" in declared:
            assert "did you mean" in message
