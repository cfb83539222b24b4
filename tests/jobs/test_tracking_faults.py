"""Logging when things go wrong: processes that die, stores that are away, disks that are full."""

from __future__ import annotations

import logging
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.forks import Fork, Forks, forking
from tests.jobs.notebooks import write_notebook
from tests.projects import ready_project
from tests.servers import free_port, mlflow_server
from workbench.jobs import JobRequest, run_jobs
from workbench.project import Project
from workbench.tracking.delivery import deliver
from workbench.tracking.lifecycle import create_run
from workbench.tracking.session import INTERRUPTED, Run, settle_runs
from workbench.tracking.store import client, initialise
from workbench.tracking.writer import Writer, writer_of

_IMPORTS = """
import os, resource, signal, sys, time
import mlflow, workbench.tracking.session
from workbench.project import Project
from workbench.tracking.lifecycle import create_run, finish_run
from workbench.tracking.session import Run, current_run
"""


@pytest.fixture(scope="module", autouse=True)
def at_once() -> Iterator[None]:
    """Have MLflow's client try again as often as ever, without its own seconds in between."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
        patch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0")
        yield


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with forking(tmp_path_factory.mktemp("logs"), _IMPORTS) as forks:
        yield forks


def _start(forks: Forks, project: Project, program: str) -> Fork:
    return forks.start("project = Project.find(sys.argv[1])\n" + program, project.root)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One project for the tests whose store is there."""
    made = ready_project(tmp_path_factory.mktemp("faults") / "project")
    initialise(made)
    return made


def _with_store(project: Project, uri: str) -> Project:
    settings = project.settings.model_copy(update={"tracking_uri": uri})
    return Project(project.root, settings)


def _configure(project: Project, uri: str) -> Project:
    """Write the store's address into the project's file, for other processes."""
    file = project.root / "workbench.toml"
    kept = [line for line in file.read_text().splitlines() if not line.startswith("tracking_uri")]
    first = next((i for i, line in enumerate(kept) if line.startswith("[")), len(kept))
    kept.insert(first, f'tracking_uri = "{uri}"')
    file.write_text("\n".join(kept) + "\n")
    return Project.find(project.root)


def _steps(project: Project, run_id: str, key: str) -> list[int]:
    return [metric.step for metric in client(project).get_metric_history(run_id, key)]


_LOOP = """
run = current_run(project)
print("run:", run.run_id, flush=True)
step = 0
while True:
    run.log_metric("loss", step / 2, step)
    print("logged:", step, flush=True)
    step += 1
    if step == 300:
        print("many: yes", flush=True)
    time.sleep(0.001)
"""

_DELIVER = """
from workbench.tracking.delivery import deliver
print("left:", deliver(project).waiting)
"""


def test_eight_processes_on_a_fresh_project_lose_nothing(
    forks: Forks, new_project: Project
) -> None:
    program = """
for number in range(20):
    run_id = create_run(project, f"r{number}", tags={"by": str(os.getpid())}, params={"n": number})
    run = Run(project, run_id)
    for step in range(50):
        run.log_metric("loss", step / 2, step)
    finish_run(project, run_id, "FINISHED")
"""
    started = [_start(forks, new_project, program) for _ in range(8)]
    assert [(fork.wait(), fork.said) for fork in started] == [(0, "")] * 8
    with closing(sqlite3.connect(new_project.state / "mlflow.db")) as db:
        count = "select count(*), count(distinct run_uuid) from metrics"
        assert db.execute(count).fetchone() == (8 * 20 * 50, 8 * 20)
        for table in ("latest_metrics", "params"):
            assert db.execute(f"select count(*) from {table}").fetchone() == (8 * 20,)
        ended = db.execute("select status, count(*) from runs group by status").fetchall()
        assert ended == [("FINISHED", 8 * 20)]
    assert not list((new_project.state / "spool").glob("*.jsonl"))


def test_killed_in_the_middle_of_a_loop(forks: Forks, project: Project) -> None:
    fork = _start(forks, project, _LOOP)
    run_id = fork.until(r"run: (\w+)")
    fork.until(r"many: (yes)")
    assert settle_runs(project) == []  # it lives
    assert fork.kill(signal.SIGKILL) == -signal.SIGKILL
    logged = int(re.findall(r"logged: (\d+)\n", fork.said)[-1])
    both = [_start(forks, project, _DELIVER) for _ in range(2)]  # at once: they don't collide
    assert [(one.wait(), one.said) for one in both] == [(0, "left: 0\n")] * 2
    assert settle_runs(project) == [run_id]
    assert set(range(logged + 1)) <= set(_steps(project, run_id, "loss"))  # the last second as well
    run = client(project).get_run(run_id)
    assert run.info.status == "KILLED"
    assert run.data.tags[INTERRUPTED] == "true"
    assert run.info.start_time <= run.info.end_time <= time.time() * 1000
    assert settle_runs(project) == []


