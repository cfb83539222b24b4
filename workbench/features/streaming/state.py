"""What a consumer knows, in one SQLite file: the place in the stream together with its effects.

A batch is one transaction. Whoever is killed finds either the old place and the old windows or
the new ones, and in the outbox what the stores outside have not confirmed yet.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.errors import StoreError
from workbench.features.streaming.windows import Event, Key
from workbench.store import use_wal

__all__ = ["StreamState"]

_CACHED_ENTITIES = 100_000

_TABLES = """
create table if not exists facts (name text primary key, value blob) without rowid;
create table if not exists entities (entity blob primary key, clock integer, state text)
    without rowid;
create table if not exists events (event integer, place integer, entity blob, available integer,
    {columns} primary key (event, place)) without rowid;
create table if not exists waiting (available integer, place integer, entity blob, event integer,
    content text, primary key (available, place)) without rowid;
create table if not exists tally (slot integer, entity blob, value blob, n integer,
    primary key (slot, entity, value)) without rowid;
create table if not exists outbox (id integer primary key autoincrement, last text,
    rows integer, content blob);
create table if not exists refused (id integer primary key, line text);
"""


class StreamState:
    """The durable state of one view's consumer. One process at a time, which holds the lock.

    `values` is how many of an event's values the windows need.
    """

    def __init__(self, path: Path, values: int) -> None:
        self.path = path
        self._columns = [f"v{index}" for index in range(values)]
        self._entities: dict[Key, list[Any] | None] = {}
        self._touched: set[Key] = set()
        self._tallies: dict[tuple[int, Key, Any], int] = {}
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=30)
            use_wal(self._connection)
            self._connection.execute("pragma synchronous=full")  # durable before it is shown
            self._connection.execute("pragma cache_size=-65536")
            declared = "".join(f"{column} blob, " for column in self._columns)
            self._connection.executescript(_TABLES.format(columns=declared))
        facts = self._rows("select name, value from facts")
        self._facts: dict[str, Any] = dict(facts)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write everything that the block changes, or nothing of it."""
        with self._errors():
            self._connection.execute("begin immediate")
            try:
                yield
                self._write_entities()
                self._connection.execute("commit")
            except BaseException:
                self._connection.execute("rollback")
                self._forget()
                raise

    def fact(self, name: str, default: Any = None) -> Any:
        """Return one of the few single values."""
        return self._facts.get(name, default)

    def set_facts(self, **facts: Any) -> None:
        """Change single values, with the transaction."""
        self._facts.update(facts)
        self._many("insert or replace into facts values (?, ?)", facts.items())

    # Entities

    def entity(self, entity: Key) -> list[Any] | None:
        """Return an entity's windows; what is changed in them needs `touch` to be kept."""
        if entity not in self._entities:
            rows = self._rows("select state from entities where entity = ?", (entity,))
            self._entities[entity] = json.loads(rows[0][0]) if rows else None
        return self._entities[entity]

    def touch(self, entity: Key, state: list[Any]) -> None:
        """Keep an entity's windows, with the transaction."""
        self._entities[entity] = state
        self._touched.add(entity)

    def tally(self, slot: int, entity: Key, value: Any, by: int) -> int:
        """Change how often an entity's window holds a value; give how often it does now."""
        key = (slot, entity, value)
        if key not in self._tallies:
            query = "select n from tally where slot = ? and entity = ? and value = ?"
            rows = self._rows(query, key)
            self._tallies[key] = rows[0][0] if rows else 0
        self._tallies[key] += by
        return self._tallies[key]

    def changed_since(self, clock: int) -> Iterator[Key]:
        """Give the entities whose windows changed at `clock` or after it."""
        query = "select entity from entities where clock >= ?"
        return (entity for (entity,) in self._rows(query, (clock,)))

    def forget_empty(self, entities: Iterable[Key]) -> None:
        """Drop entities without an event in any window, once that was served."""
        gone = [e for e in entities if (state := self.entity(e)) is not None and not state[0]]
        self._many("delete from entities where entity = ?", ((entity,) for entity in gone))
        for entity in gone:
            self._entities[entity] = None

    def count_entities(self) -> int:
        """Count the entities that have an event in any window."""
        return int(self._rows("select count(*) from entities")[0][0])

    # Events

    def add_events(self, events: Sequence[Event]) -> None:
        """Keep events that are in a window, until they leave the longest."""
        rows = ((e.event, e.place, e.entity, e.available, *e.values) for e in events)
        self._many(f"insert into events values ({self._marks(4)})", rows)

    def events_between(self, after: int, until: int) -> list[Event]:
        """Return the events with an event time in (after, until], by time."""
        query = (
            f"select entity, event, available, place {self._names} from events "
            "where event > ? and event <= ? order by event, place"
        )
        return [_event(row) for row in self._rows(query, (after, until))]

    def nth_event_after(self, after: int, count: int) -> int | None:
        """Return the event time of the `count`th event after a time; None if there are fewer."""
        query = "select event from events where event > ? order by event limit 1 offset ?"
        rows = self._rows(query, (after, count - 1))
        return int(rows[0][0]) if rows else None

    def drop_events(self, until: int) -> None:
        """Drop the events up to a time, which no window reaches any more."""
        self._connection.execute("delete from events where event <= ?", (until,))

    def add_waiting(self, events: Sequence[Event]) -> None:
        """Keep events that aren't available yet."""
        # As JSON, for SQLite has no NaN, and one that waits may become an entity's last value.
        rows = ((e.available, e.place, e.entity, e.event, json.dumps(e.values)) for e in events)
        self._many("insert into waiting values (?, ?, ?, ?, ?)", rows)

    def take_waiting(self, until: int) -> list[Event]:
        """Take out the events that are available by a time."""
        query = (
            "select entity, event, available, place, content from waiting "
            "where available <= ? order by available, place"
        )
        rows = self._rows(query, (until,))
        if rows:
            self._connection.execute("delete from waiting where available <= ?", (until,))
        return [_event((*row[:4], *json.loads(row[4]))) for row in rows]

    def next_waiting(self) -> float:
        """Return when the next event becomes available; infinity if none waits."""
        found = self._rows("select min(available) from waiting")[0][0]
        return math.inf if found is None else int(found)

    # What is for others

    def post(self, last: str, rows: int, content: bytes) -> None:
        """Put the rows of the entries up to `last` into the outbox, for the offline store."""
        statement = "insert into outbox (last, rows, content) values (?, ?, ?)"
        self._connection.execute(statement, (last, rows, content))

    def posted(self) -> int:
        """Count the rows in the outbox."""
        return int(self._rows("select coalesce(sum(rows), 0) from outbox")[0][0])

    def letters(self) -> list[tuple[int, str]]:
        """List what is in the outbox: each letter's id and its last entry's."""
        return [(id_, last) for id_, last in self._rows("select id, last from outbox order by id")]

    def parcel(self, rows: int) -> list[tuple[int, str, bytes]]:
        """Return the first letters of the outbox, with about so many rows in all."""
        query = (
            "select id, last, content from (select *, sum(rows) over (order by id) - rows as before"
            " from outbox) where before < ? order by id"
        )
        return [(id_, last, content) for id_, last, content in self._rows(query, (rows,))]

    def delivered(self, upto: int) -> None:
        """Empty the outbox up to an id."""
        self._connection.execute("delete from outbox where id <= ?", (upto,))

    def refuse(self, lines: Iterable[str]) -> None:
        """Keep what was refused, for the file of dead letters."""
        self._many("insert into refused (line) values (?)", ((line,) for line in lines))

    def refused(self) -> list[str]:
        """Return the lines that the file of dead letters lacks."""
        return [line for (line,) in self._rows("select line from refused order by id")]

    def forget_refused(self) -> None:
        """Drop the lines that are in the file."""
        self._connection.execute("delete from refused")

    # How it is written

    @property
    def _names(self) -> str:
        return "".join(f", {column}" for column in self._columns)

    def _marks(self, fixed: int) -> str:
        return ", ".join("?" * (fixed + len(self._columns)))

    def _write_entities(self) -> None:
        clock = self.fact("clock", 0)
        rows = ((e, clock, json.dumps(self._entities[e])) for e in self._touched)
        self._many("insert or replace into entities values (?, ?, ?)", rows)
        tallies = self._tallies.items()
        kept = ((*key, n) for key, n in tallies if n)
        self._many("insert or replace into tally values (?, ?, ?, ?)", kept)
        gone = (key for key, n in tallies if not n)
        self._many("delete from tally where slot = ? and entity = ? and value = ?", gone)
        self._touched.clear()
        self._tallies.clear()
        if len(self._entities) > _CACHED_ENTITIES:
            self._entities.clear()

    def _forget(self) -> None:
        """Drop what a failed transaction changed in memory."""
        self._entities.clear()
        self._touched.clear()
        self._tallies.clear()
        self._facts = dict(self._rows("select name, value from facts"))

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._errors():
            return self._connection.execute(query, values).fetchall()

    def _many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        with self._errors():
            self._connection.executemany(statement, rows)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.path}: {error}") from error


def _event(row: tuple[Any, ...]) -> Event:
    entity, event, available, place, *values = row
    return Event(entity, event, available, place, tuple(values))
