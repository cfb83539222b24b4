"""Streams: a consumer that is killed anywhere goes on as if it hadn't been."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import redis as client_library
from polars.testing import assert_frame_equal

from tests import servers
from tests.forks import Fork, Forks, forking
from tests.streams import add, consumer, expected, streaming_project, view_of
from workbench.features.offline import Sources, materialize, rows
from workbench.features.online import online

IMPORTS = """
import signal
from workbench import Project
from workbench.features.streaming import consumer, letters, offline, serving, state, stream
"""

CONSUME = """
consumer._BATCH, consumer._FLUSH_SECONDS = 7, 0.05  # many places to die at
point, calls = sys.argv[2], int(sys.argv[3])

def dies(owner, name):
    real = getattr(owner, name)
    def once(*arguments, **named):
        global calls
        calls -= 1
        result = real(*arguments, **named)
        if calls == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    setattr(owner, name, once)

match point:
    case "stored offline": dies(offline, "append")
    case "written online": dies(serving.Serving, "_write")
    case "letters written": dies(letters, "_append")
    case "state written": dies(state.StreamState, "_write_entities")
    case "batch taken": dies(consumer.Consumer, "_take")
print("started", flush=True)
stream(Project.find(sys.argv[1]), ["bought"])
"""

POINTS = ["stored offline", "written online", "letters written", "state written", "batch taken"]
"""Where a process ends that isn't killed by the clock: after this, before anything else."""


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with forking(tmp_path_factory.mktemp("logs"), IMPORTS) as forks:
        yield forks


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    with servers.redis(tmp_path) as address:
        yield address


def test_a_killed_consumer_loses_nothing_and_counts_nothing_twice(
    forks: Forks, redis: str, tmp_path: Path
) -> None:
    project = streaming_project(tmp_path / "project", redis, lateness="10m")
    client = client_library.Redis.from_url(redis)
    chance = random.Random(5)
    written: list[dict[str, Any]] = []
    bad = 0
    for round_, point in enumerate(["", *POINTS, ""]):
        bad += _fill(client, chance, written, round_ * 10)
        _killed(forks.start(CONSUME, project.root, point, chance.randrange(1, 4)), point, chance)
    with consumer(project, now=lambda: datetime.now(UTC)) as stream:
        while stream.step(0):
            pass
        stream.finish()
        served = stream.report().served

    assert served is not None
    stored = rows(materialize(project, view_of(project), Sources(project))).collect()
    places = sorted(stored["pieces"].to_list())
    assert places == list(range(len(written))), "each event once"
    letters = next((project.state / "streaming").glob("*.dead.jsonl")).read_text().splitlines()
    ids = [json.loads(line)["id"] for line in letters]
    assert len(ids) == len(set(ids)) == bad, "each dead letter once"

    users = sorted({event["user"] for event in written})
    on_time = [event["pieces"] for event in written if not event["late"]]
    with_late = expected(project, [(user, served) for user in users]).drop("moment")
    keys = pl.DataFrame({"user": users})
    found = online("bought", keys, project)
    counts = pl.DataFrame(
        {"user": users, "n": [sum(e["user"] == u for e in written if not e["late"]) for u in users]}
    )
    assert found["bought__count_1d"].to_list() == counts["n"].to_list()
    assert len(on_time) < len(written), "some were late"
    # Online leaves out what came too late; but for that it is what training has.
    only = [user for user in users if not any(e["late"] and e["user"] == user for e in written)]
    mine = pl.col("user").is_in(only)
    assert_frame_equal(found.filter(mine), with_late.filter(mine), rel_tol=1e-12)


def _fill(client: Any, chance: random.Random, written: list[dict[str, Any]], users: int) -> int:
    """Add some events, of which a few are late; give the number of bad entries among them.

    The users are mostly others each time, so that nothing is written online by chance again.
    """
    bad = 0
    now = datetime.now(UTC)
    for _ in range(chance.randrange(30, 90)):
        late = chance.random() < 0.05 and any(not event["late"] for event in written)
        event = {
            "user": users + chance.randrange(4 if late else 12),
            "kind": chance.choice(["book", "cup", "pen"]),
            "amount": round(chance.uniform(0, 9), 3),
            "pieces": len(written),
            "at": now - timedelta(minutes=40 if late else chance.uniform(0, 5)),
            "late": late,
        }
        written.append(event)
        add(client, {name: value for name, value in event.items() if name != "late"})
        if chance.random() < 0.05:
            add(client, {**event, "late": None, "user": "nobody"})
            bad += 1
    return bad


def _killed(fork: Fork, point: str, chance: random.Random) -> None:
    """Let a consumer run until it is killed: at a point of its work, or at any moment."""
    fork.until("started")
    if not point:
        time.sleep(chance.uniform(0.1, 0.8))
    code = fork.wait() if point else fork.kill()
    assert code == -signal.SIGKILL, fork.said
