"""What an online store is told: the newest known row of each entity, out of the offline store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC as _UTC
from datetime import datetime, timedelta

import polars as pl

from workbench.features.definitions import FeatureView, duration
from workbench.features.join import UTC, window_features
from workbench.features.offline import Stored, partitions
from workbench.features.offline.build import merged
from workbench.features.offline.files import reading
from workbench.features.online.layouts import Layout
from workbench.features.online.protocol import Row

__all__ = ["Latest", "layout_of", "newest_available", "packed_rows"]

_EVENT, _AVAILABLE, _CREATED, _MOMENT = "__event", "__available", "__created", "__moment"
_FIRST = datetime(1900, 1, 1, tzinfo=_UTC)
"""Before it lies only what has always been true, which says nothing of how fresh rows are."""


@dataclass(frozen=True)
class Latest:
    """Each entity's row as of `until`, of those where anything became known after `since`."""

    stored: Stored
    since: datetime | None
    until: datetime

    def count(self) -> int:
        """Say how many rows that will be."""
        lengths = [self._entities(found).select(pl.len()) for found in self._ranges()]
        with reading(self.stored.paths):
            return sum(length.collect().item() for length in lengths)

    def newest(self) -> datetime | None:
        """Return the latest event that was known; None if rows have no time."""
        return _newest(self.stored, self._ranges(), _EVENT)

    def frames(self) -> Iterator[pl.DataFrame]:
        """Give the rows in order of the entity: its columns, `__event`, `__created`, features.

        A frame has the entities of one range, so that a large view needn't fit into memory.
        """
        for known in self._ranges():
            windows = self.stored.view.aggregates
            with reading(self.stored.paths):
                found = self._windows(known) if windows else self._newest_rows(known)
            yield found

    def _ranges(self) -> Iterator[pl.LazyFrame]:
        for found in _ranges(self.stored):
            yield found.filter(self._known)

    @property
    def _longest(self) -> timedelta:
        return max(aggregate.length for aggregate in self.stored.view.aggregates)

    @property
    def _known(self) -> pl.Expr:
        return pl.col(_AVAILABLE) <= self.until

    def _newest_rows(self, known: pl.LazyFrame) -> pl.DataFrame:
        view = self.stored.view
        created = _CREATED if view.created else _AVAILABLE
        features = [name for name in view.features if name not in view.entity]
        found = self._entities(known).select(
            *view.entity, _EVENT, pl.col(created).alias(_CREATED), *features
        )
        return found.collect()

    def _windows(self, known: pl.LazyFrame) -> pl.DataFrame:
        entities = self._entities(known).select(self.stored.view.entity).collect()
        inside = known.filter(pl.col(_EVENT) > self.until - self._longest)
        found = _joined(entities, inside, self.stored.view, self.until)
        moment = pl.lit(self.until, UTC)
        return found.with_columns(moment.alias(_EVENT), moment.alias(_CREATED))

    def _entities(self, known: pl.LazyFrame) -> pl.LazyFrame:
        """Choose the last row of each entity that there is something to say of.

        Of windows that is each with an event in its longest one: also in the one that ended at
        `since`, for an entity whose last event has left it has to be told so.
        """
        view = self.stored.view
        if view.aggregates:
            known = known.filter(pl.col(_EVENT) > (self.since or self.until) - self._longest)
        elif self.since is not None:
            known = known.filter(pl.col(_AVAILABLE) > self.since)
        # Stored rows of an entity stand together, in the order in which they became known.
        keys = [pl.col(key) for key in view.entity]
        return known.filter(pl.any_horizontal(key.ne_missing(key.shift(-1)) for key in keys))


def layout_of(shape: pl.LazyFrame, view: FeatureView) -> Layout:
    """Say what types the view's rows have online: those that a training frame has.

    Raises
    ------
    FeatureError
        If a type is none that the online store keeps.
    """
    schema = shape.collect_schema()
    entity = pl.Schema({name: schema[name] for name in view.entity})
    if not view.aggregates:
        features = pl.Schema({name: schema[name] for name in view.features})
        ttl = duration(view.ttl) if view.ttl else None
        return _checked(Layout(view.name, entity, features, ttl))
    nobody = pl.DataFrame([[None]] * len(entity), schema=entity)
    nothing = _joined(nobody, shape.head(0), view, _FIRST)
    layout = _checked(Layout(view.name, entity, nothing.select(list(view.features)).schema))
    return Layout(view.name, entity, layout.features, None, layout.packing.pack(nothing)[0])


def packed_rows(frame: pl.DataFrame, layout: Layout) -> list[Row]:
    """Pack rows that have the entity, `__event`, `__created` and the features as columns."""
    keys = layout.keys.of_frame(frame)
    times = [frame[name].dt.epoch("us").to_list() for name in (_EVENT, _CREATED)]
    packed = layout.packing.pack(frame.select(layout.features.names()))
    rows = zip(keys, *times, packed, strict=True)
    return [
        (key, event, created, values) for key, event, created, values in rows if key is not None
    ]


def newest_available(stored: Stored) -> datetime | None:
    """Return when the last of the rows became known; None without any that has a time."""
    return _newest(stored, _ranges(stored), _AVAILABLE)


def _ranges(stored: Stored) -> Iterator[pl.LazyFrame]:
    for partition in partitions(stored):
        yield merged(partition.runs(), stored.view)


def _newest(stored: Stored, found: Iterable[pl.LazyFrame], column: str) -> datetime | None:
    dated = [each.filter(pl.col(column) > _FIRST).select(pl.col(column).max()) for each in found]
    with reading(stored.paths):
        moments = [each.collect().item() for each in dated]
    return max((moment for moment in moments if moment is not None), default=None)


def _joined(
    entities: pl.DataFrame, events: pl.LazyFrame, view: FeatureView, moment: datetime
) -> pl.DataFrame:
    spine = entities.lazy().with_columns(pl.lit(moment, UTC).alias(_MOMENT))
    found = window_features(spine, events, view, list(view.features), _MOMENT)
    own = {f"{view.name}__{name}": name for name in view.features}
    return found.select(*view.entity, *own).rename(own).collect()


def _checked(layout: Layout) -> Layout:
    """Refuse types that have no key or no packing now, rather than after the rows are computed."""
    assert layout.keys
    assert layout.packing
    return layout
