"""One view on its way to the online store: which step is next, and the step itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl
from pydantic import BaseModel, ConfigDict

from workbench.errors import UsageError
from workbench.features.definitions import FeatureView
from workbench.features.offline import Sources, Stored, materialize, rows
from workbench.features.online.latest import Latest, layout_of, newest_available, packed_rows
from workbench.features.online.layouts import Layout
from workbench.features.online.marks import Mark, refuse_to_go_back
from workbench.features.online.progress import Progress, Step, progress_of, save
from workbench.features.online.protocol import OnlineStore, Version
from workbench.project import Project
from workbench.store import now

__all__ = ["Materialization", "Report", "Stepper"]

CHUNK_ROWS = 50_000
"""How many rows are written before it is recorded how far the step is."""

Report = Callable[[str, int, int], None]
"""Called with a view's name, the rows written so far, and how many there are."""


class Materialization(BaseModel):
    """What was done for one view: `rows` were written, all that became known in (since, until]."""

    model_config = ConfigDict(frozen=True)

    view: str
    store: str
    since: datetime | None
    until: datetime
    rows: int
    newest: datetime | None
    switched: bool
    seconds: float


@dataclass(frozen=True)
class Stepper:
    """A view with what is stored of it offline, and the store that it goes to."""

    project: Project
    store: OnlineStore
    view: FeatureView
    stored: Stored
    layout: Layout
    report: Report

    @classmethod
    def of(
        cls,
        project: Project,
        store: OnlineStore,
        view: FeatureView,
        sources: Sources,
        report: Report,
    ) -> Stepper:
        """Look at the view; its rows are stored offline where they aren't yet."""
        stored = materialize(project, view, sources)
        return cls(project, store, view, stored, layout_of(rows(stored), view), report)

    @property
    def content(self) -> list[str]:
        """The parts of the offline store that there are; of a stream nobody counts them."""
        streamed = self.view.availability == "streaming"
        return [] if streamed else list(self.stored.content)

    def run(self, until: datetime) -> Materialization:
        """Take up what was interrupted, and go on until the moment that is asked for."""
        if self.view.availability == "streaming":
            # Of later moments the files may not know yet all that the stream has shown.
            until = min(until, newest_available(self.stored) or until)
        began, switched = time.perf_counter(), False
        state, steps = self._state(), []
        while (progress := self._next(state, until)) is not None:
            switched |= not self._is_served(progress.step)
            state = self._carry_out(progress)
            steps.append(state)
        assert state is not None
        return Materialization(
            view=self.view.name,
            store=self.store.address,
            since=steps[0].step.since if steps else state.until,
            until=state.step.until,
            rows=sum(step.rows for step in steps),
            newest=state.newest,
            switched=switched,
            seconds=time.perf_counter() - began,
        )

    def _state(self) -> Progress | None:
        """Return how far this definition is, if its version is still there."""
        state = self._recorded()
        if state is None or state.digest != self.view.digest:
            return None
        known = {version.number for version in self.store.versions(self.view.name)}
        return state if state.step.version in known else None

    def _recorded(self) -> Progress | None:
        return progress_of(self.project, self.store.address).get(self.view.name)

    def _next(self, state: Progress | None, until: datetime) -> Progress | None:
        """Choose the next step; None if the store has everything until then."""
        if state is None:
            fed = self._fed_by_stream()
            return self._fill(until) if fed is None else self._progress(fed, None, until, None)
        step, same = state.step, state.step.content == self.content
        in_place = self._is_served(step)
        if in_place and until < step.until:
            if self.view.availability == "streaming":
                return None  # the stream is ahead of its files
            raise UsageError(
                f"feature view {self.view.name}: until {until.isoformat()} lies before "
                f"{step.until.isoformat()}, what the online store has"
            )
        if state.state == "running" and same and step.until <= until:
            return state
        if not in_place:
            return self._fill(until)  # another content or moment than the interrupted filling
        if same and step.until == until:
            return None
        if same or self._continues(step.content):
            # Rows that came late may be older than `since`: of another content all are looked at.
            since = state.until if same or self.view.aggregates else None
            return self._progress(step.version, since, until, state.until)
        return self._fill(until)

    def _continues(self, content: Sequence[str]) -> bool:
        """Whether what is stored offline is what it was, and more.

        Of a stream the online store knows more than the files, and it is never filled anew.
        """
        return self.view.availability == "streaming" or set(content) <= set(self.content)

    def _fed_by_stream(self) -> int | None:
        """Return the version of this definition that a stream has begun and readers see."""
        served = self.store.served(self.view.name)
        if self.view.availability != "streaming" or served is None:
            return None
        mine = (self.view.digest, self.layout.to_bytes())
        return served.number if (served.digest, served.layout) == mine else None

    def _fill(self, until: datetime) -> Progress:
        """Begin a version of its own, beside the one that readers see."""
        before, served = self._recorded(), self.store.served(self.view.name)
        if served is not None and (before is None or before.step.version != served.number):
            self._check_newer(served, until)
        version = self.store.begin(self.view.name, self.view.digest, self.layout.to_bytes())
        reached = before.until if before else None  # what readers still have
        progress = self._progress(version.number, None, until, reached)
        over = progress.step.model_copy(update={"over": served.number if served else None})
        return progress.model_copy(update={"step": over})

    def _check_newer(self, served: Version, until: datetime) -> None:
        newest = Latest(self.stored, None, until).newest()
        mine = Mark(until=until, newest=newest, content=self.content)
        refuse_to_go_back(served, mine, self.store.address)

    def _progress(
        self, version: int, since: datetime | None, until: datetime, reached: datetime | None
    ) -> Progress:
        return Progress(
            view=self.view.name,
            store=self.store.address,
            digest=self.view.digest,
            state="running",
            until=reached,
            rows=0,
            newest=None,
            step=Step(version=version, content=self.content, since=since, until=until),
            started_at=now(),
            finished_at=None,
        )

    def _carry_out(self, progress: Progress) -> Progress:
        latest = Latest(self.stored, progress.step.since, progress.step.until)
        progress = progress.model_copy(update={"newest": latest.newest(), "rows": latest.count()})
        save(self.project, progress)
        version = self._version(progress.step)
        self._write(version, progress, latest)
        if not version.served:
            self._check_still_newer(progress.step)
        step = progress.step
        mark = Mark(until=step.until, newest=progress.newest, content=step.content)
        self.store.mark(version, mark.to_bytes())
        if not version.served:
            self.store.serve(version)
        complete = progress.model_copy(
            update={"state": "complete", "until": progress.step.until, "finished_at": now()}
        )
        save(self.project, complete)
        return complete

    def _check_still_newer(self, step: Step) -> None:
        """Look once more, for to fill a version takes a while."""
        served = self.store.served(self.view.name)
        if served is not None and served.number != step.over:
            self._check_newer(served, step.until)

    def _write(self, version: Version, progress: Progress, latest: Latest) -> None:
        """Write what isn't written yet; the rows are the same in the same order each time."""
        step, total = progress.step, progress.rows
        self.report(self.view.name, step.done, total)
        for chunk in _chunks(latest.frames(), step.done):
            self.store.write(version, packed_rows(chunk, self.layout))
            step = step.model_copy(update={"done": step.done + chunk.height})
            self.report(self.view.name, step.done, total)
            if step.done < total:
                save(self.project, progress.model_copy(update={"step": step}))

    def _version(self, step: Step) -> Version:
        versions = {v.number: v for v in self.store.versions(self.view.name)}
        return versions[step.version]

    def _is_served(self, step: Step) -> bool:
        served = self.store.served(self.view.name)
        return served is not None and served.number == step.version


def _chunks(frames: Iterator[pl.DataFrame], done: int) -> Iterator[pl.DataFrame]:
    """Cut frames into pieces, without the first `done` rows."""
    for frame in frames:
        skipped = min(done, frame.height)
        done -= skipped
        for start in range(skipped, frame.height, CHUNK_ROWS):
            yield frame[start : start + CHUNK_ROWS]
