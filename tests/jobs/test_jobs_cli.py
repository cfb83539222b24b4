"""Jobs from the command line: many at once, what became of them, and what to do about it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import Finished, call_cli
from tests.jobs.notebooks import write_notebook
from workbench.jobs import list_jobs
from workbench.project import Project

PARAMETERS = """
from typing import Annotated, Literal
from workbench.jobs import Range
month: Annotated[int, Range(1, 12)] = 6  # the month
library: Literal["a", "b"] = "a"
"""


@pytest.fixture
def project(blank_project: Project) -> Project:
    write_notebook(
        blank_project.root / "nb.ipynb",
        "print('month', month, library)",
        "if month == 3:\n    raise ValueError(f'no data for {month}')",
        parameters=PARAMETERS,
    )
    return blank_project


def _workbench(project: Project, *arguments: str) -> Finished:
    return call_cli(*arguments, folder=project.root)


def test_a_grid_its_failures_and_its_resumption(project: Project) -> None:
    done = _workbench(
        project, "run", "nb.ipynb", "--grid", "month=2..3", "--grid", "library=a,b", "--no-track"
    )
    assert done.returncode == 1
    assert "4 jobs: 2 failed, 2 succeeded" in done.stdout
    batch = list_jobs(project)[0].batch
    assert f"workbench jobs resume {batch}" in done.stderr
    groups = json.loads(_workbench(project, "jobs", "failures", str(batch), "--json").stdout)
    assert [(len(g["jobs"]), g["exception"], g["cell"]) for g in groups] == [(2, "ValueError", 3)]
    again = json.loads(_workbench(project, "jobs", "resume", str(batch), "--json").stdout)
    assert [(job["state"], job["attempt"]) for job in again] == [("failed", 2), ("failed", 2)]
    listed = json.loads(_workbench(project, "jobs", "list", "--state", "failed", "--json").stdout)
    assert len(listed) == 2


def test_a_table_is_a_job_a_row_and_a_second_call_comes_from_the_cache(project: Project) -> None:
    rows = project.root / ".workbench" / "rows.parquet"
    rows.parent.mkdir(exist_ok=True)
    pl.DataFrame({"month": [1, 2], "library": ["a", None]}).write_parquet(rows)
    command = ("run", "nb.ipynb", "--params", str(rows), "--no-track", "--json")
    jobs = json.loads(_workbench(project, *command).stdout)
    assert [job["params"] for job in jobs] == [{"month": 1, "library": "a"}, {"month": 2}]
    again = json.loads(_workbench(project, *command).stdout)
    assert [(job["id"], job["cached"]) for job in again] == [(job["id"], True) for job in jobs]
    fresh = json.loads(_workbench(project, *command, "--no-cache").stdout)
    assert not any(job["cached"] for job in fresh)


def test_logs_and_a_page(project: Project) -> None:
    ran = _workbench(project, "run", "nb.ipynb", "-p", "month=3", "--no-track", "--json")
    job = json.loads(ran.stdout)
    log = _workbench(project, "jobs", "logs", job["id"])
    assert "month 3 a\n" in log.stdout
    assert "ValueError: no data for 3" in log.stdout
    page = Path(_workbench(project, "jobs", "html", job["id"], "--dark").stdout.strip())
    assert "no data for 3" in page.read_text(encoding="utf-8")


def test_following_and_cancelling_from_elsewhere(project: Project) -> None:
    write_notebook(project.root / "long.ipynb", "print('began')", "import time; time.sleep(600)")
    run = [sys.executable, "-m", "workbench", "run", "long.ipynb", "--no-track"]
    with subprocess.Popen(run, cwd=project.root, stderr=subprocess.DEVNULL) as runner:
        end = time.monotonic() + 60
        while not list_jobs(project, states=("running",)):
            assert time.monotonic() < end
            time.sleep(0.1)
        [job] = list_jobs(project)
        follow = [sys.executable, "-m", "workbench", "jobs", "logs", "-f", job.id]
        with subprocess.Popen(
            follow, cwd=project.root, stdout=subprocess.PIPE, text=True
        ) as follower:
            assert follower.stdout is not None
            while "began" not in follower.stdout.readline():
                assert follower.poll() is None
            cancelled = _workbench(project, "jobs", "cancel", job.id[:-2])
            assert "cancelled" in cancelled.stdout
            assert follower.wait(30) == 1
        assert runner.wait(30) == 1
    assert [job.state for job in list_jobs(project)] == ["cancelled"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "nb.ipynb", "-p", "month=13"), "month: expected int from 1 up to 12, found '13'"),
        (("run", "nb.ipynb", "--grid", "mnth=1,2"), "unknown parameter 'mnth'; did you mean month"),
        (("run", "nb.ipynb", "--grid", "month=1", "--params", "x.csv"), "give one of them"),
        (("run", "nb.ipynb", "--params", "none.csv"), "none.csv"),
        (("run", "nb.ipynb", "--env", "NOPE"), "expected NAME=VALUE"),
        (("run", "nb.ipynb", "--cluster", "tcp://127.0.0.1:9"), "no Dask scheduler answers"),
        (("jobs", "list", "--state", "fialed"), "unknown state 'fialed': did you mean failed"),
        (("jobs", "resume", "nothing"), "unknown job 'nothing'"),
    ],
)
def test_wrong_use_is_one_line_and_nothing_is_recorded(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.setattr("workbench.jobs.executors.dask._CONNECT_SECONDS", 1)
    done = _workbench(project, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert list_jobs(project) == []
