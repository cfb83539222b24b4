"""Jobs told as OpenLineage events: in its words, durably, and never in a job's way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema
import polars as pl
import pytest

from tests.jobs.notebooks import write_notebook
from tests.projects import ready_project
from tests.servers import free_port
from workbench.git import Repository
from workbench.jobs import JobRequest, run_jobs
from workbench.lineage import column_edges, link, link_all, openlineage
from workbench.lineage.openlineage import outbox, telling
from workbench.lineage.openlineage.events import run_event, without_secrets
from workbench.project import Project
from workbench.store import DatasetRow, JobRow, database, now

SCHEMA = json.loads((Path(__file__).parents[1] / "data" / "openlineage.json").read_text())


@dataclass
class Receiver:
    """An HTTP server that takes events; each of `answers` is the status of one request."""

    address: str = ""
    answers: list[int] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)


@contextmanager
def receiver(port: int = 0) -> Iterator[Receiver]:
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            status = state.answers.pop(0) if state.answers else 201
            if status < 300:
                state.events.append(json.loads(content))
            state.paths.append(self.path)
            state.keys.append(self.headers.get("Authorization"))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    state.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def told_to(folder: Path, address: str) -> Project:
    """Make a small project that tells its jobs to an address."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ['name = "shop"', "[lineage]", f'openlineage_url = "{address}"', 'namespace = "our"']
    (folder / "workbench.toml").write_text("\n".join(lines) + "\n")
    return Project.find(folder)


def a_job(project: Project, state: str = "succeeded", **fields: Any) -> JobRow:
    row = JobRow(
        id=f"20240101-000000-{os.urandom(4).hex()}",
        notebook="notebooks/train.ipynb",
        parameters={"password": "hunter2"},
        state=state,
        options={"cwd": str(project.root)},
        attempt=1,
        attempts=[],
        created_at=now(),
        started_at=now(),
        finished_at=None if state == "running" else now(),
        **fields,
    )
    with database(project).session() as session:
        session.add(row)
    return row


