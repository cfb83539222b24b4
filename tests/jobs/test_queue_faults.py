"""Jobs in the way of accidents: records half written, others who act at the same moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.jobs.notebooks import write_notebook
from tests.servers import postgresql
from workbench.errors import UsageError
from workbench.factory.scaffold import create_project
from workbench.jobs import (
    Job,
    JobPool,
    JobRequest,
    Retries,
    cancel,
    get_job,
    list_jobs,
    run_jobs,
    settle,
)
from workbench.jobs.holders import holding
from workbench.jobs.queue import enqueue
from workbench.jobs.records import folder, move
from workbench.jobs.waiting import requeue
from workbench.project import Project
from workbench.store import HolderRow, database

LONG = Retries(attempts=3, backoff_seconds=600, kinds=frozenset({"cell"}))


def _until(true: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def _request(project: Project, cell: str, **options: object) -> JobRequest:
    write_notebook(project.root / "nb.ipynb", cell, parameters="x: int = 0")
    return JobRequest("nb.ipynb", track=False, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "damage",
    [
        {"result.json": '{"state": "succ'},
        {"result.json": "[]"},
        {"journal.jsonl": '{"event": "end", "cell": 99, "status": "completed", "at": 1}\n'},
        {"input.ipynb": "{"},
    ],
)
def test_what_a_dead_job_left_in_pieces_keeps_nobody_from_closing_it(
    blank_project: Project, damage: dict[str, str]
) -> None:
    request = _request(blank_project, "x")
    with holding(blank_project, "test") as holder:
        first, second = enqueue(blank_project, [request, request], holder=holder)
        for queued in (first, second):
            move(blank_project, queued.job.id, "running", held_by=holder, holder=holder)
        where = folder(blank_project, first.job.id)
        where.mkdir(parents=True)
        write_notebook(where / "input.ipynb", "x")
        for name, content in damage.items():
            (where / name).write_text(content, encoding="utf-8")
    assert {job.state for job in settle(blank_project)} == {"lost"}
    assert {job.state for job in list_jobs(blank_project)} == {"lost"}


def test_a_cancel_at_the_very_start_is_heard(blank_project: Project) -> None:
    request = _request(blank_project, "import time; time.sleep(30)")
    with JobPool(blank_project, workers=2) as pool:
        futures = pool.submit([request] * 4)
        for future, job in zip(futures, list_jobs(blank_project)[::-1], strict=True):
            _until(lambda job=job: get_job(blank_project, job.id).state == "running")
            cancel(blank_project, [get_job(blank_project, job.id)])
            assert future.result(20).state == "cancelled"


def test_a_retry_that_waits_can_be_cancelled_and_stopped(blank_project: Project) -> None:
    request = _request(blank_project, "1 / 0", retries=LONG)
    done: list[Job] = []
    thread = threading.Thread(target=lambda: done.extend(run_jobs(blank_project, [request])))
    thread.start()
    _until(lambda: [job.attempt for job in list_jobs(blank_project)] == [2])
    cancel(blank_project, list_jobs(blank_project))
    thread.join(10)
    assert [(job.state, job.attempt) for job in done] == [("cancelled", 2)]
    with JobPool(blank_project) as pool:
        [future] = pool.submit([request])
        _until(lambda: list_jobs(blank_project)[0].attempt == 2)
        pool.stop()
    assert future.result(1).state == "cancelled"
    assert [attempt.state for attempt in future.result().attempts] == ["failed"]


def test_a_job_that_somebody_else_puts_back_costs_the_others_nothing(
    blank_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.jobs import pool as module

    def rival(project: Project, job: Job, *, holder: str, pause: float = 0.0) -> Job:
        with holding(project, "rival") as other:
            requeue(project, job, holder=other)
        return requeue(project, job, holder=holder, pause=pause)

    monkeypatch.setattr(module, "requeue", rival)
    request = _request(blank_project, "1 / (x % 2)", retries=LONG)
    requests = [JobRequest("nb.ipynb", {"x": x}, track=False, retries=LONG) for x in range(4)]
    assert request.notebook == "nb.ipynb"
    jobs = run_jobs(blank_project, requests)
    assert [job.state for job in jobs] == ["queued", "succeeded", "queued", "succeeded"]


def test_a_holder_that_was_forgotten_comes_back(
    blank_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.jobs import holders

    monkeypatch.setattr(holders, "BEAT_SECONDS", 0.05)
    with holding(blank_project, "test") as holder:
        with database(blank_project).session() as session:
            session.delete(session.get_one(HolderRow, holder))
        _until(lambda: holders.alive(blank_project, holder))


def test_another_kernel_or_default_is_another_job(blank_project: Project) -> None:
    cell = "print('same')"
    data = blank_project.root / ".workbench" / "data.txt"
    data.parent.mkdir(exist_ok=True)
    write_notebook(blank_project.root / "nb.ipynb", cell, parameters=f"f: str = {str(data)!r}")
    request = JobRequest("nb.ipynb", track=False, cache=True)
    data.write_text("1", encoding="utf-8")
    assert not run_jobs(blank_project, [request])[0].cached
    assert run_jobs(blank_project, [request])[0].cached
    data.write_text("2", encoding="utf-8")
    assert not run_jobs(blank_project, [request])[0].cached
    path = write_notebook(
        blank_project.root / "nb.ipynb", cell, parameters=f"f: str = {str(data)!r}", kernel="ir"
    )
    [job] = run_jobs(blank_project, [JobRequest(path.name, track=False, cache=True)])
    assert (job.cached, job.failure) == (False, "start")


def test_a_job_does_not_hand_its_secrets_to_those_it_starts(
    blank_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_SECRET_TOKEN", "hush")
    cell = "import os\nassert 'WORKBENCH_SECRET_TOKEN' not in os.environ"
    [job] = run_jobs(blank_project, [_request(blank_project, cell)])
    assert job.state == "succeeded", job.error


def test_a_label_that_no_database_takes_is_refused(blank_project: Project) -> None:
    request = _request(blank_project, "x", label="a\0b")
    with pytest.raises(UsageError, match="NUL character"):
        run_jobs(blank_project, [request])
    assert list_jobs(blank_project) == []


def test_an_odd_or_endless_error_is_closed_on_postgresql_too(tmp_path: Path) -> None:
    with postgresql(tmp_path) as url:
        project = create_project(tmp_path / "project")
        settings = project.settings.model_copy(update={"database_url": url})
        project = Project(project.root, settings)
        _request(project, "raise ValueError('nul \\0 x' + 'y' * 100_000)")
        [job] = run_jobs(project, [JobRequest("nb.ipynb", track=False)])
        assert (job.state, job.failure) == ("failed", "cell")
        assert job.error is not None
        assert job.error.startswith("ValueError: nul")
        assert len(job.error) < 3000
        assert settle(project) == []
