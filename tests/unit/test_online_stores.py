"""What every online store has to do, and how values lie in it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_series_equal
from polars.testing.parametric import dataframes

from tests import servers
from workbench.errors import ConfigError, FeatureError, MissingExtraError, StoreError
from workbench.features.online import Layout, OnlineStore, VersionGoneError, online_store
from workbench.features.online.keys import Keys
from workbench.features.online.packing import Packing
from workbench.features.online.redis import RedisStore
from workbench.features.online.sqlite import SQLiteStore
from workbench.project import Project

EVERY = HealthCheck.function_scoped_fixture, HealthCheck.too_slow


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(params=["sqlite", "redis"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store of the test's own is, in words that another process understands."""
    if request.param == "sqlite":
        return str(tmp_path / "folder" / "online.db")
    return f"{request.getfixturevalue('redis_url')} {tmp_path.name}"


def opened(address: str) -> OnlineStore:
    url, _, name = address.partition(" ")
    return RedisStore(url, name) if name else SQLiteStore(Path(address))


@pytest.fixture
def store(address: str) -> OnlineStore:
    return opened(address)


def test_a_row_is_found_by_its_key(store: OnlineStore) -> None:
    version = store.begin("v", "d1", b"layout\n\x00\xff")
    store.write(version, [(1, 10, 11, b"one"), (2, -5, -4, b""), (-(1 << 63), 0, 0, b"\x00\n")])
    assert store.read(version, [2, 3, 1, 1]) == {1: (10, 11, b"one"), 2: (-5, -4, b"")}
    assert store.read(version, [-(1 << 63)]) == {-(1 << 63): (0, 0, b"\x00\n")}
    assert store.read(version, []) == {}
    assert store.versions("v") == [version]
    assert store.versions()[0].layout == b"layout\n\x00\xff"


def test_a_key_may_be_any_text(store: OnlineStore) -> None:
    version = store.begin("v", "d1", b"")
    keys = ["", "é", "a\x00b", "x" * 5000, "'; drop table rows_1; --", "7"]
    store.write(version, [(key, 1, 1, key.encode()) for key in keys])
    assert store.read(version, keys) == {key: (1, 1, key.encode()) for key in keys}


@pytest.mark.parametrize("count", [500, 501, 2_500])
def test_many_keys_are_one_question(store: OnlineStore, count: int) -> None:
    version = store.begin("v", "d1", b"")
    store.write(version, [(key, key, 0, b"%d" % key) for key in range(count)])
    found = store.read(version, range(count + 10))
    assert found == {key: (key, 0, b"%d" % key) for key in range(count)}


TIME = st.sampled_from([-(1 << 63), -(1 << 53), -1, 0, 1, 1 << 32, (1 << 53) + 1, (1 << 63) - 1])
ROW = st.tuples(st.integers(0, 3), TIME, TIME, st.binary(max_size=3))


@settings(max_examples=60, deadline=None, suppress_health_check=EVERY)
@given(batches=st.lists(st.lists(ROW, max_size=6), max_size=5))
def test_the_newest_row_stays_whatever_the_order(
    store: OnlineStore, batches: list[list[tuple[int, int, int, bytes]]]
) -> None:
    version = store.begin("v", "d1", b"")
    expected: dict[int, tuple[int, int, bytes]] = {}
    for batch in batches:
        store.write(version, batch)
        for key, event, created, packed in batch:
            if key not in expected or (event, created) >= expected[key][:2]:
                expected[key] = event, created, packed
    assert store.read(version, [0, 1, 2, 3]) == expected


def test_a_version_takes_its_place_at_once_and_whole(store: OnlineStore) -> None:
    assert store.served("v") is None
    old = store.begin("v", "d1", b"")
    other = store.begin("w", "d1", b"")
    store.write(old, [("a", 1, 1, b"old")])
    store.serve(old)
    new = store.begin("v", "d2", b"")
    store.write(new, [("a", 0, 0, b"new")])
    served = store.served("v")
    assert served is not None
    assert (served.number, served.digest, served.served) == (old.number, "d1", True)
    store.serve(new)
    served = store.served("v")
    assert served is not None
    assert served.number == new.number > old.number
    assert store.read(served, ["a"]) == {"a": (0, 0, b"new")}
    assert [v.number for v in store.versions("v")] == [new.number]
    for gone in (lambda: store.read(old, ["a"]), lambda: store.write(old, [("a", 9, 9, b"")])):
        with pytest.raises(VersionGoneError, match=f"v: version {old.number} is not stored"):
            gone()
    with pytest.raises(VersionGoneError):
        store.serve(old)
    store.serve(new)  # again changes nothing
    assert store.read(new, ["a"])
    assert {v.view for v in store.versions()} == {"v", "w"}
    assert store.read(other, ["a"]) == {}


def test_a_mark_stays_with_its_version(store: OnlineStore) -> None:
    first, second = store.begin("v", "d", b""), store.begin("v", "d", b"")
    for version in (first, second):
        store.mark(version, b"%d" % version.number)
    store.mark(second, b"again")
    assert [version.mark for version in store.versions("v")] == [b"%d" % first.number, b"again"]
    store.serve(second)
    assert [version.mark for version in store.versions()] == [b"again"]
    with pytest.raises(VersionGoneError):
        store.mark(first, b"late")
    store.remove(["v"])
    with pytest.raises(VersionGoneError):
        store.mark(second, b"late")


