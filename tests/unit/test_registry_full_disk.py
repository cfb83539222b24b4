"""On a disk that is full an alias moves and is logged, or neither; and it is said in one line."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import Finished
from tests.models import judged, late_rows, made, trained
from workbench.errors import StoreError
from workbench.factory.scaffold import create_project
from workbench.gates.document import stored_reports
from workbench.lineage import upstream
from workbench.project import Project
from workbench.registry import (
    aliases_of,
    get_model,
    list_approvals,
    list_decided,
    verify_decisions,
)
from workbench.store import DiskFullError, database, disk_full, room, write_atomic

CLI = Callable[..., Finished]

LEVELS = [0, 4, 40, 400, 1024, 1028, 1044, 1100, 1400]
"""KiB that are free: nothing, less than is taken before a decision, about as much, and more."""


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    return late_rows()


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty disk of 24 MiB."""
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount(8) here")
    if done.returncode != 0:
        pytest.skip(f"no file system of our own can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)  # SQLite's files may be open still


@pytest.fixture(scope="module")
def project(disk: Path, rows: pl.DataFrame) -> Project:
    """A project on that disk: version 1 is the champion, 2 has passed the gate after it."""
    project = create_project(disk / "project")
    judged(project, rows, "late", made(project, rows))
    from workbench.registry import promote

    promote(project, "late", "1", "champion", reason="the first")
    judged(project, rows, "late", made(project, rows))
    return project


@contextmanager
def left(project: Project, kib: int) -> Iterator[None]:
    """Leave so much of the disk, and no room in SQLite's logs."""
    for name in ("workbench.db", "mlflow.db"):
        with closing(sqlite3.connect(project.state / name)) as connection:
            connection.execute("pragma wal_checkpoint(truncate)")
    filler = project.root.parent / "filler"
    there = os.statvfs(filler.parent)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, there.f_bavail * there.f_frsize - kib * 1024 or 1)
    try:
        yield
    finally:
        filler.unlink()


def is_whole(project: Project) -> None:
    """The alias and the log agree, the chain holds, and nothing lies about."""
    moves = [one for one in list_decided(project, "late") if one.moves]
    assert aliases_of(project, "late") == {"champion": moves[-1].version}
    assert verify_decisions(project).broken == []
    for move in moves:
        assert f"model:late/{move.version}" in {
            edge.source for edge in upstream(project, f"decision:{move.id}")
        }
    names = [path.name for path in project.root.rglob("*")]
    assert [n for n in names if n.endswith(".tmp") or n.startswith(".artifact.")] == []


def said(done: Finished) -> None:
    """One line, and the exit code that no gate gives."""
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert done.stderr.startswith("error: ")
    assert "the disk is full: free some room, then do it again" in done.stderr


def caught(work: Callable[[], object]) -> Exception | None:
    try:
        work()
    except Exception as error:
        return error
    return None


@pytest.mark.parametrize("kib", LEVELS)
def test_a_promotion_and_its_end_are_done_or_not_begun(
    project: Project, cli: CLI, kib: int
) -> None:
    before = len(list_decided(project))
    with left(project, kib):
        done = cli("models", "promote", "late", "2", folder=project.root)
        if done.returncode != 0:
            said(done)
        is_whole(project)
        assert len(list_decided(project)) == before + (done.returncode == 0)
        assert kib > 1024 or done.returncode == 2
    again = cli("models", "promote", "late", "2", folder=project.root)
    assert (again.returncode, again.stdout) == (0, "late version 2 is champion (before: 1)\n")
    assert len(list_decided(project)) == before + 1
    is_whole(project)

    with left(project, kib):
        done = cli("models", "rollback", "late", folder=project.root)
        if done.returncode != 0:
            said(done)
        is_whole(project)
    if done.returncode != 0:
        done = cli("models", "rollback", "late", folder=project.root)
    assert (done.returncode, done.stdout) == (0, "late version 1 is champion (before: 2)\n")
    is_whole(project)


@pytest.mark.parametrize("kib", [0, 4, 400])
def test_an_approval_is_there_or_not(project: Project, cli: CLI, kib: int) -> None:
    before = len(list_approvals(project, "late", "2"))
    with left(project, kib):
        done = cli("models", "approve", "late", "2", folder=project.root)
        if done.returncode != 0:
            said(done)
        assert len(list_approvals(project, "late", "2")) == before + (done.returncode == 0)
    assert kib > 0 or done.returncode == 2
    assert cli("models", "approve", "late", "2", folder=project.root).returncode == 0
    is_whole(project)


@pytest.mark.parametrize("kib", [0, 4, 400, 1100])
def test_a_version_is_registered_or_not(
    project: Project, rows: pl.DataFrame, cli: CLI, kib: int
) -> None:
    run_id = trained(project, rows)
    before = len(get_model(project, "late").versions)
    with left(project, kib):
        done = cli("models", "register", "late", run_id, folder=project.root)
        if done.returncode != 0:
            said(done)
        assert len(get_model(project, "late").versions) == before + (done.returncode == 0)
    assert kib > 1024 or done.returncode == 2
    assert cli("models", "register", "late", run_id, folder=project.root).returncode == 0
    assert len(get_model(project, "late").versions) == before + 1
    is_whole(project)


@pytest.mark.parametrize("kib", [0, 4, 8, 16])
def test_a_gates_document_is_whole_or_not_there(
    project: Project, rows: pl.DataFrame, kib: int
) -> None:
    version = made(project, rows)
    with left(project, kib):
        error = caught(lambda: judged(project, rows, "late", version))
        assert error is None or disk_full(error)
        assert len(stored_reports(project, "late", version)) == (error is None)
        is_whole(project)
    report = judged(project, rows, "late", version)
    assert stored_reports(project, "late", version) == [report]
    is_whole(project)


def test_what_is_written_beside_goes_again(project: Project) -> None:
    path = project.state / "new.bin"
    with left(project, 64):
        full = pytest.raises(DiskFullError, match=r"new.bin: the disk is full")
        with full as raised, write_atomic(path) as beside:
            beside.write_bytes(bytes(100_000))
        assert isinstance(raised.value, StoreError)
        with pytest.raises(DiskFullError), room(project.state):
            raise AssertionError("there is no room")
        full = pytest.raises(DiskFullError, match=r"workbench.db: the disk is full")
        with full, database(project).session() as session:
            session.connection().exec_driver_sql("create table t as select zeroblob(1000000)")
    is_whole(project)
