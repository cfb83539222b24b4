"""Straight into a SQLite store, by the thousand, as MLflow would have written it.

MLflow's `log_batch` builds an object for each metric and takes some 100 µs of Python for it, which
a training loop in the same process has to wait for, and reads all of a run's parameters for each
batch of them. Here a batch is a few statements in one transaction. It's for stores whose schema we
know; the others get `log_batch`.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from workbench.tracking.entries import Entry
from workbench.tracking.reader.schema import KNOWN_REVISIONS

__all__ = ["insert_metrics", "insert_params", "sqlite_file"]

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


@contextmanager
def _writing(path: Path, run_id: str) -> Iterator[sqlite3.Connection | None]:
    """Give a connection for one transaction on a run that is there; None leaves it to MLflow."""
    address = f"{path.absolute().as_uri()}?mode=rw"  # not made if it isn't there
    with closing(
        sqlite3.connect(address, uri=True, timeout=_LOCK_SECONDS, isolation_level=None)
    ) as db:
        if not _known(db):
            yield None
            return
        db.execute("begin immediate")
        if not _active(db, run_id):
            yield None
            return
        yield db
        if db.in_transaction:
            db.execute("commit")


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