def test_a_removed_view_leaves_nothing(store: OnlineStore) -> None:
    version = store.begin("v", "d1", b"")
    store.write(version, [(1, 1, 1, b"")])
    store.serve(version)
    store.remove(["v", "never"])
    assert store.versions() == []
    assert store.served("v") is None
    with pytest.raises(VersionGoneError):
        store.read(version, [1])
    assert store.begin("v", "d1", b"").number > version.number


def test_many_write_at_once_and_the_newest_stays(address: str) -> None:
    """Two processes and three threads, each with the same times in another order."""
    store = opened(address)
    version = store.begin("v", "d1", b"")
    code = f"""
import random, sys
from pathlib import Path
from workbench.features.online.redis import RedisStore
from workbench.features.online.sqlite import SQLiteStore
url, _, name = {address!r}.partition(" ")
store = RedisStore(url, name) if name else SQLiteStore(Path(url))
version = store.versions("v")[0]
order = random.Random(int(sys.argv[1]))
for _ in range(12):
    rows = [(key, order.randrange(1000), 0, b"") for key in range(300)]
    store.write(version, [(key, event, 0, b"%d" % event) for key, event, _, _ in rows])
store.write(version, [(key, 1000 + key % 2, 0, b"%d" % (1000 + key % 2)) for key in range(300)])
"""
    processes = [subprocess.Popen([sys.executable, "-c", code, str(n)]) for n in range(2)]
    threads = [
        threading.Thread(
            target=store.write, args=(version, [(k, e, 0, b"%d" % e) for k in range(300)])
        )
        for e in (5, 999, 400)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    expected = {key: 1000 + key % 2 for key in range(300)}
    assert store.read(version, range(300)) == {k: (e, 0, b"%d" % e) for k, e in expected.items()}


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # Python 3.12 on
def test_a_forked_process_has_a_connection_of_its_own(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "online.db")
    version = store.begin("v", "d1", b"")
    child = os.fork()
    if child == 0:  # without pytest's ways out
        try:
            store.write(version, [(1, 1, 1, b"child")])
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    store.write(version, [(2, 1, 1, b"parent")])
    assert set(store.read(version, [1, 2])) == {1, 2}


def test_a_store_that_cannot_be_reached_says_where_it_is(tmp_path: Path) -> None:
    store = RedisStore(f"redis://:hunter2@127.0.0.1:{servers.free_port()}/3", "p")
    with pytest.raises(StoreError, match=r"^redis://127\.0\.0\.1:\d+/3: ") as refused:
        store.served("v")
    assert "hunter2" not in str(refused.value)
    (tmp_path / "online.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match=r"online\.db: file is not a database"):
        SQLiteStore(tmp_path / "online.db").versions()


@pytest.mark.parametrize("url", ["mongodb://:${WORD}@x", "redis://:${WORD}@x:port/0", "hunter2"])
def test_an_address_that_is_none_is_not_repeated(
    blank_project: Project, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("WORD", "hunter2")
    here = with_store(blank_project, url)
    with pytest.raises(
        ConfigError, match=r"^online_store: not an address.*redis://HOST"
    ) as refused:
        online_store(here)
    assert "hunter2" not in str(refused.value)


def test_a_password_is_named_and_looked_up(
    blank_project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with servers.redis(tmp_path) as url:
        place = url.removeprefix("redis://")
        literal = with_store(blank_project, f"redis://:hunter2@{place}")
        with pytest.raises(ConfigError, match=r"^online_store: a credential can't .*\$") as refused:
            online_store(literal)
        assert "hunter2" not in str(refused.value)
        named = with_store(blank_project, f"redis://:${{env:WORD}}@{place}")
        with pytest.raises(ConfigError, match=r"online_store: \$WORD isn't set"):
            online_store(named)
        with redis.Redis.from_url(url) as client:
            client.config_set("requirepass", "hunter/2")
        monkeypatch.setenv("WORD", "hunter/2")
        store = online_store(named)
        assert store.versions() == []
        assert "hunter" not in store.address
        monkeypatch.setenv("WORD", "other")
        with pytest.raises(StoreError) as failed:
            online_store(named).versions()
        assert "other" not in str(failed.value)
        with redis.Redis.from_url(url, password="hunter/2") as client:
            client.config_set("requirepass", "")


def test_the_client_of_redis_is_an_extra(
    blank_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(MissingExtraError, match=r'pip install "jupyter-workbench\[redis\]"'):
        online_store(with_store(blank_project, "redis://127.0.0.1:1/7"))


def with_store(project: Project, url: str) -> Project:
    settings = project.settings.model_copy(update={"online_store": url})
    return Project(project.root, settings)


KEPT: list[Any] = [
    *(pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64),
    *(pl.Float32, pl.Float64, pl.Boolean, pl.String, pl.Binary, pl.Date, pl.Time, pl.Null),
    *(pl.Datetime("us", "UTC"), pl.Datetime("ms"), pl.Datetime("ns", "Europe/Berlin")),
    *(pl.Duration("us"), pl.Decimal(12, 3), pl.Categorical, pl.Enum(["", "a", "é"])),
]


@settings(max_examples=80, deadline=None)
@given(frame=dataframes(allowed_dtypes=KEPT, max_cols=12, min_cols=1, max_size=8, allow_null=True))
def test_values_come_back_as_they_were(frame: pl.DataFrame) -> None:
    layout = Layout("v", pl.Schema({"k": pl.Int64}), frame.schema, timedelta(hours=2), b"\x01")
    assert Layout.from_bytes(layout.to_bytes()) == layout
    packing = Layout.from_bytes(layout.to_bytes()).packing
    packed: list[bytes | None] = [*packing.pack(frame)]
    columns = packing.columns([*packed, None])
    for name, column in columns.items():
        assert_series_equal(column, pl.concat([frame[name], frame[name].clear(1)]))
    for row, expected in zip(packed, frame.rows(), strict=True):
        assert row is not None
        assert repr(packing.unpack(row)) == repr(expected)  # NaN is NaN, -0.0 isn't 0.0


def test_a_type_that_is_not_kept_is_named() -> None:
    with pytest.raises(FeatureError, match=r"feature v:x is List\(Int64\); the online store keeps"):
        Packing({"a": pl.Int64(), "x": pl.List(pl.Int64)}, "v")
    with pytest.raises(FeatureError, match=r"v: entity 'x' is Float64; the online store finds"):
        Keys({"x": pl.Float64()}, "v")


def test_rows_in_another_format_are_refused() -> None:
    for content in (b"", b"junk", b'[{"format": 99}, []]\n'):
        with pytest.raises(StoreError, match="written by another Workbench"):
            Layout.from_bytes(content)


ENTITIES: list[tuple[Any, list[Any]]] = [
    (pl.Int64(), [0, -1, 1 << 62]),
    (pl.UInt8(), [0, 255]),
    (pl.String(), ["", "1;", "3:abc", "é"]),
    (pl.Boolean(), [True, False]),
    (pl.Date(), [date(1969, 12, 31), date(2024, 2, 29)]),
    (pl.Datetime("ms", "UTC"), [datetime(2024, 1, 1, 12, 30, tzinfo=UTC)]),
    (pl.Time(), [time(12, 30, 0, 5)]),
    (pl.Duration("us"), [timedelta(days=-1, microseconds=1)]),
    (pl.Enum(["a", "b"]), ["b"]),
]
COLUMN = st.sampled_from(ENTITIES).flatmap(
    lambda each: st.tuples(st.just(each[0]), st.sampled_from([*each[1], None]))
)


@settings(max_examples=80, deadline=None)
@given(columns=st.lists(COLUMN, min_size=1, max_size=3))
def test_a_frame_and_a_mapping_have_the_same_key(columns: list[tuple[Any, Any]]) -> None:
    types = {f"c{at}": dtype for at, (dtype, _) in enumerate(columns)}
    entity = {f"c{at}": value for at, (_, value) in enumerate(columns)}
    keys = Keys(types)
    frame = pl.DataFrame({name: [value] for name, value in entity.items()}, schema=types)
    assert keys.of_frame(frame) == [keys.of(entity)]
    assert (keys.of(entity) is None) == (None in entity.values())


@settings(max_examples=60, deadline=None)
@given(
    one=st.lists(st.text("1:;a"), min_size=2, max_size=2),
    other=st.lists(st.text("1:;a"), min_size=2, max_size=2),
)
def test_two_entities_never_share_a_key(one: list[str], other: list[str]) -> None:
    keys = Keys({"a": pl.String(), "b": pl.String()})
    same = keys.of(dict(zip("ab", one, strict=True))) == keys.of(
        dict(zip("ab", other, strict=True))
    )
    assert same == (one == other)


def test_a_number_too_large_for_the_store_is_nobodys() -> None:
    keys = Keys({"a": pl.UInt64()})
    assert keys.of({"a": 1 << 63}) is None
    assert keys.of_frame(pl.DataFrame({"a": [1 << 63, 5]}, schema={"a": pl.UInt64})) == [None, 5]
    assert keys.of_value(-(1 << 70)) is None


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (pl.Int64(), "1"),
        (pl.Int64(), 1.0),
        (pl.Int64(), True),
        (pl.String(), 1),
        (pl.String(), b"a"),
        (pl.String(), "\ud800"),
        (pl.Boolean(), 1),
        (pl.Date(), datetime(2024, 1, 1, tzinfo=UTC)),
        (pl.Datetime("us", "UTC"), datetime(2024, 1, 1)),  # noqa: DTZ001  # that is the mistake
    ],
    ids=str,
)
def test_a_key_of_the_wrong_type_is_refused(dtype: pl.DataType, value: Any) -> None:
    with pytest.raises(FeatureError, match=r"^key 'a' is a \w+; it is .* in feature view v$"):
        Keys({"a": dtype}, "v").of({"a": value})
