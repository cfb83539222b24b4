"""Our records outlive whoever is killed while writing them."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, inspect, select

import workbench.store
from workbench import Project
from workbench.errors import ConfigError, NotFoundError, StoreError
from workbench.settings import Settings
from workbench.store import (
    Database,
    EdgeRow,
    StepRow,
    database,
    file_lock,
    insert_missing,
    now,
    write_atomic,
)
from workbench.store.database import HEAD
from workbench.store.tables import Base

WHEN = datetime(2013, 6, 1, 12, tzinfo=UTC)


def opened(folder: Path, query: str = "") -> Database:
    return Database(f"sqlite:///{folder}/workbench.db{query}", folder / "migrate.lock")


def step(key: str, digest: str = "d", at: datetime = WHEN) -> StepRow:
    return StepRow(factory="flights", key=key, digest=digest, result={"n": 1}, finished_at=at)


def steps(db: Database) -> list[str]:
    with db.session() as session:
        return sorted(session.scalars(select(StepRow.key)))


@contextmanager
def process(code: str, *args: object) -> Iterator[subprocess.Popen[str]]:
    """Run `code` in a Python of its own until it says it is ready; killed at the end."""
    running = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with running:
        assert running.stdout is not None
        assert running.stdout.readline().strip() == "ready"
        try:
            yield running
        finally:
            running.kill()


# Sessions


def test_a_session_commits_at_its_end_and_rolls_back_on_an_error(tmp_path: Path) -> None:
    db = opened(tmp_path)
    with db.session() as session:
        session.add(step("kept"))
    with pytest.raises(NotFoundError, match="mine"), db.session() as session:  # noqa: PT012 - the block is the case
        session.add(step("dropped"))
        session.flush()
        raise NotFoundError("mine")
    assert steps(db) == ["kept"]


def test_a_row_that_breaks_a_constraint_is_one_clear_line(tmp_path: Path) -> None:
    db = opened(tmp_path)
    with db.session() as session:
        session.add(step("same"))
    with pytest.raises(StoreError) as raised, db.session() as session:
        session.add(step("same"))
    assert "UNIQUE constraint failed" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_insert_missing_leaves_what_is_there(tmp_path: Path) -> None:
    db = opened(tmp_path)
    edge = {"source": "a", "target": "b", "relation": "trained", "at": WHEN}
    with db.session() as session:
        insert_missing(session, EdgeRow, [edge])
        insert_missing(session, EdgeRow, [edge, {**edge, "target": "c"}])
        insert_missing(session, EdgeRow, [])
    with db.session() as session:
        assert sorted(session.scalars(select(EdgeRow.target))) == ["b", "c"]


def test_what_is_committed_is_durable_and_readable_by_others_meanwhile(tmp_path: Path) -> None:
    db = opened(tmp_path)
    with db.session() as session:
        connection = session.connection()
        assert connection.exec_driver_sql("pragma journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("pragma synchronous").scalar() == 2
        session.add(step("mine"))
        session.flush()
        assert steps(opened(tmp_path)) == []


# Times


@pytest.fixture(scope="module")
def one_database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    return opened(tmp_path_factory.mktemp("times"))


@given(
    st.datetimes(
        datetime(1970, 1, 2),  # noqa: DTZ001 - the strategy adds the zone
        datetime(2200, 1, 1),  # noqa: DTZ001
        timezones=st.timezones(),
        allow_imaginary=False,
    )
)
def test_a_time_comes_back_as_the_same_moment_in_utc(
    one_database: Database, moment: datetime
) -> None:
    with one_database.session() as session:
        session.merge(step("t", at=moment))
    with one_database.session() as session:
        back = session.get_one(StepRow, ("flights", "t")).finished_at
    assert back.tzinfo is UTC
    assert back == moment.astimezone(UTC)


def test_a_time_without_a_zone_is_refused(tmp_path: Path) -> None:
    db = opened(tmp_path)
    with pytest.raises(StoreError, match="naive time 2013-06-01T12:00:00"), db.session() as session:
        session.add(step("naive", at=WHEN.replace(tzinfo=None)))
    assert steps(db) == []


def test_now_is_aware() -> None:
    assert now().tzinfo is UTC


# Opening and migrating


def test_a_second_opening_finds_what_the_first_one_left(tmp_path: Path) -> None:
    with opened(tmp_path).session() as session:
        session.add(step("kept"))
    assert steps(opened(tmp_path)) == ["kept"]


def test_the_migrations_make_exactly_the_declared_tables(tmp_path: Path) -> None:
    opened(tmp_path)
    engine = create_engine(f"sqlite:///{tmp_path}/workbench.db")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_the_revision_that_opening_compares_with_is_the_newest_migration() -> None:
    folder = Path(workbench.store.__file__).parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_each_migration_goes_back_and_forth(tmp_path: Path) -> None:
    opened(tmp_path)
    config = Config()
    folder = Path(workbench.store.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    engine = create_engine(f"sqlite:///{tmp_path}/workbench.db")
    for _ in ScriptDirectory.from_config(config).walk_revisions():
        for move, where in ((command.downgrade, "-1"), (command.upgrade, "+1")):
            with engine.begin() as connection:
                config.attributes["connection"] = connection
                move(config, where)
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, "-1")
    with engine.begin() as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    engine.dispose()


OPEN_AND_WRITE = """
import sys
from pathlib import Path
from workbench.store import Database, StepRow, now
folder, key = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
db = Database(f"sqlite:///{folder}/workbench.db", folder / "migrate.lock")
with db.session() as session:
    session.add(StepRow(factory="f", key=key, digest="d", result={}, finished_at=now()))