@pytest.mark.parametrize(
    ("program", "code", "status"),
    [
        ("pass", 0, "FINISHED"),
        ("raise RuntimeError('no')", 1, "FAILED"),
        ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)", -signal.SIGTERM, "KILLED"),
    ],
    ids=["end", "exception", "sigterm"],
)
def test_an_end_of_every_kind_sends_what_is_left(
    forks: Forks, project: Project, program: str, code: int, status: str
) -> None:
    before = "run = current_run(project)\nprint('run:', run.run_id, flush=True)\n"
    before += "for step in range(500): run.log_metric('loss', step, step)\n"
    fork = _start(forks, project, before + program)
    run_id = fork.until(r"run: (\w+)")
    assert fork.wait() == code
    run = client(project).get_run(run_id)
    assert run.info.status == status
    assert run.info.end_time is not None
    assert len(_steps(project, run_id, "loss")) == 500
    assert settle_runs(project) == []
    assert deliver(project, run_id).sent == 0


def test_a_handler_that_was_there_is_called_after_ours(forks: Forks, project: Project) -> None:
    program = """
signal.signal(signal.SIGTERM, lambda *_: (run.log_metric("said", 1), sys.exit(7)))
run = current_run(project)
print("run:", run.run_id, flush=True)
run.log_metric("loss", 1)
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(60)
"""
    fork = _start(forks, project, program)
    run_id = fork.until(r"run: (\w+)")
    assert fork.wait() == 7
    run = client(project).get_run(run_id)
    assert run.info.status == "KILLED"
    assert set(run.data.metrics) == {"loss", "said"}


