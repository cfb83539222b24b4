"""From the outbox to the offline store, each event once."""

from __future__ import annotations

import io

import polars as pl

from workbench.data.sources.redis_streams import entry_place
from workbench.features.definitions import FeatureView
from workbench.features.offline import Sources, append, materialize
from workbench.features.streaming.state import StreamState
from workbench.project import Project

__all__ = ["Outbox"]

_ROWS = 100_000


class Outbox:
    """Rows that are in the state but not yet in the offline store.

    A parcel's name is the stream's and the id of its last entry, and the offline store keeps the
    names. So it can be asked what it has, and what comes again after a kill, out of a state that
    was lost, or because another definition reads the stream anew, isn't stored twice.
    """

    def __init__(
        self, project: Project, view: FeatureView, state: StreamState, stream: str
    ) -> None:
        self._project, self._view, self._state, self._stream = project, view, state, stream

    def stored_until(self) -> str:
        """Return the id of the last entry whose rows the offline store has; `0-0` for none."""
        names = materialize(self._project, self._view, Sources(self._project)).content
        prefix = self._name("")
        ids = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
        return max(ids, key=entry_place, default="0-0")

    def post(self, last: str, *frames: pl.DataFrame) -> None:
        """Add the rows of the entries up to `last`, within the transaction that counts them."""
        frame = pl.concat(frames)
        if frame.height:
            content = io.BytesIO()
            frame.write_ipc(content, compression="lz4")
            self._state.post(last, frame.height, content.getvalue())

    @property
    def full(self) -> bool:
        """Whether there is enough for a file of its own."""
        return self._state.posted() >= _ROWS

    def flush(self) -> None:
        """Append what is there to the offline store."""
        stored = entry_place(self.stored_until())
        with self._state.transaction():
            for letter, last in self._state.letters():
                if entry_place(last) <= stored:
                    self._state.delivered(letter)
        while letters := self._state.parcel(_ROWS):
            upto, last, _ = letters[-1]
            rows = pl.concat([pl.read_ipc(io.BytesIO(content)) for *_, content in letters])
            times = [name for name in _TIMES if name in rows.columns]
            ordered = rows.sort(times, maintain_order=True)
            append(self._project, self._view, ordered, once=self._name(last))
            with self._state.transaction():
                self._state.delivered(upto)

    def _name(self, last: str) -> str:
        return f"{self._stream} {last}"


_TIMES = ("__available", "__event", "__created")