"""


def test_eight_processes_open_a_fresh_database_at_once(tmp_path: Path) -> None:
    rivals = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN_AND_WRITE, str(tmp_path), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(8)
    ]
    for rival in rivals:
        assert rival.stdout is not None
        assert rival.stdout.readline() == "ready\n"  # imports are done: now they really race
    for rival in rivals:
        assert rival.stdin is not None
        rival.stdin.write("\n")
        rival.stdin.flush()
    errors = [rival.communicate(timeout=120)[1] for rival in rivals]
    assert errors == [""] * 8
    assert steps(opened(tmp_path)) == [str(number) for number in range(8)]


KILLED_WHILE_MIGRATING = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.engine import Engine
from workbench.store import Database
folder, left = Path(sys.argv[1]), int(sys.argv[2])

@event.listens_for(Engine, "before_cursor_execute")
def count(connection, cursor, statement, parameters, context, executemany):
    global left
    left -= statement.strip().upper().startswith(("CREATE", "INSERT"))
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

Database(f"sqlite:///{folder}/workbench.db", folder / "migrate.lock")
"""


@pytest.mark.parametrize("statement", [1, 2, 6, 14])
def test_a_migration_that_was_killed_leaves_nothing_half_made(
    tmp_path: Path, statement: int
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_MIGRATING, str(tmp_path), str(statement)], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    db = opened(tmp_path)
    with db.session() as session:
        session.add(step("after"))
    assert steps(db) == ["after"]


def test_a_database_from_a_newer_version_says_what_to_do(tmp_path: Path) -> None:
    opened(tmp_path)
    with sqlite3.connect(tmp_path / "workbench.db") as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match=r"newer Workbench.*9999.*pip install -U"):
        opened(tmp_path)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "workbench.db").write_text("not a database, but long enough to be looked at" * 99)
    with pytest.raises(StoreError, match=r"workbench\.db: file is not a database"):
        opened(tmp_path)


def test_a_folder_that_cannot_hold_a_database(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="unable to open database file"):
        opened(tmp_path / "file")


def test_a_locked_database_is_waited_for_and_then_said_to_be_locked(tmp_path: Path) -> None:
    db = opened(tmp_path, "?timeout=0.2")
    rival = sqlite3.connect(tmp_path / "workbench.db", isolation_level=None)
    rival.execute("begin immediate")
    with pytest.raises(StoreError, match="database is locked"), db.session() as session:
        session.add(step("refused"))
    assert steps(db) == []  # reading goes on
    rival.execute("commit")
    rival.close()
    with db.session() as session:
        session.add(step("accepted"))
    assert steps(db) == ["accepted"]


