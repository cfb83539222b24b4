"""A Redis stream as a source: typed rows, read whole, in part, or from a place on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import redis as client_library

from tests import servers
from tests.streams import streaming_project
from workbench.data import frame_digest, read, stamp
from workbench.data.sources import open_source
from workbench.data.sources.redis_streams import RedisStream, StreamAwayError, entry_place
from workbench.errors import ConfigError, DataError, NotFoundError

SCHEMA = (
    "id Int64, name String?, price Float64?, sold Boolean?, "
    "day Date?, at Datetime?, ms Datetime(ms)?"
)
ROW = {
    "id": 1, "name": "ash", "price": "1.5", "sold": "true", "day": "2026-01-02",
    "at": "2026-01-02T03:04:05.678901+02:00", "ms": "1767225600000",
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.redis(tmp_path_factory.mktemp("redis")) as address:
        yield address


@pytest.fixture
def client(server: str) -> Iterator[Any]:
    connection = client_library.Redis.from_url(server)
    connection.flushall()
    yield connection
    connection.close()


@pytest.fixture
def source(server: str, tmp_path: Path) -> RedisStream:
    opened = open_source("events", streaming_project(tmp_path, server, schema=SCHEMA))
    assert isinstance(opened, RedisStream)
    return opened


def test_every_declared_type(source: RedisStream, client: Any) -> None:
    client.xadd("events", ROW, id="1767225600000-5")
    client.xadd("events", {"id": "2", "sold": "0", "unknown": "field"}, id="1767225600001-0")
    rows = source.scan().collect()
    assert rows.schema == source.schema()
    assert rows.row(0) == (
        1, "ash", 1.5, True, date(2026, 1, 2), datetime(2026, 1, 2, 1, 4, 5, 678901, tzinfo=UTC),
        datetime(2026, 1, 1, tzinfo=UTC), "1767225600000-5", datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    assert rows.row(1)[:7] == (2, None, None, False, None, None, None)


@pytest.mark.parametrize(
    ("field", "text", "reason"),
    [
        ("id", "1.5", "id: '1.5' is no Int64"),
        ("id", "99999999999999999999", "id: '99999999999999999999' is no Int64"),
        ("id", "", "no id"),
        ("sold", "yes", "sold: 'yes' is no Boolean"),
        ("day", "2026-02-30", "day: '2026-02-30' is no Date"),
        ("at", "2026-01-02T03:04:05", "at: '2026-01-02T03:04:05' is no Datetime"),
        ("ms", "9999999999999999", "ms: '9999999999999999' is no Datetime(ms)"),
        ("name", b"\xc3", "name: '\\\\xc3' is no String"),
    ],
)
def test_an_entry_that_is_no_row_is_given_apart(
    source: RedisStream, client: Any, field: str, text: Any, reason: str
) -> None:
    client.xadd("events", {**ROW, field: text})
    client.xadd("events", ROW)
    batch = source.read_after("0-0", 10)
    assert batch is not None
    assert batch.rows.height == 1
    assert [entry.reason for entry in batch.bad] == [reason]


def test_reading_leaves_out_what_is_no_row_and_says_so(
    source: RedisStream, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client.xadd("events", {**ROW, "id": "x"})
    client.xadd("events", ROW)
    with caplog.at_level(logging.WARNING, logger="workbench.data"):
        assert read("events", source.declared.project).height == 1
    assert "entries left out, which are not of the schema: 1" in caplog.text


def test_columns_filters_and_limits(source: RedisStream, client: Any) -> None:
    pipe = client.pipeline(transaction=False)
    for number in range(25_000):
        pipe.xadd("events", {"id": number})
    pipe.execute()
    rows = source.scan(["id"], pl.col("id") >= 24_990)
    assert rows.collect()["id"].to_list() == list(range(24_990, 25_000))
    assert rows.head(2).collect().height == 2
    assert source.scan().select(pl.len()).collect().item() == 25_000
    with pytest.raises(NotFoundError, match="unknown column 'idd'"):
        source.scan(["idd"])


def test_marks_of_the_content(source: RedisStream, client: Any) -> None:
    project = source.declared.project
    assert source.freshness() is None
    assert source.scan().collect().is_empty()
    before = stamp("events", project)
    client.xadd("events", ROW, id="1767225600000-0")
    assert source.freshness() == datetime(2026, 1, 1, tzinfo=UTC)
    after = stamp("events", project)
    assert before != after == stamp("events", project)
    assert source.digest() == frame_digest(source.scan().collect())
    client.xdel("events", "1767225600000-0")
    assert stamp("events", project) != after


def test_an_id_beyond_all_times(source: RedisStream, client: Any) -> None:
    client.xadd("events", ROW, id=f"{2**64 - 1}-{2**64 - 1}")
    assert source.scan().collect()["arrived"].item().year == 9999
    assert source.freshness() is not None


def test_places_order_as_numbers() -> None:
    assert entry_place("9-5") < entry_place("10-0") < entry_place("10-10")
    assert entry_place("10") == (10, 0)


def test_what_redis_refuses(source: RedisStream, client: Any) -> None:
    client.set("events", "no stream")
    with pytest.raises(DataError, match="Redis says: WRONGTYPE"):
        source.stamp()


def test_no_redis_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTS_PASSWORD", "hunter22")
    address = f"redis://user:${{EVENTS_PASSWORD}}@127.0.0.1:{servers.free_port()}/0"
    opened = open_source("events", streaming_project(tmp_path, address))
    assert isinstance(opened, RedisStream)
    with pytest.raises(StreamAwayError, match="Redis doesn't answer") as raised:
        opened.read_after("0-0", 1)
    assert "hunter22" not in str(raised.value)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("", "schema: missing; a stream's fields need types"),
        ("id", "'id': expected a name and a type"),
        ("id Int46", "id: unknown type 'Int46'; did you mean Int64"),
        ("id Int64, id String", "id is declared twice"),
        ("arrived Datetime", "arrived: is there by itself"),
    ],
)
def test_a_schema_that_cannot_be_used(
    server: str, tmp_path: Path, schema: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        open_source("events", streaming_project(tmp_path, server, schema=schema))


def test_an_address_that_is_none(tmp_path: Path) -> None:
    project = streaming_project(tmp_path, "redis://127.0.0.1:6379", stream="events")
    with pytest.raises(ConfigError, match="expected redis"):
        open_source("events", project)
