"""Redis Streams as a source: entries of texts become rows of declared types.

    [sources.clicks]
    address = "redis+stream://127.0.0.1:6379/0/clicks"
    options = {schema = "user Int64, at Datetime, amount Float64?"}

A stream's fields are bytes, so the source declares what they mean. A type with a question mark may
be missing. `Datetime` is ISO 8601 with an offset, `Datetime(ms)` a whole number since 1970, in s,
ms or us. Two columns are there besides: `stream_id`, the entry's id, and `arrived`, when Redis
took it. An entry that isn't of the schema is no row: it is given apart, with the reason.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import polars as pl
from polars.io.plugins import register_io_source

from workbench.data.digest import frame_digest
from workbench.data.sources.declared import Declared
from workbench.data.sources.narrowing import narrow
from workbench.data.sources.protocol import Source
from workbench.data.sources.redis_entries import MOMENT, declared_fields, typed
from workbench.errors import ConfigError, DataError, MissingExtraError

__all__ = [
    "ARRIVED",
    "STREAM_ID",
    "BadEntry",
    "Batch",
    "RedisStream",
    "StreamAwayError",
    "arrival",
    "entry_place",
    "open_source",
]

STREAM_ID, ARRIVED = "stream_id", "arrived"

_PAGE = 10_000
_LAST_MILLISECOND = 253_402_300_799_999
_SHOWN = 1_000
_PATIENCE_SECONDS = 5

_logger = logging.getLogger("workbench.data")

Entry = tuple[bytes, dict[bytes, bytes]]


class StreamAwayError(DataError):
    """Redis doesn't answer just now; asking again later may help."""


@dataclass(frozen=True)
class BadEntry:
    """An entry that is no row, and why."""

    id: str
    reason: str
    fields: dict[str, str]


@dataclass(frozen=True)
class Batch:
    """Entries that were read: the rows, what is none, and the id of the last of them all."""

    rows: pl.DataFrame
    bad: list[BadEntry]
    last: str

    @property
    def entries(self) -> int:
        """How many were read."""
        return self.rows.height + len(self.bad)

    def split(self, at: str) -> list[Batch]:
        """Return the part up to the entry `at` and the part after it, where there are both."""
        early = [entry_place(entry) <= entry_place(at) for entry in self.rows[STREAM_ID]]
        chosen = pl.Series(early, dtype=pl.Boolean)
        bad = [entry for entry in self.bad if entry_place(entry.id) <= entry_place(at)]
        rest = [entry for entry in self.bad if entry_place(entry.id) > entry_place(at)]
        parts = [
            Batch(self.rows.filter(chosen), bad, min(at, self.last, key=entry_place)),
            Batch(self.rows.filter(~chosen), rest, self.last),
        ]
        return [part for part in parts if part.entries]


def open_source(declared: Declared) -> Source:
    """Open a stream."""
    return RedisStream(declared)


