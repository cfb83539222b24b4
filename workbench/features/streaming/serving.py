"""What a consumer writes online: each entity's windows as they are at the clock's moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from workbench.data.sources.redis_streams import StreamAwayError
from workbench.errors import StoreError
from workbench.features.definitions import Aggregate, FeatureView
from workbench.features.online.latest import layout_of
from workbench.features.online.progress import Progress, Step, save
from workbench.features.online.protocol import OnlineStore, Version, VersionGoneError
from workbench.features.streaming.columns import kept_type
from workbench.features.streaming.engine import Engine
from workbench.project import Project
from workbench.store import now

__all__ = ["Serving"]

_AT_ONCE = 10_000


class Serving:
    """Writes one view's values to the online store, into a version of its definition.

    A new definition is written beside the one that is read, and takes its place when the stream
    was caught up with. Should somebody else replace the version, all is written again to the new
    one: what they wrote came from files, which are behind.
    """

    def __init__(
        self,
        project: Project,
        view: FeatureView,
        store: OnlineStore,
        shape: pl.DataFrame,
        known: int | None,
    ) -> None:
        self._project, self._view, self._store = project, view, store
        self._layout = layout_of(shape.lazy(), view)
        self._content = self._layout.to_bytes()
        self._physical = [_physical(aggregate, shape.schema) for aggregate in view.aggregates]
        self._version: Version | None = None
        self._known, self._gone = known, False
        self._started = now()

    @property
    def keys(self) -> Any:
        """What turns entities into the store's keys."""
        return self._layout.keys

    @property
    def number(self) -> int | None:
        """The number of the version that is written to; None before the first time."""
        return self._known

    def tell(self, engine: Engine) -> None:
        """Write the windows that changed.

        Raises
        ------
        StreamAwayError
            If the store can't be written to just now.
        """
        with self._writing():
            if self._version is None:
                self._version = self._attached(engine)
                if self._gone:
                    # The clock has to pass what they wrote, or the store takes theirs for newer.
                    self._gone = False
                    return
            entities = list(engine.touched)
            for start in range(0, len(entities), _AT_ONCE):
                self._write(self._version, engine, entities[start : start + _AT_ONCE])
            engine.told()

    def show(self, engine: Engine) -> None:
        """Let readers see the version, now that it has caught up, and record how far it is."""
        with self._writing():
            if self._version is None or engine.touched:
                return
            if not self._version.served:
                self._store.serve(self._version)
                self._version = self._store.served(self._view.name)

    def record(self, engine: Engine, newest: int | None, entities: int) -> None:
        """Write down how far the view is, where a materialisation looks too."""
        if self._version is None or not self._version.served or not engine.clock:
            return
        until = _moment(engine.clock)
        progress = Progress(
            view=self._view.name,
            store=self._store.address,
            digest=self._version.digest,
            state="complete",
            until=until,
            rows=entities,
            newest=None if newest is None else _moment(newest),
            step=Step(version=self._version.number, content=[], since=None, until=until),
            started_at=self._started,
            finished_at=now(),
        )
        save(self._project, progress)

    def _attached(self, engine: Engine) -> Version:
        """Find the version to write to, or begin one; who finds another has all to tell."""
        digest = self._view.digest
        stored = self._store.versions(self._view.name)
        found = [v for v in stored if v.digest == digest and v.layout == self._content]
        version = found[-1] if found else self._store.begin(self._view.name, digest, self._content)
        if version.number != self._known:
            engine.touch_all()
        self._known = version.number
        return version

    def _write(self, version: Version, engine: Engine, entities: Sequence[Any]) -> None:
        values = [engine.values(entity) for entity in entities]
        columns = zip(
            self._layout.features.items(), self._physical, zip(*values, strict=True), strict=True
        )
        frame = pl.DataFrame(
            pl.Series(name, column, physical or dtype, strict=False).cast(dtype)
            for (name, dtype), physical, column in columns
        )
        packed = self._layout.packing.pack(frame)
        clock = engine.clock
        rows = [(e, clock, clock, row) for e, row in zip(entities, packed, strict=True)]
        self._store.write(version, rows)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Take a version that went for one to be found again, and a silent store for one away."""
        try:
            yield
        except VersionGoneError:
            self._version, self._gone = None, True
        except StoreError as error:
            raise StreamAwayError(f"feature view {self._view.name}: {error}") from error


def _physical(aggregate: Aggregate, schema: pl.Schema) -> Any:
    """Return the type in which a last value was kept; None for other aggregates."""
    if aggregate.kind != "last" or aggregate.column is None:
        return None
    return kept_type(schema[aggregate.column])


def _moment(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
