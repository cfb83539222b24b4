"""A holder is alive for as long as its process is, seen from here and from elsewhere."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from workbench.jobs import holders
from workbench.jobs.holders import DEAD_AFTER, alive, forget_dead, holding
from workbench.project import Project
from workbench.store import HolderRow, database, now

_HOLDER = """
import sys, time
from workbench.jobs.holders import holding
from workbench.project import Project
with holding(Project.find(sys.argv[1]), "test") as holder:
    print(holder, flush=True)
    time.sleep(600)
"""


def _rows(project: Project) -> list[HolderRow]:
    with database(project).session() as session:
        return list(session.scalars(select(HolderRow)))


def test_a_holder_lives_in_its_block_and_leaves_nothing(blank_project: Project) -> None:
    with holding(blank_project, "test") as holder:
        assert alive(blank_project, holder)
        forget_dead(blank_project)
        assert alive(blank_project, holder), "the living are not forgotten"
    assert not alive(blank_project, holder)
    assert _rows(blank_project) == []
    assert list((blank_project.state / "holders").iterdir()) == []


def test_nobody_is_not_alive(blank_project: Project) -> None:
    assert not alive(blank_project, None)
    assert not alive(blank_project, "pool-that-never-was")


def test_a_killed_holder_is_dead_at_once_and_forgotten(blank_project: Project) -> None:
    command = [sys.executable, "-c", _HOLDER, str(blank_project.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        holder = process.stdout.readline().strip()
        assert alive(blank_project, holder)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not alive(blank_project, holder)
    forget_dead(blank_project)
    assert _rows(blank_project) == []
    assert list((blank_project.state / "holders").iterdir()) == []


def test_on_another_machine_the_heartbeat_tells(
    blank_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with holding(blank_project, "test") as holder:
        monkeypatch.setattr(holders, "_machine", lambda: "another one")
        assert alive(blank_project, holder)
        with database(blank_project).session() as session:
            session.get_one(HolderRow, holder).beat_at = now() - 2 * DEAD_AFTER
        assert not alive(blank_project, holder)


def test_the_heart_beats(blank_project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holders, "BEAT_SECONDS", 0.02)
    with holding(blank_project, "test"):
        [row] = _rows(blank_project)
        first, beats = row.beat_at, 0
        while not beats:
            [row] = _rows(blank_project)
            beats += row.beat_at > first


def test_its_lock_is_in_the_projects_own_folder(blank_project: Project) -> None:
    with holding(blank_project, "test"):
        [row] = _rows(blank_project)
        assert Path(row.lock).is_relative_to(blank_project.state)
