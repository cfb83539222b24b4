"""Schedulers as processes: several at once, killed at any moment, on SQLite and PostgreSQL."""

from __future__ import annotations

import logging
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from tests.jobs.notebooks import write_notebook
from tests.servers import postgresql
from workbench import Project
from workbench.jobs import get_job, list_jobs
from workbench.jobs.schedules import Scheduler, Tick, list_ticks
from workbench.project import SETTINGS_FILE
from workbench.server.schedules import ServedSchedules

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTES = 30

# Goes through the same half-hour as its rivals, as fast as it can. Its work is one line in a
# file; "hang" is to be at it for ever.
RIVAL = """
    import sys, time
    from datetime import datetime, timedelta
    from pathlib import Path
    from workbench import Project
    from workbench.jobs.schedules import Outcome, Scheduler, Started

    lines, hang = Path(sys.argv[2]), sys.argv[3] == "hang"
    noon, minutes = datetime.fromisoformat(sys.argv[4]), int(sys.argv[5])

    class Lines:
        def start(self, schedule, tick):
            if hang:
                print("hangs", flush=True)
                time.sleep(600)
            done = lines.read_text().splitlines() if lines.exists() else []
            if tick.batch not in done:
                with lines.open("a") as file:
                    file.write(tick.batch + "\\n")
            return Started(jobs=(tick.batch,))

        def outcome(self, tick):
            return Outcome("succeeded")

        def cancel(self, tick): ...
        def close(self): ...

    with Scheduler(Project.find(sys.argv[1]), starter=Lines()) as scheduler:
        print("ready", flush=True)
        sys.stdin.readline()
        for half in range(2 * minutes + 4):
            scheduler.step(noon + timedelta(seconds=30 * half + 1))
"""


@contextmanager
def python(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run `code` in a process of its own, killed at the end."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


def project_at(root: Path, schedule: str, database_url: str = "") -> Project:
    (root / "schedules").mkdir(parents=True)
    (root / SETTINGS_FILE).write_text(f'name = "here"\ndatabase_url = "{database_url}"\n')
    (root / "schedules" / "often.toml").write_text(schedule)
    return Project.find(root)


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.1)


OFTEN = 'cron = "* * * * *"\nnotebook = "nb.ipynb"\nmissed = "all"\noverlap = "allow"\n'


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Project]:
    """A project whose records are where the parameter says."""
    if request.param == "sqlite":
        yield project_at(tmp_path / "project", OFTEN)
        return
    with postgresql(tmp_path) as address:
        yield project_at(tmp_path / "project", OFTEN, address)


def test_several_schedulers_some_of_them_killed_start_every_tick_once(
    shared: Project, tmp_path: Path
) -> None:
    lines = tmp_path / "lines"
    chance = random.Random(7)
    arguments = (shared.root, lines, "work", NOON, MINUTES)
    with (
        python(RIVAL, *arguments) as one,
        python(RIVAL, *arguments) as two,
        python(RIVAL, *arguments) as three,
        python(RIVAL, *arguments) as last,  # for what the last one to be killed left behind
    ):
        assert [said(rival) for rival in (one, two, three, last)] == ["ready"] * 4
        go(one, two, three)
        for victim in (one, two):
            time.sleep(chance.uniform(0.05, 0.4))
            victim.kill()
        assert three.wait(60) == 0
        go(last)
        assert last.wait(60) == 0
    begun = Counter(lines.read_text().splitlines())
    assert set(begun.values()) == {1}
    ticks = list_ticks(shared, "often")
    assert [t.at for t in reversed(ticks)] == [
        NOON + timedelta(minutes=minute) for minute in range(1, MINUTES + 2)
    ]
    assert {t.state for t in ticks} == {"succeeded"}
    assert set(begun) == {t.batch for t in ticks}


def test_who_is_killed_before_its_work_began_has_it_begun_by_another(tmp_path: Path) -> None:
    project = project_at(tmp_path / "project", OFTEN)
    lines = tmp_path / "lines"
    with python(RIVAL, project.root, lines, "hang", NOON, MINUTES) as victim:
        assert said(victim) == "ready"
        go(victim)
        assert said(victim) == "hangs"
        [tick] = list_ticks(project, "often")
        assert (tick.state, tick.jobs) == ("started", [])
        victim.kill()
        victim.wait()
    with python(RIVAL, project.root, lines, "work", NOON, MINUTES) as heir:
        assert said(heir) == "ready"
        go(heir)
        assert heir.wait(60) == 0
    assert Counter(lines.read_text().splitlines())[tick.batch] == 1
    assert {t.state for t in list_ticks(project, "often")} == {"succeeded"}


# With real jobs

NOTEBOOK = """
    cron = "*/10 * * * *"
    zone = "Europe/Berlin"
    notebook = "nb.ipynb"
    parameters = { day = "${tick_date}", at = "${tick}" }
"""


def the_tick(project: Project) -> Tick:
    [tick] = list_ticks(project, "often")
    return tick


def end_of_the_tick(scheduler: Scheduler, project: Project) -> Tick:
    def ended() -> bool:
        scheduler.step(NOON + timedelta(minutes=11))
        return not the_tick(project).is_open

    until(ended)
    return the_tick(project)


