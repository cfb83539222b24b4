"""What the scheduler does at each moment, on real records; only the work is pretended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import Project
from workbench.errors import ParameterError, WorkbenchError
from workbench.jobs.schedules import Outcome, Schedule, Scheduler, Started, Tick, list_ticks
from workbench.project import SETTINGS_FILE

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def noon(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


class Work:
    """Pretends to work; its notes are shared by schedulers, as the records of jobs are."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.open: set[str] = set()
        self.ended: dict[str, Outcome] = {}
        self.fails: WorkbenchError | None = None

    def start(self, schedule: Schedule, tick: Tick) -> Started:
        if self.fails:
            raise self.fails
        if tick.batch not in self.begun:
            self.begun.append(tick.batch)
            self.open.add(tick.batch)
        return Started(jobs=(f"job of {tick.batch}",))

    def outcome(self, tick: Tick) -> Outcome | None:
        if tick.batch in self.open:
            return None
        return self.ended.get(tick.batch, Outcome("failed", "nothing was begun"))

    def cancel(self, tick: Tick) -> None:
        self.end(tick.batch, Outcome("cancelled"))

    def close(self) -> None:
        for batch in sorted(self.open):
            self.end(batch, Outcome("cancelled", "stopped"))

    def end(self, batch: str, outcome: Outcome = Outcome("succeeded")) -> None:  # noqa: B008 - frozen
        if batch in self.open:
            self.open.discard(batch)
            self.ended[batch] = outcome

    def end_all(self) -> None:
        for batch in sorted(self.open):
            self.end(batch)

    @property
    def minutes(self) -> list[float]:
        """When the ticks were due whose work began, in minutes from noon, in order."""
        times = [datetime.fromisoformat(batch.rpartition("/")[2]) for batch in self.begun]
        return [(at - NOON).total_seconds() / 60 for at in times]


