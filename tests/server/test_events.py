"""What changes is told, whoever changed it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.factory.scaffold import create_project
from workbench.git import Repository
from workbench.project import Project
from workbench.server.watching import Watch
from workbench.store import JobRow, database, now
from workbench.tracking import create_run, finish_run

LISTENED_SECONDS = 30


def job(name: str, state: str = "queued") -> JobRow:
    return JobRow(id=name, notebook="n.ipynb", parameters={}, state=state, created_at=now())


def test_each_kind_of_record_is_noticed_by_itself(tmp_path: Path) -> None:
    project = create_project(tmp_path / "project")
    Repository.init(project.root)
    watch = Watch(project)
    assert watch.changed() == []
    with database(project).session() as session:
        session.add(job("one"))
    assert watch.changed() == ["jobs"]
    with database(project).session() as session:
        session.get(JobRow, "one").state = "running"  # type: ignore[union-attr]
    assert watch.changed() == ["jobs"]
    journal = project.state / "jobs" / "one" / "journal.jsonl"
    journal.parent.mkdir(parents=True)
    journal.write_text("{}\n")
    assert watch.changed() == ["progress"]
    finish_run(project, create_run(project, "train", tags={}, params={}), "FINISHED")
    assert watch.changed() == ["runs"]
    repository = Repository(project.root)
    (project.root / "new.md").write_text("new\n")
    repository.commit(["new.md"], "New")
    assert watch.changed() == ["branch"]
    assert watch.changed() == []


async def test_a_listener_is_told(
    jp_fetch: Any,
    jp_http_port: int,
    jp_base_url: str,
    jp_auth_header: dict[str, str],
    served: Path,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", jp_http_port)
    token = jp_auth_header["Authorization"]
    writer.write(
        f"GET {jp_base_url}workbench/api/events?path=flights HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: {token}\r\n\r\n".encode()
    )
    async with asyncio.timeout(LISTENED_SECONDS):
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"200 OK" in head
        assert b"text/event-stream" in head
        assert b": listening" in await reader.readuntil(b"\n\n")
        project = Project.find(served / "flights")
        await asyncio.sleep(1.5)  # the first look is what later ones are compared with
        with database(project).session() as session:
            session.add(job("told"))
        said = b""
        while b"event: changed" not in said:
            said = await reader.readuntil(b"\n\n")
    topics = json.loads(said.partition(b"data: ")[2].splitlines()[0])
    assert "jobs" in topics
    writer.close()
    await writer.wait_closed()


async def test_who_may_not_read_hears_nothing(ask: Callable[..., Any]) -> None:
    answer = await ask("events", path="flights", headers={"Authorization": "token wrong"})
    assert answer.status == 403
    answer = await ask("events", path="plain")
    assert (answer.status, answer.body["type"]) == (404, "urn:workbench:not-a-project")


@pytest.mark.parametrize("path", ["..", "link"])
async def test_no_folder_outside_is_listened_to(ask: Callable[..., Any], path: str) -> None:
    assert (await ask("events", path=path)).status == 400
