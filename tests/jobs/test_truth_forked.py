"""A forked job's record says the truth, too: the cases of `test_truth` and more, in one pool."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.jobs.job_folders import wait_until
from tests.jobs.notebooks import write_notebook
from tests.projects import ready_project
from workbench.jobs import Job, JobRequest, Limits, Retries, cell_states, events, list_jobs
from workbench.jobs.pool import JobPool
from workbench.jobs.records import folder
from workbench.project import Project

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux")

_DAEMONS = """
import os, pathlib, subprocess, time
subprocess.Popen(["sleep", "600"], start_new_session=True)
subprocess.Popen(["sh", "-c", "setsid sleep 600 & exit"]).wait()
told = pathlib.Path(os.environ["WORKBENCH_JOB_FOLDER"], "daemon.pid")
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        told.write_text(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
os.wait()
while not (told.exists() and told.read_text()): time.sleep(0.01)
"""
# The last one shows the environment of the parent that it is a fork of, not its own: it says itself
# which it is.
_WAITS = "print('begun', flush=True)\nimport time; time.sleep(600)"
_WAITS_ONCE = (
    "import os, pathlib, time\nfirst = pathlib.Path(os.environ['FIRST'])\n"
    "if not first.exists(): first.touch(); print('begun', flush=True); time.sleep(600)"
)
_GONE_SECONDS = 2.5


@dataclass(frozen=True)
class Case:
    """Cells, of which the second is the interesting one, and what has to be said of them."""

    cell: str
    failure: str | None
    error: str = ""
    state: str = "failed"
    cells: tuple[str, ...] = ("completed", "failed", "pending")
    error_cell: int | None = 1
    limits: Mapping[str, float] = field(default_factory=dict)
    kernel: str = "python3"
    value: int = 0
    attempts: int = 1
    signal: int | None = None
    """Sent to the job's own process once the cell has begun."""


_SUCCEEDED: dict[str, Any] = {
    "failure": None,
    "state": "succeeded",
    "cells": ("completed",) * 3,
    "error_cell": None,
}
CASES = {
    "killed": Case(
        "import os; os.kill(os.getpid(), 9)", "kernel", "Kernel died: killed by SIGKILL"
    ),
    "crashed": Case("import os; os.abort()", "kernel", "killed by SIGABRT"),
    "os-exit": Case("import os; os._exit(0)", "exit", "left by itself with exit code 0"),
    "sys-exit": Case("import sys; sys.exit(0)", "exit", "SystemExit: 0"),
    "exit": Case("exit()", "exit", "a cell called exit()"),
    "input": Case("input()", "input", "asked for input, and nobody is there"),
    "exception": Case("1 / 0", "cell", "ZeroDivisionError: division by zero"),
    "cell-timeout": Case(
        _WAITS,
        "timeout",
        "timed out while it was being executed, after 1.0 s",
        limits={"cell_seconds": 1},
    ),
    "job-timeout": Case(_WAITS, "timeout", "longer than its 5 s", limits={"wall_seconds": 5}),
    "memory": Case(
        "import numpy as np, time\nkept = []\n"
        "while True: kept.append(np.ones(4_000_000)); time.sleep(0.02)",
        "memory",
        "limit",
        limits={"memory_mb": 300},
    ),
    "memory-error": Case(
        "import numpy as np; np.ones(2_000_000_000)",
        "memory",
        "limit 300 MB",
        limits={"memory_mb": 300},
    ),
    "memory-of-children": Case(
        "import subprocess, sys, time\n"
        "grow = 'import time; kept = bytearray(90_000_000); time.sleep(600)'\n"
        "for _ in range(5): subprocess.Popen([sys.executable, '-c', grow])\ntime.sleep(600)",
        "memory",
        "its limit is 300 MB",
        limits={"memory_mb": 300},
    ),
    "unknown-kernel": Case(
        "1",
        "start",
        "no-such-kernel",
        cells=("pending",) * 3,
        error_cell=None,
        kernel="no-such-kernel",
    ),
    "result-lost": Case(
        "import os, pathlib\n"
        "pathlib.Path(os.environ['WORKBENCH_JOB_FOLDER'], '.result.json.tmp').unlink()",
        "disk",
        "its result can't be written",
        cells=("completed",) * 3,
        error_cell=None,
    ),
    "fine": Case("assert x == 3 and 'x' in globals()", value=3, **_SUCCEEDED),
    "fine-too": Case("import time; time.sleep(0.5); assert x == 4", value=4, **_SUCCEEDED),
    "process-killed": Case(
        _WAITS,
        "process",
        "was killed by SIGKILL",
        cells=("completed", "running", "pending"),
        error_cell=None,
        signal=signal.SIGKILL,
    ),
    "process-killed-once": Case(_WAITS_ONCE, attempts=3, signal=signal.SIGKILL, **_SUCCEEDED),
    "cancelled": Case(
        _WAITS,
        "cancelled",
        "SIGTERM",
        state="cancelled",
        cells=("completed", "running", "pending"),
        signal=signal.SIGTERM,
    ),
}


@dataclass(frozen=True)
class Ended:
    """A job, the states of its own cells, and what was left of it when its time was up."""

    job: Job
    cells: list[str]
    error_cell: int | None
    left: list[psutil.Process]


def _run(name: str, project: Project, pool: JobPool) -> Ended:
    """Run one case to its end, and see what is left of it."""
    case = CASES[name]
    write_notebook(
        project.root / name / "nb.ipynb",
        *(_DAEMONS, case.cell, "never = 1"),
        parameters="x: int = 0",
        kernel=case.kernel,
    )
    request = JobRequest(
        f"{name}/nb.ipynb",
        {"x": case.value},
        track=False,
        limits=Limits(**case.limits),
        retries=Retries(attempts=case.attempts, backoff_seconds=0.1),
        environment={"FIRST": str(project.root / name / "first")},
    )
    [future] = pool.submit([request])
    if case.signal is not None:
        [waiting] = [job for job in list_jobs(project) if job.notebook == request.notebook]
        _signal(project, waiting.id, case.signal)
    job = future.result(120)
    states = cell_states(project, job.id)
    ours = len(states) - 3  # behind the cells of parameters
    at = None if job.error_cell is None else job.error_cell - ours
    return Ended(job, states[ours:], at, _left(project, job))


def _signal(project: Project, job_id: str, number: int) -> None:
    """Signal the job's own process when its cell has begun."""
    journal = folder(project, job_id) / "journal.jsonl"
    wait_until(lambda: journal.exists() and '"begun' in journal.read_text("utf-8"), 60)
    [begin] = [event for event in events(project, job_id) if event["event"] == "begin"]
    os.kill(begin["process"], number)


def _left(project: Project, job: Job) -> list[psutil.Process]:
    """Wait until nothing of the job is left, but not longer than it may take."""
    began = time.monotonic()
    pids = _pids(folder(project, job.id))
    while (left := list(_of(job.id, pids))) and time.monotonic() < began + _GONE_SECONDS:
        time.sleep(0.1)
    return left


def _pids(where: Path) -> set[int]:
    """Read what the job's processes, in all of its attempts, have called themselves."""
    pids = {int(told.read_text()) for told in where.rglob("daemon.pid")}
    for journal in where.rglob("journal.jsonl"):
        first = json.loads(journal.read_text("utf-8").splitlines()[0])
        pids |= {first[name] for name in ("process", "kernel_process") if name in first}
    return pids


def _of(job_id: str, pids: set[int]) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            named = process.environ().get("WORKBENCH_JOB_ID") == job_id
            if (named or process.pid in pids) and process.status() != psutil.STATUS_ZOMBIE:
                yield process


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Ended]]]:
    """All cases in one pool, a few at a time: what they do most is wait."""
    project = ready_project(tmp_path_factory.mktemp("forked") / "project")
    temporary = Path(tempfile.mkdtemp(prefix="wb-", dir="/tmp"))  # sockets have short addresses
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))
        patch.setattr(tempfile, "tempdir", str(temporary))
        with JobPool(project, workers=4, expected=len(CASES)) as pool:
            with ThreadPoolExecutor(4) as threads:
                yield {name: threads.submit(_run, name, project, pool) for name in CASES}
            [guard] = psutil.Process().children()
            [server] = guard.children()
            wait_until(lambda: not server.children(), _GONE_SECONDS)
    temporary.rmdir()  # nothing is left in it, of killed jobs either


@pytest.mark.parametrize("name", CASES)
def test_the_record_of_what_went_wrong(name: str, ended: dict[str, Future[Ended]]) -> None:
    case, found = CASES[name], ended[name].result()
    job = found.job
    assert (job.state, job.failure) == (case.state, case.failure), job.error
    assert case.error in (job.error or "")
    assert len((job.error or "").splitlines()) <= 1
    assert (found.error_cell, found.cells) == (case.error_cell, list(case.cells))
    assert not found.left
    if case.failure not in ("start", "process", "disk"):
        assert job.kernel == "forked"


def test_a_killed_process_is_replaced_and_its_attempt_kept(
    ended: dict[str, Future[Ended]],
) -> None:
    job = ended["process-killed-once"].result().job
    assert (job.attempt, [attempt.failure for attempt in job.attempts]) == (2, ["process"])
    assert "SIGKILL" in (job.attempts[0].error or "")
