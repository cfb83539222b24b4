"""Pipelines that really run: what goes on, what is skipped, what a kill leaves behind."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable

import polars as pl
import pytest

from tests.jobs.notebooks import write_notebook
from workbench.jobs import get_job, list_jobs
from workbench.jobs.outputs import job_outputs
from workbench.jobs.pipelines import (
    PipelineRun,
    StepRecord,
    get_pipeline_run,
    list_pipeline_runs,
    run_pipeline,
)
from workbench.lineage import upstream
from workbench.project import Project

GIVES = "import workbench\nworkbench.output('{}', {})"

DIAMOND = """
[steps.prepare]
notebook = "prepare.ipynb"
parameters = {rows = "${rows}"}
[steps.left]
notebook = "left.ipynb"
inputs = {frame = "prepare.frame"}
[steps.right]
notebook = "right.ipynb"
inputs = {times = "prepare.times"}
[steps.join]
notebook = "join.ipynb"
inputs = {left = "left.rows", right = "right.value", file = "right.value"}
"""


def write_pipeline(project: Project, steps: str, parameters: str = "", name: str = "p") -> None:
    path = project.root / "pipelines" / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'[pipeline]\ndescription = "A test"\n[parameters]\n{parameters}\n{steps}')


@pytest.fixture
def diamond(blank_project: Project) -> Project:
    root = blank_project.root
    write_notebook(
        root / "prepare.ipynb",
        "import polars as pl\nimport workbench as wb",
        "wb.output('frame', pl.DataFrame({'a': range(rows)}))",
        "wb.output('times', 2)",
        parameters="rows: int = 1",
    )
    write_notebook(
        root / "left.ipynb",
        "import polars as pl\n" + GIVES.format("rows", "pl.read_parquet(frame).height"),
        parameters="frame: str",
    )
    write_notebook(
        root / "right.ipynb", GIVES.format("value", "{'times': times}"), parameters="times: int"
    )
    write_notebook(
        root / "join.ipynb",
        "import json",
        GIVES.format("said", "[left, right, json.loads(file.read_text())]"),
        parameters="from pathlib import Path\nleft: int\nright: dict\nfile: Path",
    )
    write_pipeline(blank_project, DIAMOND, "rows = 3")
    return blank_project


def states(run: PipelineRun) -> list[str]:
    return list(run.states.values())


def test_a_diamond_runs_and_then_only_what_changed(diamond: Project) -> None:
    told: list[tuple[str, str]] = []
    run = run_pipeline(diamond, "p", on_step=lambda name, step: told.append((name, step.state)))
    assert (run.state, run.error, run.params) == ("succeeded", None, {"rows": 3})
    assert states(run) == ["succeeded"] * 4
    assert told[0][0] == "prepare"
    assert told[-1] == ("join", "succeeded")
    jobs = {job.label: job for job in list_jobs(diamond, batch=run.id)}
    assert {name: step.job for name, step in run.steps.items()} == {
        name: job.id for name, job in jobs.items()
    }
    assert jobs["right"].params == {"times": 2}
    frame = job_outputs(diamond, jobs["prepare"].id)["frame"]
    assert (frame.rows, frame.columns) == (3, ["a"])
    assert pl.read_parquet(frame.path)["a"].to_list() == [0, 1, 2]
    said = job_outputs(diamond, jobs["join"].id)["said"].handed_on()
    assert said == [3, {"times": 2}, {"times": 2}]
    assert f"job:{jobs['prepare'].id}" in str(upstream(diamond, f"job:{jobs['join'].id}"))
    assert list_pipeline_runs(diamond, "p") == [run]

    again = run_pipeline(diamond, "p")
    assert states(again) == ["cached"] * 4
    assert {step.job for step in again.steps.values()} == {job.id for job in jobs.values()}
    assert list_jobs(diamond, batch=again.id) == []

    # The same value comes out of another notebook: what takes it needn't be done again.
    write_notebook(
        diamond.root / "right.ipynb",
        GIVES.format("value", "dict(times=times)"),
        parameters="times: int",
    )
    assert states(run_pipeline(diamond, "p")) == ["cached", "cached", "succeeded", "cached"]
    job_outputs(diamond, jobs["prepare"].id)["frame"].path.unlink()
    assert states(run_pipeline(diamond, "p")) == ["succeeded", "cached", "cached", "cached"]


def test_what_fails_stops_only_what_needs_it(blank_project: Project) -> None:
    root = blank_project.root
    write_notebook(root / "bad.ipynb", "1 / 0", GIVES.format("x", "1"))
    write_notebook(root / "good.ipynb", GIVES.format("x", "'text'"))
    write_notebook(root / "takes.ipynb", "x", parameters="x: int = 0")
    write_notebook(root / "silent.ipynb", "1")
    write_pipeline(
        blank_project,
        """
