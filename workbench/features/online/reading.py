"""Features of entities just now, from the online store.

An `OnlineReader` is made once and asked often: it knows which versions hold its features and how
to unpack them, and asks each view one question for all keys. When a version is replaced under it,
it looks up the new one and asks again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import chain
from typing import Any

import polars as pl

from workbench.errors import FeatureError, NotFoundError, UsageError
from workbench.features.definitions import Definitions, FeatureView, load_definitions
from workbench.features.online.layouts import Layout
from workbench.features.online.parts import Requested, Stored, never, not_yet
from workbench.features.online.protocol import OnlineStore
from workbench.features.online.stores import online_store
from workbench.project import Project

__all__ = ["OnlineReader", "online"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_NO_FRAME = (pl.exceptions.PolarsError, TypeError, ValueError, AttributeError, OverflowError)

Entities = Sequence[Mapping[str, Any]]


def online(
    features: str | Sequence[str],
    keys: pl.DataFrame | Entities,
    project: Project | None = None,
    now: datetime | None = None,
) -> pl.DataFrame:
    """Return the keys with their features just now, one column `view__feature` each.

    Parameters
    ----------
    features
        `view:feature`, or `view` for all of its features.
    keys
        The entity columns of the views, and what request views need; order and rows are kept.
    now
        The moment that ages count from, for a test or a replay: a row that became true or known
        only later gives null. Left out, it is the present, and rows are as the store has them.

    Returns
    -------
    polars.DataFrame
        Typed as a training frame is. Null for an unknown entity, and where a row is older than its
        view's ttl; aggregates of an unknown entity are those over no events.

    Raises
    ------
    NotFoundError
        For an unknown view or feature.
    FeatureError
        If a view was never materialised, or the keys lack an entity or have it with another type.
    """
    return OnlineReader(features, project).frame(keys, now=now)


class OnlineReader:
    """Some features, ready to be read by key; safe to share between threads.

    >>> reader = OnlineReader(["shops", "sold:count_1d"])  # doctest: +SKIP
    >>> reader.rows([{"shop": 7}])  # doctest: +SKIP
    [(4, 100.0, 12)]
    """

    def __init__(self, features: str | Sequence[str], project: Project | None = None) -> None:
        self._project = project or Project.find()
        self._store = online_store(self._project)
        wanted: dict[str, list[str]] = {}
        for reference in [features] if isinstance(features, str) else features:
            view, _, feature = reference.partition(":")
            wanted.setdefault(view, []).append(feature)
        plan = _Plan(self._project, self._store)
        self._parts = [plan.part(view, names) for view, names in wanted.items()]
        self._stored = [part for part in self._parts if isinstance(part, Stored)]
        self.columns = [column for part in self._parts for column in part.columns]

    def rows(self, keys: Sequence[Any], *, now: datetime | None = None) -> list[tuple[Any, ...]]:
        """Return a tuple of Python values for each key, in the order of `columns`: the fast way.

        A key is a mapping with the entity columns, or, where every view has the same single one,
        its bare value.
        """
        if len(self._stored) < len(self._parts):
            return self.frame(keys, now=now).select(self.columns).rows()
        moment = _microseconds(now)
        found = [part.rows(keys, moment) for part in self._stored]
        if len(found) == 1:
            return found[0]
        return [tuple(chain.from_iterable(parts)) for parts in zip(*found, strict=True)]

    def frame(self, keys: pl.DataFrame | Entities, *, now: datetime | None = None) -> pl.DataFrame:
        """Return the keys with their features, as `online` does."""
        given = keys if isinstance(keys, pl.DataFrame) else _as_frame(keys)
        moment = _microseconds(now)
        for part in self._parts:
            given = part.join(given, moment)
        return given

    @property
    def entity(self) -> dict[str, pl.DataType]:
        """The columns of a key, of all views together, and their types."""
        return {name: dtype for part in self._stored for name, dtype in part.entity.items()}

    def moments(self, keys: pl.DataFrame) -> pl.Series:
        """Return the event time of each key's row in the first view; null without a row."""
        return self._stored[0].moments(keys)


class _Plan:
    """Where each view's features come from; runs the project's code only where it has to."""

    def __init__(self, project: Project, store: OnlineStore) -> None:
        self._project = project
        self._store = store

    def part(self, view: str, wanted: Sequence[str]) -> Stored | Requested:
        """Find the features of a view; an empty name is all of them."""
        version = self._store.served(view)
        if version is not None:
            known = Layout.from_bytes(version.layout).features.names()
            return Stored(self._store, version, self._names(view, wanted, known))
        declared = self._definitions.view(view)
        names = self._names(view, wanted, list(declared.features))
        if isinstance(declared, FeatureView):
            raise never(view)
        return Requested(declared, names)

    @cached_property
    def _definitions(self) -> Definitions:
        return load_definitions(self._project)

    def _names(self, view: str, wanted: Sequence[str], known: Sequence[str]) -> list[str]:
        for name in wanted:
            if name and name not in known:
                declared = self._definitions.views.get(view)
                if declared is not None and name in declared.features:
                    raise not_yet(view, name)
                raise NotFoundError.named("feature", name, known, f" of view {view}")
        each = [name for one in wanted for name in ([one] if one else known)]
        return list(dict.fromkeys(each))


def _as_frame(keys: Entities) -> pl.DataFrame:
    try:
        names = dict.fromkeys(name for key in keys for name in key)
        return pl.DataFrame({name: [key.get(name) for key in keys] for name in names})
    except _NO_FRAME as error:
        reason = str(error).partition("\n")[0]
        raise FeatureError(f"keys: expected a frame or mappings of one kind: {reason}") from error


def _microseconds(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise UsageError(f"now {moment.isoformat()} has no time zone; expected an aware time")
    return (moment - _EPOCH) // _MICROSECOND
