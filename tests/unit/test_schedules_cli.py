"""`workbench schedule`: what it lists, and what it does to the files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.jobs.notebooks import write_notebook
from workbench import Project
from workbench.cli.context import use_folder
from workbench.cli.schedules import app
from workbench.errors import NotFoundError
from workbench.jobs import list_jobs
from workbench.jobs.schedules.ticks import claim, last_tick


@pytest.fixture
def project(blank_project: Project) -> Iterator[Project]:
    folder = blank_project.root / "schedules"
    folder.mkdir()
    (folder / "daily.toml").write_text(
        'cron = "30 6 * * *"\nzone = "Europe/Berlin"\nnotebook = "nb.ipynb"\n'
        'parameters = { day = "${tick_date}" }\n'
    )
    (folder / "broken.toml").write_text('cron = "never"\n')
    write_notebook(blank_project.root / "nb.ipynb", "print(day)", parameters="day: str")
    use_folder(blank_project.root)
    yield blank_project
    use_folder(None)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def call_json(*arguments: str) -> Any:
    return json.loads(call(*arguments, "--json").stdout)


def test_list_says_next_and_last_and_what_is_unusable(project: Project) -> None:
    at = datetime(2026, 6, 1, 4, 30, tzinfo=UTC)
    claim(project, "daily", at, "somebody", at)
    broken, daily = call_json("list")
    assert "broken.toml: cron: " in broken["problem"]
    upcoming = datetime.fromisoformat(daily["next"])
    assert (upcoming.hour, upcoming.minute) == (6, 30)
    assert (daily["last"]["state"], daily["problem"]) == ("claimed", None)
    shown = call("list")
    assert "30 6 * * * Europe/Berlin" in shown.stdout
    assert "unusable" in shown.stdout


def test_next_gives_so_many_times_in_the_zone(project: Project) -> None:
    times = [datetime.fromisoformat(text) for text in call_json("next", "daily", "--count", "3")]
    assert [(at.hour, at.minute) for at in times] == [(6, 30)] * 3
    assert times[0].utcoffset() in (timedelta(hours=1), timedelta(hours=2))
    assert len(call("next", "daily").stdout.splitlines()) == 5


def test_show_has_the_ticks_with_their_reasons(project: Project) -> None:
    at = datetime(2026, 6, 1, 4, 30, tzinfo=UTC)
    claim(project, "daily", at, "somebody", at)
    assert "Mon 2026-06-01 06:30:00 CEST" in call("show", "daily").stdout
    shown = call_json("show", "daily")
    assert (shown["notebook"], len(shown["ticks"])) == ("nb.ipynb", 1)
    with pytest.raises(NotFoundError, match="did you mean daily"):
        call("show", "dailly")


def test_pause_and_resume_are_in_the_file(project: Project) -> None:
    assert call("pause", "daily").exit_code == 0
    assert call_json("list")[1]["next"] is None
    assert call("resume", "daily").exit_code == 0
    assert call_json("list")[1]["next"] is not None


def test_run_runs_it_now_and_is_no_tick(project: Project) -> None:
    done = call("run", "daily")
    assert done.exit_code == 0, done.output
    [job] = list_jobs(project)
    assert job.id in done.stdout
    assert job.state == "succeeded"
    assert datetime.fromisoformat(str(job.params["day"]))
    assert last_tick(project, "daily") is None
