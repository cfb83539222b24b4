"""The engine, its migrations and its sessions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from workbench.errors import StoreError
from workbench.project import Project
from workbench.store.files import file_lock

__all__ = ["HEAD", "Database", "database"]

HEAD = "0001"
"""The schema's newest revision; opening compares it before it pays for importing Alembic."""


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
        """Open a transaction: committed at the end of the block, rolled back on an error."""
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

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self._engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


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


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("pragma journal_mode=wal")
        cursor.execute("pragma synchronous=full")  # durable before it is shown
        cursor.execute("pragma foreign_keys=on")
        cursor.close()

    return engine


@contextmanager
def _as_store_error(url: str) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise StoreError(f"{_shown(url)}: {error.orig}") from error
    except SQLAlchemyError as error:
        raise StoreError(f"{_shown(url)}: {error}") from error


def _shown(url: str) -> str:
    from sqlalchemy.engine import make_url

    return make_url(url).render_as_string(hide_password=True)