def test_a_tick_is_a_job_with_its_time(blank_project: Project) -> None:
    project = with_schedule(blank_project, NOTEBOOK)
    write_notebook(project.root / "nb.ipynb", "print(day)", parameters="day: str\nat: str = ''")
    with Scheduler(project) as scheduler:
        scheduler.step(NOON)
        scheduler.step(NOON + timedelta(minutes=10))
        tick = end_of_the_tick(scheduler, project)
    [job] = list_jobs(project, batch=tick.batch)
    assert (tick.state, tick.jobs, job.state) == ("succeeded", [job.id], "succeeded")
    assert job.params == {"day": "2026-06-01", "at": "2026-06-01T14:10:00+02:00"}
    assert job.label == "often 2026-06-01 14:10"


REAL = """
    import sys
    from datetime import datetime, timedelta
    from workbench import Project
    from workbench.jobs.schedules import Scheduler

    noon = datetime.fromisoformat(sys.argv[2])
    with Scheduler(Project.find(sys.argv[1])) as scheduler:
        scheduler.step(noon)
        [tick] = scheduler.step(noon + timedelta(minutes=10))
        print("started", flush=True)
        sys.stdin.readline()
"""


def test_who_is_killed_while_its_job_runs_leaves_a_tick_that_failed(
    blank_project: Project,
) -> None:
    project = with_schedule(blank_project, 'cron = "*/10 * * * *"\nnotebook = "nb.ipynb"')
    write_notebook(project.root / "nb.ipynb", "import time; time.sleep(600)")
    with python(REAL, project.root, NOON) as victim:
        assert said(victim) == "started"
        [job_id] = the_tick(project).jobs
        until(lambda: get_job(project, job_id).state == "running")
        victim.kill()
    with Scheduler(project) as heir:
        tick = end_of_the_tick(heir, project)
    assert (tick.state, tick.jobs) == ("failed", [job_id])
    assert job_id in tick.reason
    assert get_job(project, job_id).state in ("lost", "failed")


def test_leaving_cancels_the_job_that_runs(blank_project: Project) -> None:
    project = with_schedule(blank_project, 'cron = "*/10 * * * *"\nnotebook = "nb.ipynb"')
    write_notebook(project.root / "nb.ipynb", "import time; time.sleep(600)")
    with Scheduler(project) as scheduler:
        scheduler.step(NOON)
        scheduler.step(NOON + timedelta(minutes=10))
        [job_id] = the_tick(project).jobs
        until(lambda: get_job(project, job_id).state == "running")
    assert the_tick(project).state == "cancelled"
    assert get_job(project, job_id).state == "cancelled"


PIPELINE = """
[pipeline]
description = "one step"

[parameters]
day = ""

[steps.only]
notebook = "nb.ipynb"
parameters = { day = "${day}" }
"""


def test_a_tick_is_a_run_of_a_pipeline(blank_project: Project) -> None:
    project = with_schedule(
        blank_project, 'cron = "*/10 * * * *"\npipeline = "p"\nparameters = {day = "${tick_date}"}'
    )
    write_notebook(project.root / "nb.ipynb", "print(day)", parameters="day: str = ''")
    (project.root / "pipelines").mkdir(exist_ok=True)
    (project.root / "pipelines" / "p.toml").write_text(PIPELINE)
    with Scheduler(project) as scheduler:
        scheduler.step(NOON)
        scheduler.step(NOON + timedelta(minutes=10))
        tick = end_of_the_tick(scheduler, project)
    [job] = list_jobs(project, batch=tick.batch)
    assert (tick.state, tick.pipeline_run, tick.reason) == ("succeeded", tick.batch, "")
    assert job.params == {"day": "2026-06-01"}


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_process_ends_when_asked_politely(tmp_path: Path, ending: signal.Signals) -> None:
    project = project_at(tmp_path / "project", OFTEN)
    code = "from workbench.cli.schedules import scheduler; scheduler()"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=project.root, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            assert process.stderr.readline().startswith("runs the schedules of")
            process.send_signal(ending)
            assert process.wait(60) == 0
            assert "ends what runs" in process.stderr.read()
        finally:
            process.kill()


# Inside the Jupyter server


@pytest.mark.parametrize("wanted", [True, False])
def test_the_server_runs_schedules_if_the_project_says_so(tmp_path: Path, *, wanted: bool) -> None:
    project = project_at(tmp_path / "project", OFTEN)
    text = f'name = "here"\nserve_schedules = {str(wanted).lower()}\n'
    (project.root / SETTINGS_FILE).write_text(text)
    served = ServedSchedules(project.root, logging.getLogger("test"))
    served.start()
    holders = project.state / "holders"
    if wanted:
        until(lambda: any(holders.glob("scheduler-*")))
        assert served._thread.is_alive()
    else:
        served._thread.join(60)
    served.stop()
    served.stop()
    assert not served._thread.is_alive()
    assert not list(holders.glob("scheduler-*"))
    assert psutil.Process().children() == []


def test_a_server_outside_of_any_project_runs_none(tmp_path: Path) -> None:
    served = ServedSchedules(tmp_path, logging.getLogger("test"))
    served.start()
    served._thread.join(60)
    served.stop()
    assert not served._thread.is_alive()


def with_schedule(project: Project, text: str) -> Project:
    (project.root / "schedules").mkdir(exist_ok=True)
    (project.root / "schedules" / "often.toml").write_text(textwrap.dedent(text))
    return project
