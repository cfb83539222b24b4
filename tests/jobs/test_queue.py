"""Jobs before and between attempts: recorded at once, tried again, resumed, cancelled, cached."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from tests.jobs.notebooks import write_notebook
from workbench.errors import JobError, ParameterError
from workbench.jobs import (
    Job,
    JobPool,
    JobRequest,
    Retries,
    cancel,
    get_job,
    group_failures,
    list_jobs,
    resume_jobs,
    run_jobs,
)
from workbench.jobs.holders import holding
from workbench.jobs.queue import enqueue
from workbench.jobs.records import folder, move
from workbench.project import Project

SOON = Retries(attempts=3, backoff_seconds=0, kinds=frozenset({"cell", "lost", "process"}))


def _wait(until: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def _request(project: Project, *cells: str, **options: object) -> JobRequest:
    write_notebook(project.root / "nb.ipynb", *cells, parameters="x: int = 0")
    return JobRequest("nb.ipynb", track=False, **options)  # type: ignore[arg-type]


def _printed(project: Project, job: Job) -> str:
    assert job.output is not None, job.error
    notebook = nbformat.read(project.root / job.output, as_version=4)
    return "".join(out.text for cell in notebook.cells for out in cell.get("outputs", []))


def test_all_of_a_batch_is_recorded_before_anything_starts(blank_project: Project) -> None:
    request = _request(blank_project, "x")
    with holding(blank_project, "test") as holder:
        queued = enqueue(blank_project, [request] * 200, holder=holder)
        jobs = list_jobs(blank_project)
    assert len({job.id for job in jobs}) == 200
    assert {job.state for job in jobs} == {"queued"}
    assert {job.batch for job in jobs} == {queued[0].job.batch}
    assert len(list((blank_project.state / "jobs" / "notebooks").iterdir())) == 1


def test_a_job_runs_the_notebook_as_it_was_when_it_was_asked_for(blank_project: Project) -> None:
    request = _request(blank_project, "print('then')")
    with JobPool(blank_project, workers=1) as pool:
        future = pool.submit([request, request])[1]
        write_notebook(blank_project.root / "nb.ipynb", "print('now')")
        job = future.result(60)
    assert _printed(blank_project, job) == "then\n"


def test_an_error_in_a_cell_is_not_tried_again_unless_asked_for(blank_project: Project) -> None:
    once = _request(blank_project, "1 / 0")
    [job] = run_jobs(blank_project, [once])
    assert (job.state, job.attempt, job.failure) == ("failed", 1, "cell")
    [job] = run_jobs(blank_project, [JobRequest("nb.ipynb", track=False, retries=SOON)])
    assert (job.state, job.attempt) == ("failed", 3)
    assert [attempt.error for attempt in job.attempts] == [
        "ZeroDivisionError: division by zero"
    ] * 2


def test_the_second_attempt_may_succeed_and_the_first_ones_record_stays(
    blank_project: Project,
) -> None:
    flag = blank_project.root / "flag"
    cell = (
        f"from pathlib import Path\nflag = Path({str(flag)!r})\n"
        "if not flag.exists():\n    flag.touch()\n    raise OSError('once')\nprint('done')"
    )
    [job] = run_jobs(blank_project, [_request(blank_project, cell, retries=SOON)])
    assert (job.state, job.attempt, job.error) == ("succeeded", 2, None)
    assert [(a.state, a.error) for a in job.attempts] == [("failed", "OSError: once")]
    assert _printed(blank_project, job) == "done\n"
    former = folder(blank_project, job.id) / "attempts" / "1" / "executed.ipynb"
    assert "OSError" in former.read_text(encoding="utf-8")


def test_higher_priorities_are_started_first(blank_project: Project) -> None:
    slow = _request(blank_project, "import time; time.sleep(x)")
    first = JobRequest("nb.ipynb", {"x": 2}, track=False)
    jobs = [JobRequest("nb.ipynb", track=False, priority=priority) for priority in (0, 5, 9)]
    assert slow.priority == 0
    with JobPool(blank_project, workers=1) as pool:
        pool.submit([first])
        low, middle, high = (future.result(90) for future in pool.submit(jobs))
    assert [job.started_at for job in sorted((low, middle, high), key=lambda j: -j.priority)] == (
        sorted(job.started_at for job in (low, middle, high) if job.started_at)
    )


def test_cancelling_ends_what_runs_and_what_waits(blank_project: Project) -> None:
    request = _request(blank_project, "import time; time.sleep(600)")
    done: list[Job] = []
    runner = threading.Thread(
        target=lambda: done.extend(run_jobs(blank_project, [request, request], workers=1))
    )
    runner.start()
    _wait(lambda: {"running", "queued"} == {job.state for job in list_jobs(blank_project)})
    cancel(blank_project, list_jobs(blank_project))
    runner.join(60)
    assert [job.state for job in done] == ["cancelled", "cancelled"]
    assert sorted(job.error or "" for job in done) == [
        "cancelled before it began",
        "cancelled while it ran",
    ]
    assert all(job.failure == "cancelled" for job in done)


def test_resuming_runs_only_what_is_not_done(blank_project: Project) -> None:
    flag = blank_project.root / "mended"
    cell = f"from pathlib import Path\nif x == 1 and not Path({str(flag)!r}).exists():\n    1 / 0"
    request = _request(blank_project, cell)
    requests = [JobRequest("nb.ipynb", {"x": x}, track=False) for x in range(3)]
    assert request.notebook == "nb.ipynb"
    before = run_jobs(blank_project, requests)
    assert [job.state for job in before] == ["succeeded", "failed", "succeeded"]
    flag.touch()
    after = resume_jobs(blank_project, before)
    assert [job.state for job in after] == ["succeeded"] * 3
    assert [job.attempt for job in after] == [1, 2, 1]
    assert after[0].started_at == before[0].started_at, "what was done was not done again"


def test_what_waits_when_its_asker_dies_is_lost_and_can_be_resumed(blank_project: Project) -> None:
    request = _request(blank_project, "print(x)")
    with holding(blank_project, "test") as holder:
        [queued] = enqueue(blank_project, [request], holder=holder)
    [job] = resume_jobs(blank_project, [queued.job])
    assert (job.state, job.attempt, job.attempts) == ("succeeded", 1, [])


def test_what_is_under_way_is_not_resumed(blank_project: Project) -> None:
    request = _request(blank_project, "x")
    with holding(blank_project, "test") as holder:
        [queued] = enqueue(blank_project, [request], holder=holder)
        with pytest.raises(JobError, match="under way elsewhere"):
            resume_jobs(blank_project, [queued.job])


def test_an_earlier_job_that_did_the_same_is_given_back(blank_project: Project) -> None:
    request = _request(blank_project, "print(x)", cache=True)
    [first] = run_jobs(blank_project, [request])
    [again] = run_jobs(blank_project, [request])
    assert (again.id, again.cached, first.cached) == (first.id, True, False)
    [other] = run_jobs(blank_project, [JobRequest("nb.ipynb", {"x": 1}, track=False, cache=True)])
    assert not other.cached
    (blank_project.root / "module.py").write_text("VALUE = 1\n", encoding="utf-8")
    [changed] = run_jobs(blank_project, [request])
    assert not changed.cached, "its code changed"
    _request(blank_project, "print(x + 1)")
    [edited] = run_jobs(blank_project, [request])
    assert not edited.cached, "its cells changed"
    assert _printed(blank_project, edited) == "1\n"


def test_a_file_that_a_parameter_names_counts_by_its_content(blank_project: Project) -> None:
    data = blank_project.state / "rows.csv"
    data.write_text("a\n1\n", encoding="utf-8")
    cell = "from pathlib import Path\npath: Path = Path('none')"
    write_notebook(blank_project.root / "nb.ipynb", "print(path.read_text())", parameters=cell)
    request = JobRequest("nb.ipynb", {"path": data}, track=False, cache=True)
    [first] = run_jobs(blank_project, [request])
    assert first.state == "succeeded", first.error
    assert run_jobs(blank_project, [request])[0].cached
    data.write_text("a\n2\n", encoding="utf-8")
    assert not run_jobs(blank_project, [request])[0].cached


def test_a_failed_job_is_never_given_from_the_cache(blank_project: Project) -> None:
    request = _request(blank_project, "1 / 0", cache=True)
    first, again = (run_jobs(blank_project, [request])[0] for _ in range(2))
    assert first.id != again.id
    assert not again.cached


SECRET_CELL = (
    "from typing import Annotated\nfrom workbench.jobs import Secret\ntoken: Annotated[str, Secret]"
)


def test_a_secret_is_in_the_kernel_and_in_no_record(
    blank_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", "hush-4711-hush")
    write_notebook(
        blank_project.root / "nb.ipynb",
        "print(len(token), token)",
        "raise ValueError(f'bad token {token}')",
        parameters=SECRET_CELL,
    )
    jobs = run_jobs(
        blank_project,
        [
            JobRequest("nb.ipynb", {"token": "secret://MY_TOKEN"}),
            JobRequest("nb.ipynb", {"token": "hush-4711-hush"}),
        ],
    )
    assert [job.error for job in jobs] == ["ValueError: bad token ***"] * 2
    assert [job.params["token"] for job in jobs] == ["secret://MY_TOKEN", "***"]
    assert _printed_streams(blank_project, jobs[0]) == "14 ***\n"
    for path in blank_project.state.rglob("*"):
        if path.is_file():
            assert b"hush-4711-hush" not in path.read_bytes(), path


def test_a_secret_that_is_kept_nowhere_has_to_be_given_again(blank_project: Project) -> None:
    write_notebook(blank_project.root / "nb.ipynb", "1 / 0", parameters=SECRET_CELL)
    [job] = run_jobs(blank_project, [JobRequest("nb.ipynb", {"token": "hush-hush"}, track=False)])
    with pytest.raises(ParameterError, match="token is kept nowhere"):
        resume_jobs(blank_project, [job])
    assert get_job(blank_project, job.id).state == "failed"


def _printed_streams(project: Project, job: Job) -> str:
    assert job.output is not None, job.error
    notebook = nbformat.read(project.root / job.output, as_version=4)
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    return "".join(out.text for out in outputs if out.output_type == "stream")


def test_failures_are_grouped_by_cell_and_exception(blank_project: Project) -> None:
    cell = "raise {0: KeyError, 1: ValueError}[x % 2](x)"
    request = _request(blank_project, cell)
    requests = [JobRequest("nb.ipynb", {"x": x}, track=False) for x in range(3)]
    assert request.notebook == "nb.ipynb"
    groups = group_failures(run_jobs(blank_project, requests))
    assert [(group.exception, len(group.jobs), group.cell) for group in groups] == [
        ("KeyError", 2, 2),
        ("ValueError", 1, 2),
    ]


def test_a_job_moves_from_its_holder_only_once(blank_project: Project) -> None:
    request = _request(blank_project, "x")
    with holding(blank_project, "test") as holder:
        [queued] = enqueue(blank_project, [request], holder=holder)
        move(blank_project, queued.job.id, "running", held_by=holder, holder="me")
        with pytest.raises(JobError, match="is running"):
            move(blank_project, queued.job.id, "running", held_by=holder, holder="you")


def test_notebooks_of_other_folders_are_found_by_path(
    tmp_path: Path, blank_project: Project
) -> None:
    write_notebook(tmp_path / "tree" / "nb.ipynb", "print('there')")
    [job] = run_jobs(blank_project, [JobRequest("nb.ipynb", code=tmp_path / "tree", track=False)])
    assert _printed(blank_project, job) == "there\n"
