"""The scheduler: it claims what is due, starts what may start and writes down how it ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Self

from workbench.errors import StoreError, WorkbenchError
from workbench.jobs.holders import alive, holding
from workbench.jobs.schedules import ticks
from workbench.jobs.schedules.files import ScheduleFiles
from workbench.jobs.schedules.policies import horizon, overlapping, sort_out
from workbench.jobs.schedules.spec import Schedule
from workbench.jobs.schedules.starting import Starter
from workbench.jobs.schedules.ticks import Tick
from workbench.project import Project
from workbench.store import now

__all__ = ["Scheduler"]

_LOOK_SECONDS = 5.0
"""The longest sleep: so soon is a changed file seen, a clock that jumped, a scheduler that died."""

_BUSY_SECONDS = 0.5
"""The longest sleep while something runs whose end has to be written down."""

_Schedules = dict[str, Schedule | None]

_JUMP = timedelta(seconds=1)


class Scheduler:
    """Runs a project's schedules; any number of them may, on any machine that has the records.

    It holds its ticks as long as it is entered. `step` does what there is to do at one moment and
    returns; `run` calls it until it is told to stop. One thread at a time.

    Parameters
    ----------
    starter
        What begins the work of a tick; by default jobs and pipelines of the project.
    clock
        Gives the present moment in UTC.
    on_change
        Called with every tick that this scheduler moved.
    on_problem
        Called with a schedule's name (or "" for all) and what keeps it from running, once.
    """

    def __init__(
        self,
        project: Project,
        *,
        starter: Starter | None = None,
        clock: Callable[[], datetime] = now,
        on_change: Callable[[Tick], None] = lambda _: None,
        on_problem: Callable[[str, WorkbenchError], None] = lambda *_: None,
    ) -> None:
        self._project = project
        self._starter = starter or _job_starter(project)
        self._clock = clock
        self._changed = on_change
        self._problem = on_problem
        self._files = ScheduleFiles(project, on_problem)
        self._held = ExitStack()
        self._holder = ""
        self._next: dict[str, tuple[str, datetime | None]] = {}  # schedule → its rule, next tick
        self._launched: set[tuple[str, datetime]] = set()
        self._last_step: datetime | None = None

    def __enter__(self) -> Self:
        self._holder = self._held.enter_context(holding(self._project, "scheduler"))
        return self

    def __exit__(self, *_: object) -> None:
        """End what runs and write that down; what waits is left to others."""
        with self._held:
            self._starter.close()
            for tick in self._mine("started"):
                self._close(tick)

    def run(self, stop: threading.Event) -> None:
        """Step until `stop` is set; records that can't be reached are tried again."""
        told = ""
        while not stop.is_set():
            try:
                self.step(self._clock())
                told = ""
            except StoreError as error:
                if told != str(error):
                    self._problem("", error)
                told = str(error)
            stop.wait(self._pause())

    def step(self, moment: datetime) -> list[Tick]:
        """Do what there is to do at `moment`; return the ticks whose work was started."""
        if self._last_step is not None and moment < self._last_step - _JUMP:
            self._next.clear()  # the clock was wrong, and so is what was worked out from it
        self._last_step = moment
        schedules = self._files.read()
        started = [tick for tick in ticks.open_ticks(self._project) if self._tend(tick, schedules)]
        for schedule in schedules.values():
            if schedule is not None:
                self._claim_due(schedule, moment)
        return started + self._start_waiting(schedules)

    def _pause(self) -> float:
        """Return the seconds until there may be something to do."""
        longest = _BUSY_SECONDS if self._launched else _LOOK_SECONDS
        upcoming = [at for _, at in self._next.values() if at is not None]
        if not upcoming:
            return longest
        return min(longest, max(0.0, (min(upcoming) - self._clock()).total_seconds()))

    def _mine(self, *states: str) -> list[Tick]:
        open_ticks = ticks.open_ticks(self._project)
        return [t for t in open_ticks if t.holder == self._holder and t.state in states]

    # What is open already

    def _tend(self, tick: Tick, schedules: _Schedules) -> bool:
        """Look after an open tick; True if its work was started, for one who died before."""
        if tick.holder != self._holder:
            if alive(self._project, tick.holder):
                return False
            taken = ticks.take_over(self._project, tick, self._holder)
            if taken is None:
                return False
            tick = taken
        if tick.state != "started":
            return False
        schedule = schedules.get(tick.schedule)
        if schedule is None or _key(tick) in self._launched:
            self._close(tick)
            return False
        return self._launch(schedule, tick) and not self._close(tick)

    def _close(self, tick: Tick) -> bool:
        """Write down how a tick's work ended, if it has; say whether it has."""
        outcome = self._starter.outcome(tick)
        if outcome is None:
            return False
        self._moved(ticks.move(self._project, tick, outcome.state, reason=outcome.reason))
        self._launched.discard(_key(tick))
        return True

    def _moved(self, tick: Tick | None) -> None:
        if tick is not None:
            self._changed(tick)

    # What is due

    def _claim_due(self, schedule: Schedule, moment: datetime) -> None:
        upcoming = self._upcoming(schedule, moment)
        if upcoming is None or upcoming > moment:
            return
        since = ticks.last_known(self._project, schedule.name, moment) or moment
        oldest = horizon(schedule.spec, moment)
        first = next(schedule.after(since), None)
        if first is not None and first <= oldest:
            why = f"no scheduler ran then, nor until {oldest:%Y-%m-%d %H:%M} UTC (catch_up_hours)"
            self._give_up(schedule, [first], why)
        due = list(takewhile(lambda at: at <= moment, schedule.after(max(since, oldest))))
        chosen = sort_out(schedule.spec, due, moment)
        self._give_up(schedule, chosen.give_up, chosen.reason)
        for at in chosen.start:
            self._moved(ticks.claim(self._project, schedule.name, at, self._holder, moment))
        self._next[schedule.name] = (schedule.rule, next(schedule.after(moment), None))

    def _upcoming(self, schedule: Schedule, moment: datetime) -> datetime | None:
        """Return when to look for due ticks; the rule's beginning is written down first."""
        rule, upcoming = self._next.get(schedule.name, ("", None))
        if rule == schedule.rule:
            return upcoming
        if ticks.begun(self._project, schedule.name, moment) != schedule.rule:
            ticks.begin(self._project, schedule.name, schedule.rule, moment)
        since = ticks.last_known(self._project, schedule.name, moment) or moment
        upcoming = next(schedule.after(since), None) if schedule.spec.enabled else None
        self._next[schedule.name] = (schedule.rule, upcoming)
        return upcoming

    def _give_up(self, schedule: Schedule, moments: Sequence[datetime], why: str) -> None:
        ticks.record(self._project, schedule.name, moments, "missed", why, self._holder)

    # What may start

    def _start_waiting(self, schedules: _Schedules) -> list[Tick]:
        started = []
        for tick in self._mine("claimed"):
            schedule = schedules.get(tick.schedule)
            if tick.schedule not in schedules:
                self._skip(tick, "the schedule is gone")
            elif schedule is None:
                continue  # its file can't be used as it is; it waits for a better one
            elif not schedule.spec.enabled:
                self._skip(tick, "the schedule was paused")
            elif self._may_start(schedule, tick):
                begun = ticks.move(self._project, tick, "started")
                if begun is not None and self._launch(schedule, begun):
                    started.append(begun)
        return started

    def _may_start(self, schedule: Schedule, tick: Tick) -> bool:
        """Ask the overlap policy, and carry it out."""
        before = [t for t in ticks.open_ticks(self._project, tick.schedule) if t.at < tick.at]
        verdict = overlapping(schedule.spec, tick, before)
        if verdict == "skip":
            why = f"overlap = {schedule.spec.overlap}"
            self._skip(tick, f"the tick of {before[0].at:%Y-%m-%d %H:%M} UTC still ran ({why})")
        elif verdict == "cancel":
            self._cancel(before, tick)
        return verdict == "start"

    def _skip(self, tick: Tick, why: str) -> None:
        self._moved(ticks.move(self._project, tick, "skipped", reason=why))

    def _cancel(self, earlier: Sequence[Tick], for_: Tick) -> None:
        """Ask earlier ticks to end; `for_` starts in a later step, when they have."""
        for tick in earlier:
            if tick.state == "started":
                self._starter.cancel(tick)
            else:
                why = f"the tick of {for_.at:%Y-%m-%d %H:%M} UTC took its place (overlap = cancel)"
                self._moved(ticks.move(self._project, tick, "cancelled", reason=why))

    def _launch(self, schedule: Schedule, tick: Tick) -> bool:
        """Begin a started tick's work, or find it begun; True unless that wasn't possible."""
        try:
            begun = self._starter.start(schedule, tick)
        except StoreError:
            raise  # nothing is known: the next step tries again
        except Exception as error:
            why = (
                str(error)
                if isinstance(error, WorkbenchError)
                else f"{type(error).__name__}: {error}"
            )
            self._moved(ticks.move(self._project, tick, "failed", reason=why))
            return False
        self._launched.add(_key(tick))
        changes = {"jobs": list(begun.jobs), "pipeline_run": begun.pipeline_run}
        self._moved(ticks.note(self._project, tick, **changes))
        return True


def _key(tick: Tick) -> tuple[str, datetime]:
    return tick.schedule, tick.at


def _job_starter(project: Project) -> Starter:
    from workbench.jobs.schedules.work import JobStarter  # and with it all that runs notebooks

    return JobStarter(project)
