"""One view's consumer: read, transform, count, keep, then show.

The order is the safety. A batch changes the state in one transaction: place in the stream,
windows, outbox. Only then do the stores outside hear of it, and what they have not confirmed is
told again after a kill: the online store keeps the newest, the offline store knows each parcel by
its name, the file of dead letters is cut to where it was.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import polars as pl

from workbench.data.sources.redis_streams import Batch, RedisStream, StreamAwayError, entry_place
from workbench.features.definitions import FeatureView
from workbench.features.online import OnlineStore
from workbench.features.streaming.columns import Column, kept_columns, slots_of
from workbench.features.streaming.engine import Engine
from workbench.features.streaming.intake import Bounds, Intake
from workbench.features.streaming.letters import write_dead_letters
from workbench.features.streaming.lock import sole_consumer
from workbench.features.streaming.offline import Outbox
from workbench.features.streaming.place import check_place
from workbench.features.streaming.reporting import Notices, Say, StreamReport
from workbench.features.streaming.serving import Serving
from workbench.features.streaming.state import StreamState
from workbench.features.streaming.windows import Event
from workbench.project import Project

__all__ = ["Consumer", "consuming"]

_BATCH = 5_000
_FLUSH_SECONDS = 30.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _present() -> datetime:
    return datetime.now(UTC)


@contextmanager
def consuming(
    project: Project,
    view: FeatureView,
    source: RedisStream,
    store: OnlineStore,
    say: Say,
    *,
    now: Callable[[], datetime] = _present,
) -> Iterator[Consumer]:
    """Be the one consumer of a view for the block; `now` is the clock that windows end at.

    Raises
    ------
    UsageError
        If another process is, or the view is none that a stream can feed.
    """
    intake = Intake(view, source.schema(), Bounds.of(source.declared.options))
    folder = project.state / "streaming"
    with sole_consumer(view.name, folder / f"{view.name}.lock"):
        columns = kept_columns(view, intake.shape.schema)
        name = f"{view.name}-{_identity(view, source, intake.shape, columns)}"
        state = StreamState(folder / f"{name}.db", len(columns))
        try:
            engine = Engine(state, slots_of(view, columns))
            serving = Serving(project, view, store, intake.shape, state.fact("version"))
            outbox = Outbox(project, view, state, source.stream)
            yield Consumer(view, source, intake, state, engine, serving, outbox, say, now)
        finally:
            state.close()
            source.close()


class Consumer:
    """A view, the stream that it reads and the stores that it feeds. Made by `consuming`."""

    def __init__(
        self,
        view: FeatureView,
        source: RedisStream,
        intake: Intake,
        state: StreamState,
        engine: Engine,
        serving: Serving,
        outbox: Outbox,
        say: Say,
        now: Callable[[], datetime],
    ) -> None:
        self.view, self.source = view, source
        self._intake, self._state, self._engine = intake, state, engine
        self._serving, self._outbox, self._now = serving, outbox, now
        self._dead_letters = state.path.with_suffix(".dead.jsonl")
        self._notices = Notices(view.name, say, _words(intake.bounds, self._dead_letters.name))
        self._columns = kept_columns(view, intake.shape.schema)
        self._stored = outbox.stored_until()
        self._checked = False
        self._delivered = time.monotonic()

    @property
    def offset(self) -> str:
        """The id of the last entry that was taken."""
        return str(self._state.fact("offset", "0-0"))

    def step(self, wait: float) -> int:
        """Take one batch, waiting for it up to some seconds, or let time pass; say how many.

        Raises
        ------
        StreamAwayError
            If Redis or the online store doesn't answer. Nothing is lost: call it again.
        """
        if self._engine.touched:  # the online store was away: no more events until it has these
            self._advance(None)
        try:
            batch = self._read(wait)
        except StreamAwayError:
            self._checked = False
            self._advance(None)  # windows go on, whether or not events come
            raise
        # What the offline store has from another state is counted, but not stored once more.
        replayed = entry_place(self.offset) < entry_place(self._stored)
        for part in batch.split(self._stored) if batch and replayed else [batch]:
            self._advance(part)
        if batch is None or batch.entries < _BATCH:
            self._serving.show(self._engine)
        if self._outbox.full or time.monotonic() - self._delivered > _FLUSH_SECONDS:
            self._deliver()
        self._notices.speak()
        return batch.entries if batch else 0

    def finish(self) -> None:
        """Hand over everything that is kept back."""
        self._deliver()
        self._advance(None)
        self._serving.show(self._engine)
        self._deliver()
        with self._transaction():
            pass
        self._notices.speak(now=True)

    def report(self) -> StreamReport:
        """Say what was done since the start, and how far it is."""
        newest, clock = self._state.fact("newest"), self._engine.clock
        return StreamReport(
            view=self.view.name,
            **self._notices.counts,
            offset=self.offset,
            watermark=None if newest is None else _moment(newest) - self._intake.bounds.lateness,
            served=_moment(clock) if clock else None,
            entities=self._state.count_entities(),
        )

    def _read(self, wait: float) -> Batch | None:
        if not self._checked:
            self._notices.add(lost=check_place(self.source, self._state))
            self._checked = True
        return self.source.read_after(self.offset, _BATCH, wait=wait)

    def _advance(self, batch: Batch | None) -> None:
        """Move the windows to now and take a batch, in transactions of bounded size."""
        now = (self._now() - _EPOCH) // _MICROSECOND
        while (stop := self._engine.next_stop(now)) is not None and stop < now:
            with self._transaction():
                self._engine.move(stop)
            self._serving.tell(self._engine)
        if batch:
            self._take(batch, now)
        elif stop is not None or self._engine.touched:
            with self._transaction():
                self._engine.move(now)
        self._serving.tell(self._engine)

    def _take(self, batch: Batch, now: int) -> None:
        taken = self._intake.take(batch, self._state.fact("newest"))
        place = int(self._state.fact("place", 0))
        with self._transaction():
            self._engine.move(now)
            self._engine.add(self._events(taken.rows, place))
            if entry_place(batch.last) > entry_place(self._stored):
                self._outbox.post(batch.last, taken.rows, taken.late)
            self._state.refuse(taken.refused)
            self._state.set_facts(
                offset=batch.last,
                newest=taken.newest,
                place=place + taken.rows.height,
                counted=int(self._state.fact("counted", 0)) + batch.entries,
            )
        self._notices.add(
            events=taken.rows.height, late=taken.late.height, refused=len(taken.refused)
        )

    def _events(self, rows: pl.DataFrame, place: int) -> list[Event]:
        entities = self._serving.keys.of_frame(rows)
        times = [rows[name].dt.epoch("us").to_list() for name in ("__event", "__available")]
        columns = [column.kept(rows) for column in self._columns]
        values = list(zip(*columns, strict=True)) if columns else [()] * rows.height
        places = range(place, place + rows.height)
        return [Event(*each) for each in zip(entities, *times, places, values, strict=True)]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Change the state, and note in it what the online store has by now."""
        with self._state.transaction():
            self._engine.confirm()
            if self._serving.number != self._state.fact("version"):
                self._state.set_facts(version=self._serving.number)
            yield

    def _deliver(self) -> None:
        """Write what waits to the offline store and to the dead letters."""
        write_dead_letters(self._state, self._dead_letters)
        self._outbox.flush()
        newest = self._state.fact("newest")
        self._serving.record(self._engine, newest, self._state.count_entities())
        self._delivered = time.monotonic()
        self._checked = False


def _words(bounds: Bounds, dead_letters: str) -> dict[str, str]:
    return {
        "late": f"events more than {bounds.lateness} late, kept offline and in no window online",
        "refused": f"entries refused, with the reasons in {dead_letters}",
        "lost": "entries deleted from the stream before they were read",
    }


def _identity(
    view: FeatureView, source: RedisStream, shape: pl.DataFrame, columns: Sequence[Column]
) -> str:
    """Say which state is this definition's: another transformation or other types begin anew."""
    types = [f"{name} {dtype}" for name, dtype in shape.schema.items()]
    windows = [aggregate.name for aggregate in view.aggregates]
    times = [str(view.event_time), str(view.created)]
    kept = [f"{column.name} {column.form}" for column in columns]
    parts = [view.code_digest, source.stream, *times, *windows, *types, *kept]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