class Here:
    """A project with one schedule, its pretended work and any number of schedulers."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        (root / SETTINGS_FILE).write_text('name = "here"\n')
        (root / "schedules").mkdir(exist_ok=True)
        self.project = Project.find(root)
        self.work = Work()
        self.now = NOON
        self.problems: list[tuple[str, str]] = []
        self.open = ExitStack()

    def write(self, text: str = "", cron: str = "*/10 * * * *", name: str = "s") -> None:
        path = self.project.root / "schedules" / f"{name}.toml"
        path.write_text(f'cron = "{cron}"\nnotebook = "nb.ipynb"\n{text}\n')

    def scheduler(self) -> Scheduler:
        complain = lambda name, error: self.problems.append((name, str(error)))  # noqa: E731
        return self.open.enter_context(
            Scheduler(self.project, starter=self.work, clock=lambda: self.now, on_problem=complain)
        )

    def states(self, name: str = "s") -> dict[float, str]:
        """Say by minutes from noon how each tick stands."""
        ticks = list_ticks(self.project, name)
        return {(t.at - NOON).total_seconds() / 60: t.state for t in reversed(ticks)}

    def reason(self, minutes: float) -> str:
        return next(t.reason for t in list_ticks(self.project, "s") if t.at == noon(minutes))


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    made = Here(tmp_path / "here")
    made.write()
    with made.open:
        yield made


def died(scheduler: Scheduler) -> None:
    """End a scheduler as a kill does: its hold is gone, its rows stay."""
    scheduler._held.close()


def test_ticks_from_the_first_sight_on_are_started_once(here: Here) -> None:
    scheduler = here.scheduler()
    assert scheduler.step(noon(1)) == []
    assert scheduler.step(noon(9.99)) == []
    [tick] = scheduler.step(noon(10))
    assert (tick.schedule, tick.at, tick.state) == ("s", noon(10), "started")
    assert scheduler.step(noon(10.1)) == []
    here.work.end_all()
    scheduler.step(noon(11))
    assert here.states() == {10: "succeeded"}
    [closed] = list_ticks(here.project, "s")
    assert closed.jobs == [f"job of {tick.batch}"]
    assert closed.finished_at is not None
    assert not closed.is_open


def test_how_the_work_ended_is_what_the_tick_says(here: Here) -> None:
    scheduler = here.scheduler()
    scheduler.step(noon(1))
    for minutes, outcome in ((10, Outcome("failed", "cell 3")), (20, Outcome("cancelled"))):
        [tick] = scheduler.step(noon(minutes))
        here.work.end(tick.batch, outcome)
        scheduler.step(noon(minutes + 1))
    assert here.states() == {10: "failed", 20: "cancelled"}
    assert here.reason(10) == "cell 3"


def test_work_that_cannot_begin_is_a_tick_that_failed(here: Here) -> None:
    scheduler = here.scheduler()
    scheduler.step(noon(1))
    here.work.fails = ParameterError("nb.ipynb: unknown parameter 'm'")
    assert scheduler.step(noon(10)) == []
    assert here.states() == {10: "failed"}
    assert here.reason(10) == "nb.ipynb: unknown parameter 'm'"
    here.work.fails = None
    assert [tick.at for tick in scheduler.step(noon(20))] == [noon(20)]


@pytest.mark.parametrize(
    ("missed", "started", "states"),
    [
        ("skip", [], {10: "missed", 20: "missed", 30: "missed"}),
        ("once", [30], {10: "missed", 20: "missed", 30: "succeeded"}),
        ("all", [10, 20, 30], {10: "succeeded", 20: "succeeded", 30: "succeeded"}),
    ],
)
def test_after_a_pause_or_a_clock_that_jumped_on(
    here: Here, missed: str, started: list[float], states: dict[float, str]
) -> None:
    here.write(f'missed = "{missed}"')
    first = here.scheduler()
    first.step(noon(1))
    for scheduler in (here.scheduler(), first):  # a new one, and one whose clock jumped
        for second in range(5):
            scheduler.step(noon(35) + timedelta(seconds=second))
            here.work.end_all()
    assert here.work.minutes == started
    assert here.states() == states


def test_catching_up_runs_one_after_the_other(here: Here) -> None:
    here.write('missed = "all"')
    scheduler = here.scheduler()
    scheduler.step(noon(1))
    scheduler.step(noon(35))
    assert here.states() == {10: "started", 20: "claimed", 30: "claimed"}


def test_what_is_too_old_is_one_row_however_long_the_pause(here: Here) -> None:
    here.write('missed = "all"\ncatch_up_hours = 1', cron="* * * * *")
    scheduler = here.scheduler()
    scheduler.step(noon(0.5))
    scheduler.step(noon(60 * 24 * 30))
    states = list(here.states().items())
    assert states[0] == (1, "missed")
    assert "catch_up_hours" in here.reason(1)
    assert len(states) == 61
    assert states[1][0] == 60 * 24 * 30 - 59


def test_a_clock_that_jumps_back_starts_nothing_again(here: Here) -> None:
    scheduler = here.scheduler()
    for minutes in (1, 10, 20, 5, 10, 15, 20, 30, 12, 40):
        scheduler.step(noon(minutes))
        here.work.end_all()
    other = here.scheduler()
    other.step(noon(10))
    other.step(noon(40))
    assert here.work.minutes == [10, 20, 30, 40]


def test_a_clock_that_was_far_ahead_leaves_the_schedule_alive(here: Here) -> None:
    scheduler = here.scheduler()
    scheduler.step(noon(1))
    scheduler.step(noon(60 * 24 * 365))
    here.work.end_all()
    scheduler.step(noon(9))
    assert [tick.at for tick in scheduler.step(noon(20))] == [noon(20)]


@pytest.mark.parametrize(
    ("overlap", "at_20", "after_the_end"),
    [
        ("skip", {10: "started", 20: "skipped"}, {10: "succeeded", 20: "skipped"}),
        ("queue", {10: "started", 20: "claimed"}, {10: "succeeded", 20: "started"}),
        ("cancel", {10: "started", 20: "claimed"}, {10: "cancelled", 20: "started"}),
        ("allow", {10: "started", 20: "started"}, {10: "succeeded", 20: "started"}),
    ],
)
def test_a_tick_while_the_former_runs(
    here: Here, overlap: str, at_20: dict[float, str], after_the_end: dict[float, str]
) -> None:
    here.write(f'overlap = "{overlap}"')
    scheduler = here.scheduler()
    scheduler.step(noon(1))
    [first] = scheduler.step(noon(10))
    scheduler.step(noon(20))
    assert here.states() == at_20
    here.work.end(first.batch)  # no news where it was cancelled
    scheduler.step(noon(20.1))
    assert here.states() == after_the_end


def test_of_those_that_wait_to_take_the_place_the_newest_does(here: Here) -> None:
    here.write('overlap = "cancel"')
    scheduler = here.scheduler()
    here.work.cancel = lambda tick: None  # type: ignore[method-assign] - it takes its time
    scheduler.step(noon(1))
    [first] = scheduler.step(noon(10))
    scheduler.step(noon(20))
    scheduler.step(noon(30))
    assert here.states() == {10: "started", 20: "cancelled", 30: "claimed"}
    here.work.end(first.batch)
    assert [tick.at for tick in scheduler.step(noon(31))] == [noon(30)]


def test_two_schedulers_share_the_ticks(here: Here) -> None:
    one, two = here.scheduler(), here.scheduler()
    for minutes in range(60):
        for scheduler in (one, two) if minutes % 20 else (two, one):
            scheduler.step(noon(minutes))
            scheduler.step(noon(minutes))
        here.work.end_all()
    assert here.work.minutes == [10, 20, 30, 40, 50]


def test_a_tick_that_was_claimed_by_one_who_died_is_started_by_another(here: Here) -> None:
    here.write('overlap = "queue"\nmissed = "skip"')
    one, two = here.scheduler(), here.scheduler()
    one.step(noon(1))
    [first] = one.step(noon(10))
    one.step(noon(20))
    two.step(noon(21))
    assert here.states() == {10: "started", 20: "claimed"}  # it lives: they are its own
    died(one)
    here.work.end(first.batch)
    assert [tick.at for tick in two.step(noon(22))] == [noon(20)]
    assert here.states() == {10: "succeeded", 20: "started"}
    assert here.work.minutes == [10, 20]


def test_a_tick_whose_work_goes_on_or_ended_after_a_death_is_not_started_again(here: Here) -> None:
    one, two, three = here.scheduler(), here.scheduler(), here.scheduler()
    one.step(noon(1))
    [tick] = one.step(noon(10))
    died(one)
    two.step(noon(11))
    assert here.states() == {10: "started"}
    died(two)
    here.work.end(tick.batch, Outcome("failed", "its job was lost"))
    three.step(noon(12))
    three.step(noon(12.1))
    assert here.states() == {10: "failed"}
    assert here.work.minutes == [10]


def test_one_who_was_taken_for_dead_starts_nothing_that_is_another_s(here: Here) -> None:
    here.write('overlap = "queue"')
    one, two = here.scheduler(), here.scheduler()
    one.step(noon(1))
    [first] = one.step(noon(10))
    one.step(noon(20))
    died(one)
    two.step(noon(20.1))
    here.work.end(first.batch)
    one.step(noon(20.2))  # it wakes up
    assert here.work.minutes == [10]
    two.step(noon(20.3))
    assert here.work.minutes == [10, 20]


def test_a_new_rule_counts_from_when_it_is_seen(here: Here) -> None:
    scheduler = here.scheduler()
    scheduler.step(noon(1))
    here.write(cron="* * * * *")
    assert scheduler.step(noon(5.5)) == []
    assert [tick.at for tick in scheduler.step(noon(6))] == [noon(6)]
    here.work.end_all()
    here.write('missed = "all"\n# the rule stays', cron="* * * * *")
    scheduler.step(noon(8))
    assert here.work.minutes == [6, 7]


def test_a_pause_is_nothing_to_catch_up_with(here: Here) -> None:
    scheduler = here.scheduler()
    scheduler.step(noon(1))
    here.write("enabled = false")
    scheduler.step(noon(2))
    scheduler.step(noon(25))
    here.write()
    other = here.scheduler()
    other.step(noon(25))
    assert [tick.at for tick in other.step(noon(30))] == [noon(30)]
    assert here.states() == {30: "started"}


def test_who_waits_while_its_schedule_is_paused_or_removed_is_skipped(here: Here) -> None:
    here.write('overlap = "queue"')
    here.write('overlap = "queue"', name="t")
    scheduler = here.scheduler()
    for minutes in (1, 10, 20):
        scheduler.step(noon(minutes))
    here.write('overlap = "queue"\nenabled = false')
    (here.project.root / "schedules" / "t.toml").unlink()
    here.work.end_all()
    scheduler.step(noon(21))
    assert here.states("s") == here.states("t") == {10: "succeeded", 20: "skipped"}


def test_a_file_that_cannot_be_used_is_told_once_and_harms_no_other(here: Here) -> None:
    here.write(name="t")
    scheduler = here.scheduler()
    scheduler.step(noon(1))
    here.problems.clear()  # that there is no such notebook
    here.write("broken")
    for minutes in (2, 3, 10):
        scheduler.step(noon(minutes))
    assert [name for name, _ in here.problems] == ["s"]
    assert here.states("t") == {10: "started"}
    here.write("# mended")
    scheduler.step(noon(11))
    assert here.states("s") == {10: "started"}  # the same rule: by its missed policy


def test_leaving_ends_what_runs_and_leaves_what_waits_to_others(here: Here) -> None:
    here.write('overlap = "queue"')
    scheduler = here.scheduler()
    for minutes in (1, 10, 20):
        scheduler.step(noon(minutes))
    here.open.close()
    assert here.states() == {10: "cancelled", 20: "claimed"}
    here.scheduler().step(noon(25))
    assert here.states() == {10: "cancelled", 20: "started"}


LIFE = st.lists(
    st.tuples(st.sampled_from(["step", "step", "end", "die", "back"]), st.integers(0, 2)),
    min_size=5,
    max_size=15,
)


@settings(deadline=None, max_examples=12)
@given(life=LIFE, overlap=st.sampled_from(["skip", "queue", "cancel", "allow"]))
def test_whatever_happens_every_tick_is_dealt_with_once(
    tmp_path_factory: pytest.TempPathFactory, life: list[tuple[str, int]], overlap: str
) -> None:
    here = Here(tmp_path_factory.mktemp("life"))
    here.write(f'overlap = "{overlap}"\nmissed = "all"')
    with here.open:
        latest = live(here, life)
        states = here.states()
    due = [10.0 * tick for tick in range(1, int(latest // 10) + 1)]
    seen = [at for at in states if at > 1]  # a clock may have gone back to before the first sight
    assert seen == due, "each has a row, and none has two"
    assert len(here.work.begun) == len(set(here.work.begun))
    assert {at for at, state in states.items() if state == "succeeded"} <= set(here.work.minutes)
    assert not {"claimed", "started"} & set(states.values())


def live(here: Here, life: list[tuple[str, int]]) -> float:
    """Let three schedulers live so, then what is left come to its end; return the last minute."""
    schedulers = [here.scheduler() for _ in range(3)]
    minutes = latest = 1.0
    schedulers[0].step(noon(minutes))
    for what, who in life:
        if what == "step":
            minutes += 7
            latest = max(latest, minutes)
            schedulers[who].step(noon(minutes))
        elif what == "end":
            here.work.end_all()
        elif what == "die":
            died(schedulers[who])
            schedulers[who] = here.scheduler()
        else:
            minutes -= 15
    for scheduler in schedulers[1:]:
        died(scheduler)
    for _ in range(len(here.states()) + 1):  # at the worst they run one after the other
        here.work.end_all()
        schedulers[0].step(noon(latest))
    return latest
