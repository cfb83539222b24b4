"""Files over HTTP, from a server that fails in ways we know."""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import tomlkit

from tests.servers import FileServer, file_server, free_port
from workbench.data import read, stamp
from workbench.data.sources import open_source
from workbench.errors import DataError
from workbench.project import Project

ROWS = pl.DataFrame({"id": range(500), "name": [f"tree {number}" for number in range(500)]})


@pytest.fixture
def web(tmp_path: Path) -> Iterator[FileServer]:
    folder = tmp_path / "web"
    folder.mkdir()
    ROWS.write_csv(folder / "rows.csv")
    with file_server(folder) as running:
        yield running


def declare(root: Path, address: str, **declared: Any) -> Project:
    document = {"name": "x", "sources": {"rows": {"address": address, **declared}}}
    (root / "workbench.toml").write_text(tomlkit.dumps(document), "utf-8")
    return Project.find(root)


@pytest.fixture
def project(tmp_path: Path, web: FileServer) -> Project:
    return declare(tmp_path, f"{web.address}/rows.csv")


def copies(project: Project) -> list[Path]:
    return sorted((project.state / "sources").rglob("*.csv"))


@pytest.mark.parametrize(
    "failures",
    [
        [(503, {}), (500, {})],
        [(429, {"Retry-After": "0"})],
        [(503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})],
        [(503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 -0000"})],
        [(503, {"Retry-After": "²"})],
        ["drop", "cut"],
        ["cut", (502, {}), "drop"],
    ],
)
def test_what_passes_is_tried_again(project: Project, web: FileServer, failures: list[Any]) -> None:
    web.failures = list(failures)
    assert read("rows", project).equals(ROWS)
    assert len(web.asked) == len(failures) + 1
    assert len(copies(project)) == 1


@pytest.mark.parametrize(
    ("failure", "retries", "asked", "said"),
    [
        ((503, {}), 2, 3, "the server failed with 503, tried 3 times"),
        ((503, {}), 0, 1, "the server failed with 503"),
        ("cut", 1, 2, "connection lost (cut off half-way), tried 2 times"),
        ("drop", 1, 2, "connection lost (ConnectionError), tried 2 times"),
        ((404, {}), 3, 1, "no such file"),
        ((401, {}), 3, 1, "access refused: are its credentials right, and may they read it?"),
        ((403, {}), 3, 1, "access refused: are its credentials right, and may they read it?"),
        ((400, {}), 3, 1, "expected a file, the server answered 400"),
        ((204, {}), 3, 1, "expected a file, the server answered 204"),
    ],
)
def test_what_does_not_pass_is_said_and_nothing_is_kept(
    tmp_path: Path, web: FileServer, failure: Any, retries: int, asked: int, said: str
) -> None:
    web.failures = [failure] * 9
    project = declare(tmp_path, f"{web.address}/rows.csv", retries=retries)
    with pytest.raises(DataError) as raised:
        read("rows", project)
    assert str(raised.value) == f"{web.address}/rows.csv: {said}"
    assert len(web.asked) == asked
    assert copies(project) == []


def test_nobody_there(tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}/rows.csv"
    with pytest.raises(DataError, match=r"rows.csv: connection lost \(refused\), tried 2 times$"):
        read("rows", declare(tmp_path, address, retries=1))


def test_a_failed_fetch_is_an_error_and_not_yesterdays_file(
    tmp_path: Path, web: FileServer
) -> None:
    project = declare(tmp_path, f"{web.address}/rows.csv", retries=0)
    read("rows", project)
    web.failures = [(500, {})]
    with pytest.raises(DataError, match="the server failed with 500"):
        read("rows", project)
    assert read("rows", project).equals(ROWS)  # and what was here still is


def test_a_file_that_has_not_changed_is_fetched_once(project: Project, web: FileServer) -> None:
    before = stamp("rows", project)
    for _ in range(2):
        read("rows", project)
    assert [bool(asked.get("If-None-Match")) for asked in web.asked] == [False, True, True]
    assert stamp("rows", project) == before
    ROWS.head(3).write_csv(web.folder / "rows.csv")
    assert stamp("rows", project) != before
    assert read("rows", project).height == 3


def test_a_lazy_frame_outlives_the_next_file_but_copies_do_not_pile_up(
    project: Project, web: FileServer
) -> None:
    lazy = read("rows", project, lazy=True)
    for rows in (5, 4, 3):
        ROWS.head(rows).write_csv(web.folder / "rows.csv")
        assert read("rows", project).height == rows
        if rows == 5:
            assert lazy.collect().equals(ROWS)
    assert len(copies(project)) == 2


READ = """
import sys
from workbench import Project
from workbench.data import read
read("rows", Project.find(sys.argv[1]))
"""


def test_a_reader_that_is_killed_leaves_nothing_half(project: Project, web: FileServer) -> None:
    web.failures = ["stall"]
    reader = subprocess.Popen([sys.executable, "-c", READ, project.root])
    assert web.stalled.wait(60)
    [half] = until(lambda: list((project.state / "sources").rglob("*.tmp")))
    reader.kill()
    reader.wait()
    assert copies(project) == []
    assert half.exists()
    assert read("rows", project).equals(ROWS)  # the lock died with its holder
    assert not half.exists()
    assert len(copies(project)) == 1


def until(look: Callable[[], list[Path]]) -> list[Path]:
    """Look until there is something, at most 30 s."""
    end = time.monotonic() + 30
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.01)
    return found


