"""The online store that several machines share: Redis, a hash a version.

The newest row wins in a script, which Redis runs alone: two writers can't pass each other between
a look and a write. A read asks for its version and its rows in one transaction, so it never takes
the remains of a version that is being removed for entities that aren't there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from workbench.errors import ConfigError, MissingExtraError, StoreError
from workbench.features.online.protocol import Found, Key, Row, Version, VersionGoneError

__all__ = ["RedisStore"]

_TIMES = struct.Struct(">QQ")
_SIGN = 1 << 63
"""Added to a time, so that earlier ones are the smaller unsigned numbers."""

_ROWS_AT_ONCE = 1000

# Numbers in Lua are floats, exact up to 53 bits only: times are compared in halves.
_WRITE = """
if redis.call('hexists', KEYS[1], ARGV[1]) == 0 then return 0 end
for i = 2, #ARGV, 2 do
    local old = redis.call('hget', KEYS[2], ARGV[i])
    local newer = true
    if old then
        local was = {struct.unpack('>I4I4I4I4', old)}
        local is = {struct.unpack('>I4I4I4I4', ARGV[i + 1])}
        for half = 1, 4 do
            if is[half] ~= was[half] then
                newer = is[half] > was[half]
                break
            end
        end
    end
    if newer then redis.call('hset', KEYS[2], ARGV[i], ARGV[i + 1]) end
end
return 1
"""

_MARK = """
if redis.call('hexists', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('hset', KEYS[2], ARGV[1], ARGV[2])
return 1
"""

_SERVE = """
if redis.call('hexists', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('hset', KEYS[2], ARGV[2], ARGV[1])
for _, number in ipairs(redis.call('hkeys', KEYS[1])) do
    if tonumber(number) < tonumber(ARGV[1]) then
        redis.call('hdel', KEYS[1], number)
        redis.call('hdel', KEYS[3], number)
        redis.call('unlink', ARGV[3] .. number)
    end
end
return 1
"""

_REMOVE = """
redis.call('hdel', KEYS[2], ARGV[1])
for _, number in ipairs(redis.call('hkeys', KEYS[1])) do
    redis.call('hdel', KEYS[4], number)
    redis.call('unlink', ARGV[2] .. number)
end
redis.call('del', KEYS[1])
redis.call('srem', KEYS[3], ARGV[1])
"""


class RedisStore:
    """An `OnlineStore` in the Redis at `url`, under the name of a project.

    Raises
    ------
    MissingExtraError
        If the client isn't installed.
    ConfigError
        If `url` isn't an address of a Redis.
    """

    def __init__(self, url: str, project: str) -> None:
        try:
            import redis
        except ModuleNotFoundError as error:
            raise MissingExtraError.of("redis", "redis") from error
        try:
            self._client = redis.Redis.from_url(url)
        except ValueError:  # it may quote the address, and the password in it
            raise ConfigError(
                "online_store: not an address of a Redis; expected redis://HOST:PORT/NUMBER"
            ) from None
        self._failures = redis.RedisError
        self._prefix = f"workbench:{project}:online"
        where = self._client.get_connection_kwargs()
        place = where.get("path") or f"{where.get('host')}:{where.get('port', 6379)}"
        self._address = f"redis://{place}/{where.get('db') or 0}"
        self._marks = f"{self._prefix}:marks"
        self._write, self._mark, self._serve, self._remove = (
            self._client.register_script(script) for script in (_WRITE, _MARK, _SERVE, _REMOVE)
        )

    @property
    def address(self) -> str:
        """Where it is, without user and password."""
        return self._address

    def versions(self, view: str | None = None) -> list[Version]:
        """List what is stored, by number."""
        with self._errors():
            named = cast("set[bytes]", self._client.smembers(f"{self._prefix}:views"))
            views = sorted(name.decode() for name in named) if view is None else [view]
            found = [version for name in views for version in self._versions(name)]
        return sorted(found, key=lambda version: version.number)

    def served(self, view: str) -> Version | None:
        """Return the version of a view that readers see."""
        with self._errors():
            return next((v for v in self._versions(view) if v.served), None)

    def begin(self, view: str, digest: str, layout: bytes) -> Version:
        """Enter a new version, which has no rows yet."""
        with self._errors():
            number = self._client.incr(f"{self._prefix}:number")
            entry = digest.encode() + b"\n" + layout
            with self._client.pipeline(transaction=True) as pipeline:
                pipeline.sadd(f"{self._prefix}:views", view)
                pipeline.hset(self._entries(view), str(number), cast("Any", entry))
                pipeline.execute()
        return Version(view, digest, number, layout)

    def write(self, version: Version, rows: Sequence[Row]) -> None:
        """Write rows, a thousand in a step, where they are newer than the stored ones."""
        keys = [self._entries(version.view), self._rows(version.number)]
        with self._errors():
            for start in range(0, len(rows), _ROWS_AT_ONCE):
                arguments: list[Any] = [version.number]
                for key, event, created, packed in rows[start : start + _ROWS_AT_ONCE]:
                    arguments += key, _TIMES.pack(event + _SIGN, created + _SIGN) + packed
                if not self._write(keys=keys, args=arguments):
                    raise VersionGoneError.of(version)

    def mark(self, version: Version, mark: bytes) -> None:
        """Keep with a version what it was filled from."""
        keys = [self._entries(version.view), self._marks]
        with self._errors():
            if not self._mark(keys=keys, args=[version.number, mark]):
                raise VersionGoneError.of(version)

    def serve(self, version: Version) -> None:
        """Switch to a version and remove those before it, in one step."""
        keys = [self._entries(version.view), f"{self._prefix}:served", self._marks]
        with self._errors():
            if not self._serve(keys=keys, args=[version.number, version.view, self._rows("")]):
                raise VersionGoneError.of(version)

    def remove(self, views: Iterable[str]) -> None:
        """Remove every version of these views."""
        with self._errors():
            for view in views:
                named = [f"{self._prefix}:served", f"{self._prefix}:views", self._marks]
                self._remove(keys=[self._entries(view), *named], args=[view, self._rows("")])

    def read(self, version: Version, keys: Sequence[Key]) -> Mapping[Key, Found]:
        """Find the rows of these keys with one question."""
        if not keys:
            return {}
        with self._errors(), self._client.pipeline(transaction=True) as pipeline:
            pipeline.hexists(self._entries(version.view), str(version.number))
            pipeline.hmget(self._rows(version.number), cast("Any", keys))
            exists, rows = pipeline.execute()
        if not exists:
            raise VersionGoneError.of(version)
        return {key: _found(row) for key, row in zip(keys, rows, strict=True) if row is not None}

    def _versions(self, view: str) -> list[Version]:
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.hget(f"{self._prefix}:served", view)
            pipeline.hgetall(self._entries(view))
            pipeline.hgetall(self._marks)
            served, entries, marks = pipeline.execute()
        found = []
        for number, entry in entries.items():
            digest, _, layout = entry.partition(b"\n")
            mark = marks.get(number, b"")
            found.append(
                Version(view, digest.decode(), int(number), layout, number == served, mark)
            )
        return found

    def _entries(self, view: str) -> str:
        return f"{self._prefix}:versions:{view}"

    def _rows(self, number: int | str) -> str:
        return f"{self._prefix}:rows:{number}"

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except self._failures as error:
            raise StoreError(f"{self.address}: {error}") from error


def _found(row: bytes) -> Found:
    event, created = _TIMES.unpack_from(row)
    return event - _SIGN, created - _SIGN, row[_TIMES.size :]
