"""Who holds a job: a process that can be told to be alive, here or on another machine.

A holder has a row and a locked file. On its own machine the lock tells: the kernel frees it with
the process. From elsewhere the row's heartbeat does, which is slower and needs clocks that agree
within a few seconds.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import delete, select

from workbench.errors import StoreError
from workbench.project import Project
from workbench.store import HolderRow, database, now

__all__ = ["BEAT_SECONDS", "DEAD_AFTER", "alive", "at_work", "forget_dead", "holding"]

BEAT_SECONDS = 5.0

DEAD_AFTER = timedelta(seconds=30)
"""A holder elsewhere that was silent for so long is taken for dead."""


@contextmanager
def holding(project: Project, role: str) -> Iterator[str]:
    """Be a holder for the block; gives the id that goes with the jobs one holds."""
    holder = f"{role}-{now():%Y%m%d%H%M%S}-{secrets.token_hex(4)}"
    lock = project.state / "holders" / f"{holder}.lock"
    lock.parent.mkdir(exist_ok=True)
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    ended = threading.Event()
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        _beat(project, holder, lock, role)
        threading.Thread(
            target=_beat_on,
            args=(project, holder, lock, role, ended),
            name="heartbeat",
            daemon=True,
        ).start()
        yield holder
    finally:
        ended.set()
        with suppress(StoreError):  # a row that stays behind is forgotten later
            _forget(project, [holder])
        lock.unlink(missing_ok=True)
        os.close(descriptor)


def alive(project: Project, holder: str | None) -> bool:
    """Say whether the process that has this id still lives."""
    if holder is None:
        return False
    with database(project).session() as session:
        row = session.get(HolderRow, holder)
        return row is not None and _lives(row)


def at_work(project: Project, role: str) -> bool:
    """Say whether any process of this role lives."""
    with database(project).session() as session:
        return any(map(_lives, session.scalars(select(HolderRow).where(HolderRow.role == role))))


def forget_dead(project: Project) -> None:
    """Remove the rows and locks of holders that are gone; call it once their jobs are closed."""
    with database(project).session() as session:
        dead = [row for row in session.scalars(select(HolderRow)) if not _lives(row)]
    _forget(project, [row.id for row in dead])
    for row in dead:
        if row.machine == _machine():
            Path(row.lock).unlink(missing_ok=True)


def _forget(project: Project, holders: list[str]) -> None:
    if holders:
        with database(project).session() as session:
            session.execute(delete(HolderRow).where(HolderRow.id.in_(holders)))


def _lives(row: HolderRow) -> bool:
    if row.machine != _machine():
        return now() - row.beat_at < DEAD_AFTER
    try:
        descriptor = os.open(row.lock, os.O_RDWR)
    except OSError:
        return False  # its own process removes it, last of all
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # others may be asking too
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def _beat_on(project: Project, holder: str, lock: Path, role: str, ended: threading.Event) -> None:
    while not ended.wait(BEAT_SECONDS):
        with suppress(StoreError):
            _beat(project, holder, lock, role)


def _beat(project: Project, holder: str, lock: Path, role: str) -> None:
    """Say that the holder lives; also anew, if somebody forgot it while this machine slept."""
    row = HolderRow(id=holder, machine=_machine(), lock=str(lock), role=role, beat_at=now())
    with database(project).session() as session:
        session.merge(row)


@cache
def _machine() -> str:
    """Name this machine as it runs now: after a restart it is another one, and no lock is held."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    except OSError:
        boot = platform.node()
    return hashlib.sha256(boot.strip().encode()).hexdigest()[:16]
