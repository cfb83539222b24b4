"""The engine, its migrations and its sessions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from workbench.errors import ConfigError, StoreError
from workbench.project import Project
from workbench.store.files import file_lock
from workbench.store.room import failure
from workbench.store.tables import Base
from workbench.store.wal import use_wal

__all__ = ["HEAD", "ConflictError", "Database", "database", "insert_missing"]

HEAD = "0004"
"""The schema's newest revision; opening compares it before it pays for importing Alembic."""


_PATIENCE_SECONDS = 30

SCHEMA = "workbench"
"""Where our tables are in a PostgreSQL database."""


class ConflictError(StoreError):
    """A row that may be there once is there already: somebody else has written it meanwhile."""


class Database:
    """Our tables of one project. Safe to share between threads; one for each process."""

    def __init__(self, url: str, lock: Path) -> None:
        self.url = url
        self._engine = _engine(url)
        with _as_store_error(url):
            if self._revision() != HEAD:
                with file_lock(lock):  # two first commands at once must not both migrate
                    self._migrate()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a transaction: committed at the end of the block, rolled back on an error.

        Raises
        ------
        StoreError
            If the tables can't be read or written, a `ConflictError` where a constraint forbids
            a row, a `DiskFullError` where there is no room for it.
        """
        with (
            _as_store_error(self.url),
            Session(self._engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    def _revision(self) -> str | None:
        with self._engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(text("select version_num from alembic_version")).scalar()

    def _migrate(self) -> None:
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        folder = str(Path(__file__).parent / "migrations")
        config.set_main_option("script_location", folder.replace("%", "%%"))  # it interpolates
        with self._engine.begin() as connection:
            if self._engine.dialect.name == "sqlite":
                # Python's driver opens no transaction for DDL by itself, and a migration that is
                # killed half-way would leave tables that the next one can't make.
                connection.exec_driver_sql("begin immediate")
            if self._engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"create schema if not exists {SCHEMA}")
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise StoreError(
                    f"{_shown(self.url)}: made by a newer Workbench (its tables are at revision "
                    f"{self._revision()}, this one knows up to {HEAD}): "
                    "pip install -U jupyter-workbench"
                ) from error


@lru_cache(maxsize=32)
def _open(url: str, lock: Path) -> Database:
    return Database(url, lock)


def database(project: Project) -> Database:
    """Open the project's tables, making or upgrading them where needed.

    Raises
    ------
    StoreError
        If they can't be opened: a folder that is read-only, a database that is locked or newer.
    """
    return _open(project.database_url, project.state / "migrate.lock")


def insert_missing(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows that no unique constraint already knows, also against a rival writer."""
    assert session.bind is not None
    insert = (postgresql if session.bind.dialect.name == "postgresql" else sqlite).insert
    if rows:
        session.execute(insert(table).on_conflict_do_nothing(), rows)


def _engine(url: str) -> Engine:
    try:
        address = make_url(url)
        if address.get_backend_name() != "sqlite":
            return _server_engine(address)
    except ArgumentError as error:
        raise ConfigError("database_url: not an address of a database we can use") from error
    except ModuleNotFoundError as error:
        raise ConfigError(f"database_url: its driver {error.name} isn't installed") from error
    engine = create_engine(
        address.update_query_dict({"timeout": str(_PATIENCE_SECONDS), **address.query})
    )

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        use_wal(cursor)
        cursor.execute("pragma synchronous=full")  # durable before it is shown
        cursor.execute("pragma foreign_keys=on")
        cursor.close()

    return engine


def _server_engine(address: URL) -> Engine:
    engine = create_engine(address, pool_pre_ping=True)
    if address.get_backend_name() == "postgresql":

        @event.listens_for(engine, "connect")
        def _own_schema(connection: Any, _record: Any) -> None:
            # MLflow may be in the same database, and it has tables of the same names.
            cursor = connection.cursor()
            cursor.execute(f"set search_path to {SCHEMA}")
            cursor.close()
            connection.commit()

    return engine


@contextmanager
def _as_store_error(url: str) -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise ConflictError(f"{_shown(url)}: {error.orig}".partition("\n")[0]) from error
    except DBAPIError as error:
        raise failure(_shown(url), error, str(error.orig).partition("\n")[0]) from error
    except SQLAlchemyError as error:
        raise failure(_shown(url), error) from error


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)