def check(event: dict[str, Any]) -> None:
    """Hold an event against the specification."""
    validator = jsonschema.Draft202012Validator(
        SCHEMA, format_checker=jsonschema.FormatChecker(["date-time", "uuid"])
    )
    validator.validate(event)
    facets = [event["run"]["facets"], event["job"]["facets"]]
    facets += [dataset["facets"] for dataset in (*event["inputs"], *event["outputs"])]
    for named in facets:
        for name, facet in named.items():
            rule = {"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]}
            jsonschema.Draft202012Validator(rule).validate(facet)


def wait_for(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("state", "kind"),
    [("running", "START"), ("succeeded", "COMPLETE"), ("failed", "FAIL"), ("lost", "FAIL")],
)
def test_every_event_is_of_the_schema(tmp_path: Path, state: str, kind: str) -> None:
    project = told_to(tmp_path, "file:events.ndjson")
    failure = {"failure": "cell", "error": "KeyError: token=s3cret"} if state == "failed" else {}
    event = run_event(project, a_job(project, state, commit="a" * 40, branch="main", **failure))
    assert event is not None
    check(event)
    assert (event["eventType"], event["job"]["namespace"]) == (kind, "our")
    assert event["job"]["facets"]["sourceCodeLocation"]["version"] == "a" * 40
    said = json.dumps(event)
    assert "hunter2" not in said, "parameters aren't told"
    assert "s3cret" not in said, "what a cell said isn't told"


def test_a_job_that_waits_is_no_event(tmp_path: Path) -> None:
    project = told_to(tmp_path, "file:events.ndjson")
    assert run_event(project, a_job(project, "queued")) is None


def test_attempts_of_a_job_are_runs_of_their_own(tmp_path: Path) -> None:
    project = told_to(tmp_path, "file:events.ndjson")
    row = a_job(project, "failed")
    first, same = run_event(project, row), run_event(project, row)
    row.attempt = 2
    second = run_event(project, row)
    assert first is not None
    assert same is not None
    assert second is not None
    assert first["run"]["runId"] == same["run"]["runId"] != second["run"]["runId"]


def test_inputs_columns_and_no_secret(tmp_path: Path) -> None:
    project = told_to(tmp_path, "file:events.ndjson")
    secret = "https://me:hunter2@host/rows.csv?token=hunter2"
    rows = [
        DatasetRow(
            name=name,
            address=address,
            schema={"a": "Int64"},
            rows=1,
            digest="d" * 64,
            read_at=now(),
        )
        for name, address in {"rows": secret, "query": "select 'hunter2'"}.items()
    ]
    with database(project).session() as session:
        session.add_all(rows)
    link(project, [f"dataset:{name}@{'d' * 12}" for name in ("rows", "query")], "run:7", "read")
    link_all(project, column_edges("view:v@1", {"feature:v:f@1": [f"column:rows.a@{'d' * 12}"]}))
    link(project, ["feature:v:f@1"], "input:7/v__f", "column")
    link(project, ["input:7/v__f", "input:7/other"], "run:7", "column")
    event = run_event(project, a_job(project, run_id="7"))
    assert event is not None
    check(event)
    named = {dataset["name"]: dataset["facets"] for dataset in event["inputs"]}
    assert named["rows"]["dataSource"]["uri"] == "https://host/rows.csv"
    assert named["rows"]["schema"]["fields"] == [{"name": "a", "type": "Int64"}]
    assert named["rows"]["version"]["datasetVersion"] == "d" * 64
    [model] = event["outputs"]
    assert [column["name"] for column in model["facets"]["schema"]["fields"]] == ["v__f", "other"]
    assert model["facets"]["columnLineage"]["fields"] == {
        "v__f": {"inputFields": [{"namespace": "our", "name": "rows", "field": "a"}]}
    }
    assert "hunter2" not in json.dumps(event)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("data/rows.csv", "file:data/rows.csv"),
        ("postgresql://me:p@ss/w@host:5432/db?sslmode=x", "postgresql://me"),
        ("s3://bucket/a b.csv", "s3://bucket/a%20b.csv"),
        ("http://[broken", "http:"),
        ("package:x/y.csv", "file:package%3Ax/y.csv"),
    ],
)
def test_addresses_without_credentials(address: str, shown: str) -> None:
    assert without_secrets(address).startswith(shown) or "p@ss" in address
    assert "p@ss" not in without_secrets(address)


def test_a_server_gets_the_events_of_a_job(tmp_path: Path) -> None:
    project = ready_project(tmp_path / "project")
    with receiver() as server:
        with (project.root / "workbench.toml").open("a") as settings:
            settings.write(f'\n[lineage]\nopenlineage_url = "{server.address}"\n')
            settings.write('\n[sources.rows]\naddress = "rows.csv"\n')
        pl.DataFrame({"a": [1]}).write_csv(project.root / "rows.csv")
        notebook = project.root / "notebooks" / "n.ipynb"
        write_notebook(notebook, "import workbench as wb\nwb.data.read('rows')")
        write_notebook(notebook.with_name("bad.ipynb"), "1 / 0")
        Repository(project.root).commit(["notebooks", "workbench.toml"], "All")
        project = Project.find(project.root)
        names = ["notebooks/n.ipynb", "notebooks/bad.ipynb"]
        run_jobs(project, [JobRequest(names[0]), JobRequest(names[1], track=False)])
        wait_for(lambda: len(server.events) == 4)
    for event in server.events:
        check(event)
    told = {(e["job"]["name"], e["eventType"]): e for e in server.events}
    assert set(told) == {
        (names[0], "START"),
        (names[0], "COMPLETE"),
        (names[1], "START"),
        (names[1], "FAIL"),
    }
    assert [d["name"] for d in told[names[0], "COMPLETE"]["inputs"]] == ["rows"]
    assert set(server.paths) == {"/api/v1/lineage"}
    assert not list((project.state / "openlineage" / "waiting").iterdir())


def test_a_file_gets_a_line_for_each_event(tmp_path: Path) -> None:
    project = told_to(tmp_path, "file:told/events.ndjson")
    for state in ("running", "succeeded"):
        openlineage.tell(project, a_job(project, state).id)
    events = tmp_path / "told" / "events.ndjson"
    wait_for(lambda: events.exists() and len(events.read_text().splitlines()) == 2)
    kinds = [json.loads(line)["eventType"] for line in events.read_text().splitlines()]
    assert kinds == ["START", "COMPLETE"]