def test_a_fresh_database_that_is_locked_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.store.wal._OPENING_SECONDS", 0.2)
    rival = sqlite3.connect(tmp_path / "workbench.db", isolation_level=None)
    rival.execute("begin exclusive")
    with pytest.raises(StoreError, match="database is locked"):
        opened(tmp_path, "?timeout=0.2")
    rival.close()
    assert steps(opened(tmp_path)) == []


@pytest.mark.parametrize("url", ["nonsense", "nosuch://user:secret@host/x"])
def test_an_address_that_is_none(tmp_path: Path, url: str) -> None:
    project = Project(tmp_path, Settings(name="x", database_url=url))
    with pytest.raises(ConfigError, match=r"^database_url: ") as raised:
        database(project)
    assert "secret" not in str(raised.value)


def test_a_project_has_one_database_in_a_process(tmp_path: Path) -> None:
    root = tmp_path / "50% of é"
    project = Project(root, Settings(name="x"))
    assert database(project) is database(Project(root, Settings(name="x", workers=3)))
    assert (root / ".workbench" / "workbench.db").is_file()


# Whole files


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_file_takes_its_place_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.json"
    with write_atomic(path) as beside:
        beside.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert names(path.parent) == ["report.json"]


def test_an_error_half_way_keeps_the_old_file_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), write_atomic(path) as beside:  # noqa: PT012 - the block is the case
        beside.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert names(tmp_path) == ["report.json"]


def test_a_writer_killed_half_way_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")
    code = """
        import sys
        from pathlib import Path
        from workbench.store import write_atomic
        with write_atomic(Path(sys.argv[1])) as beside:
            beside.write_text("half")
            print("ready", flush=True)
            sys.stdin.read()
    """
    with process(code, path) as writer:
        writer.kill()
    assert path.read_text() == "old"
    with write_atomic(path) as beside:
        beside.write_text("new")
    assert path.read_text() == "new"


def test_a_reader_never_sees_half_a_file_and_writers_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_text("0" * 100_000)
    failures: list[BaseException] = []

    def write(digit: str) -> None:
        try:
            for _ in range(20):
                with write_atomic(path) as beside, beside.open("w") as file:
                    for _ in range(100):
                        file.write(digit * 1000)
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(digit,)) for digit in "123"]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        seen = path.read_text()
        assert len(seen) == 100_000
        assert len(set(seen)) == 1
    assert failures == []
    assert names(tmp_path) == ["data"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "report.json"
    with pytest.raises(StoreError, match=r"report\.json: can't be written"), write_atomic(path):
        pytest.fail("there is nothing to write to")


def test_an_error_of_ours_in_the_block_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"^another$"), write_atomic(tmp_path / "x"):
        raise StoreError("another")


# Locks

HOLD = """
import sys
from pathlib import Path
from workbench.store import file_lock
with file_lock(Path(sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.readline()
"""


def locked_within(path: Path, seconds: float) -> bool:
    """Tell whether the lock at `path` can be had in time."""
    had = threading.Event()

    def take() -> None:
        with file_lock(path):
            had.set()

    threading.Thread(target=take, daemon=True).start()
    return had.wait(seconds)


def test_a_lock_is_waited_for_until_its_holder_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "lock"
    with process(HOLD, path) as holder:
        assert not locked_within(path, 0.3)
        assert holder.stdin is not None
        holder.stdin.write("\n")
        holder.stdin.flush()
        assert locked_within(path, 10)


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with process(HOLD, path) as holder:
        holder.kill()
        holder.wait()
        assert locked_within(path, 10)


def test_threads_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    with file_lock(tmp_path / "lock"):
        assert not locked_within(tmp_path / "lock", 0.2)


FORK_INSIDE = """
import os, sys
from pathlib import Path
from workbench.store import file_lock
with file_lock(Path(sys.argv[1])):
    child = os.fork()
    if child == 0:
        sys.stdin.read()
        os._exit(0)
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_process_forked_inside_the_block_does_not_keep_the_lock(tmp_path: Path) -> None:
    with process(FORK_INSIDE, tmp_path / "lock"):
        assert locked_within(tmp_path / "lock", 10)


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="can't be locked: "), file_lock(tmp_path / "file" / "x"):
        pytest.fail("there is no lock")
