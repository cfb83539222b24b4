"""Work of the server that takes longer than a request may: it goes on in a thread, and says how.

>>> from pathlib import Path
>>> made = start(Path("/tmp/doc"), "gate", "late version 3", "ann", lambda say: Ended("passed"))
>>> made.kind, made.by
('gate', 'ann')

A task is told of by the topic `tasks`, and is forgotten with the server: what it makes is recorded
by whom it calls. Whoever asks for what is under way already is given that.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable
from contextvars import copy_context
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import WorkbenchError
from workbench.store import now

__all__ = ["Ended", "Say", "Task", "TaskKind", "TaskState", "list_tasks", "stamp", "start"]

TaskKind = Literal["gate", "register", "reproduce"]

TaskState = Literal["waiting", "running", "succeeded", "disappointed", "failed"]
"""`disappointed`: it was done, and what came out isn't what was hoped for; `failed`: it wasn't."""

Say = Callable[[str], None]
"""What a task says of how far it is."""


class Ended(NamedTuple):
    """What came out of a task, and whether it is what was hoped for."""

    said: str
    is_good: bool = True


_KEPT = 50
_AT_ONCE = 2

_logger = logging.getLogger("workbench.server")


class Task(BaseModel):
    """Something that the server does beside its requests."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: TaskKind
    subject: str = Field(description="what it is about: `flights-late version 3`")
    state: TaskState
    said: str = Field(description="how far it is, what came out of it, or why it failed")
    by: str
    started_at: datetime
    finished_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has ended, however it did."""
        return self.finished_at is not None


class _Board:
    """The tasks of all projects of this server; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turn = threading.Semaphore(_AT_ONCE)
        self._tasks: dict[Path, dict[str, Task]] = defaultdict(dict)
        self._stamps: dict[Path, int] = defaultdict(int)

    def start(
        self, root: Path, kind: TaskKind, subject: str, by: str, work: Callable[[Say], Ended]
    ) -> Task:
        with self._lock:
            for known in self._tasks[root].values():
                if (known.kind, known.subject) == (kind, subject) and not known.is_over:
                    return known
            task = Task(
                id=uuid4().hex,
                kind=kind,
                subject=subject,
                state="waiting",
                said="",
                by=by,
                started_at=now(),
            )
            self._put(root, task)
        # The thread asks as the one who asked for it.
        arguments = (self._run, root, task.id, work)
        threading.Thread(
            target=copy_context().run, args=arguments, name=f"workbench-{kind}", daemon=True
        ).start()
        return task

    def of(self, root: Path) -> list[Task]:
        with self._lock:
            return list(reversed(self._tasks[root].values()))

    def stamp(self, root: Path) -> int:
        with self._lock:
            return self._stamps[root]

    def _run(self, root: Path, key: str, work: Callable[[Say], Ended]) -> None:
        with self._turn:
            self._change(root, key, state="running")
            try:
                ended = work(lambda line: self._change(root, key, said=line))
            except WorkbenchError as error:
                self._change(root, key, state="failed", said=str(error), finished_at=now())
            except Exception:
                _logger.exception("a task of the server failed")
                said = "it failed unexpectedly; the Jupyter server's log says where"
                self._change(root, key, state="failed", said=said, finished_at=now())
            else:
                state: TaskState = "succeeded" if ended.is_good else "disappointed"
                self._change(root, key, state=state, said=ended.said, finished_at=now())

    def _change(self, root: Path, key: str, **changes: object) -> None:
        with self._lock:
            self._put(root, self._tasks[root][key].model_copy(update=changes))

    def _put(self, root: Path, task: Task) -> None:
        tasks = self._tasks[root]
        tasks[task.id] = task
        over = [key for key, known in tasks.items() if known.is_over]
        for key in over[: max(0, len(over) - _KEPT)]:
            del tasks[key]
        self._stamps[root] += 1


_board = _Board()


def start(root: Path, kind: TaskKind, subject: str, by: str, work: Callable[[Say], Ended]) -> Task:
    """Begin a task of the project in `root`; return it, or the same one if it is under way.

    Parameters
    ----------
    work
        Is given what to tell its progress to, and returns what came out of it.
    """
    return _board.start(root, kind, subject, by, work)


def list_tasks(root: Path) -> list[Task]:
    """List what the server does and did for a project, newest first."""
    return _board.of(root)


def stamp(root: Path) -> int:
    """Return a number that differs when a task of the project has changed."""
    return _board.stamp(root)