def test_a_copy_that_was_damaged_is_fetched_again(project: Project) -> None:
    read("rows", project)
    [copy] = copies(project)
    copy.write_bytes(copy.read_bytes()[:-9])
    assert read("rows", project).equals(ROWS)
    (copy.parent / "copy.json").write_text("{")
    assert read("rows", project).equals(ROWS)


def test_a_checksum_is_checked_and_saves_the_asking(tmp_path: Path, web: FileServer) -> None:
    content = (web.folder / "rows.csv").read_bytes()
    right = hashlib.sha256(content).hexdigest()
    project = declare(tmp_path, f"{web.address}/rows.csv", sha256=right)
    assert read("rows", project).equals(ROWS)
    assert read("rows", project).equals(ROWS)
    assert len(web.asked) == 1
    wrong = declare(tmp_path, f"{web.address}/rows.csv", sha256="0" * 64)
    with pytest.raises(DataError) as raised:
        read("rows", wrong)
    expected = f"expected sha256 {'0' * 64}, found {right} ({len(content):,} bytes)"
    assert expected in str(raised.value)
    assert len(copies(project)) == 1


@pytest.mark.parametrize("sized", [True, False])
def test_a_file_that_is_too_large_is_not_fetched(
    tmp_path: Path, web: FileServer, *, sized: bool
) -> None:
    web.sized = sized
    project = declare(tmp_path, f"{web.address}/rows.csv", max_mb=0.001)
    with pytest.raises(DataError, match=r"rows.csv: larger than 0.001 MB: raise max_mb of it"):
        read("rows", project)
    assert copies(project) == []


def test_an_archive_may_not_unpack_to_more(tmp_path: Path, web: FileServer) -> None:
    with zipfile.ZipFile(web.folder / "rows.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.csv", "a\n" + "1\n" * 600_000)
    project = declare(tmp_path, f"{web.address}/rows.zip", max_mb=1)
    with pytest.raises(DataError, match=r"rows.zip: larger than 1 MB inside: raise max_mb of it"):
        read("rows", project)
    assert read("rows", declare(tmp_path, f"{web.address}/rows.zip", max_mb=2)).height == 600_000


@pytest.mark.parametrize("size", ["4, 4", "many", "-1"])
def test_an_odd_length_is_no_length(project: Project, web: FileServer, size: str) -> None:
    web.failures = [(200, {"Content-Length": size})]
    assert read("rows", project).width == 2


