"""When schedules are due, what their files may say, and what the policies choose."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.jobs.notebooks import write_notebook
from workbench import Project
from workbench.errors import ConfigError, NotFoundError
from workbench.jobs.schedules import (
    Schedule,
    ScheduleSpec,
    Tick,
    list_schedules,
    load_schedule,
    set_enabled,
)
from workbench.jobs.schedules.cron import check_cron, ticks_after
from workbench.jobs.schedules.policies import overlapping, sort_out

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def local(expression: str, zone: ZoneInfo, start: datetime, count: int) -> list[str]:
    """List ticks as a clock on the wall shows them, with the offset where it matters."""
    ticks = islice(ticks_after(expression, zone, start), count)
    return [f"{tick.astimezone(zone):%d %H:%M%z}" for tick in ticks]


# Cron


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("30 2 * * *", ["29 03:00+0200", "30 02:30+0200"]),  # left out: when the clocks go on
        ("0,30 2,3 * * *", ["29 03:00+0200", "29 03:30+0200", "30 02:00+0200"]),  # each once
        ("*/30 * * * *", ["29 00:30+0100", "29 01:00+0100", "29 01:30+0100", "29 03:00+0200"]),
        ("0 6 * * *", ["29 06:00+0200", "30 06:00+0200"]),
    ],
)
def test_in_spring_an_hour_is_left_out(expression: str, expected: list[str]) -> None:
    start = datetime(2026, 3, 29, tzinfo=BERLIN)
    assert local(expression, BERLIN, start, len(expected)) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("30 2 * * *", ["25 02:30+0200", "26 02:30+0100"]),  # comes twice: once
        (
            "*/30 * * * *",
            [
                "25 01:30+0200",
                "25 02:00+0200",
                "25 02:30+0200",
                "25 02:00+0100",
                "25 02:30+0100",
                "25 03:00+0100",
            ],
        ),
        ("0 6 * * *", ["25 06:00+0100", "26 06:00+0100"]),
    ],
)
def test_in_autumn_an_hour_comes_twice(expression: str, expected: list[str]) -> None:
    start = datetime(2026, 10, 25, 1, tzinfo=BERLIN)
    assert local(expression, BERLIN, start, len(expected)) == expected


def test_looking_from_within_the_hour_that_comes_twice_starts_nothing_again() -> None:
    once = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 in Berlin, the first time round
    tomorrow = datetime(2026, 10, 26, 1, 30, tzinfo=UTC)
    for minutes in range(0, 121, 5):
        seen = datetime(2026, 10, 25, tzinfo=UTC) + timedelta(minutes=minutes)
        expected = once if seen < once else tomorrow
        assert next(ticks_after("30 2 * * *", BERLIN, seen)) == expected


def test_leap_days_and_ends_of_months() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    utc = ZoneInfo("UTC")
    leap = [tick.year for tick in islice(ticks_after("0 0 29 2 *", utc, start), 3)]
    assert leap == [2028, 2032, 2036]
    ends = [f"{tick:%m-%d}" for tick in islice(ticks_after("0 0 L * *", utc, start), 4)]
    assert ends == ["01-31", "02-28", "03-31", "04-30"]
    long = [f"{tick:%m-%d}" for tick in islice(ticks_after("0 0 31 * *", utc, start), 3)]
    assert long == ["01-31", "03-31", "05-31"]


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("61 * * * *", "the minute '61' isn't one: 0 to 59"),
        ("0 24 * * *", "the hour '24'"),
        ("0 0 31 2 *", "the day of month '31'"),
        ("0 0 * 13 *", "the month '13'"),
        ("0 0 * * FUNDAY", "the day of week 'FUNDAY'"),
        ("*/0 * * * *", "the minute '\\*/0'"),
        ("* * *", "5 fields, not 3"),
        ("0 0 0 1 1 *", "5 fields, not 6"),
        ("", "5 fields, not 0"),
    ],
)
def test_a_bad_expression_is_told_its_place(expression: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        check_cron(expression)


def part(low: int, high: int) -> st.SearchStrategy[str]:
    """Write one field of an expression within its bounds, in any of its forms."""
    numbers = st.integers(low, high)
    ranges = st.tuples(numbers, numbers).map(lambda ends: f"{min(ends)}-{max(ends)}")
    # A step after a single number goes on to the field's end, also where that is written "5-5/2".
    wide = st.tuples(st.integers(low, high - 1), st.integers(1, high)).map(
        lambda p: f"{p[0]}-{min(p[0] + p[1], high)}"
    )
    steps = st.tuples(st.just("*") | wide, st.integers(1, high)).map(lambda p: f"{p[0]}/{p[1]}")
    lists = st.lists(numbers.map(str) | ranges, min_size=1, max_size=3).map(",".join)
    return st.just("*") | numbers.map(str) | ranges | steps | lists


def members(field: str, low: int, high: int) -> set[int]:
    """Say by the book which numbers a field names."""
    found = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        first, _, last = (f"{low}-{high}" if span == "*" else span).partition("-")
        found |= set(range(int(first), int(last or first) + 1, int(step or 1)))
    return found


@settings(deadline=None, max_examples=150)
@given(
    fields=st.tuples(
        part(0, 59),
        part(0, 23),
        st.just("*") | part(1, 28),
        st.just("*") | part(1, 12),
        st.just("*") | part(0, 6),
    ),
    start=st.datetimes(datetime(2023, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_ticks_are_those_of_a_walk_from_minute_to_minute(
    fields: tuple[str, ...], start: datetime
) -> None:
    bounds = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
    minutes, hours, days, months, weekdays = (
        members(field, *ends) for field, ends in zip(fields, bounds, strict=True)
    )
    both = fields[2].startswith("*") or fields[4].startswith("*")
    end = start + timedelta(days=3)

    def named(at: datetime) -> bool:
        of_days = (at.day in days, at.isoweekday() % 7 in weekdays)
        day = all(of_days) if both else any(of_days)
        return at.minute in minutes and at.hour in hours and at.month in months and day

    at = start.replace(second=0, microsecond=0)
    walked = []
    while (at := at + timedelta(minutes=1)) <= end:
        if named(at):
            walked.append(at)
    ticks = []
    for tick in ticks_after(check_cron(" ".join(fields)), ZoneInfo("UTC"), start):
        if tick > end:
            break
        ticks.append(tick)
    assert ticks == walked


@settings(deadline=None, max_examples=100)
@given(
    fields=st.tuples(part(0, 59), part(0, 23)),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kathmandu"]),
    start=st.datetimes(datetime(2026, 3, 1), datetime(2026, 11, 30), timezones=st.just(UTC)),  # noqa: DTZ001
    seen=st.integers(0, 20),
)
def test_in_any_zone_ticks_increase_and_are_the_same_from_wherever_one_looks(
    fields: tuple[str, str], zone: str, start: datetime, seen: int
) -> None:
    expression = f"{fields[0]} {fields[1]} * * *"
    ticks = list(islice(ticks_after(expression, ZoneInfo(zone), start), 30))
    assert all(before < after for before, after in pairwise([start, *ticks]))
    again = list(islice(ticks_after(expression, ZoneInfo(zone), ticks[seen]), 29 - seen))
    assert again == ticks[seen + 1 :]


# Files


def spec(**keys: Any) -> ScheduleSpec:
    return ScheduleSpec(**{"cron": "*/10 * * * *", "notebook": "nb.ipynb", **keys})


@pytest.fixture
def project(blank_project: Project) -> Project:
    folder = blank_project.root / "schedules"
    folder.mkdir()
    (folder / "daily.toml").write_text('cron = "0 6 * * 1-5"\nnotebook = "nb.ipynb"\n')
    write_notebook(blank_project.root / "nb.ipynb", parameters="day: str = ''\nn: int = 1")
    return blank_project


def written(project: Project, text: str) -> Project:
    (project.root / "schedules" / "daily.toml").write_text(text)
    return project


def test_a_schedule_is_its_file(project: Project) -> None:
    written(
        project,
        'cron = "0  6 * * 1-5"\nzone = "Europe/Berlin"\nnotebook = "nb.ipynb"\n'
        'parameters = { day = "${tick_date}", n = 3 }\nlimits = { wall_seconds = 60 }\n',
    )
    schedule = load_schedule(project, "daily")
    assert list_schedules(project) == ["daily"]
    assert (schedule.spec.cron, schedule.target) == ("0 6 * * 1-5", "nb.ipynb")
    friday = datetime(2026, 10, 23, 12, tzinfo=UTC)
    monday = next(schedule.after(friday))
    assert monday == datetime(2026, 10, 26, 5, tzinfo=UTC)
    assert schedule.parameters_at(monday) == {"day": "2026-10-26", "n": 3}


def test_the_tick_goes_into_texts_wherever_they_are() -> None:
    schedule = Schedule(
        "s",
        spec(
            zone="Asia/Tokyo",
            parameters={"a": "${tick}", "b": ["x-${tick_date}", 2], "c": {"d": "$5 {tick}"}},
        ),
    )
    at = datetime(2026, 6, 1, 21, tzinfo=UTC)
    assert schedule.parameters_at(at) == {
        "a": "2026-06-02T06:00:00+09:00",
        "b": ["x-2026-06-02", 2],
        "c": {"d": "$5 {tick}"},
    }
    assert date.fromisoformat(schedule.parameters_at(at)["b"][0][2:])


GOOD = 'cron = "0 6 * * *"\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('cron = "0 6 * * 8"\nnotebook = "nb.ipynb"', r"daily.toml: cron: .*day of week '8'"),
        (GOOD + 'notebook = "nb.ipynb"\nzone = "europe/berlin"', "did you mean Europe/Berlin"),
        (GOOD + 'notebook = "nb.ipynb"\nzone = "Europe/Berln"', "did you mean Europe/Berlin"),
        (GOOD, "pipeline: .*exactly one of notebook and pipeline"),
        (GOOD + 'notebook = "nb.ipynb"\npipeline = "p"', "exactly one"),
        (GOOD + 'pipeline = "p"\nlimits = { threads = 1 }', "limits: .*pipeline's own file"),
        (GOOD + 'notebok = "nb.ipynb"', "unknown key; did you mean notebook"),
        (GOOD + 'notebook = "nb.ipynb"\nmissed = "twice"', "missed: .*'skip', 'once' or 'all'"),
        (GOOD + 'notebook = "nb.ipynb"\noverlap = 1', "overlap: "),
        (GOOD + 'notebook = "nb.ipynb"\nparameters = {n = "${tock}"}', "did you mean tick"),
        (GOOD + 'notebook = "gone.ipynb"', "daily.toml: .*gone.ipynb: no such notebook"),
        (GOOD + 'notebook = "../nb.ipynb"', "daily.toml: .*outside the project"),
        (GOOD + 'notebook = "nb.ipynb"\nparameters = {m = 1}', "daily.toml: .*'m'"),
        (GOOD + 'notebook = "nb.ipynb"\nparameters = {n = "${tick}"}', "daily.toml: .*n"),
        (GOOD + 'pipeline = "gone"', "daily.toml: unknown pipeline 'gone'"),
        ("cron = ", "not valid TOML"),
    ],
)
def test_what_a_file_may_not_say(project: Project, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        load_schedule(written(project, text), "daily")


def test_an_unknown_schedule_is_told_what_exists(project: Project) -> None:
    with pytest.raises(NotFoundError, match="did you mean daily"):
        load_schedule(project, "dayly")


def test_pausing_changes_one_line_of_the_file(project: Project) -> None:
    path: Path = project.root / "schedules" / "daily.toml"
    text = '# every day\ncron = "0 6 * * *"  # early\nnotebook = "nb.ipynb"\n[parameters]\nn = 1\n'
    written(project, text)
    set_enabled(project, "daily", enabled=True)
    assert path.read_text() == text
    set_enabled(project, "daily", enabled=False)
    assert path.read_text() == f"enabled = false\n{text}"
    assert load_schedule(project, "daily").rule == "paused"
    set_enabled(project, "daily", enabled=True)
    assert path.read_text() == f"enabled = true\n{text}"


# Policies


def minutes_ago(*minutes: float) -> list[datetime]:
    return [NOON - timedelta(minutes=m) for m in minutes]


@pytest.mark.parametrize(
    ("keys", "due", "start"),
    [
        ({"missed": "skip"}, [30, 20, 10], []),
        ({"missed": "skip"}, [20, 10, 0.5], [0.5]),
        ({"missed": "once"}, [30, 20, 10], [10]),
        ({"missed": "once"}, [20, 10, 0], [0]),
        ({"missed": "once"}, [0.5, 0], [0.5, 0]),
        ({"missed": "once"}, [], []),
        ({"missed": "all"}, [30, 20, 10], [30, 20, 10]),
        ({"missed": "all", "missed_limit": 2}, [30, 20, 10, 0], [10, 0]),
        ({"missed": "all", "missed_limit": 1}, [10, 0.5, 0], [0.5, 0]),
    ],
)
def test_the_missed_policy(keys: dict[str, Any], due: list[float], start: list[float]) -> None:
    chosen = sort_out(spec(**keys), minutes_ago(*due), NOON)
    assert chosen.start == minutes_ago(*start)
    assert chosen.give_up == minutes_ago(*due[: len(due) - len(start)])


def tick(minutes: float, state: str = "claimed", late: float = 0) -> Tick:
    at = NOON - timedelta(minutes=minutes)
    return Tick(schedule="s", at=at, state=state, claimed_at=at + timedelta(minutes=late))  # type: ignore[arg-type]


@pytest.mark.parametrize("overlap", ["skip", "queue", "cancel", "allow"])
def test_the_overlap_policy(overlap: str) -> None:
    does = {"skip": "skip", "queue": "wait", "cancel": "cancel", "allow": "start"}[overlap]
    assert overlapping(spec(overlap=overlap), tick(0), []) == "start"
    assert overlapping(spec(overlap=overlap), tick(0), [tick(10, "started")]) == does
    caught_up = overlapping(spec(overlap=overlap), tick(5, late=5), [tick(10, "started")])
    assert caught_up == ("start" if overlap == "allow" else "wait")


def test_a_queue_has_an_end() -> None:
    queue = spec(overlap="queue", missed_limit=2)
    before = [tick(30, "started"), tick(20)]
    assert overlapping(queue, tick(0), before) == "wait"
    assert overlapping(queue, tick(0), [*before, tick(10)]) == "skip"
