"""A hundred jobs, while whatever runs them is killed: nothing done is redone, nothing is lost.

Real processes, SIGKILL, at random moments; the seed is told, so that a failure can be repeated.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import psutil
import pytest

from tests.jobs.notebooks import write_notebook
from tests.servers import free_port
from workbench.jobs import Job, list_jobs, settle
from workbench.project import Project

JOBS = 100

_RUNNER = f"""
import sys
from workbench.jobs import JobRequest, Retries, list_jobs, resume_jobs, run_jobs
from workbench.project import Project
project, cluster = Project.find(sys.argv[1]), sys.argv[2] or None
jobs = list_jobs(project)[::-1]
kinds = frozenset({{"lost", "process", "kernel"}})
retries = Retries(attempts=50, backoff_seconds=0.1, kinds=kinds)
options = {{"workers": 2, "cluster": cluster}}
if jobs:
    resume_jobs(project, [job for job in jobs if job.state != "succeeded"], **options)
else:
    asked = [("nb.ipynb", {{"x": x}}) for x in range({JOBS})]
    run_jobs(project, [JobRequest(*ask, track=False, retries=retries) for ask in asked], **options)
"""


@pytest.fixture
def project(blank_project: Project) -> Project:
    write_notebook(
        blank_project.root / "nb.ipynb", "y = x * x", "print(y)", parameters="x: int = 0"
    )
    return blank_project


def _start(project: Project, cluster: str = "") -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _RUNNER, str(project.root), cluster])


def _done(project: Project) -> dict[str, Job]:
    return {job.id: job for job in list_jobs(project, states=("succeeded",))}


def _family(pid: int) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return psutil.Process(pid).children(recursive=True)
    return []


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _until(true: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def _check_done_once(project: Project, before: dict[str, Job]) -> None:
    after = _done(project)
    for job_id, job in before.items():
        assert after[job_id].started_at == job.started_at, "what was done was done again"
        assert after[job_id].attempt == job.attempt


def _kill_now_and_then(runner: subprocess.Popen[bytes], chance: random.Random, most: int) -> int:
    """Kill something of the runner's, or itself, again and again until it ends."""
    kills = 0
    while runner.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            runner.wait(chance.uniform(0.3, 4))
        family = [member.pid for member in _family(runner.pid)]
        if kills < most and family and runner.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(chance.choice([runner.pid, *family]), signal.SIGKILL)
                kills += 1
    return kills


def test_a_hundred_jobs_survive_the_death_of_everything_that_runs_them(project: Project) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    kills = 0
    while len(_done(project)) < JOBS:
        before = _done(project)
        with _start(project) as runner:
            kills += _kill_now_and_then(runner, chance, 8 - kills)
        _until(lambda: not settle(project) and not list_jobs(project, states=("running",)), 20)
        states = {job.state for job in list_jobs(project)}
        assert not states & {"running", "queued"}, "nothing stays open when nobody is left"
        _check_done_once(project, before)
    jobs = list_jobs(project)
    assert sorted(job.params["x"] for job in jobs) == list(range(JOBS))
    assert all((project.root / (job.output or "none")).exists() for job in jobs)
    assert kills >= 3
    left = [process for process in psutil.process_iter() if _is_of(process, project)]
    assert not any(map(_lives, left)), left


def _is_of(process: psutil.Process, project: Project) -> bool:
    with suppress(psutil.Error):
        return process.environ().get("WORKBENCH_STATE_DIR") == str(project.state)
    return False


@contextmanager
def _cluster(project: Project, stack: ExitStack) -> Iterator[tuple[str, list[int]]]:
    """Start a scheduler and two workers, each a process that can be killed."""
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-dashboard"]
    worker += ["--nthreads", "1", "--no-nanny", "--host", "127.0.0.1", "--death-timeout", "15"]
    worker += ["--local-directory", str(project.state / "dask")]
    scheduler = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard"]
    scheduler += ["--host", "127.0.0.1", "--port", str(port), "--no-show"]
    commands = [scheduler, worker, worker]
    processes = []
    for command in commands:
        log = stack.enter_context((project.state / "dask.log").open("ab"))
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=project.root)
        processes.append(process)
    try:
        yield address, [process.pid for process in processes]
    finally:
        for process in processes:
            for member in [*_family(process.pid), psutil.Process(process.pid)]:
                with suppress(psutil.Error):
                    member.kill()
            process.wait()


@pytest.mark.parametrize("victim", ["worker", "scheduler", "client"])
def test_a_hundred_jobs_on_a_cluster_survive_the_death_of_one_part(
    project: Project, victim: str
) -> None:
    with ExitStack() as stack:
        address, (scheduler, worker, _) = stack.enter_context(_cluster(project, stack))
        with _start(project, address) as client:
            _until(lambda: len(_done(project)) >= 10, 120)
            before = _done(project)
            pid = {"worker": worker, "scheduler": scheduler, "client": client.pid}[victim]
            os.kill(pid, signal.SIGKILL)
            code = client.wait(200)
        assert (code == 0) == (victim == "worker"), "one worker is enough, the others are not"
        _until(lambda: not settle(project) and not list_jobs(project, states=("running",)), 60)
        _check_done_once(project, before)
    if victim != "worker":
        with _start(project) as local:
            assert local.wait(240) == 0
    assert len(_done(project)) == JOBS
    _check_done_once(project, before)
