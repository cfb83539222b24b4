"""Materialising that is killed, twice at once, or under readers: old rows or new ones, in the end
the new ones.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tests import servers
from tests.forks import Fork, Forks, forking
from workbench import Project
from workbench.features.online import (
    OnlineReader,
    check_parity,
    filling,
    materialize_online,
    online_store,
)
from workbench.features.online.progress import progress_of

ROWS = 4_000
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
SECOND = FIRST + timedelta(days=1)

DEFINITIONS = '''
from workbench.features import Count, feature_view


@feature_view(entity="user", event_time="at", owner="us", features={"one": "1", "two": "2"})
def users(rows):
    """What the users have."""
    return rows


@feature_view(entity="user", event_time="at", owner="us", aggregates=[Count(over="2d")])
def visits(rows):
    """How often the users came."""
    return rows
'''

SETTINGS = """
name = "users"
online_store = "{store}"
[sources.rows]
address = "rows.parquet"
"""

# It says when it begins to write and when it has ended, so that most kills fall between the two.
IMPORTS = """
from datetime import datetime
from pathlib import Path
from workbench import Project
from workbench.features.online import filling, materialize_online
"""

CHILD = """
filling.CHUNK_ROWS = 40
project = Project.find(Path(sys.argv[1]))
said = []
def begin(view, done, total):
    if not said:
        said.append(print("begin", flush=True))
materialize_online(project, until=datetime.fromisoformat(sys.argv[2]), progress=begin)
print("end", flush=True)
"""


def make(root: Path, store: str = "") -> Project:
    (root / "features").mkdir(parents=True)
    (root / "features" / "users.py").write_text(DEFINITIONS)
    (root / "workbench.toml").write_text(SETTINGS.format(store=store))
    users = pl.int_range(ROWS, eager=True).alias("user")
    days = [
        pl.DataFrame(
            {"user": users, "one": users * number, "two": users * number * 2}
        ).with_columns(pl.lit(moment, pl.Datetime("us", "UTC")).alias("at"))
        for number, moment in ((1, FIRST), (2, SECOND))
    ]
    pl.concat(days).write_parquet(root / "rows.parquet")
    return Project.find(root)


def stored(project: Project) -> dict[str, object]:
    """Everything that readers can be given."""
    store = online_store(project)
    content: dict[str, object] = {}
    for view in ("users", "visits"):
        version = store.served(view)
        assert version is not None
        content[view] = store.read(version, range(ROWS))
    return content


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with forking(tmp_path_factory.mktemp("logs"), IMPORTS) as forks:
        yield forks


def start(forks: Forks, project: Project, until: datetime) -> Fork:
    return forks.start(CHILD, project.root, until.isoformat())


def checked(rows: Sequence[tuple[int, int]], users: Sequence[int], days: set[int]) -> None:
    """Each row is of one day, whole."""
    for user, row in zip(users, rows, strict=True):
        assert row in {(user * day, user * day * 2) for day in days}, user


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_killed_at_any_moment_it_ends_where_it_would_have(
    forks: Forks, tmp_path: Path, kind: str
) -> None:
    chance = random.Random(kind)
    users = range(1, ROWS, 97)
    with ExitStack() as stack:
        url = stack.enter_context(servers.redis(tmp_path)) if kind == "redis" else ""
        project, other = make(tmp_path / "killed", url), make(tmp_path / "whole")
        materialize_online(project, until=FIRST)  # the old rows
        store = online_store(project)
        reader = OnlineReader("users", project)
        torn = 0
        # Another definition too: the version that is filled beside is the one that is torn.
        code = DEFINITIONS.replace("return rows", "return rows.filter(rows.collect_schema() != {})")
        for root in (project.root, other.root):
            (root / "features" / "users.py").write_text(code)
        for _ in range(3):
            child = start(forks, project, SECOND)
            child.until("begin\n")
            end = time.perf_counter() + chance.random() / 2
            while time.perf_counter() < end:
                checked(reader.rows(users), users, {1, 2})
            child.kill()
            checked(reader.rows(users), users, {1, 2})
            states = progress_of(project, store.address).values()
            torn += any(state.state == "running" for state in states)
        assert torn
        assert start(forks, project, SECOND).wait() == 0
        checked(reader.rows(users), users, {2})
        materialize_online(other, until=SECOND)
        assert stored(project) == stored(other)
        assert len(store.versions("users")) == 1
        ends = progress_of(project, store.address).values()
        assert {(each.state, each.until) for each in ends} == {("complete", SECOND)}
        for view in ("users", "visits"):
            assert not check_parity(project, view, 200).differences


def test_what_was_killed_is_taken_up_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the same version, and without the rows that are recorded as written."""
    project = make(tmp_path / "project")
    monkeypatch.setattr(filling, "CHUNK_ROWS", 1000)

    def stop(view: str, done: int, total: int) -> None:
        if done == 3000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        materialize_online(project, ["users"], until=FIRST, progress=stop)
    store = online_store(project)
    (begun,) = store.versions("users")
    assert not begun.served
    seen: list[int] = []
    later = FIRST + timedelta(hours=1)
    done = materialize_online(
        project, ["users"], until=later, progress=lambda _, done, __: seen.append(done)
    )
    assert seen == [2000, 3000, 4000, 0]  # then what became known since: nothing
    assert (done[0].rows, done[0].since, done[0].until) == (ROWS, None, later)
    assert [version.number for version in store.versions("users")] == [begun.number]


def test_two_at_once_end_at_the_same_rows(forks: Forks, tmp_path: Path) -> None:
    project, other = make(tmp_path / "both"), make(tmp_path / "one")
    both = [start(forks, project, SECOND) for _ in range(2)]
    assert [one.wait() for one in both] == [0, 0]
    materialize_online(other, until=SECOND)
    assert stored(project) == stored(other)
    assert len(online_store(project).versions()) == 2
