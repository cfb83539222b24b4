"""What a reader is made of: features of one view, out of the store or out of the request."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import polars as pl

from workbench.errors import FeatureError
from workbench.features.definitions import RequestView
from workbench.features.online.layouts import Layout
from workbench.features.online.protocol import Key, OnlineStore, Version, VersionGoneError

__all__ = ["Requested", "Stored", "never", "not_yet"]

_MICROSECOND = timedelta(microseconds=1)
_OLDEST, _NEWEST = -(1 << 63), (1 << 63) - 1

_ATTEMPTS = 5
"""How often a version may be replaced while one question is asked."""

_Answer = TypeVar("_Answer")


class Stored:
    """Features of one view in the online store, whichever version is served."""

    def __init__(self, store: OnlineStore, version: Version, names: Sequence[str]) -> None:
        self._store = store
        self._names = names
        self._filling = _Filling(store, version, names)
        self.columns = [f"{version.view}__{name}" for name in names]

    @property
    def entity(self) -> pl.Schema:
        """The columns of a key and their types."""
        return self._filling.layout.entity

    def rows(self, keys: Sequence[Any], now: int | None) -> list[tuple[Any, ...]]:
        """Find the rows of these keys."""
        return self._current(lambda filling: filling.rows(keys, now))

    def join(self, keys: pl.DataFrame, now: int | None) -> pl.DataFrame:
        """Put the features beside the keys."""
        features = self._current(lambda filling: filling.features(keys, now))
        named = [
            features[name].alias(column)
            for name, column in zip(self._names, self.columns, strict=True)
        ]
        if set(self.columns).isdisjoint(keys.columns):
            return keys.hstack(named)  # several times quicker than an expression
        return keys.with_columns(named)

    def moments(self, keys: pl.DataFrame) -> pl.Series:
        """Return the event time of each key's row."""
        return self._current(lambda filling: filling.moments(keys))

    def _current(self, ask: Callable[[_Filling], _Answer]) -> _Answer:
        for _ in range(_ATTEMPTS):
            try:
                return ask(self._filling)
            except VersionGoneError as error:
                gone, view = error, self._filling.version.view
                served = self._store.served(view)
                if served is None:
                    raise never(view) from error
                self._filling = _Filling(self._store, served, self._names)
        raise gone


class _Filling:
    """One version of a view, with what reads it; never changed."""

    def __init__(self, store: OnlineStore, version: Version, names: Sequence[str]) -> None:
        self.version = version
        self.layout = Layout.from_bytes(version.layout)
        for name in names:
            if name not in self.layout.features:
                raise not_yet(version.view, name)
        self._store = store
        self._names = names
        every = self.layout.features.names()
        self._at = None if list(names) == every else [every.index(name) for name in names]
        ttl = self.layout.ttl
        self._ttl = None if ttl is None else ttl // _MICROSECOND

    def rows(self, keys: Sequence[Any], now: int | None) -> list[tuple[Any, ...]]:
        entities, packing = self.layout.keys, self.layout.packing
        wanted = [
            entities.of(key) if isinstance(key, Mapping) else entities.of_value(key) for key in keys
        ]
        rows = [
            packing.nulls if packed is None else packing.unpack(packed)
            for packed in self._packed(wanted, now)
        ]
        if self._at is None:
            return rows
        return [tuple([row[at] for at in self._at]) for row in rows]

    def features(self, keys: pl.DataFrame, now: int | None) -> dict[str, pl.Series]:
        return self.layout.packing.columns(self._packed(self.layout.keys.of_frame(keys), now))

    def moments(self, keys: pl.DataFrame) -> pl.Series:
        wanted = self.layout.keys.of_frame(keys)
        found = self._store.read(self.version, [key for key in wanted if key is not None])
        rows = [None if key is None else found.get(key) for key in wanted]
        times = [None if row is None else row[0] for row in rows]
        return pl.Series(times, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))

    def _packed(self, keys: Sequence[Key | None], now: int | None) -> list[bytes | None]:
        """Give the packed row of each key, where there is one that is neither too old nor new."""
        found = self._store.read(self.version, [key for key in keys if key is not None])
        oldest = _OLDEST if self._ttl is None else (now or _present()) - self._ttl
        newest = _NEWEST if now is None else now
        packed: list[bytes | None] = []
        for key in keys:
            row = None if key is None else found.get(key)
            if row is None:
                packed.append(self.layout.missing)
            elif row[0] >= oldest and row[0] <= newest and row[1] <= newest:
                packed.append(row[2])
            else:
                packed.append(None)
        return packed


class Requested:
    """Features of a request view: expressions over the keys' columns and features before them."""

    def __init__(self, view: RequestView, names: Sequence[str]) -> None:
        expressions = view.run()
        self._view = view.name
        self.columns = [f"{view.name}__{name}" for name in names]
        self._expressions = [
            expressions[name].alias(column)
            for name, column in zip(names, self.columns, strict=True)
        ]

    def join(self, keys: pl.DataFrame, _now: int | None) -> pl.DataFrame:
        """Compute the features from what is there."""
        try:
            return keys.with_columns(self._expressions)
        except pl.exceptions.PolarsError as error:
            reason = str(error).partition("\n")[0]
            raise FeatureError(f"request view {self._view}: {reason}") from error


def never(view: str) -> FeatureError:
    """Build the error for a view that nobody has materialised."""
    return FeatureError(
        f"feature view {view} isn't in the online store: workbench features materialize {view}"
    )


def not_yet(view: str, name: str) -> FeatureError:
    """Build the error for a feature that the stored version of its view doesn't have."""
    return FeatureError(
        f"feature {view}:{name} isn't in the online store: workbench features materialize {view}"
    )


def _present() -> int:
    return time.time_ns() // 1000
