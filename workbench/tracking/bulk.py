"""Straight into a SQLite store, by the thousand, as MLflow would have written it.

MLflow's `log_batch` builds an object for each metric and takes some 100 µs of Python for it, which
a training loop in the same process has to wait for, and reads all of a run's parameters for each
batch of them. Here a batch is a few statements in one transaction, and a process that only creates
a run, or ends it, needn't import MLflow, which takes two seconds and a hundred megabytes. It's for
stores whose schema we know; the others get MLflow's own calls.
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname
from uuid import uuid4

from workbench.tracking.entries import Entry
from workbench.tracking.revisions import KNOWN_REVISIONS

__all__ = [
    "artifacts_of",
    "experiment_id",
    "insert_end",
    "insert_metrics",
    "insert_params",
    "insert_run",
    "insert_tags",
    "sqlite_file",
]

_LARGEST = 1.7976931348623157e308  # MLflow's word for infinity, which SQL can't write
_LOCK_SECONDS = 5.0

_INSERT = """
insert into metrics (run_uuid, key, value, timestamp, step, is_nan)
values (?, ?, ?, ?, ?, ?) on conflict do nothing
"""
_PARAM = "select value from params where run_uuid = ? and key = ?"
_INSERT_PARAM = "insert into params (run_uuid, key, value) values (?, ?, ?)"
_LATEST = """
insert into latest_metrics (run_uuid, key, value, timestamp, step, is_nan)
values (?, ?, ?, ?, ?, ?) on conflict (key, run_uuid) do update set
  value = excluded.value, timestamp = excluded.timestamp, step = excluded.step,
  is_nan = excluded.is_nan
where (excluded.step, excluded.timestamp, excluded.value)
  > (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)
"""

_EXPERIMENT = """
select experiment_id, artifact_location from experiments
where name = ? and lifecycle_stage = 'active' and workspace = 'default'
"""
_RUN = """
insert into runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status,
  start_time, source_version, lifecycle_stage, artifact_uri, experiment_id)