[steps.bad]
notebook = "bad.ipynb"
[steps.after-bad]
notebook = "takes.ipynb"
inputs = {x = "bad.x"}
[steps.last]
notebook = "takes.ipynb"
after = ["after-bad"]
[steps.good]
notebook = "good.ipynb"
[steps.after-good]
notebook = "takes.ipynb"
after = ["good"]
[steps.wrong-type]
notebook = "takes.ipynb"
inputs = {x = "good.x"}
[steps.silent]
notebook = "silent.ipynb"
outputs = ["never"]
[steps.after-silent]
notebook = "takes.ipynb"
inputs = {x = "silent.never"}
""",
    )
    run = run_pipeline(blank_project, "p", workers=2)
    assert run.state == "failed"
    assert run.states == {
        "bad": "failed",
        "after-bad": "skipped",
        "last": "skipped",
        "good": "succeeded",
        "after-good": "succeeded",
        "wrong-type": "failed",
        "silent": "failed",
        "after-silent": "skipped",
    }
    assert run.steps["silent"].error == "its notebook gave out no 'never': there are none"
    assert run.error is not None
    assert "step bad: ZeroDivisionError" in run.error
    assert "x: expected int, found 'text'" in str(run.steps["wrong-type"].error)
    assert run.steps["bad"].job is not None
    assert get_job(blank_project, run.steps["bad"].job).error_cell == 0

    write_notebook(root / "bad.ipynb", "1 / 1", GIVES.format("x", "1"))  # the fix
    again = run_pipeline(blank_project, "p")
    assert again.states == {
        "bad": "succeeded",
        "after-bad": "succeeded",
        "last": "cached",  # the same notebook and values as after-good
        "good": "cached",
        "after-good": "cached",
        "wrong-type": "failed",
        "silent": "failed",
        "after-silent": "skipped",
    }


SLEEPS = """
[steps.first]
notebook = "first.ipynb"
[steps.slow]
notebook = "slow.ipynb"
after = ["first"]
[steps.last]
notebook = "first.ipynb"
parameters = {x = 1}
after = ["slow"]
"""


@pytest.fixture
def slow(blank_project: Project) -> Project:
    write_notebook(blank_project.root / "first.ipynb", "x", parameters="x: int = 0")
    write_notebook(blank_project.root / "slow.ipynb", "import time\ntime.sleep(600)")
    write_pipeline(blank_project, SLEEPS)
    return blank_project


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it didn't come"
        time.sleep(0.1)


def start(project: Project) -> subprocess.Popen[bytes]:
    """Run the pipeline in another process until its slow step runs."""
    source = (
        "from workbench.jobs.pipelines import run_pipeline\n"
        "from workbench.project import Project\n"
        f"run_pipeline(Project.find({str(project.root)!r}), 'p')\n"
    )
    process = subprocess.Popen([sys.executable, "-c", source])
    until(lambda: bool(runs := list_pipeline_runs(project)) and runs[0].states["slow"] == "running")
    return process


def test_a_killed_pipeline_leaves_a_true_record(slow: Project) -> None:
    process = start(slow)
    process.kill()
    process.wait()
    until(lambda: list_pipeline_runs(slow)[0].state == "lost")
    run = list_pipeline_runs(slow)[0]
    assert states(run) == ["succeeded", "lost", "skipped"]
    assert run.finished_at is not None
    assert run.error == "its process was gone without a word"

    write_notebook(slow.root / "slow.ipynb", "1")
    assert states(run_pipeline(slow, "p", cache=False)) == ["succeeded"] * 3
    assert get_pipeline_run(slow, run.id).state == "lost"


def test_an_interrupt_cancels_what_runs(slow: Project) -> None:
    def interrupt(name: str, step: StepRecord) -> None:
        if (name, step.state) == ("slow", "running"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_pipeline(slow, "p", on_step=interrupt)
    run = list_pipeline_runs(slow)[0]
    assert (run.state, run.error) == ("cancelled", "stopped")
    assert states(run) == ["succeeded", "cancelled", "skipped"]
    assert {job.state for job in list_jobs(slow)} == {"succeeded", "cancelled"}


def test_stopped_by_who_started_it(slow: Project) -> None:
    stop = threading.Event()

    def look(name: str, step: object) -> None:
        if name == "slow":
            stop.set()

    run = run_pipeline(slow, "p", on_step=look, stop=stop, run_id="known-before")
    assert (run.id, run.state) == ("known-before", "cancelled")
    assert states(run) == ["succeeded", "cancelled", "skipped"]
