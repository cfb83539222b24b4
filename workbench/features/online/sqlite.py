"""The online store that needs no server: one SQLite file in WAL mode, a table a version.

Readers never wait for a writer, and see a version as it was when they asked. A table's key is the
key itself, an integer or a text, so that finding a row is one walk down one tree.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from workbench.errors import StoreError
from workbench.features.online.protocol import Found, Key, Row, Version, VersionGoneError
from workbench.store import use_wal

__all__ = ["SQLiteStore"]

_PATIENCE_SECONDS = 30
_MAPPED_BYTES = 1 << 30
_KEYS_AT_ONCE = 500

_VERSIONS = """
create table if not exists versions (
    number integer primary key autoincrement,
    view text not null,
    digest text not null,
    layout blob not null,
    served integer not null
)
"""

_MARKS = "create table if not exists marks (number integer primary key, mark blob not null)"


class SQLiteStore:
    """An `OnlineStore` in the file at `path`; each thread has a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._inherited: list[sqlite3.Connection] = []

    @property
    def address(self) -> str:
        """Return `sqlite`: there is one in a project, and records outlive a move of its folder."""
        return "sqlite"

    def versions(self, view: str | None = None) -> list[Version]:
        """List what is stored, by number."""
        with self._errors():
            return self._select("? is null or view = ?", view, view)

    def served(self, view: str) -> Version | None:
        """Return the version of a view that readers see."""
        with self._errors():
            found = self._select("view = ? and served", view)
        return found[-1] if found else None

    def begin(self, view: str, digest: str, layout: bytes) -> Version:
        """Make a table for a new version."""
        with self._errors(), self._transaction() as connection:
            cursor = connection.execute(
                "insert into versions (view, digest, layout, served) values (?, ?, ?, 0)",
                (view, digest, layout),
            )
            number = cursor.lastrowid
            assert number is not None
            # Without a type a column keeps integers and texts as they are; without a row id the
            # rows are in the tree of the keys.
            connection.execute(
                f"create table rows_{number} (key primary key not null, event integer not null, "
                "created integer not null, packed blob not null) without rowid"
            )
        return Version(view, digest, number, layout)

    def write(self, version: Version, rows: Sequence[Row]) -> None:
        """Write rows in one transaction, where they are newer than the stored ones."""
        with self._errors(version), self._transaction() as connection:
            connection.executemany(_upsert(version.number), rows)

    def mark(self, version: Version, mark: bytes) -> None:
        """Keep with a version what it was filled from."""
        with self._errors(), self._transaction() as connection:
            if version.number not in {
                other.number for other in self._select("view = ?", version.view)
            }:
                raise VersionGoneError.of(version)
            connection.execute("insert or replace into marks values (?, ?)", (version.number, mark))

    def serve(self, version: Version) -> None:
        """Switch to a version and drop the tables before it, in one transaction."""
        with self._errors(), self._transaction() as connection:
            known = [other.number for other in self._select("view = ?", version.view)]
            if version.number not in known:
                raise VersionGoneError.of(version)
            connection.execute(
                "update versions set served = (number = ?) where view = ?",
                (version.number, version.view),
            )
            _drop(connection, (number for number in known if number < version.number))

    def remove(self, views: Iterable[str]) -> None:
        """Drop the tables of these views."""
        with self._errors(), self._transaction() as connection:
            for view in views:
                _drop(connection, (other.number for other in self._select("view = ?", view)))

    def read(self, version: Version, keys: Sequence[Key]) -> Mapping[Key, Found]:
        """Find the rows of these keys, some hundreds with one question."""
        found: dict[Key, Found] = {}
        try:
            execute = self._connection().execute
            for start in range(0, len(keys), _KEYS_AT_ONCE):
                some = keys[start : start + _KEYS_AT_ONCE]
                question = _question(len(some)) % version.number
                for key, event, created, packed in execute(question, some):
                    found[key] = event, created, packed
        except sqlite3.Error as error:
            raise self._error(error, version) from error
        return found

    def _select(self, condition: str, *values: str | None) -> list[Version]:
        rows = self._connection().execute(
            "select view, digest, number, layout, served, coalesce(mark, x'') "
            f"from versions left join marks using (number) where {condition} order by number",
            values,
        )
        return [
            Version(view, digest, number, layout, bool(served), mark)
            for view, digest, number, layout, served, mark in rows
        ]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection()
        connection.execute("begin immediate")
        try:
            yield connection
            connection.execute("commit")
        except BaseException:
            connection.rollback()
            raise

    def _connection(self) -> sqlite3.Connection:
        local, process = self._local, os.getpid()
        if getattr(local, "process", process) != process:
            # A fork has brought it along. To close it here would disturb the process it is of.
            self._inherited.append(local.connection)
            del local.connection
        if not hasattr(local, "connection"):
            local.connection, local.process = self._open(), process
        connection: sqlite3.Connection = local.connection
        return connection

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self._path, timeout=_PATIENCE_SECONDS, isolation_level=None, cached_statements=256
        )
        try:
            use_wal(connection)
            # The record of how far a view is stands in another file: these rows must not be
            # behind it after a power cut.
            connection.execute("pragma synchronous = full")
            connection.execute(f"pragma mmap_size = {_MAPPED_BYTES}")
            connection.execute(_VERSIONS)
            connection.execute(_MARKS)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _errors(self, version: Version | None = None) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._error(error, version) from error

    def _error(self, error: sqlite3.Error, version: Version | None) -> StoreError:
        if version is not None and f"no such table: rows_{version.number}" in str(error):
            return VersionGoneError.of(version)
        return StoreError(f"{self._path}: {error}")


@cache
def _question(count: int) -> str:
    """Write the question for so many keys, but for the table's number."""
    places = ",".join("?" * count)
    return f"select key, event, created, packed from rows_%d where key in ({places})"


def _upsert(number: int) -> str:
    return (
        f"insert into rows_{number} as old values (?, ?, ?, ?) on conflict (key) do update set "
        "event = excluded.event, created = excluded.created, packed = excluded.packed "
        "where (excluded.event, excluded.created) >= (old.event, old.created)"
    )


def _drop(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    for number in numbers:
        connection.execute(f"drop table rows_{number}")
        connection.execute("delete from versions where number = ?", (number,))
        connection.execute("delete from marks where number = ?", (number,))
