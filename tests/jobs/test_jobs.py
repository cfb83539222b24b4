"""A job's record is true, whatever happens to the job. Real kernels, real kills."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import psutil
import pytest

from tests.jobs.notebooks import write_notebook
from workbench.errors import JobError, NotebookError, ParameterError, UsageError
from workbench.jobs import (
    Job,
    JobRequest,
    Retries,
    cell_states,
    events,
    get_job,
    list_jobs,
    run_jobs,
    settle,
)
from workbench.jobs.records import folder, move
from workbench.project import Project
from workbench.tracking import get_run


def _run(project: Project, *cells: str, **parameters: object) -> Job:
    declared = "\n".join(f"{name} = None" for name in parameters) or None
    write_notebook(project.root / "nb.ipynb", *cells, parameters=declared)
    [job] = run_jobs(project, [JobRequest("nb.ipynb", parameters, track=False)])
    return job


def _executed(project: Project, job: Job) -> nbformat.NotebookNode:
    assert job.output is not None
    return nbformat.read(project.root / job.output, as_version=4)


def _statuses(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.metadata.papermill.status for cell in notebook.cells]


def _wait(until: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_a_job_leaves_its_executed_notebook(blank_project: Project) -> None:
    job = _run(blank_project, "print(6 * x)", x=7)
    assert (job.state, job.error, job.error_cell) == ("succeeded", None, None)
    assert job.params == {"x": 7}
    notebook = _executed(blank_project, job)
    assert notebook.cells[-1].outputs[0].text == "42\n"
    assert _statuses(notebook) == ["completed"] * 3
    assert job.commit
    assert job.branch == "main"


def test_parameters_are_values_and_never_source(blank_project: Project) -> None:
    hostile = "'''\nimport os; os.environ['HACKED'] = '1'\n'''\"\\"
    job = _run(blank_project, "import os; print(len(x), os.environ.get('HACKED'))", x=hostile)
    assert _executed(blank_project, job).cells[-1].outputs[0].text == f"{len(hostile)} None\n"


def test_a_failing_cell_fails_the_job_and_what_follows_is_not_run(blank_project: Project) -> None:
    job = _run(blank_project, "a = 1", "1 / 0", "b = 2")
    assert (job.state, job.error_cell) == ("failed", 1)
    assert job.error == "ZeroDivisionError: division by zero"
    # papermill marks the failing cell with a cell in front of it and one at the top
    statuses = [
        cell.metadata.papermill.status
        for cell in _executed(blank_project, job).cells
        if cell.cell_type == "code"
    ]
    assert statuses == ["completed", "failed", "pending"]


@pytest.mark.parametrize("code", ["import sys; sys.exit(0)", "raise SystemExit"])
def test_leaving_the_kernel_early_is_no_success(blank_project: Project, code: str) -> None:
    job = _run(blank_project, code, "never = 1")
    assert job.state == "failed"
    assert job.error is not None
    assert job.error.startswith("SystemExit")


def test_a_killed_kernel_fails_the_job_in_the_cell_that_ran(blank_project: Project) -> None:
    job = _run(blank_project, "a = 1", "import os; os.kill(os.getpid(), 9)", "b = 2")
    assert (job.state, job.error_cell) == ("failed", 1)
    assert job.error is not None
    assert "Kernel died" in job.error
    assert _statuses(_executed(blank_project, job)) == ["completed", "failed", "pending"]


def test_an_unknown_kernel_is_said_and_nothing_reads_completed(blank_project: Project) -> None:
    write_notebook(blank_project.root / "nb.ipynb", "a = 1", kernel="no-such-kernel")
    [job] = run_jobs(blank_project, [JobRequest("nb.ipynb", track=False)])
    assert job.state == "failed"
    assert job.error is not None
    assert "no-such-kernel" in job.error
    if job.output:
        assert "completed" not in _statuses(_executed(blank_project, job))


def test_a_killed_job_process_is_seen_and_leaves_no_kernel(blank_project: Project) -> None:
    write_notebook(blank_project.root / "nb.ipynb", "import time; time.sleep(600)")
    jobs: list[Job] = []
    request = JobRequest("nb.ipynb", track=False, retries=Retries(attempts=1))
    runner = threading.Thread(target=lambda: jobs.extend(run_jobs(blank_project, [request])))
    runner.start()
    _wait(
        lambda: any("running" in cell_states(blank_project, j.id) for j in list_jobs(blank_project))
    )
    [job] = list_jobs(blank_project)
    begin = next(events(blank_project, job.id))
    process, kernel = (psutil.Process(begin[name]) for name in ("process", "kernel_process"))
    process.kill()
    runner.join(30)
    assert [job.state for job in jobs] == ["failed"]
    assert "SIGKILL" in (jobs[0].error or "")
    _wait(lambda: not kernel.is_running() or kernel.status() == psutil.STATUS_ZOMBIE, 10)


_RUNNER = """
import sys
from workbench.project import Project
from workbench.jobs import JobRequest, run_jobs
run_jobs(Project.find(sys.argv[1]), [JobRequest("nb.ipynb"), JobRequest("nb.ipynb")], workers=1)
"""


def _start_runner(project: Project) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _RUNNER, str(project.root)])


def _family(runner: subprocess.Popen[bytes], project: Project) -> list[psutil.Process]:
    """Wait until a cell runs; return all that the runner has started, and what that has."""
    _wait(lambda: any("running" in cell_states(project, job.id) for job in list_jobs(project)))
    return psutil.Process(runner.pid).children(recursive=True)


def test_killing_the_runner_ends_its_jobs_and_the_record_says_lost(blank_project: Project) -> None:
    write_notebook(blank_project.root / "nb.ipynb", "import time; time.sleep(600)")
    with _start_runner(blank_project) as runner:
        family = _family(runner, blank_project)
        assert len(family) >= 2, "a job's process and its kernel"
        assert settle(blank_project) == [], "what lives is left alone"
        runner.send_signal(signal.SIGKILL)
    _wait(lambda: not any(_alive(member) for member in family), 10)
    assert sorted(job.state for job in settle(blank_project)) == ["lost", "lost"]
    assert settle(blank_project) == []
    jobs = list_jobs(blank_project)
    assert {(job.state, job.failure) for job in jobs} == {("lost", "lost")}
    assert all(job.finished_at for job in jobs)
    [began] = [job for job in jobs if job.run_id]
    assert cell_states(blank_project, began.id) == ["running"]
    assert get_run(blank_project, began.run_id or "").status == "KILLED"


def test_an_interrupt_cancels_what_runs_and_what_waits(blank_project: Project) -> None:
    write_notebook(blank_project.root / "nb.ipynb", "import time; time.sleep(600)")
    with _start_runner(blank_project) as runner:
        family = _family(runner, blank_project)
        runner.send_signal(signal.SIGINT)
        assert runner.wait(30) != 0
    assert [job.state for job in list_jobs(blank_project)] == ["cancelled", "cancelled"]
    _wait(lambda: not any(_alive(member) for member in family), 10)


def test_a_job_whose_process_had_finished_is_not_lost(blank_project: Project) -> None:
    """Its runner was killed between the process's last word and the row's."""
    job = _run(blank_project, "a = 1")
    where = folder(blank_project, job.id)
    from workbench.store import JobRow, database

    with database(blank_project).session() as session:
        row = session.get_one(JobRow, job.id)
        row.state, row.output, row.finished_at = "running", None, None
    [settled] = settle(blank_project)
    assert settled.state == "succeeded"
    assert settled.output == job.output
    assert (where / "result.json").exists()


def test_states_move_forward_only(blank_project: Project) -> None:
    job = _run(blank_project, "a = 1")
    for state in ("running", "failed", "lost", "cancelled"):
        with pytest.raises(JobError, match=f"is succeeded: it can't become {state}"):
            move(blank_project, job.id, state)
    assert get_job(blank_project, job.id).state == "succeeded"


def test_a_run_gets_parameters_commit_and_record(blank_project: Project) -> None:
    write_notebook(
        blank_project.root / "nb.ipynb",
        "import workbench as wb",
        "wb.tracking.current_run().log_metrics({'m': x})",
        parameters="x: int = 1\ny: str = 'why'",
    )
    [job] = run_jobs(blank_project, [JobRequest("nb.ipynb", {"x": 3})])
    assert job.state == "succeeded", job.error
    assert job.run_id is not None
    run = get_run(blank_project, job.run_id)
    assert run.status == "FINISHED"
    assert run.metrics["m"] == 3.0
    assert all(name == "m" or name.startswith("cost_") for name in run.metrics)
    assert run.params == {"x": "3", "y": "why"}
    assert run.tags["mlflow.source.git.commit"] == job.commit
    assert run.tags["workbench.dirty"] == "true"  # nb.ipynb isn't committed
    stored = list((blank_project.state / "artifacts").rglob("notebook/executed.ipynb"))
    assert len(stored) == 1


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"mnth": 6}, ParameterError, "unknown parameter 'mnth'; did you mean month"),
        ({"month": "June"}, ParameterError, "month: expected int, found 'June'"),
    ],
)
def test_wrong_parameters_are_refused_before_anything_is_recorded(
    blank_project: Project, parameters: dict[str, object], error: type[Exception], message: str
) -> None:
    write_notebook(blank_project.root / "nb.ipynb", "a = 1", parameters="month: int = 1")
    good = JobRequest("nb.ipynb", {"month": 2})
    with pytest.raises(error, match=message):
        run_jobs(blank_project, [good, JobRequest("nb.ipynb", parameters)])
    assert list_jobs(blank_project) == []


def test_bad_notebooks_are_refused(blank_project: Project) -> None:
    (blank_project.root / "broken.ipynb").write_text('{"cells": [')
    write_notebook(blank_project.root / "plain.ipynb", "a = 1")
    cases = {
        "missing.ipynb": (NotebookError, "no such notebook", {}),
        "broken.ipynb": (NotebookError, "not a valid notebook", {}),
        "plain.ipynb": (NotebookError, "takes no parameters", {"x": 1}),
        "../outside.ipynb": (UsageError, "outside the project", {}),
    }
    for name, (error, message, parameters) in cases.items():
        with pytest.raises(error, match=message):
            run_jobs(blank_project, [JobRequest(name, parameters)])
    assert list_jobs(blank_project) == []


def test_jobs_side_by_side_keep_apart(blank_project: Project) -> None:
    write_notebook(
        blank_project.root / "nb.ipynb", "import time; time.sleep(1); print(x)", parameters="x = 0"
    )
    requests = [JobRequest("nb.ipynb", {"x": x}, track=False) for x in range(4)]
    jobs = run_jobs(blank_project, requests, workers=4)
    said = [_executed(blank_project, job).cells[-1].outputs[0].text for job in jobs]
    assert said == ["0\n", "1\n", "2\n", "3\n"]


def _alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_outputs_of_former_jobs_are_never_overwritten(blank_project: Project) -> None:
    first = _run(blank_project, "print('once')")
    second = _run(blank_project, "print('twice')")
    assert first.output != second.output
    assert _executed(blank_project, first).cells[-1].outputs[0].text == "once\n"
    source = nbformat.read(Path(blank_project.root / "nb.ipynb"), as_version=4)
    assert source.cells[0].outputs == []
