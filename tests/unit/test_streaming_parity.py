"""Streams: what was served at any moment is what a training frame of that moment has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import redis as client_library
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests import servers
from tests.streams import START, Clock, add, consumer, expected, streaming_project
from workbench.features.online import online

USERS = [1, 2, 3]
NUMBER = count()


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.redis(tmp_path_factory.mktemp("redis")) as address:
        yield address


EVENTS = st.fixed_dictionaries(
    {
        "user": st.sampled_from(USERS),
        "kind": st.sampled_from(["seen", "book", "cup", ""]),
        "amount": st.one_of(
            st.none(),
            st.sampled_from([0.1, 1e16, -1e16, float("nan"), float("inf"), 7.0]),
            st.floats(-1e6, 1e6),
        ),
        "pieces": st.one_of(st.none(), st.integers(-(2**40), 2**40)),
    }
)
STEPS = st.lists(
    st.tuples(
        EVENTS,
        st.integers(0, 40 * 60_000),  # milliseconds until it arrives
        st.integers(-4 * 60_000, 150 * 60_000),  # how long ago it happened then
        st.booleans(),  # whether the consumer looks afterwards
        st.integers(0, 90 * 60_000),  # and how much later
    ),
    min_size=1,
    max_size=12,
)


@settings(
    max_examples=15,
    phases=(Phase.explicit, Phase.generate),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
@example(  # a NaN that waits for its time, and is then the last value
    steps=[
        ({"user": 1, "kind": "cup", "amount": float("nan"), "pieces": 1}, 0, -60_000, True, 0),
        ({"user": 2, "kind": "cup", "amount": 1.0, "pieces": 1}, 120_000, 0, True, 0),
    ]
)
@example(  # at once after a look
    steps=[
        ({"user": 1, "kind": "cup", "amount": 1.0, "pieces": 1}, 0, 0, True, 0),
        ({"user": 1, "kind": "cup", "amount": 1.0, "pieces": 1}, 0, 0, True, 0),
    ]
)
def test_what_is_served_is_what_training_has(redis: str, tmp_path: Path, steps: Any) -> None:
    number = next(NUMBER)
    project = streaming_project(
        tmp_path / str(number), redis, stream=f"parity-{number}", lateness="2d"
    )
    client = client_library.Redis.from_url(redis)
    clock, served, asked = Clock(), [], []
    keys = pl.DataFrame({"user": USERS})
    with consumer(project, now=clock) as stream:
        stream.step(0)
        for event, wait, ago, look, later in steps:
            clock.now += timedelta(milliseconds=wait)
            happened = clock.now - timedelta(milliseconds=ago)
            add(client, {**event, "at": happened}, clock.now, f"parity-{number}")
            if look:
                clock.now += timedelta(milliseconds=later)
                stream.step(0)
                served.append(online("bought", keys, project))
                asked += [(user, clock.now) for user in USERS]
                # What comes in the millisecond of a look would be there for the training frame.
                clock.now += timedelta(milliseconds=1)
        stream.step(0)
        stream.finish()
        served.append(online("bought", keys, project))
        asked += [(user, clock.now) for user in USERS]
        assert stream.report().refused == 0
    client.delete(f"parity-{number}")
    client.close()
    trained = expected(project, asked).drop("moment")
    assert_frame_equal(pl.concat(served), trained, check_exact=False, rel_tol=1e-12)


def test_time_alone_moves_the_windows(redis: str, tmp_path: Path) -> None:
    project = streaming_project(tmp_path, redis, stream="decay")
    client = client_library.Redis.from_url(redis)
    clock = Clock()
    event = {"user": 1, "kind": "cup", "amount": 2.5, "pieces": 2}
    add(client, {**event, "at": START}, START, "decay")
    add(client, {**event, "at": START + timedelta(minutes=3)}, START, "decay")  # of the future
    seen = []
    with consumer(project, now=clock) as stream:
        for minutes in (0, 2, 3, 59, 60, 62, 63, 24 * 60 + 2, 24 * 60 + 3):
            clock.now = START + timedelta(minutes=minutes)
            stream.step(0)
            row = online("bought", [{"user": 1}], project).row(0, named=True)
            seen.append(
                (row["bought__count_1h"], row["bought__count_1d"], row["bought__kind_last_1h"])
            )
        assert stream.report().entities == 1
        stream.finish()
        assert stream.report().entities == 0, "what is empty is let go"
    client.close()
    assert seen == [
        (1, 1, "cup"), (1, 1, "cup"), (2, 2, "cup"), (2, 2, "cup"), (1, 2, "cup"),
        (1, 2, "cup"), (0, 2, None), (0, 1, None), (0, 0, None),
    ]  # fmt: skip