class RedisStream:
    """A stream, read whole as any source is, or from a place on as its consumers do."""

    def __init__(self, declared: Declared) -> None:
        self.declared = declared
        self._server, self.stream = _parts(declared)
        self._fields = declared_fields(declared, (STREAM_ID, ARRIVED))
        self._connection: Any = None

    def schema(self) -> pl.Schema:
        """Return the declared columns, the entry's id and when it arrived."""
        declared = {field.name: field.dtype for field in self._fields}
        return pl.Schema({**declared, STREAM_ID: pl.String(), ARRIVED: MOMENT})

    def scan(
        self, columns: Sequence[str] | None = None, where: pl.Expr | None = None
    ) -> pl.LazyFrame:
        """Read what the stream holds, page by page. What isn't of the schema is left out, and said.

        Redis can't filter entries: a page is filtered as it comes, so memory holds what is kept.
        """
        rows = register_io_source(self._rows, schema=self.schema(), validate_schema=True)
        return narrow(self.declared, rows, columns, where)

    def stamp(self) -> str:
        """Return a mark that changes with every entry that is added or deleted."""
        info = self.info()
        marks = (info.get(key, 0) for key in ("last-generated-id", "entries-added", "length"))
        return f"{self.declared.shown} {' '.join(map(str, marks))}"

    def freshness(self) -> datetime | None:
        """Return when the newest entry arrived; None for a stream without any."""
        last = str(self.info().get("last-generated-id", "0-0"))
        if last == "0-0":
            return None
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=arrival(last))

    def digest(self) -> str:
        """Return the digest of all that the stream holds now."""
        return frame_digest(self.scan().collect())

    def info(self) -> dict[str, Any]:
        """Return what Redis knows of the stream, without its entries; empty if there is none."""
        with self._talking() as client:
            if not client.exists(self.stream):
                return {}
            info = client.xinfo_stream(self.stream)
        return {
            key: value.decode() if isinstance(value, bytes) else value
            for key, value in info.items()
            if not key.endswith("-entry")
        }

    def read_after(self, last: str, count: int, *, wait: float = 0) -> Batch | None:
        """Read up to `count` entries after the id `last`; wait for the first up to some seconds.

        Raises
        ------
        StreamAwayError
            If Redis doesn't answer.
        """
        block = max(1, int(wait * 1000)) if wait else None
        with self._talking() as client:
            found = client.xread({self.stream: last}, count=count, block=block)
        return self._batch(found[0][1]) if found else None

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _rows(
        self,
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        _batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        """Give polars the pages, as it asks for them."""
        refused = 0
        for page in self._pages():
            rows = page.rows if predicate is None else page.rows.filter(predicate)
            rows = rows if with_columns is None else rows.select(with_columns)
            if n_rows is not None:
                rows = rows.head(n_rows)
                n_rows -= rows.height
            refused += len(page.bad)
            yield rows
            if n_rows == 0:
                break
        if refused:
            _logger.warning(
                "%s: entries left out, which are not of the schema: %d",
                self.declared.shown,
                refused,
            )

    def _pages(self) -> Iterator[Batch]:
        end = str(self.info().get("last-generated-id", "0-0"))
        start = "-"
        while True:
            with self._talking() as client:
                entries = client.xrange(self.stream, start, end, count=_PAGE)
            if entries:
                yield self._batch(entries)
            if len(entries) < _PAGE:
                return
            start = f"({entries[-1][0].decode()}"

    def _batch(self, entries: Sequence[Entry]) -> Batch:
        ids = [entry.decode() for entry, _ in entries]
        reasons: dict[int, str] = {}
        columns = []
        for field in self._fields:
            raw = [fields.get(field.name.encode()) for _, fields in entries]
            columns.append(typed(field, raw, reasons))
        columns.append(pl.Series(STREAM_ID, ids, pl.String))
        arrived = [arrival(entry) for entry in ids]
        columns.append(pl.Series(ARRIVED, arrived, pl.Int64).cast(MOMENT))
        rows = pl.DataFrame(columns)
        if reasons:
            good = [index not in reasons for index in range(len(entries))]
            rows = rows.filter(pl.Series(good, dtype=pl.Boolean))
        bad = [BadEntry(ids[i], reasons[i], _shown(entries[i][1])) for i in sorted(reasons)]
        return Batch(rows, bad, ids[-1])

    @contextmanager
    def _talking(self) -> Iterator[Any]:
        try:
            import redis
        except ImportError as error:
            raise MissingExtraError.of("redis", "redis") from error
        if self._connection is None:
            self._connection = _connect(redis, self._server)
        try:
            yield self._connection
        except redis.exceptions.AuthenticationError as error:
            raise self._error("Redis refuses the credentials") from error
        except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError) as error:
            self.close()
            said = self._error(f"Redis doesn't answer: {error}")
            raise StreamAwayError(str(said)) from error
        except redis.exceptions.RedisError as error:
            raise self._error(f"Redis says: {error}") from error

    def _error(self, message: str) -> DataError:
        return self.declared.error(message)


def entry_place(entry: str) -> tuple[int, int]:
    """Return an entry's place, which orders them: the millisecond of its arrival, and a number."""
    millisecond, _, number = entry.partition("-")
    return int(millisecond), int(number or 0)


def arrival(entry: str) -> int:
    """Return when an entry arrived, in microseconds; an id may lie beyond all times."""
    return min(entry_place(entry)[0], _LAST_MILLISECOND) * 1000


def _connect(redis: Any, server: str) -> Any:
    # Without retries of its own: who waits here decides how long. The second protocol's answers
    # are the same lists whatever the server's age.
    never = redis.retry.Retry(redis.backoff.NoBackoff(), 0)
    return redis.Redis.from_url(
        server, protocol=2, retry=never, socket_timeout=_PATIENCE_SECONDS * 2,
        socket_connect_timeout=_PATIENCE_SECONDS,
    )  # fmt: skip


def _parts(declared: Declared) -> tuple[str, str]:
    """Split an address into the server's and the stream's name."""
    parts = urlsplit(declared.address)
    path = re.fullmatch(r"/([0-9]+)/(.+)", parts.path)
    if path is None or not parts.hostname:
        raise ConfigError(
            f"sources.{declared.name}.address: expected redis+stream://HOST:PORT/DB/STREAM"
        )
    scheme = declared.scheme.removesuffix("+stream")
    return f"{scheme}://{parts.netloc}/{path[1]}", unquote(path[2])


def _shown(fields: Mapping[bytes, bytes]) -> dict[str, str]:
    return {
        key.decode(errors="backslashreplace"): value[:_SHOWN].decode(errors="backslashreplace")
        for key, value in fields.items()
    }
