"""Jobs over HTTP: the form, asking, watching, ending and trying again, and schedules."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.jobs.notebooks import write_notebook
from workbench.errors import StoreError
from workbench.jobs import cancel, get_job, list_jobs, settle
from workbench.jobs.records import ENDED
from workbench.jobs.schedules import load_schedule
from workbench.project import Project
from workbench.server import working
from workbench.server.resources.jobs.telling import joined
from workbench.server.working import WORKERS
from workbench.store import JobRow, TickRow, database, now

Ask = Callable[..., Awaitable[Any]]

PARAMETERS = """
from typing import Annotated, Literal
from workbench.jobs import Range, Secret
month: Annotated[int, Range(1, 12)] = 6  # the month <script>alert(1)</script>
library: Literal["xgboost", "lightgbm"] = "xgboost"
source: str = "skies"
token: Annotated[str | None, Secret] = None
"""
NUMBERS = count()
ENDED_SECONDS = 120
SCRIPT = "<script>alert(1)</script>"
PROBLEM = "application/problem+json"


@pytest.fixture
def project(served: Path) -> Iterator[Project]:
    """A project of its own, in the served folder."""
    root = served / f"jobs-{next(NUMBERS)}"
    (root / "schedules").mkdir(parents=True)
    (root / "workbench.toml").write_text(
        'name = "jobs"\nworkers = 2\n[sources.skies]\naddress = "a.csv"\n'
    )
    write_notebook(
        root / "train.ipynb", "print('month', month)", "print(token)", parameters=PARAMETERS
    )
    write_notebook(
        root / "slow.ipynb", "import time\nprint('began', flush=True)", "time.sleep(300)"
    )
    write_notebook(root / "bad.ipynb", "1 / 0")
    project = Project.find(root)
    yield project
    cancel(project, list_jobs(project, states=("queued", "running")))
    WORKERS.stop()


async def ended(project: Project, *ids: str) -> list[Any]:
    deadline = time.monotonic() + ENDED_SECONDS
    while time.monotonic() < deadline:
        jobs = [await asyncio.to_thread(get_job, project, id_) for id_ in ids]
        if all(job.state in ENDED for job in jobs):
            return jobs
        await asyncio.sleep(0.2)
    raise AssertionError(f"not ended: {jobs}")


async def running(ask: Ask, project: Project, id_: str) -> Any:
    deadline = time.monotonic() + ENDED_SECONDS
    while time.monotonic() < deadline:
        body = (await ask(f"jobs/{id_}", path=project.root.name)).body
        if body["state"] == "running" and body["cell"] == 1:
            return body
        await asyncio.sleep(0.2)
    raise AssertionError(body)


async def test_a_form_has_the_contract_of_the_notebook(ask: Ask, project: Project) -> None:
    form = (await ask("job-form", path=project.root.name, notebook="train.ipynb")).body
    month, library, source, token = form["fields"]
    assert month["parameter"] == {
        "name": "month",
        "type": "Annotated[int, Range(1, 12)]",
        "default": 6,
        "required": False,
        "description": f"the month {SCRIPT}",
        "choices": [],
        "minimum": 1,
        "maximum": 12,
        "secret": False,
    }
    assert month["text"] == "6"
    assert library["parameter"]["choices"] == ["xgboost", "lightgbm"]
    assert source["suggestions"] == ["skies"]
    assert token["parameter"]["secret"] is True
    assert form["workers"] == 2


@pytest.mark.parametrize(
    ("notebook", "status", "said"),
    [
        ("none.ipynb", 400, "no such notebook"),
        ("../flights/workbench.toml", 400, "expected a notebook"),
        ("../flights/x.ipynb", 400, "outside the project"),
    ],
)
async def test_a_form_of_no_notebook(
    ask: Ask, project: Project, notebook: str, status: int, said: str
) -> None:
    answer = await ask("job-form", path=project.root.name, notebook=notebook)
    assert (answer.status, answer.content_type) == (status, PROBLEM)
    assert said in answer.body["detail"]


async def test_what_is_wrong_is_said_at_each_field(send: Ask, project: Project) -> None:
    form = {"notebook": "train.ipynb", "values": {"month": "13", "library": "catboost", "x": "1"}}
    answer = await send("POST", "job-form/check", form, path=project.root.name)
    assert answer.body["jobs"] == 0
    assert answer.body["problems"] == {
        "month": "expected int from 1 up to 12, found '13'",
        "library": "expected one of 'xgboost', 'lightgbm', found 'catboost'",
        "x": "unknown parameter 'x'; there are: library, month, source, token",
    }
    refused = await send("POST", "jobs", form, path=project.root.name)
    assert (refused.status, refused.body["type"]) == (400, "urn:workbench:parameter")
    assert "month: expected int from 1 up to 12" in refused.body["detail"]


async def test_a_grid_says_how_many_jobs_it_makes(send: Ask, project: Project) -> None:
    form = {
        "notebook": "train.ipynb",
        "values": {"source": "skies"},
        "grid": {"month": "1..6", "library": "xgboost,lightgbm"},
    }
    assert (await send("POST", "job-form/check", form, path=project.root.name)).body == {
        "jobs": 12,
        "problems": {},
        "problem": None,
    }
    form["grid"] = {"month": "1..13"}
    checked = (await send("POST", "job-form/check", form, path=project.root.name)).body
    assert checked["problems"] == {"month": "expected int from 1 up to 12, found 13"}


async def test_too_many_jobs_are_left_to_the_command_line(send: Ask, project: Project) -> None:
    write_notebook(project.root / "many.ipynb", parameters="seed: int = 0")
    form = {"notebook": "many.ipynb", "grid": {"seed": "1..3000"}}
    checked = (await send("POST", "job-form/check", form, path=project.root.name)).body
    assert "a grid of 3,000 jobs; expected at most 2,000 here" in checked["problem"]
    assert (await send("POST", "jobs", form, path=project.root.name)).status == 400


@pytest.mark.parametrize(
    "body",
    [
        {"notebook": "train.ipynb", "nonsense": 1},
        {"notebook": "train.ipynb", "limits": {"wall_seconds": -1}},
        {"notebook": "train.ipynb", "values": {"month": 6}},
        {},
    ],
)
async def test_a_body_that_is_none_is_refused(
    send: Ask, project: Project, body: dict[str, Any]
) -> None:
    answer = await send("POST", "jobs", body, path=project.root.name)
    assert (answer.status, answer.content_type) == (400, PROBLEM)
    assert answer.body["detail"].startswith("body: ")


async def test_a_grid_runs_and_is_told(send: Ask, ask: Ask, project: Project) -> None:
    form = {
        "notebook": "train.ipynb",
        "values": {"token": "hush-hush"},
        "grid": {"month": "1,2"},
        "label": SCRIPT,
        "track": False,
    }
    asked = await send("POST", "jobs", form, path=project.root.name)
    assert asked.status == 201, asked.body
    assert len(asked.body["ids"]) == 2
    jobs = await ended(project, *asked.body["ids"])
    assert [job.state for job in jobs] == ["succeeded", "succeeded"]
    assert jobs[0].params == {"month": 1, "token": "***"}

    [second, first] = (await ask("jobs", path=project.root.name, batch=asked.body["batch"])).body[
        "items"
    ]
    assert (first["label"], first["cell"], first["cells"]) == (SCRIPT, 4, 4)
    page = (await ask("jobs", path=project.root.name, limit="1")).body
    assert page["items"][0]["id"] == second["id"]
    assert (await ask("jobs", path=project.root.name, limit="1", cursor=page["next"])).body[
        "items"
    ][0]["id"] == first["id"]
    details = (await ask(f"jobs/{first['id']}", path=project.root.name)).body
    assert [cell["state"] for cell in details["listing"]] == ["completed"] * 4
    assert details["listing"][1]["tags"] == ["injected-parameters"]
    assert details["siblings"]["succeeded"] == 2
    html = (await ask(f"jobs/{first['id']}/page", path=project.root.name)).body["html"]
    assert "month 1" in html
    assert "hush-hush" not in html

    again = await send("POST", "jobs", form, path=project.root.name)
    assert again.body["ids"] == asked.body["ids"]
    assert (again.body["cached"], again.body["batch"]) == (2, None)


async def test_a_running_job_is_watched_and_cancelled(
    send: Ask, ask: Ask, project: Project, stream: Callable[..., Awaitable[Any]]
) -> None:
    asked = await send(
        "POST", "jobs", {"notebook": "slow.ipynb", "track": False}, path=project.root.name
    )
    [id_] = asked.body["ids"]
    watching = asyncio.ensure_future(stream(f"jobs/{id_}/events", project.root.name))
    await running(ask, project, id_)
    assert (await ask("jobs", path=project.root.name, show="open")).body["items"][0]["id"] == id_
    standing = (await ask("standing", path=project.root.name)).body
    assert (standing["running"], standing["queued"], standing["branch"]) == (1, 0, None)
    assert (await send("POST", "jobs/resume", {"ids": [id_]}, path=project.root.name)).status == 409
    moved = await send("POST", "jobs/cancel", {"ids": [id_]}, path=project.root.name)
    assert moved.body == {"ids": [id_]}
    [job] = await ended(project, id_)
    assert (job.state, job.failure) == ("cancelled", "cancelled")
    told = await asyncio.wait_for(watching, ENDED_SECONDS)
    assert told[-1][0] == "done"
    states = [data["state"] for event, data in told if event == "job"]
    assert states[-1] == "cancelled"
    assert "running" in states
    outputs = [
        e["output"]["text"] for event, d in told if event == "log" for e in d if "output" in e
    ]
    assert outputs == ["began\n"]


async def test_a_failed_job_is_grouped_and_tried_again(
    send: Ask, ask: Ask, project: Project
) -> None:
    body = {"notebook": "bad.ipynb", "track": False, "retries": 0}
    [id_] = (await send("POST", "jobs", body, path=project.root.name)).body["ids"]
    await ended(project, id_)
    [group] = (await ask("jobs/failures", path=project.root.name)).body
    assert (group["exception"], group["cell"], group["jobs"]) == ("ZeroDivisionError", 0, [id_])
    resumed = await send("POST", "jobs/resume", {"ids": [id_]}, path=project.root.name)
    assert resumed.body == {"ids": [id_]}
    [job] = await ended(project, id_)
    assert (job.state, job.attempt) == ("failed", 2)
    assert (await ask("jobs/states", path=project.root.name)).body["failed"] == 1


async def test_a_worker_that_is_killed_leaves_true_records(
    send: Ask, ask: Ask, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = count()

    def settle_at_last(project: Project) -> Any:
        """Fail at first, as where the records are away for a moment."""
        if not next(tries):
            raise StoreError("away")
        return settle(project)

    monkeypatch.setattr(working, "settle", settle_at_last)
    monkeypatch.setattr(working, "_LOOK_SECONDS", 0.5)
    body = {"notebook": "slow.ipynb", "track": False}
    [id_] = (await send("POST", "jobs", body, path=project.root.name)).body["ids"]
    await running(ask, project, id_)
    [worker] = [
        child for child in psutil.Process().children() if "workbench.jobs.worker" in child.cmdline()
    ]
    os.kill(worker.pid, signal.SIGKILL)
    [job] = await ended(project, id_)
    assert (job.state, job.failure) == ("lost", "lost")
    body = {"notebook": "bad.ipynb", "track": False}
    [other] = (await send("POST", "jobs", body, path=project.root.name)).body["ids"]
    assert (await ended(project, other))[0].state == "failed"  # by another worker


async def test_jobs_outlive_who_asked_for_them(send: Ask, ask: Ask, project: Project) -> None:
    write_notebook(project.root / "brief.ipynb", "import time; time.sleep(3)")
    body = {"notebook": "brief.ipynb", "track": False}
    [id_] = (await send("POST", "jobs", body, path=project.root.name)).body["ids"]
    await running_or_more(ask, project, id_)
    WORKERS.stop()  # as the server does when it ends
    assert (await ended(project, id_))[0].state == "succeeded"


async def running_or_more(ask: Ask, project: Project, id_: str) -> None:
    while (await ask(f"jobs/{id_}", path=project.root.name)).body["state"] == "queued":
        await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("method", "route", "body"),
    [
        ("GET", "jobs/none", None),
        ("GET", "jobs/none/page", None),
        ("GET", "jobs/none/events", None),
        ("POST", "jobs/cancel", {"ids": ["none"]}),
        ("POST", "jobs/resume", {"batch": SCRIPT}),
        ("PATCH", "schedules/none", {"enabled": True}),
    ],
)
async def test_what_is_not_there(
    send: Ask, project: Project, method: str, route: str, body: Any
) -> None:
    answer = await send(method, route, body, path=project.root.name)
    assert (answer.status, answer.body["type"]) == (404, "urn:workbench:not-found")


@pytest.mark.parametrize("body", [{}, {"ids": ["a"], "batch": "b"}, {"all": True}])
async def test_which_jobs_has_to_be_said(send: Ask, project: Project, body: Any) -> None:
    assert (await send("POST", "jobs/cancel", body, path=project.root.name)).status == 400


async def test_a_viewer_looks_and_changes_nothing(send: Ask, ask: Ask, project: Project) -> None:
    settings = project.root / "workbench.toml"
    settings.write_text(settings.read_text() + '[roles]\nviewer = ["*"]\n')
    (project.root / "schedules" / "nightly.toml").write_text(SCHEDULE)
    for method, route, body in (
        ("POST", "jobs", {"notebook": "bad.ipynb"}),
        ("POST", "jobs/cancel", {"ids": ["x"]}),
        ("POST", "jobs/resume", {"ids": ["x"]}),
        ("PATCH", "schedules/nightly", {"enabled": False}),
        ("POST", "schedules", {"name": "new", "notebook": "bad.ipynb", "cron": "0 6 * * *"}),
    ):
        answer = await send(method, route, body, path=project.root.name)
        assert (answer.status, answer.body["type"]) == (403, "urn:workbench:forbidden"), route
    for route in ("jobs", "jobs/failures", "jobs/states", "schedules", "standing"):
        assert (await ask(route, path=project.root.name)).status == 200, route


SCHEDULE = """cron = "0 6 * * *"  # <b>
notebook = "bad.ipynb"
description = "<script>alert(1)</script>"
"""


async def test_schedules(send: Ask, ask: Ask, project: Project) -> None:
    path = project.root / "schedules" / "nightly.toml"
    path.write_text(SCHEDULE)
    (project.root / "schedules" / "wrong.toml").write_text("cron = 1")
    when = now()
    with database(project).session() as session:
        session.add(
            TickRow(schedule="nightly", at=when, state="failed", reason=SCRIPT, claimed_at=when)
        )
    listed = (await ask("schedules", path=project.root.name)).body
    assert listed["served"] is False
    nightly, wrong = listed["items"]
    assert (nightly["runs"], nightly["enabled"], nightly["description"]) == (
        "bad.ipynb",
        True,
        SCRIPT,
    )
    assert nightly["next"].endswith("06:00:00Z")
    assert (nightly["last"]["state"], nightly["last"]["reason"]) == ("failed", SCRIPT)
    assert "cron" in wrong["problem"]
    paused = await send("PATCH", "schedules/nightly", {"enabled": False}, path=project.root.name)
    assert (paused.body["enabled"], paused.body["next"]) == (False, None)
    assert path.read_text() == f"enabled = false\n{SCHEDULE}"


NEW = {
    "name": "mornings",
    "notebook": "train.ipynb",
    "values": {"month": "3", "token": "secret://TOKEN"},
    "cron": "0 6 * * 1-5",
    "zone": "Europe/Berlin",
    "description": SCRIPT,
}


async def test_a_schedule_is_made(send: Ask, ask: Ask, project: Project) -> None:
    made = await send("POST", "schedules", NEW, path=project.root.name)
    assert (made.status, made.body["runs"]) == (201, "train.ipynb"), made.body
    [listed] = (await ask("schedules", path=project.root.name)).body["items"]
    assert (listed["name"], listed["cron"], listed["description"]) == (
        "mornings",
        "0 6 * * 1-5",
        SCRIPT,
    )
    spec = load_schedule(project, "mornings").spec
    assert spec.parameters == {"month": 3, "token": "secret://TOKEN"}
    again = await send("POST", "schedules", NEW, path=project.root.name)
    assert (again.status, again.body["type"]) == (409, "urn:workbench:job")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "../out"}, "expected a name"),
        ({"notebook": "none.ipynb"}, "no such notebook"),
        ({"cron": "whenever"}, "cron"),
        ({"zone": "Moon"}, "unknown time zone"),
        ({"values": {"month": "13"}}, "from 1 up to 12"),
        ({"values": {"token": "hush-hush"}}, "is a secret"),
        ({"values": {"month": "3", "library": "None"}}, "library"),
        ({"nonsense": 1}, "body: "),
    ],
)
async def test_a_schedule_that_could_not_run_is_not_made(
    send: Ask, project: Project, change: dict[str, Any], said: str
) -> None:
    answer = await send("POST", "schedules", {**NEW, **change}, path=project.root.name)
    assert (answer.status, answer.content_type) == (400, PROBLEM)
    assert said in answer.body["detail"]
    assert "hush" not in answer.body["detail"]
    assert not list((project.root / "schedules").iterdir())


async def test_many_jobs_are_listed_quickly(ask: Ask, project: Project) -> None:
    with database(project).session() as session:
        session.add_all(
            JobRow(
                id=f"job-{number:04}",
                notebook="n.ipynb",
                parameters={"name": SCRIPT},
                state="succeeded",
                created_at=now(),
            )
            for number in range(500)
        )
    await ask("jobs", path=project.root.name, limit="100")
    began = time.monotonic()
    page = (await ask("jobs", path=project.root.name, limit="100")).body
    assert time.monotonic() - began < 1  # 0.03 s on a quiet machine
    assert len(page["items"]) == 100
    assert page["items"][0]["params"] == {"name": SCRIPT}


def test_what_a_stream_has_in_pieces_is_put_together() -> None:
    def out(text: str, name: str = "stdout", cell: int = 1) -> dict[str, Any]:
        return {
            "event": "output",
            "cell": cell,
            "output": {"output_type": "stream", "name": name, "text": text},
        }

    end = {"event": "end", "cell": 1, "status": "completed"}
    found = joined(
        [out("a"), out("b"), out("c", "stderr"), end, out("d", cell=2), out("e", cell=2)]
    )
    assert found == [out("ab"), out("c", "stderr"), end, out("de", cell=2)]


@pytest.fixture
def stream(
    jp_http_port: int, jp_base_url: str, jp_auth_header: dict[str, str]
) -> Callable[..., Awaitable[list[tuple[str, Any]]]]:
    """Read a stream of events until it is done."""

    async def read(route: str, path: str) -> list[tuple[str, Any]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", jp_http_port, limit=2**24)
        writer.write(
            f"GET {jp_base_url}workbench/api/{route}?path={path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: {jp_auth_header['Authorization']}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"text/event-stream" in head
        told: list[tuple[str, Any]] = []
        while not told or told[-1][0] != "done":
            said = (await reader.readuntil(b"\n\n")).decode()
            if "event: " in said:
                event = said.partition("event: ")[2].partition("\n")[0]
                told.append((event, json.loads(said.partition("data: ")[2].partition("\n")[0])))
        writer.close()
        await writer.wait_closed()
        return told

    return read