def test_lengths_that_differ_are_an_error(project: Project, web: FileServer) -> None:
    web.failures = [(200, {"Content-Length": "4, 5"})]
    with pytest.raises(DataError, match=r"rows.csv: can't be read: Content-Length contained"):
        read("rows", project)


def test_another_address_is_another_file(
    tmp_path: Path, web: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = declare(tmp_path, f"{web.address}/${{YEAR}}.csv", options={"X-Shop": "env:SHOP"})
    monkeypatch.setenv("SHOP", "north")
    for year in ("2014", "2013"):
        pl.DataFrame({"year": [int(year)]}).write_csv(web.folder / f"{year}.csv")
        monkeypatch.setenv("YEAR", year)
        assert read("rows", project)["year"].to_list() == [int(year)]
    monkeypatch.setenv("SHOP", "south")
    read("rows", project)
    # Of a copy of another file the server would be asked whether that has changed.
    assert [asked.get("If-None-Match") for asked in web.asked] == [None] * 3


def test_a_token_in_an_address_is_not_logged(
    tmp_path: Path,
    web: FileServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("ORCHARD_TOKEN", "token-of-ada")
    read("rows", declare(tmp_path, f"{web.address}/rows.csv?sig=${{ORCHARD_TOKEN}}"))
    assert web.asked[0]["path"] == "/rows.csv?sig=token-of-ada"
    assert "token-of-ada" not in caplog.text


def test_readers_at_once_fetch_it_once(project: Project, web: FileServer) -> None:
    frames: list[pl.DataFrame] = []

    def scan() -> None:
        frames.append(open_source("rows", project).scan().collect())

    threads = [threading.Thread(target=scan) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [frame.equals(ROWS) for frame in frames] == [True] * 4
    assert [bool(asked.get("If-None-Match")) for asked in web.asked].count(False) == 1


def test_headers_go_to_their_host_and_to_no_other(
    tmp_path: Path, web: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCHARD_TOKEN", "token-of-ada")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    ROWS.write_csv(elsewhere / "rows.csv")
    headers = {"X-Api-Key": "env:ORCHARD_TOKEN", "Authorization": "Bearer ${ORCHARD_TOKEN}"}
    with file_server(elsewhere) as other:
        web.failures = [(302, {"Location": f"{other.address}/rows.csv"})]
        project = declare(tmp_path, f"{web.address}/rows.csv", options=headers)
        assert read("rows", project).equals(ROWS)
        [asked], [redirected] = web.asked, other.asked
    assert asked["X-Api-Key"] == "token-of-ada"
    assert asked["Authorization"] == "Bearer token-of-ada"
    assert "token-of-ada" not in str(redirected)


def test_user_and_password_are_sent_and_never_said(
    tmp_path: Path,
    web: FileServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login eve password never-sent\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("ORCHARD_PASSWORD", "a:b@c/d")
    address = f"{web.address.replace('//', '//ada:${ORCHARD_PASSWORD}@')}/rows.csv"
    project = declare(tmp_path, address, retries=0)
    assert read("rows", project).equals(ROWS)
    assert web.asked[0]["Authorization"] == "Basic YWRhOmE6YkBjL2Q="
    web.failures = [(503, {}), "drop", (401, {})]
    for _ in range(3):
        with pytest.raises(DataError) as raised:
            read("rows", project)
        assert "ada:${ORCHARD_PASSWORD}@" in str(raised.value)
        assert "a:b@c/d" not in str(raised.value)
    assert "a:b@c/d" not in caplog.text
    assert "a%3Ab" not in caplog.text
    plain = declare(tmp_path, f"{web.address}/rows.csv")
    read("rows", plain)
    assert "Authorization" not in web.asked[-1]


def test_a_copy_has_its_origins_time(project: Project, web: FileServer) -> None:
    os.utime(web.folder / "rows.csv", (1_700_000_000, 1_700_000_000))
    moment = open_source("rows", project).freshness()
    assert moment is not None
    assert moment.timestamp() == 1_700_000_000
