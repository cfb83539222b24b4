"""Streaming views: what counts, what doesn't and is said, and what goes on without Redis."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import redis as client_library

from tests import servers
from tests.streams import START, VIEWS, Clock, add, consumer, streaming_project, view_of
from workbench.errors import ConfigError, FeatureError, UsageError
from workbench.features.offline import Sources, materialize, rows
from workbench.features.online import check_parity, materialize_online, online, online_store
from workbench.features.streaming import stream
from workbench.project import Project

EVENT = {"user": 1, "kind": "cup", "amount": 2.5, "pieces": 2}


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
def project(server: str, tmp_path: Path) -> Project:
    return streaming_project(tmp_path / "a project [1]", server, lateness="10m")


def count(project: Project, user: int = 1, over: str = "1d") -> int:
    row = online(f"bought:count_{over}", [{"user": user}], project)
    return int(row[f"bought__count_{over}"].item())


def stored(project: Project) -> pl.DataFrame:
    return rows(materialize(project, view_of(project), Sources(project))).collect()


def letters(project: Project) -> list[dict[str, Any]]:
    lines = next((project.state / "streaming").glob("*.dead.jsonl")).read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_lateness_is_measured_from_the_newest_event_before(project: Project, client: Any) -> None:
    said: list[str] = []
    clock = Clock(START + timedelta(hours=2))
    moments = [60, 50, 49.999, 61, 50.5, 120, 109]  # minutes after START, in order of arrival
    for number, minutes in enumerate(moments):
        at = START + timedelta(minutes=minutes)
        add(client, {**EVENT, "pieces": number, "at": at}, clock.now)
    with consumer(project, now=clock, said=said) as running:
        running.step(0)
        running.finish()
        report = running.report()
    assert (report.events, report.late, report.refused) == (4, 3, 0)
    assert count(project) == 4
    assert stored(project)["pieces"].sort().to_list() == list(range(7)), "late ones are kept"
    assert report.watermark == START + timedelta(minutes=110)
    assert said == [
        "bought: events more than 0:10:00 late, kept offline and in no window online: 3"
    ]


def test_lateness_does_not_depend_on_batches(project: Project, client: Any) -> None:
    clock = Clock(START + timedelta(hours=2))
    with consumer(project, now=clock) as running:
        for minutes in (60, 50, 49.999, 61, 50.5, 120, 109):
            add(client, {**EVENT, "at": START + timedelta(minutes=minutes)}, clock.now)
            running.step(0)
        running.finish()
        assert (running.report().events, running.report().late) == (4, 3)


def test_what_cannot_be_taken_is_kept_with_its_reason(project: Project, client: Any) -> None:
    good = {**EVENT, "at": START}
    refused = [
        ({**good, "user": "me"}, "user: 'me' is no Int64"),
        ({**good, "user": None}, "no user"),
        ({**good, "at": "2026-01-01T00:00:00"}, "at: '2026-01-01T00:00:00' is no Datetime"),
        ({**good, "amount": "much"}, "amount: 'much' is no Float64"),
        ({**good, "kind": b"\xff"}, "kind: '\\\\xff' is no String"),
        ({**good, "at": START + timedelta(hours=1)}, "at: more than 0:05:00 after it arrived"),
    ]
    ids = [add(client, event, START) for event, _ in refused]
    add(client, good, START)
    with consumer(project) as running:
        running.step(0)
        running.finish()
        assert (running.report().events, running.report().refused) == (1, 6)
    assert count(project) == 1
    found = {letter["id"]: letter["reason"] for letter in letters(project)}
    assert found == dict(zip(ids, [reason for _, reason in refused], strict=True))


def test_an_event_on_which_the_view_fails_stops_no_other(
    project: Project, client: Any, server: str
) -> None:
    strict = VIEWS.replace("large=pl.col(", 'large=pl.col("kind").cast(pl.Int64) + pl.col(')
    project = streaming_project(project.root, server, views=strict)
    for kind in ("1", "2", "three", "4"):
        add(client, {**EVENT, "kind": kind, "at": START}, START)
    with consumer(project) as running:
        running.step(0)
        running.finish()
        assert (running.report().events, running.report().refused) == (3, 1)
    assert "three" in letters(project)[0]["reason"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("return events", "return events.sort('amount')", "treat each event by itself"),
        ("return events", "return events.unique('user', keep='first')", "treat each event"),
        ("return events", "return events.drop('user')", "no column 'user'"),
        ("def bought(events)", "def bought(events, others)", "reads events, others"),
    ],
)
def test_a_view_that_a_stream_cannot_feed(
    project: Project, client: Any, server: str, old: str, new: str, message: str
) -> None:
    project = streaming_project(project.root, server, views=VIEWS.replace(old, new))
    for amount in (3, 1, 2, 5):
        add(client, {**EVENT, "amount": amount, "at": START}, START)
    with pytest.raises((FeatureError, UsageError), match=message), consumer(project) as running:
        running.step(0)


def test_only_streaming_views_of_streams(project: Project, server: str) -> None:
    views = VIEWS.replace('availability="streaming"', 'availability="batch"')
    project = streaming_project(project.root, server, views=views)
    with pytest.raises(UsageError, match="feature view bought is batch; only views with"):
        stream(project, ["bought"])


def test_the_second_consumer_is_told_who_the_first_is(project: Project) -> None:
    with (
        consumer(project),
        pytest.raises(UsageError, match=r"bought: process \d+ streams it already"),
        consumer(project),
    ):
        pass
    with consumer(project):
        pass  # the first has gone


def test_a_new_definition_reads_again_and_stores_nothing_twice(
    project: Project, client: Any, server: str
) -> None:
    for number in range(20):
        add(client, {**EVENT, "pieces": number, "at": START}, START)
    with consumer(project) as running:
        running.step(0)
        running.finish()
    add(client, {**EVENT, "pieces": 20, "at": START}, START)
    views = VIEWS.replace('Count(over="1d")', 'Count(over="1d"), Count(over="2d")')
    project = streaming_project(project.root, server, views=views)
    with consumer(project) as running:
        running.step(0)
        running.finish()
    assert count(project, over="2d") == count(project, over="1d") == 21
    assert stored(project)["pieces"].sort().to_list() == list(range(21))


def test_a_lost_state_stores_nothing_twice(project: Project, client: Any) -> None:
    for round_ in range(2):
        for number in range(5):
            add(client, {**EVENT, "pieces": 5 * round_ + number, "at": START}, START)
        with consumer(project) as running:
            running.step(0)
            running.finish()
        assert count(project) == 5 * round_ + 5
        for file in (project.state / "streaming").glob("bought-*.db*"):
            file.unlink()
    assert stored(project)["pieces"].sort().to_list() == list(range(10))


def test_a_version_that_another_filled_is_written_again(project: Project, client: Any) -> None:
    clock = Clock(datetime.now(UTC))
    add(client, {**EVENT, "at": clock.now}, clock.now)
    with consumer(project, now=clock) as running:
        running.step(0)
        store = online_store(project)
        served = store.served("bought")
        assert served is not None
        other = store.begin("bought", served.digest, served.layout)  # filled with nothing
        store.serve(other)
        assert count(project) == 0
        add(client, {**EVENT, "user": 2, "at": clock.now}, clock.now)
        clock.now += timedelta(seconds=1)
        for _ in range(3):
            running.step(0)
        assert [count(project, user) for user in (1, 2)] == [1, 1]


def test_materialising_beside_a_stream_takes_nothing_away(project: Project, client: Any) -> None:
    clock = Clock(datetime.now(UTC))
    with consumer(project, now=clock) as running:
        for user in (1, 2):
            add(client, {**EVENT, "user": user, "at": clock.now}, clock.now)
            running.step(0)
        running.finish()
        materialize_online(project)
        clock.now = datetime.now(UTC)
        add(client, {**EVENT, "at": clock.now}, clock.now)
        running.step(0)
        assert [count(project, user) for user in (1, 2)] == [2, 1]


def test_entries_that_were_deleted_unread_are_counted(project: Project, client: Any) -> None:
    said: list[str] = []
    ids = [add(client, {**EVENT, "at": START}, START) for _ in range(10)]
    client.xdel("events", *ids[:2])  # before we came
    with consumer(project, said=said) as running:
        running.step(0)
    ids = [add(client, {**EVENT, "at": START}, START) for _ in range(10)]
    client.xtrim("events", maxlen=3, approximate=False)
    with consumer(project, said=said) as running:
        running.step(0)
        running.finish()
        assert (running.report().events, running.report().lost) == (3, 7)
    with consumer(project, said=said) as running:
        running.step(0)
        assert running.report().lost == 0
    assert said == ["bought: entries deleted from the stream before they were read: 7"]


def test_redis_may_go_and_come_back(tmp_path: Path) -> None:
    port = servers.free_port()
    said: list[str] = []
    stop = threading.Event()
    folder = tmp_path / "redis"
    folder.mkdir()
    now = datetime.now(UTC)
    with servers.redis(folder, port=port) as address:
        project = streaming_project(tmp_path / "project", address)
        with client_library.Redis.from_url(address) as client:
            add(client, {**EVENT, "at": now})
        work = threading.Thread(
            target=stream, args=(project, ["bought"]), kwargs={"stop": stop, "say": said.append}
        )
        work.start()
        try:
            _until(lambda: _count_or_none(project) == 1)
        except BaseException:
            stop.set()
            raise
    try:
        _until(lambda: any("trying again" in line for line in said))
        with servers.redis(folder, port=port), client_library.Redis.from_url(address) as client:
            add(client, {**EVENT, "at": now})
            _until(lambda: _count_or_none(project) == 2)
            stop.set()
            work.join(timeout=30)
    finally:
        stop.set()
        work.join(timeout=30)
    assert not work.is_alive()
    assert len(said) == 2, said
    assert "Redis doesn't answer" in said[0]
    assert said[1].startswith("bought: goes on after")


def test_the_command_ends_when_asked_politely(project: Project, client: Any) -> None:
    now = datetime.now(UTC)
    for _ in range(3):
        add(client, {**EVENT, "at": now})
    code = "import typer; from workbench.cli.streaming import stream; typer.run(stream)"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "bought", "--json"],
        cwd=project.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _until(lambda: process.poll() is not None or _count_or_none(project) == 3)
        process.send_signal(signal.SIGTERM)
        out, complaints = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, complaints) == (0, "")
    report = json.loads(out)[0]
    assert (report["view"], report["events"]) == ("bought", 3)
    assert stored(project).height == 3, "what was kept back is handed over"


def test_once_ends_at_the_end_and_idleness_ends_it_too(project: Project, client: Any) -> None:
    assert stream(project, ["bought"], once=True)[0].events == 0  # no stream yet
    now = datetime.now(UTC)
    for _ in range(3):
        add(client, {**EVENT, "at": now})
    assert stream(project, ["bought"], once=True)[0].events == 3
    add(client, {**EVENT, "at": now})
    assert stream(project, ["bought"], until_idle=0.1)[0].events == 1
    assert count(project) == 4


def test_mistakes_in_the_declaration(project: Project, server: str) -> None:
    for options, message in (
        ({"lateness": "soon"}, "duration 'soon'"),
        ({"schema": "user Integer"}, "user: unknown type 'Integer'"),
    ):
        broken = streaming_project(project.root, server, **options)
        with pytest.raises((ConfigError, FeatureError), match=message), consumer(broken):
            pass


def _count_or_none(project: Project) -> int | None:
    try:
        return count(project)
    except FeatureError:  # not served yet
        return None


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


MONEY = (
    VIEWS.split("@feature_view")[0]
    + '''
@feature_view(
    entity="user", event_time="at", created="sent", owner="us", availability="streaming",
    aggregates=[
        Count(over="1h"), Sum("amount", over="1h"), Mean("amount", over="1h"),
        Last("amount", over="1h"), Distinct("amount", over="1h"),
        Sum("pieces", over="1h"), Last("pieces", over="1h"),
    ],
)
def bought(events):
    """What people paid."""
    return events.with_columns(
        pl.col("user").cast(pl.UInt64),
        pl.col("amount").cast(pl.Decimal(20, 2)),
        sent=pl.col("at") - pl.duration(seconds=pl.col("kind").cast(pl.Int64)),
        pieces=pl.col("pieces").cast(pl.UInt64) * 2,
    )
'''
)


@pytest.fixture
def money(server: str, tmp_path: Path) -> Project:
    return streaming_project(tmp_path, server, views=MONEY, lateness="10m")


def test_decimals_are_served_as_trained(money: Project, client: Any) -> None:
    moment = datetime.now(UTC) - timedelta(minutes=1)
    for user, amount in ((1, 1.5), (1, 2.5), (1, 2.5), (2, 100.25)):
        add(client, {"user": user, "at": moment, "amount": amount, "pieces": 1, "kind": "1"})
    with consumer(money, now=Clock(datetime.now(UTC))) as made:
        made.step(0)
        made.finish()
    row = online("bought", [{"user": 1}], money).row(0, named=True)
    assert (row["bought__amount_sum_1h"], row["bought__amount_distinct_1h"]) == (6.5, 2)
    assert row["bought__amount_last_1h"] == Decimal("2.50")
    assert check_parity(money, "bought").differences == []


def test_numbers_too_large_are_refused(money: Project, client: Any) -> None:
    event = {"at": START, "amount": 1.0, "kind": "1"}
    for pieces in (1, 1 << 62, 2):
        add(client, {**event, "user": 1, "pieces": pieces}, START)
    with consumer(money, now=Clock(START)) as made:
        made.step(0)
        made.finish()
        assert (made.report().events, made.report().refused) == (2, 1)
    assert letters(money)[0]["reason"] == "pieces: too large for an Int64"
    row = online("bought", [{"user": 1}], money).row(0, named=True)
    assert (row["bought__pieces_sum_1h"], row["bought__pieces_last_1h"]) == (6, 4)


def test_of_events_at_one_time_the_latest_created_is_the_last(money: Project, client: Any) -> None:
    moment = datetime.now(UTC) - timedelta(minutes=1)
    with consumer(money, now=Clock(datetime.now(UTC))) as made:
        for earlier, amount in (("1", 1.0), ("9", 2.0)):
            add(client, {"user": 1, "at": moment, "amount": amount, "kind": earlier})
            made.step(0)
        made.finish()
    row = online("bought", [{"user": 1}], money).row(0, named=True)
    assert row["bought__amount_last_1h"] == Decimal("1.00")
    assert check_parity(money, "bought").differences == []