def test_a_server_that_is_away_costs_nothing_and_gets_all_later(
    tmp_path: Path, cli: Callable[..., Any], cli_json: Callable[..., Any]
) -> None:
    port = free_port()
    project = told_to(tmp_path, f"http://127.0.0.1:{port}/in")
    ids = [a_job(project, "running").id for _ in range(3)]
    for job in ids:
        openlineage.tell(project, job)
    done = cli("lineage", "send", folder=project.root)
    assert done.returncode == 1
    assert "waiting" in done.stdout
    with receiver(port) as server:
        server.answers = [503, 201, 429]
        wait_for(lambda: cli("lineage", "send", folder=project.root).returncode == 0)
        wait_for(lambda: len(server.events) == 3)
        assert set(server.paths) == {"/in"}
    assert cli_json("lineage", "send", folder=project.root)["waiting"] == 0


def test_what_is_refused_is_set_aside_with_the_reason(tmp_path: Path) -> None:
    with receiver() as server:
        server.answers = [422]
        project = told_to(tmp_path, server.address)
        folder = project.state / "openlineage"
        (folder / "waiting").mkdir(parents=True)
        for name in ("00000000000000000001-a.json", "00000000000000000002-b.json"):
            (folder / "waiting" / name).write_text("{}")
        done = openlineage.deliver(project)
    assert (done.sent, done.refused, done.waiting) == (1, 1, 0)
    assert (folder / "refused" / "00000000000000000001-a.txt").read_text().startswith("HTTP 422")


KILLED = """
import os, signal, sys
from workbench.project import Project
from workbench.lineage import openlineage
project = Project.find(sys.argv[1])
for job in sys.argv[2:]:
    openlineage.tell(project, job)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_told_outlives_a_kill(tmp_path: Path) -> None:
    port = free_port()
    project = told_to(tmp_path, f"http://127.0.0.1:{port}")
    ids = [a_job(project, "running").id for _ in range(4)]
    done = subprocess.run([sys.executable, "-c", KILLED, project.root, *ids], check=False)
    assert done.returncode == -signal.SIGKILL
    with receiver(port) as server:
        assert openlineage.deliver(project).sent == 4
    assert len({event["run"]["runId"] for event in server.events}) == 4


def test_the_outbox_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "_MOST", 3)
    project = told_to(tmp_path, "http://127.0.0.1:9")
    for number in range(5):
        outbox.put(project, {"number": number})
    left = sorted((project.state / "openlineage" / "waiting").iterdir())
    assert [json.loads(path.read_text())["number"] for path in left] == [2, 3, 4]


def test_credentials_are_named_and_never_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TELL_TOKEN", "hunter2")
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "hunter3")
    port = free_port()
    project = told_to(tmp_path, f"http://127.0.0.1:{port}/in?token=${{TELL_TOKEN}}")
    monkeypatch.setattr(telling, "send_soon", lambda _: None)
    openlineage.tell(project, a_job(project).id)
    assert openlineage.deliver(project).reason == "ConnectionError"
    with receiver(port) as server:
        assert openlineage.deliver(project).sent == 1
    assert server.paths == ["/in?token=hunter2"]
    assert server.keys == ["Bearer hunter3"]
    assert "hunter" not in caplog.text


@pytest.mark.parametrize("address", ["ftp://x", "nonsense", "http://", "https://[x"])
def test_an_address_that_cannot_be_used(
    tmp_path: Path, cli: Callable[..., Any], address: str, caplog: pytest.LogCaptureFixture
) -> None:
    project = told_to(tmp_path, address)
    openlineage.tell(project, a_job(project).id)  # no reason for a job to fail
    done = cli("lineage", "send", folder=project.root)
    assert done.returncode == 2
    assert "lineage.openlineage_url: expected https://" in done.stderr


def test_without_the_setting_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "workbench.toml").write_text('name = "x"\n')
    project = Project.find(tmp_path)
    openlineage.tell(project, "20240101-000000-none")
    assert not (project.state / "openlineage").exists()
