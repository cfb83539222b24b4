"""How a stream of events ends, and that nothing of it stays behind."""

from __future__ import annotations

import asyncio
import gc
import json
import shutil
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.projects import ready_project
from tests.server.running import jupyter_server
from workbench.project import Project
from workbench.server import events
from workbench.server.watching import Watch
from workbench.store import JobRow, database, now

SECONDS = 30
Listen = Callable[..., Any]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("served")
    for name in ("one", "other"):
        ready_project(root / name)
    return root


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_LOOK_SECONDS", 0.1)


@pytest.fixture
def pulses(jp_serverapp: Any) -> events.Pulses:
    [extension] = jp_serverapp.extension_manager.extension_apps["workbench.server"]
    found: events.Pulses = extension._pulses
    return found


@pytest.fixture
def listen(
    http_server_client: Any,
    jp_serverapp: Any,
    jp_http_port: int,
    jp_base_url: str,
    jp_auth_header: dict[str, str],
) -> Listen:
    def listen(path: str) -> Any:
        token = jp_auth_header["Authorization"]
        return listening(f"http://127.0.0.1:{jp_http_port}{jp_base_url}", token, path)

    return listen


@asynccontextmanager
async def listening(url: str, token: str, path: str) -> AsyncIterator[asyncio.StreamReader]:
    """Listen as a browser does; give what is heard, from the first word on."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(
            f"GET {address.path}workbench/api/events?path={path} HTTP/1.1\r\n"
            f"Host: 127.0.0.1\r\nAuthorization: {token}\r\n\r\n".encode()
        )
        async with asyncio.timeout(SECONDS):
            assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
            assert b": listening" in await reader.readuntil(b"\n\n")
        yield reader
    finally:
        writer.close()


async def topics(reader: asyncio.StreamReader) -> list[str]:
    """Wait for the next change; say in what."""
    async with asyncio.timeout(SECONDS):
        while b"event: changed" not in (said := await reader.readuntil(b"\n\n")):
            pass
    found: list[str] = json.loads(said.partition(b"data: ")[2].splitlines()[0])
    return found


async def ends(reader: asyncio.StreamReader) -> bool:
    """Wait until there is nothing more to hear: an empty chunk, or no connection."""
    async with asyncio.timeout(SECONDS):
        try:
            await reader.readuntil(b"\r\n0\r\n\r\n")
        except asyncio.IncompleteReadError:
            return reader.at_eof()
    return True


async def until(is_so: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(SECONDS):
        while not is_so():
            await asyncio.sleep(0.02)


def add_job(project: Project, name: str) -> None:
    with database(project).session() as session:
        session.add(
            JobRow(id=name, notebook="n.ipynb", parameters={}, state="queued", created_at=now())
        )


async def test_many_listen_to_one_look(
    listen: Listen, pulses: events.Pulses, served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Watch] = []
    changed = Watch.changed
    monkeypatch.setattr(Watch, "changed", lambda watch: (looked.append(watch), changed(watch))[1])
    before = {task for task in asyncio.all_tasks() if not task.done()}
    threads = threading.active_count()
    async with AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(listen("one")) for _ in range(60)]
        await until(lambda: looked)
        add_job(Project.find(served / "one"), "told")
        told = await asyncio.gather(*map(topics, readers))
        assert all("jobs" in found for found in told)
        assert len({id(watch) for watch in looked}) == 1
    await until(lambda: not pulses.listened)
    await until(lambda: not {task for task in asyncio.all_tasks() if not task.done()} - before)
    assert threading.active_count() <= threads + 6  # the loop's own pool, which is bounded


async def test_each_project_is_told_its_own(listen: Listen, served: Path) -> None:
    async with listen("one") as one, listen("other/notebooks") as other:
        await asyncio.sleep(0.5)
        add_job(Project.find(served / "one"), "of one")
        assert "jobs" in await topics(one)
        add_job(Project.find(served / "other"), "of the other")
        assert "jobs" in await topics(other)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(one.readuntil(b"event: changed"), 1)


async def test_a_project_that_goes_away_ends_its_stream(
    listen: Listen, pulses: events.Pulses, served: Path, ask: Callable[..., Any]
) -> None:
    ready_project(served / "doomed")
    async with listen("doomed") as reader:
        await asyncio.sleep(0.3)
        shutil.rmtree(served / "doomed")
        assert await ends(reader)
    assert (await ask("events", path="doomed")).status == 404
    await until(lambda: not pulses.listened)
    ready_project(served / "doomed")
    async with listen("doomed"):
        assert len(pulses.listened) == 1


async def test_a_look_that_fails_ends_the_stream(
    listen: Listen, pulses: events.Pulses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the sidebar says so and asks again, rather than wait for what never comes."""

    def fail(watch: Watch) -> None:
        raise OSError("disk")

    with monkeypatch.context() as patch:
        patch.setattr(Watch, "changed", fail)
        async with listen("one") as reader:
            assert await ends(reader)
    await until(lambda: not pulses.listened)
    async with listen("one"):
        pass
    gc.collect()  # a task whose error nobody looked at would say so now


async def test_a_server_that_stops_lets_its_listeners_go(served: Path, tmp_path: Path) -> None:
    with jupyter_server(tmp_path, served) as server:
        token = server.headers["Authorization"]
        async with AsyncExitStack() as stack:
            readers = [
                await stack.enter_async_context(listening(server.url, token, "one"))
                for _ in range(10)
            ]
            assert await asyncio.to_thread(server.stop) < 15
            assert all(await asyncio.gather(*map(ends, readers)))
        await asyncio.to_thread(server.start)
        async with listening(server.url, token, "one") as reader:
            await asyncio.sleep(2)
            add_job(Project.find(served / "one"), "back")
            assert "jobs" in await topics(reader)