values (?, ?, 'UNKNOWN', '', '', ?, 'RUNNING', ?, '', 'active', ?, ?)
"""
_TAG = """
insert into tags (run_uuid, key, value) values (?, ?, ?)
on conflict (key, run_uuid) do update set value = excluded.value
"""
_END = "update runs set status = ?, end_time = ? where run_uuid = ?"
_NAME_TAG, _USER_TAG = "mlflow.runName", "mlflow.user"

_Row = tuple[str, str, float, int, int, int]


def sqlite_file(uri: str) -> Path | None:
    """Return the file of a plain SQLite address, None for any other."""
    path = uri.removeprefix("sqlite:///")
    return None if path == uri or "?" in path or path.startswith("file:") else Path(path)


def insert_metrics(path: Path, run_id: str, entries: Sequence[Entry]) -> bool:
    """Write metrics of a run; False if that is left to MLflow: an unknown schema, or no such run.

    Writing one again changes nothing. The latest value of a key is that of the highest step, then
    time, then value, as in MLflow.

    Raises
    ------
    sqlite3.Error
        If the file can't be written just now; then nothing was.
    """
    rows = [_row(run_id, *entry[1:]) for entry in entries]
    latest: dict[str, _Row] = {}
    for row in rows:
        known = latest.setdefault(row[1], row)
        if _order(row) > _order(known):
            latest[row[1]] = row
    with _writing(path, run_id) as db:
        if db is None:
            return False
        db.executemany(_INSERT, rows)
        db.executemany(_LATEST, latest.values())
    return True


def insert_params(path: Path, run_id: str, entries: Sequence[Entry]) -> bool:
    """Write parameters of a run; False if that is left to MLflow, as one with another value is.

    Raises
    ------
    sqlite3.Error
        If the file can't be written just now; then nothing was.
    """
    rows = [(run_id, key, value) for _, key, value in entries]
    with _writing(path, run_id) as db:
        if db is None:
            return False
        for row in rows:
            known = db.execute(_PARAM, row[:2]).fetchone()
            if known is None:
                db.execute(_INSERT_PARAM, row)
            elif known[0] != row[2]:
                db.execute("rollback")
                return False
    return True


def insert_tags(path: Path, run_id: str, entries: Sequence[Entry]) -> bool:
    """Set tags of a run; False if that is left to MLflow, as a tag that is its name as well.

    Raises
    ------
    sqlite3.Error
        If the file can't be written just now; then nothing was.
    """
    if any(key == _NAME_TAG for _, key, _ in entries):
        return False
    with _writing(path, run_id) as db:
        if db is None:
            return False
        db.executemany(_TAG, [(run_id, key, value) for _, key, value in entries])
    return True


def insert_end(path: Path, run_id: str, entries: Sequence[Entry]) -> bool:
    """Set how a run ended and when; False if that is left to MLflow.

    Raises
    ------
    sqlite3.Error
        If the file can't be written just now; then nothing was.
    """
    with _writing(path, run_id) as db:
        if db is None:
            return False
        db.executemany(_END, [(status, moment, run_id) for _, status, moment in entries])
    return True


def experiment_id(path: Path, name: str) -> str | None:
    """Return the id of the experiment called `name`; None if only MLflow can tell.

    Raises
    ------
    sqlite3.Error
        If the file can't be read just now.
    """
    with _connected(path) as db:
        found = db.execute(_EXPERIMENT, (name,)).fetchone() if db is not None else None
    return None if found is None else str(found[0])


def insert_run(
    path: Path, experiment: str, name: str, tags: Mapping[str, str], params: Mapping[str, str]
) -> str | None:
    """Create a run in the experiment called so; None if only MLflow can.

    Raises
    ------
    sqlite3.Error
        If the file can't be written just now; then nothing was.
    """
    with _connected(path) as db:
        if db is None:
            return None
        db.execute("begin immediate")
        found = db.execute(_EXPERIMENT, (experiment,)).fetchone()
        if found is None or "?" in found[1]:
            return None
        run_id = uuid4().hex
        artifacts = f"{found[1].rstrip('/')}/{run_id}/artifacts"
        user, now = tags.get(_USER_TAG, "unknown"), time.time_ns() // 1_000_000
        db.execute(_RUN, (run_id, name, user, now, artifacts, found[0]))
        kept = {_NAME_TAG: name, **tags}
        db.executemany(_TAG, [(run_id, key, value) for key, value in kept.items()])
        db.executemany(_INSERT_PARAM, [(run_id, key, value) for key, value in params.items()])
        db.execute("commit")
    return run_id


def artifacts_of(path: Path, run_id: str) -> Path | None:
    """Return the folder of a run's files; None if it is no folder here, or only MLflow can tell.

    Raises
    ------
    sqlite3.Error
        If the file can't be read just now.
    """
    with _connected(path) as db:
        if db is None or not _active(db, run_id):
            return None
        [uri] = db.execute("select artifact_uri from runs where run_uuid = ?", (run_id,)).fetchone()
    address = urlsplit(uri)
    return Path(url2pathname(address.path)) if address.scheme == "file" else None


@contextmanager
def _writing(path: Path, run_id: str) -> Iterator[sqlite3.Connection | None]:
    """Give a connection for one transaction on a run that is there; None leaves it to MLflow."""
    with _connected(path) as db:
        if db is None:
            yield None
            return
        db.execute("begin immediate")
        if not _active(db, run_id):
            yield None
            return
        yield db
        if db.in_transaction:
            db.execute("commit")


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection | None]:
    """Connect to a store whose tables we know; None stands for any other, and for none yet."""
    if not path.exists():
        yield None
        return
    address = f"{path.absolute().as_uri()}?mode=rw"  # not made if it isn't there
    with closing(
        sqlite3.connect(address, uri=True, timeout=_LOCK_SECONDS, isolation_level=None)
    ) as db:
        yield db if _known(db) else None


def _row(run_id: str, key: str, value: float, timestamp: int, step: int) -> _Row:
    nan = math.isnan(value)
    kept = 0.0 if nan else math.copysign(_LARGEST, value) if math.isinf(value) else value
    return run_id, key, kept, timestamp, step, int(nan)


def _order(row: _Row) -> tuple[int, int, float]:
    _, _, value, timestamp, step, _ = row
    return step, timestamp, value


def _known(db: sqlite3.Connection) -> bool:
    try:
        versions: list[Any] = db.execute("select version_num from alembic_version").fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return False
        raise
    return len(versions) == 1 and versions[0][0] in KNOWN_REVISIONS


def _active(db: sqlite3.Connection, run_id: str) -> bool:
    found = db.execute("select lifecycle_stage from runs where run_uuid = ?", (run_id,)).fetchone()
    return found is not None and found[0] == "active"
