"""A project with a streaming view, and what fills its stream, for tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from workbench.data.sources import open_source
from workbench.data.sources.redis_streams import RedisStream
from workbench.features import load_definitions
from workbench.features.definitions import FeatureView
from workbench.features.join import in_order, restored, window_features
from workbench.features.offline import Sources, materialize, rows
from workbench.features.online import online_store
from workbench.features.streaming.consumer import Consumer, consuming
from workbench.project import Project

__all__ = [
    "START",
    "Clock",
    "add",
    "consumer",
    "expected",
    "streaming_project",
    "view_of",
]

START = datetime(2026, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

VIEWS = '''
"""What people do."""

import polars as pl

from workbench.features import feature_view
from workbench.features.definitions import Count, Distinct, Last, Mean, Rate, Sum


@feature_view(
    entity="user", event_time="at", created="arrived", owner="us", availability="streaming",
    aggregates=[
        Count(over="1h"), Count(over="1d"), Sum("amount", over="1h"), Sum("pieces", over="2h"),
        Mean("amount", over="2h"), Rate("large", over="1d"), Distinct("kind", over="1h"),
        Distinct("amount", over="1d"), Last("kind", over="1h"), Last("amount", over="1d"),
        Last("at", over="2h"),
    ],
)
def bought(events):
    """What people bought."""
    return events.filter(pl.col("kind") != "seen").with_columns(large=pl.col("amount") > 5)
'''

SCHEMA = "user Int64, at Datetime, amount Float64?, pieces Int64?, kind String"


def streaming_project(
    root: Path, redis: str, *, views: str = VIEWS, stream: str = "events", **options: str
) -> Project:
    """Make a project whose source `events` is a stream."""
    (root / "features").mkdir(parents=True, exist_ok=True)
    (root / "features" / "people.py").write_text(views)
    written = ", ".join(
        f'{key} = "{value}"' for key, value in {"schema": SCHEMA, **options}.items()
    )
    (root / "workbench.toml").write_text(
        'name = "people"\n'
        "[sources.events]\n"
        f'address = "{redis.replace("redis://", "redis+stream://")}/{stream}"\n'
        f"options = {{{written}}}\n"
    )
    return Project.find(root)


def view_of(project: Project, name: str = "bought") -> FeatureView:
    """Return a view as the project declares it."""
    view = load_definitions(project).view(name)
    assert isinstance(view, FeatureView)
    return view


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now


def add(
    client: Any, event: Mapping[str, Any], at: datetime | None = None, stream: str = "events"
) -> str:
    """Add an event, as it would be if it arrived `at`; give its id."""
    fields = {name: _text(value) for name, value in event.items() if value is not None}
    # Of whole numbers: a float would tell some arrivals a millisecond before they were.
    id_ = "*" if at is None else f"{(at - _EPOCH) // timedelta(milliseconds=1)}-*"
    return str(client.xadd(stream, fields, id=id_).decode())


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


@contextmanager
def consumer(
    project: Project, *, now: Any = None, said: list[str] | None = None, name: str = "bought"
) -> Iterator[Consumer]:
    """Be the consumer of the project's view."""
    source = open_source("events", project)
    assert isinstance(source, RedisStream)
    view, store = view_of(project, name), online_store(project)
    say = (said if said is not None else []).append
    with consuming(project, view, source, store, say, now=now or Clock()) as made:
        yield made


def expected(
    project: Project, asked: Sequence[tuple[int, datetime]], name: str = "bought"
) -> pl.DataFrame:
    """Return the features of users at moments, as a training frame has them."""
    view = view_of(project, name)
    stored = materialize(project, view, Sources(project))
    spine = pl.DataFrame(
        {"user": [user for user, _ in asked], "moment": [moment for _, moment in asked]},
        schema={"user": pl.Int64, "moment": pl.Datetime("us", "UTC")},
    )
    frame = in_order(spine.lazy(), "moment")
    joined = window_features(frame, rows(stored), view, list(view.features), "moment")
    return restored(joined).collect()


def minutes(number: float) -> timedelta:
    """Return so many minutes."""
    return timedelta(minutes=number)
