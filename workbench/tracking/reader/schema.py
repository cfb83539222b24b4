"""Which stores are read by SQL: SQLite and PostgreSQL, with tables that we know."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from workbench.errors import MissingExtraError, StoreError
from workbench.tracking.reader.indexes import prepare
from workbench.tracking.revisions import KNOWN_REVISIONS

__all__ = ["SchemaError", "connected", "engine"]

_logger = logging.getLogger("workbench.tracking")


class SchemaError(Exception):
    """A store that only MLflow's own API can read; never shown to a user."""


def engine(uri: str) -> Engine:
    """Return this process's engine on the store at `uri`.

    Raises
    ------
    SchemaError
        If it isn't a database that we read by SQL.
    """
    return _engine(uri, os.getpid())  # a forked child must not share its parent's connections


@contextmanager
def connected(uri: str) -> Iterator[Connection | None]:
    """Connect to the store for reading, all of it as it stands at one moment.

    None stands for a store that has no tables yet.

    Raises
    ------
    SchemaError
        If only MLflow's own API can read it.
    StoreError
        If the database can't be reached or read.
    """
    try:
        source = engine(uri)
        if not _exists(source):
            yield None
            return
        with source.connect() as connection:
            known = _has_known_tables(connection, uri)
        if known:
            prepare(source)  # outside of any transaction of ours, which it would wait for
        with source.connect() as connection:
            yield connection if known else None
    except DBAPIError as error:
        shown = make_url(uri).render_as_string(hide_password=True)
        raise StoreError(f"{shown}: can't be read: {error.orig}") from error


@lru_cache(maxsize=32)
def _engine(uri: str, _process: int) -> Engine:
    try:
        address = make_url(uri)
    except ArgumentError as error:
        raise SchemaError(uri) from error
    backend = address.get_backend_name()
    if backend == "sqlite":
        return _sqlite(uri)
    if backend != "postgresql":
        raise SchemaError(uri)
    try:
        return create_engine(address, pool_pre_ping=True, isolation_level="REPEATABLE READ")
    except ModuleNotFoundError as error:
        raise MissingExtraError.of(error.name or "psycopg", "postgres") from error
    except NoSuchModuleError as error:
        raise SchemaError(uri) from error


def _sqlite(uri: str) -> Engine:
    made = create_engine(uri, connect_args={"timeout": 30})

    @event.listens_for(made, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver would open no transaction for reading
        connection.execute("pragma case_sensitive_like = true")  # as MLflow has it
        connection.execute("pragma cache_size = -65536")

    @event.listens_for(made, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("begin")

    return made


def _exists(source: Engine) -> bool:
    """Look for SQLite's file first: connecting would make it."""
    path = source.url.database or ""
    return source.dialect.name != "sqlite" or path.startswith("file:") or Path(path).exists()


def _has_known_tables(connection: Connection, uri: str) -> bool:
    try:
        # A failed statement would end PostgreSQL's transaction; the block takes back its own.
        with connection.begin_nested():
            found = connection.execute(text("select version_num from alembic_version")).scalar()
    except DBAPIError:
        if inspect(connection).has_table("alembic_version"):
            raise
        return False
    if found not in KNOWN_REVISIONS:
        _say_once(uri, str(found))
        raise SchemaError(uri)
    return True


@lru_cache(maxsize=32)
def _say_once(uri: str, revision: str) -> None:
    shown = make_url(uri).render_as_string(hide_password=True)
    _logger.warning(
        "%s: unknown MLflow schema %s: reading through MLflow's own API, slower", shown, revision
    )