def test_a_server_that_goes_and_comes_back(
    forks: Forks, blank_project: Project, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    remote = _configure(blank_project, f"http://127.0.0.1:{port}")
    with mlflow_server(tmp_path, port=port):
        run_id = create_run(remote, "r", tags={}, params={"before": 1})
        run = Run(remote, run_id)
        run.log_metrics({"nan": float("nan"), "inf": float("-inf")})
        entries = [("m", 1.0, 5, 5000), ("m", 2.0, 6, 5000)]
        for _ in range(2):  # twice is once
            for entry in entries:
                run.writer.metric(*entry)
            assert run.flush()
    run.log_metric("away", 1.0)  # takes no notice
    run.log_params({"away": "x" * 7000})
    run.log_json([1], "away.json")
    with caplog.at_level(logging.WARNING, "workbench.tracking"):
        left = Writer(remote, run_id)
        left.metric("other", 1.0)
        assert left.close(patience=0).waiting == 1  # for good, as far as this one can tell
    assert "1 of what was logged isn't in MLflow yet" in caplog.text
    assert "`workbench runs sync` sends it" in caplog.text
    program = """
run = current_run(project)
print("run:", run.run_id, flush=True)
run.log_metric("loss", 0.5)
run.log_params({"depth": 3})
run.log_text("hello", "note.txt")
"""
    fork = _start(forks, remote, program)
    local_id = fork.until(r"run: (local-\w+)")
    assert fork.wait() == 0  # the notebook's own work went on
    assert "`workbench runs sync` sends it" in fork.said
    assert deliver(remote).waiting > 0
    with mlflow_server(tmp_path, port=port):
        assert run.writer.flush(patience=60)
        assert left.flush(patience=60)
        stored = client(remote).get_run(run_id).data
        assert stored.params == {"before": "1", "away": f"{'x' * 5999}…"}
        assert {"away": 1.0, "other": 1.0, "m": 2.0}.items() <= stored.metrics.items()
        assert _steps(remote, run_id, "m") == [5, 6]
        assert {file.path for file in client(remote).list_artifacts(run_id)} == {
            "away.json",
            "params",
        }
        assert deliver(remote).waiting == 0
        assert deliver(remote).sent == 0
        experiment = initialise(remote)
        [found] = client(remote).search_runs(
            [experiment], f"tags.`workbench.local_id` = '{local_id}'"
        )
        assert found.info.status == "FINISHED"
        assert (found.data.metrics, found.data.params) == ({"loss": 0.5}, {"depth": "3"})
        assert [file.path for file in client(remote).list_artifacts(found.info.run_id)] == [
            "note.txt"
        ]
        run.writer.close()
        left.close()


def test_a_server_that_dies_under_a_job(blank_project: Project, tmp_path: Path) -> None:
    port = free_port()
    remote = _configure(blank_project, f"http://127.0.0.1:{port}")
    kill = f"""
import psutil

for process in psutil.process_iter(["cmdline"]):
    if "mlflow" in " ".join(process.info["cmdline"] or ()) and "{port}" in process.info["cmdline"]:
        process.kill()
"""
    log = "import workbench as wb\nwb.tracking.current_run().log_metrics({'m': 1})"
    write_notebook(remote.root / "n.ipynb", kill, log)
    with mlflow_server(tmp_path, port=port):
        [job] = run_jobs(remote, [JobRequest("n.ipynb")])
    assert job.state == "succeeded", job.error
    assert job.run_id is not None
    with mlflow_server(tmp_path, port=port):
        assert deliver(remote).waiting == 0  # of the kernel
        assert writer_of(remote, job.run_id).flush(patience=60)  # and of us
        run = client(remote).get_run(job.run_id)
        assert (run.info.status, run.data.metrics["m"]) == ("FINISHED", 1)
        [stored] = client(remote).list_artifacts(job.run_id, "notebook")
        assert stored.path == "notebook/executed.ipynb"


def test_a_store_that_can_only_be_read(
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)  # where MLflow makes a folder for a database named by a URI
    run_id = create_run(project, "r", tags={}, params={})
    database = project.state / "mlflow.db"
    locked = _with_store(project, f"sqlite:///file:{database}?mode=ro&uri=true")
    writer = Writer(locked, run_id)
    writer.metric("m", 1.0)
    writer.params({"p": 1})
    assert not writer.flush()
    assert writer.close(patience=0).waiting == 2
    assert "readonly database" in caplog.text
    writer.forked()  # as if its process had died
    assert deliver(project, run_id).sent == 2
    assert client(project).get_run(run_id).data.params == {"p": "1"}


def test_a_database_that_is_locked_for_a_while(project: Project) -> None:
    run_id = create_run(project, "r", tags={}, params={})
    writer = Writer(project, run_id)
    with closing(sqlite3.connect(project.state / "mlflow.db", isolation_level=None)) as db:
        db.execute("begin immediate")
        for step in range(2000):  # enough to be sent at once
            writer.metric("m", step, step)
        db.execute("rollback")
    assert writer.flush(patience=30)
    assert len(_steps(project, run_id, "m")) == 2000
    writer.close()


_TINY_DISK = """
import ctypes
libc, user, group = ctypes.CDLL(None), os.geteuid(), os.getegid()
if libc.unshare(0x20000 if user == 0 else 0x10020000) != 0:  # mounts of our own
    print("none: here", flush=True)
    os._exit(0)
if user != 0:
    maps = {"setgroups": "deny", "uid_map": f"0 {user} 1", "gid_map": f"0 {group} 1"}
    for name, line in maps.items():
        open(f"/proc/self/{name}", "w").write(line)
folder = project.state / "spool"
folder.mkdir(exist_ok=True)
libc.mount(b"none", b"/", None, 0x44000, None)
assert libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, b"size=16k") == 0
"""


def _on_a_tiny_disk(forks: Forks, project: Project, program: str) -> str:
    """Run a program whose spool is on a file system of 16 KiB; return what it said."""
    fork = _start(forks, project, _TINY_DISK + program)
    assert fork.wait() == 0, fork.said
    if "none: here" in fork.said:
        pytest.skip("no file system of our own can be mounted here")
    return fork.said


def test_a_full_disk_is_said_and_what_can_be_sent_is(forks: Forks, project: Project) -> None:
    program = """
run = Run(project, create_run(project, "r", tags={}, params={}))
print("run:", run.run_id, flush=True)
for step in range(3000):
    run.log_metric("m", step, step)
run.end()
"""
    said = _on_a_tiny_disk(forks, project, program)
    assert said.count("the spool can't be written ([Errno 28] No space left on device)") == 1
    assert "neither in MLflow nor in the spool" not in said
    run_id = said.partition("run: ")[2].partition("\n")[0]
    assert len(_steps(project, run_id, "m")) == 3000
    assert client(project).get_run(run_id).info.status == "FINISHED"


def test_a_full_disk_and_no_store_is_said_with_the_count(
    forks: Forks, blank_project: Project
) -> None:
    gone = _configure(blank_project, f"http://127.0.0.1:{free_port()}")
    program = """
import workbench.tracking.outbox
workbench.tracking.outbox._HELD_LIMIT = 50
run = current_run(project)
for step in range(1000):
    run.log_metric("m", step, step)
print("still: working", flush=True)
"""
    said = _on_a_tiny_disk(forks, gone, program)
    assert "still: working" in said
    assert said.count("the spool can't be written") == 1
    counts = re.findall(r"(\d+) of what was logged is", said)
    assert sum(map(int, counts)) == 1002  # the metrics, the local run's tag, and its end
