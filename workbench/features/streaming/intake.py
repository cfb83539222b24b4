"""From entries of a stream to a view's rows: the view's own function, then what may not enter.

The same function makes the training rows. Offline it sees all the events at once and here a few,
so it has to treat each by itself; that is tried on the first batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl

from workbench.data.sources.redis_entries import MOMENT
from workbench.data.sources.redis_streams import Batch, arrival
from workbench.errors import FeatureError, UsageError
from workbench.features.definitions import FeatureView, duration
from workbench.features.join import event_rows
from workbench.features.streaming.letters import dead_letter

__all__ = ["Bounds", "Intake", "Taken"]


@dataclass(frozen=True)
class Bounds:
    """How late an event may be, and how far ahead of its arrival."""

    lateness: timedelta
    future: timedelta

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Bounds:
        """Read a source's options: ten minutes late and five ahead, if it doesn't say."""
        return cls(
            duration(str(options.get("lateness", "10m"))),
            duration(str(options.get("future", "5m"))),
        )


@dataclass(frozen=True)
class Taken:
    """What a batch came to. `rows` count in the windows; `late` only in the offline store."""

    rows: pl.DataFrame
    late: pl.DataFrame
    refused: list[str]
    newest: int | None


class Intake:
    """Turns batches of a stream into rows of one view."""

    def __init__(self, view: FeatureView, schema: pl.Schema, bounds: Bounds) -> None:
        if len(view.sources) != 1 or not view.aggregates or view.event_time is None:
            raise UsageError(
                f"feature view {view.name}: a streaming view has aggregates over the events of "
                f"one source; it reads {', '.join(view.sources) or 'none'}"
            )
        self._view, self.bounds = view, bounds
        self._time: str = view.event_time
        self._tried = False
        # On no rows at all: a mistake in the definition is told before any event is taken.
        self.shape = self._stored(self._built(schema.to_frame()))

    def take(self, batch: Batch, newest: int | None) -> Taken:
        """Make rows of a batch; `newest` is the latest event time before it, in microseconds."""
        refused = [dead_letter(entry.id, entry.reason, entry.fields) for entry in batch.bad]
        built = self._transformed(batch.rows, refused)
        built = self._without_refused(built, batch.last, refused)
        late, newest = self._lateness(built, newest)
        return Taken(
            self._stored(built.filter(~late)), self._stored(built.filter(late)), refused, newest
        )

    def _transformed(self, rows: pl.DataFrame, refused: list[str]) -> pl.DataFrame:
        """Run the view's function; an event that it fails on is found by halving."""
        try:
            built = self._built(rows)
        except FeatureError as error:
            if rows.height > 1:
                half = rows.height // 2
                parts = (rows[:half], rows[half:])
                return pl.concat([self._transformed(part, refused) for part in parts])
            content = rows.row(0, named=True)
            refused.append(dead_letter(content["stream_id"], str(error), content))
            return self._built(rows.clear())
        if rows.height > 1 and not self._tried:
            self._try_halves(rows, built)
        return built

    def _built(self, rows: pl.DataFrame) -> pl.DataFrame:
        try:
            return self._view.run(**{self._view.sources[0]: rows.lazy()}).collect()
        except pl.exceptions.PolarsError as error:
            reason = str(error).partition("\n")[0]
            raise FeatureError(f"{self._view.where}: {reason}") from error

    def _try_halves(self, rows: pl.DataFrame, built: pl.DataFrame) -> None:
        half = rows.height // 2
        apart = pl.concat([self._built(rows[:half]), self._built(rows[half:])])
        if not apart.equals(built):
            raise FeatureError(
                f"{self._view.where}: gives other rows for a batch than "
                "for its halves; of a stream it has to treat each event by itself (no sort, "
                "group_by, unique, or values of other rows)"
            )
        self._tried = True

    def _without_refused(self, built: pl.DataFrame, last: str, refused: list[str]) -> pl.DataFrame:
        reasons = [
            pl.when(condition).then(pl.lit(reason)) for reason, condition in self._rules(last)
        ]
        marked = built.select(pl.coalesce(reasons)).to_series()
        if marked.null_count() == built.height:
            return built
        bad = built.with_columns(marked.alias("__reason")).filter(marked.is_not_null())
        for row in bad.iter_rows(named=True):
            reason = row.pop("__reason")
            refused.append(dead_letter(row.get("stream_id"), reason, row))
        return built.filter(marked.is_null())

    def _rules(self, last: str) -> list[tuple[str, pl.Expr]]:
        """List the reasons to refuse a row, each with its condition."""
        view, moment = self._view, pl.col(self._time)
        # Without a created time, the last entry's is as near as we know.
        known = pl.col(view.created) if view.created else pl.lit(arrival(last)).cast(MOMENT)
        columns = dict.fromkeys((*view.entity, self._time, *filter(None, [view.created])))
        ahead = f"{self._time}: more than {self.bounds.future} after it arrived"
        return [
            *((f"no {column}", pl.col(column).is_null()) for column in columns),
            (ahead, moment > known + self.bounds.future),
            *self._too_large(),
        ]

    def _too_large(self) -> list[tuple[str, pl.Expr]]:
        """Refuse whole numbers that an Int64 can't hold, for no total and no store can."""
        wide = (pl.UInt64, pl.Int128, pl.UInt128)
        schema = self.shape.schema
        names = [n for n in (*self._view.entity, *self._view.inputs) if schema[n] in wide]
        fits = {name: pl.col(name).cast(pl.Int64, strict=False) for name in names}
        return [
            (f"{name}: too large for an Int64", pl.col(name).is_not_null() & fit.is_null())
            for name, fit in fits.items()
        ]

    def _lateness(self, built: pl.DataFrame, newest: int | None) -> tuple[pl.Series, int | None]:
        """Mark what is behind the watermark of the events before it, in the stream's order."""
        moments = built[self._time].dt.timestamp("us")
        if moments.is_empty():
            return pl.Series(dtype=pl.Boolean), newest
        before = moments.cum_max().shift(1, fill_value=moments[0] if newest is None else newest)
        if newest is not None:
            before = before.clip(lower_bound=newest)
        watermark = before - self.bounds.lateness // timedelta(microseconds=1)
        return moments < watermark, max(int(before[-1]), int(moments[-1]))

    def _stored(self, built: pl.DataFrame) -> pl.DataFrame:
        return event_rows(built.lazy(), self._view).collect()
