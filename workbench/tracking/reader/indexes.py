"""Our own indexes on MLflow's tables, and statistics that its planner has to have.

They only make reading quick: a store without them gives the same answers, so whoever can't add
them (a read-only store, a table that is locked, a user without the right) goes on without. They
are added again after a migration of MLflow's that made a table anew.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from workbench.tracking.reader.conditions import PREFIX

__all__ = ["INDEXES", "prepare"]

# SQLite takes values of any length, and reads whole answers from such an index.
_SQLITE = {
    "workbench_runs_by_time": "runs (experiment_id, lifecycle_stage, start_time desc, run_uuid)",
    "workbench_metrics_by_value": "latest_metrics (key, is_nan, value, run_uuid)",
    "workbench_params_by_value": "params (key, value, run_uuid)",
    "workbench_tags_by_value": "tags (key, value, run_uuid)",
    "workbench_inputs_by_source": "inputs (source_id, destination_id)",
}
# PostgreSQL refuses a row whose part in an index is longer than 2.7 kB: only a value's beginning
# goes in, or a long parameter couldn't be logged any more.
_POSTGRESQL = {
    **_SQLITE,
    "workbench_runs_by_time": (
        "runs (experiment_id, lifecycle_stage, start_time desc nulls last, run_uuid)"
    ),
    "workbench_params_by_value": f'params (key, "left"(value, {PREFIX}), run_uuid)',
    "workbench_tags_by_value": f'tags (key, "left"(value, {PREFIX}), run_uuid)',
}
INDEXES = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
"""By dialect: the name of each index, and what it is on."""

_TABLES = ["runs", "latest_metrics", "params", "tags", "inputs"]
_SMALL = 200  # runs: below this no plan is slow
_PATIENCE = 2000  # milliseconds to wait for a lock: reading can do without
_LOCK = 7_262_135_881  # any number that is ours, for PostgreSQL's advisory locks
_PAUSE = 60.0

_logger = logging.getLogger("workbench.tracking")
_looked: dict[str, float] = {}


def prepare(engine: Engine) -> None:
    """Add what is missing of the indexes and refresh old statistics; looks once a minute."""
    key, now = str(engine.url), time.monotonic()
    if now - _looked.get(key, -_PAUSE) < _PAUSE:
        return
    _looked[key] = now
    try:
        if engine.dialect.name == "sqlite":
            _prepare_sqlite(engine)
        else:
            _prepare_postgresql(engine)
    except DBAPIError as error:
        _logger.info("reading goes on without new indexes: %s", error.orig)


def _prepare_sqlite(engine: Engine) -> None:
    with engine.connect() as connection:
        named = connection.execute(text("select name from sqlite_master where type = 'index'"))
        missing = _missing(connection, named.scalars())
        stale = _sqlite_is_stale(connection)
        connection.rollback()
        if not missing and not stale:
            return
        connection.exec_driver_sql(f"pragma busy_timeout = {_PATIENCE}")
        try:
            for statement in missing:
                connection.execute(text(statement))
            if missing or stale:
                connection.exec_driver_sql("pragma analysis_limit = 1000")
                for table in _TABLES:
                    connection.exec_driver_sql(f"analyze {table}")
            connection.commit()
        finally:
            connection.rollback()
            connection.exec_driver_sql("pragma busy_timeout = 30000")
            connection.rollback()


def _sqlite_is_stale(connection: Connection) -> bool:
    rows = connection.execute(text("select max(rowid) from runs")).scalar() or 0
    if rows < _SMALL:
        return False
    has_statistics = text("select count(*) from sqlite_master where name = 'sqlite_stat1'")
    if not connection.execute(has_statistics).scalar():
        return True
    known = text("select stat from sqlite_stat1 where tbl = 'runs' and stat is not null limit 1")
    stat = connection.execute(known).scalar()
    return stat is None or rows > 2 * int(stat.split()[0])


def _prepare_postgresql(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        valid = text("select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid")
        missing = _missing(connection, connection.execute(valid).scalars())
        stale = _postgresql_is_stale(connection)
        if not missing and not stale:
            return
        if not connection.execute(text(f"select pg_try_advisory_lock({_LOCK})")).scalar():
            return  # somebody else is at it
        try:
            connection.execute(text(f"set lock_timeout = {_PATIENCE}"))
            for statement in missing:
                # Others go on writing meanwhile; killed half-way it leaves an index not valid.
                connection.execute(text(statement.replace("index", "index concurrently", 1)))
            for table in _TABLES:
                connection.execute(text(f"analyze {table}"))
        finally:
            connection.execute(text("reset lock_timeout"))
            connection.execute(text(f"select pg_advisory_unlock({_LOCK})"))


def _postgresql_is_stale(connection: Connection) -> bool:
    counted = text(
        "select c.reltuples, s.n_live_tup from pg_class c "
        "join pg_stat_user_tables s on s.relid = c.oid where c.oid = to_regclass('runs')"
    )
    row = connection.execute(counted).one_or_none()
    return row is not None and row[1] >= _SMALL and row[1] > 2 * max(row[0], 0)


def _missing(connection: Connection, existing: Iterable[str]) -> list[str]:
    known, wanted = set(existing), INDEXES[connection.dialect.name]
    return [
        f"create index if not exists {name} on {columns}"
        for name, columns in wanted.items()
        if name not in known
    ]
